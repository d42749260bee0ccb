"""The code that runs on a server: how a process group is ended (shell), and the agent (Perl, without modules)."""

from __future__ import annotations

from runner.connections.commands import MARK, TERM_GRACE

# Functions that end the process group $sop_p of user $sop_u (empty: the same user) whose mark is $sop_m.
# A command under sudo belongs to another user, perhaps in a group that sudo made: only its mark finds it, and only
# that user may end it.
ENDING_CODE = """
sop_seek='grep -lszF -e "$1" /proc/[0-9]*/environ'
sop_hit='for f in $(grep -lszF -e "$2" /proc/[0-9]*/environ); do f=${f#/proc/}; kill -"$1" "${f%/*}"; done'
sop_become() { [ -z "$sop_u" ] || sudo -n -u "$sop_u" -- sh -c "$@"; }
sop_send() {
  kill -"$1" -"$sop_p" || kill -"$1" "$sop_p"
  sop_become "$sop_hit" sh "$1" "$sop_m"
}
sop_alive() {
  sop_found $(grep -lsE "^[0-9]+ \\(.*\\) [^Z] -?[0-9]+ ($sop_p -?[0-9]+|-?[0-9]+ $sop_p) " /proc/[0-9]*/stat)
  sop_found $(sop_become "$sop_seek" sh "$sop_m")
}
sop_found() {
  for sop_f in "$@"; do
    read -r sop_x <"${sop_f%/*}/stat" || continue
    sop_i=${sop_f#/proc/}; set -- ${sop_x##*) }
    [ "$1" = Z ] || echo "${sop_i%/*}"
  done
}
sop_wait() {
  sop_k=0
  while [ "$sop_k" -lt "$1" ] && { [ -n "$sop_u" ] || kill -0 -"$sop_p"; }; do
    [ $((sop_k % 4)) != 1 ] || [ -n "$(sop_alive)" ] || break
    sop_k=$((sop_k + 1)); sleep 0.1 || { sleep 1; sop_k=$((sop_k + 9)); }
  done
}
sop_lead() {
  for sop_f in $(sh -c "$sop_seek" sh "$sop_m"); do
    sop_i=${sop_f#/proc/}; sop_i=${sop_i%/*}
    read -r sop_x <"/proc/$sop_i/stat" || continue
    set -- ${sop_x##*) }
    [ "$3" != "$sop_i" ] || [ "$4" = "$sop_i" ] || echo "$sop_i"
  done
}
sop_end() { [ -z "$sop_p" ] || { sop_send TERM; sop_send CONT; sop_wait GRACE; sop_send KILL; sop_wait 10; }; }
sop_left() {
  for sop_i in $([ -z "$sop_p" ] || sop_alive; sop_found $(sh -c "$sop_seek" sh "$1")); do
    sop_x='?'; read -r sop_x <"/proc/$sop_i/comm"; printf '%s %s\\t' "$sop_i" "$sop_x"
  done
}
""".replace("GRACE", str(int(TERM_GRACE * 10)))

# Words and commands of their own, of the shells that /bin/sh may be: where a line begins with one, no program is meant.
_OWN = """
    alias bg bind break builtin caller case cd chdir command compgen complete compopt continue coproc declare
    dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts
    hash help hist history if in jobs kill let local logout mapfile nameref popd print printf pushd pwd read
    readarray readonly return select set shift shopt source suspend test then time times trap true type typeset
    ulimit umask unalias unset until wait whence while
"""

# How the login shell starts the agent: SIZE bytes of program arrive on stdin, before the first request.
AGENT_LINE = "exec perl -C0 -e 'sysread STDIN,$c,SIZE-length$c,length$c or exit while SIZE>length$c;eval$c'"

