/* SPDX-License-Identifier: MIT */
/*
 * standalone: replays files through a fuzz target without a fuzzing engine.
 * Arguments are files or directories of files; also AFL's stdin when none.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long runs;

static void
replay_stream(FILE *f)
{
	size_t n = 0, cap = 1 << 16, got;
	uint8_t *p = malloc(cap);

	while (p && (got = fread(p + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n < cap)
			continue;
		uint8_t *more = realloc(p, cap *= 2);
		if (!more)
			free(p);
		p = more;
	}
	if (!p) {
		perror("standalone");
		exit(1);
	}
	/* An exact copy, so that a sanitizer sees an over-read by one. */
	uint8_t *exact = malloc(n ? n : 1);
	if (exact && n)
		memcpy(exact, p, n);
	if (exact)
		LLVMFuzzerTestOneInput(exact, n);
	runs++;
	free(exact);
	free(p);
}

static void
replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		DIR *d = opendir(path);
		for (struct dirent *e; d && (e = readdir(d));) {
			char name[4096];
			if (e->d_name[0] == '.')
				continue;
			snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
			replay(name);
		}
		if (d)
			closedir(d);
		return;
	}
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(1);
	}
	replay_stream(f);
	fclose(f);
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		replay_stream(stdin);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%lu inputs\n", runs);
	return 0;
}
