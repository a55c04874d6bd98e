# SPDX-License-Identifier: MIT
# Completion of md-mx-ctrl in bash: source this file, or install it as
# /usr/share/bash-completion/completions/md-mx-ctrl.  The words come from the
# program itself.
_md_mx_ctrl() {
	local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]}

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-s | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$("$program" --list-commands)
		$("$program" --help | grep -o -- '--[a-z][a-z-]*' | sort -u)" \
		-- "$word")
}
complete -F _md_mx_ctrl md-mx-ctrl
