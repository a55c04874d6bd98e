# SPDX-License-Identifier: MIT
#
# The memory of greylisting in Redis.  One script decides in the server, so that
# workers cannot come between; entries expire by themselves.  Speaks the protocol
# itself, one bounded conversation for each message.  Dies with one line.

package Mail::MIMEDefang::Actions::Greylist::Redis;
use v5.36;
use Mail::MIMEDefang::Codec qw(percent_encode);
use Mail::MIMEDefang::Peer  qw(peer_open);

use constant MAX_BYTES => 4096;

# KEYS: the triple; ARGV: now, min, max, known, all in seconds.
use constant SCRIPT => <<'END';
local first, known = unpack(redis.call('HMGET', KEYS[1], 'first', 'known'))
local now, min = tonumber(ARGV[1]), tonumber(ARGV[2])
if not first then
  redis.call('HSET', KEYS[1], 'first', now, 'last', now)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  return 'tempfail'
end
if not known and tonumber(first) > now - min then
  return 'tempfail'
end
redis.call('HSET', KEYS[1], 'known', 1, 'last', now)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 'continue'
END

sub new ($class, %self) {
    return bless {%self}, $class;
}

sub decide ($self, $key, $now, $min, $max, $known) {
    my @commands;
    push @commands,
        [ 'AUTH', grep { length($_ // '') } @{$self}{qw(user password)} ]
        if length($self->{password} // '');
    push @commands, [ 'SELECT', $self->{database} ] if $self->{database};
    push @commands,
        [
        'EVAL', SCRIPT, 1,
        join(' ', 'greylist', map { percent_encode($_) } @{$key}),
        $now, $min, $max, $known
        ];
    my ($peer, $error) = peer_open(
        address   => $self->{address},
        timeout_s => $self->{seconds},
        max_bytes => MAX_BYTES
    );
    die "$error\n" if !$peer;
    my $answer;
    for my $command (@commands) {
        $answer = _ask($peer, $command);
    }
    die "unexpected answer from Redis\n"
        if $answer !~ /^(?:tempfail|continue)\z/;
    return $answer;
}

# A status or a string; an error dies.
sub _ask ($peer, $command) {
    my ($reply, $error) = $peer->talk(
        send => join('',
            '*' . @{$command} . "\r\n",
            map { '$' . length($_) . "\r\n$_\r\n" } @{$command}),
        until => qr/\A(?:[-+:].*|\$-1|\$\d+\r\n.*)\r\n/
    );
    die "$error\n" if length $error;
    die "Redis: $1\n" if $reply =~ /\A-(.*)\r\n/;
    my ($text) = $reply =~ /\A(?:[+:]|\$\d+\r\n)(.*)\r\n/;
    return $text // '';
}

1;

__END__

=head1 NAME

Mail::MIMEDefang::Actions::Greylist::Redis - greylisting in Redis

=head1 METHODS

=head2 new(address => ..., user => ..., password => ..., database => ..., seconds => ...)

ADDRESS is C<host:port> or F</path>.

=head2 decide([SENDER, RECIPIENT, IP], NOW, MIN, MAX, KNOWN)

C<tempfail> or C<continue>. Dies if Redis does not answer or answers an error.

=cut