# It runs one command at a time, each in a process group of its own and with pipes of its own, which are cut when it
# ends: what it leaves behind writes to nobody. Requests are "run", and "and", which waits for the one before and is
# dropped unless that ended with 0; "end" ends what runs and drops what waits. What goes out are frames (a letter, the
# size, the content): "o" and "e" output, "x" the exit code, "n" no such directory, "s" who is left. $more counts the
# stdin that is still to come.
# Lines that share a shell are one request: it tells with which code each of them ended (or what it could not do), and
# opens their pipes by name, since a shell can hand down nine descriptors at most.
# The watcher, a second process, ends the command when the agent is gone, or when it stands still past the limit.
# A page that is written to after a fork costs as much as anything here: what can be done before it, is.
AGENT_CODE = (
    r"""my $ending = <<'SHELL';
ENDING
SHELL
my $home = readlink '/proc/self/cwd';
defined $home && -r '/proc/self/stat' && -o '/proc/self/fd' or exit 1;
my ($up, $down, $out, $err, $codes, $to_codes, $in, $left, $seeker, $watcher, $tell, $told, $ended, $long);
my (@reads, @writes, @limits, @waiting);
my ($agent, $group, $user, $mark, $requests, $stdin, $more, $answer, $well) = ($$, '', '', '', '', '', 0, '', 0);

sub ending { "$ending\nsop_p='$group' sop_u='$user' sop_m='MARK=$mark'\nsop_end\n" }

sub frame { $answer .= pack 'aN/a*', @_ }

sub flush {
  while (length $answer) {
    my $sent = syswrite $down, $answer;
    if (defined $sent) { substr $answer, 0, $sent, '' } elsif ($! != 4) { exit }
  }
}

sub watch {
  my $read;
  pipe $read, $tell or exit;
  defined($watcher = fork) or exit;
  return if $watcher;
  setpgrp;
  close $_ for $tell, $up, $down;
  my ($end, $seconds);
  while (1) {
    vec(my $ready = '', fileno $read, 1) = 1;
    my $wait = $end ? $end - time : undef;
    last if defined $wait && $wait <= 0;
    next if select($ready, undef, undef, $wait) < 1;
    sysread $read, my $lines, 65536 or last;
    ($seconds, $group, $user, $mark) = split /\t/, (split /\n/, $lines)[-1], -1;
    $end = $seconds ? time + $seconds : 0;
  }
  exec '/bin/sh', '-c', ending() if $group;
  kill 9, $$;
}

sub tell_watcher { syswrite $tell, join("\t", @_, $group, $user, $mark) . "\n" }

# A line that names a program and plain words: what the shell would do with it, without starting the shell. Not where
# a shell, whichever it is, may take the name for a word or command of its own.
sub plain {
  my ($shell, $option, $line) = @_;
  return if $shell ne '/bin/sh' || $option ne '-c';
  return $line =~ m{^(?!(?:OWN)(?: |\z))[\w/][\w./+-]*(?: [\w./:=+,@%-]+)*\z}a ? split / /, $line : ();
}

sub begin {
  (my ($seconds, $directory, $names, $shared), $mark, $user, $more, my @words) = @_;
  @limits = split / /, $seconds;
  my %variables = splice @words, 0, 2 * $names;
  $well = !length $directory || chdir $directory;
  return frame('n', '') if !$well;
  watch() if waitpid $watcher, 1;
  for (1 .. 2 * ($shared || 1)) { pipe $reads[@reads], $writes[@writes] or exit }
  ($out, $err) = splice @reads, 0, 2;
  my $from_in;
  if ($more) { pipe $from_in, $in or exit }
  if ($shared) { pipe $codes, $to_codes or exit }
  $long = $more;
  open STDOUT, '>&', $to_codes || $writes[0]; open STDERR, '>&', $to_codes || $writes[1];
  # PWD keeps the path as it was given, not as links lead.
  %variables = (MARK => $mark, $directory =~ m{^/} ? (PWD => $directory) : (), %variables);
  local @ENV{keys %variables} = values %variables;
  my @plain = length $directory || $to_codes ? () : plain(@words);
  push @words, map { "/proc/$agent/fd/" . fileno $_ } @writes if $to_codes;
  $told = "$limits[0] " . time;
  $group = fork;
  exit if !defined $group;
  if (!$group) {
    setpgrp;
    $group = $$;
    tell_watcher($limits[0]);  # before the command can do anything, such as ending the agent
    open STDIN, '<&', $from_in if $more;
    exec { $plain[0] } @plain if @plain;  # where that fails, the shell says why
    exec { $words[0] } @words;
    my $code = $! == 2 ? 127 : 126;
    syswrite STDERR, "$words[0]: $!\n";
    exit $code;
  }
  setpgrp $group, $group;
  chdir $home if length $directory;
}

sub end_command {
  my $code = shift;
  drain('o', $out);
  drain('e', $err);
  frame('x', $code);
  ($out, $err) = splice @reads, 0, 2;
  $long = 0;
  $well = !$code;
  shift @limits;
  return if !@limits || $told eq (my $now = "$limits[0] " . time);
  tell_watcher($limits[0]);
  $told = $now;
}

sub take_codes {
  sysread $codes, my $lines, 4096;
  for (split /\n/, $lines) {
    kill 9, $$ if m{/proc/$agent/fd/};  # the shell could not open a pipe: nothing is known of the command
    end_command($_) if /^\d+\z/ && $out;
  }
}

sub finish {
  my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
  take_codes() while $codes && is_ready($codes);
  end_command($code || ($codes ? 1 : 0)) if $out && $well;
  ($out, $err, $codes, $to_codes, $in, $group, $stdin) = (undef, undef, undef, undef, undef, '', '');
  @reads = @writes = ();
  @waiting = () if !$well;
  flush() if !@waiting;
  begin_next();
  tell_watcher(0) if !$group;
}

sub begin_next {
  begin(@{shift @waiting}) while @waiting && !$group && $well;
  @waiting = () if !$group;
}

sub find_left {
  ($mark, $user) = @_;
  pipe $left, my $to_left or exit;
  defined($seeker = fork) or exit;
  return if $seeker;
  open STDERR, '>', '/dev/null'; open STDOUT, '>&', $to_left;
  exec '/bin/sh', '-c', ending() . "sop_left MARK=$mark";
}

sub all_left_told {
  undef $left;
  waitpid $seeker, 0;
  frame('s', '');
}

sub take_requests {
  while (1) {
    if ($more) {
      my $piece = substr $requests, 0, $more, '';
      $more -= length $piece;
      $stdin .= $piece if $in;
    }
    return if $more || length $requests < 4 || length $requests < 4 + unpack 'N', $requests;
    my ($kind, @fields) = unpack '(N/a*)*', substr substr($requests, 0, 4 + unpack('N', $requests), ''), 4;
    if ($kind eq 'end') { @waiting = (); find_left(@fields) }
    elsif ($kind eq 'run') { begin(@fields) }
    else { push @waiting, \@fields; begin_next() if !$group }
  }
}

sub pass_on {  # false at the end
  my ($kind, $from) = @_;
  my $size = sysread $from, my $piece, 65536;
  frame($kind, $piece) if $size;
  return $size || !defined $size && $! == 4;
}

sub is_ready {
  vec(my $ready = '', fileno $_[0], 1) = 1;
  return select($ready, undef, undef, 0) > 0;
}

sub drain {  # what the command has written before it ended, however much others go on writing
  my ($kind, $from) = @_;
  for (1 .. 16) { last if !is_ready($from) || !pass_on($kind, $from) }
}

sub feed_command {
  my $sent = syswrite $in, $stdin, 4096;  # a pipe that is ready takes that much at once
  if (defined $sent) { substr $stdin, 0, $sent, '' }
  elsif ($! != 4) { ($in, $stdin) = (undef, '') }
}

sub serve {
  my ($read, $write) = @_;
  take_codes() if $codes && vec $read, fileno $codes, 1;
  pass_on('o', $out) if $out && vec $read, fileno $out, 1;
  pass_on('e', $err) if $err && vec $read, fileno $err, 1;
  all_left_told() if $left && vec($read, fileno $left, 1) && !pass_on('s', $left);
  feed_command() if $in && vec $write, fileno $in, 1;
  return if !vec $read, fileno $up, 1;
  my $size = sysread $up, $requests, 65536, length $requests;
  kill 9, $$ if !$size && (defined $size || $! != 4);
  take_requests();
}

open $up, '<&', STDIN; open $down, '>&', STDOUT;
open STDIN, '<', '/dev/null'; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
$SIG{PIPE} = sub { };  # not "IGNORE", which a command would inherit
setpgrp; exec { '/' } '/';  # both fail: what finds them in the C library is then done once, not after each fork
watch();
$SIG{CHLD} = sub { $ended = 1 };
$answer = "TOKEN$$\n";
flush();
while (1) {
  undef $in if !$more && !length $stdin;
  my ($read, $write) = ('', '');
  vec($read, fileno $_, 1) = 1 for grep { $_ } $up, $codes, $left, $long ? ($out, $err) : ();
  vec($write, fileno $in, 1) = 1 if $in && length $stdin;
  # Output waits a moment for more of it or for the command's end, so that all goes out in one packet; that of short
  # commands in a row too, whose pipes are read once they have ended. It is the agent that holds the pipes open: their
  # end would only wake it once more.
  my $wait = $ended ? 0 : length $answer || $group && !$long ? 0.02 : $group ? 0.25 : undef;
  my $many = select $read, $write, undef, $wait;
  serve($read, $write) if $many > 0;
  $long ||= !$many;
  flush() if !$many || length $answer > 65536;
  next if !$ended;
  $ended = 0;
  finish() if $group && waitpid($group, 1) == $group;
}
""".replace("ENDING\n", ENDING_CODE.lstrip())
    .replace("OWN", "|".join(_OWN.split()))
    .replace("MARK", MARK)
)
