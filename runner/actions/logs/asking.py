"""What runs on the server for `logs.fetch`: one script that finds the place by content and sends the rest. It writes
nothing there, and asks for nothing but a POSIX shell and the usual tools.

Its answer begins, unpacked, with the nonce. For each file there is a line of its own, then the path, then, where
something is sent, the bytes and an end mark. Nobody who writes into a log knows the nonce.

    nonce state size mtime device:inode raw head start length meant path-bytes
    path
    bytes…
    nonce end
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from runner.actions.logs.place import HEAD, TAIL, Known
from runner.contract import Command

MOST_FILES = 700

# Finds the files of logs ($@: paths or globs) and what rotation has put beside them: file1, facts1 (time, size, inode),
# file2 … and `list`, a line each: time, number. With IFS empty, an unquoted parameter is expanded as a glob and nothing
# else.
GATHER = r"""
LC_ALL=C; export LC_ALL
renice -n 10 -p $$ >/dev/null 2>&1; ionice -c 3 -p $$ >/dev/null 2>&1
space=' '; number=0; seen='|'; list=; newline='
'
has() { command -v "$1" >/dev/null 2>&1; }
add() {
  for file do
    if [ ! -e "$file" ] && [ ! -L "$file" ]; then continue; fi
    any=1
    [ "$number" -lt MOST ] || { echo 'too many files' >&2; exit 4; }
    facts=$(stat -L -c '%Y %s %d:%i' -- "$file" 2>/dev/null || stat -L -f '%m %z %d:%i' -- "$file" 2>/dev/null) ||
      facts="$(date -r "$file" +%s 2>/dev/null || echo 0) $(wc -c <"$file" 2>/dev/null | tr -d ' ') "
    identity=${facts##* }
    if [ -n "$identity" ]; then
      case $seen in *"|$identity|"*) continue;; esac
      seen="$seen$identity|"
    fi
    number=$((number + 1))
    eval "file$number=\$file facts$number=\$facts"
    list="$list${facts%% *} $number$newline"
  done
}
gather() {
  for pattern do
    case $pattern in '~/'*) pattern=$HOME/${pattern#'~/'};; esac
    tail=${pattern##*/}
    case $tail in *.*) stem=${pattern%.*} ending=.${pattern##*.};; *) stem=$pattern ending=;; esac
    any=
    IFS=
    add "$pattern" $pattern
    there=$any
    add $pattern.[0-9]* $pattern-[0-9]* $pattern.old $pattern.old.* $pattern.gz $pattern.xz $pattern.zst $pattern.bz2
    [ -z "$ending" ] || add $stem[-._][0-9]*$ending $stem[-._][0-9]*$ending.*
    IFS="$space	$newline"
    [ -n "$there" ] || missing "$pattern"
  done
}
""".replace("MOST", str(MOST_FILES))

# $1 cap, $2 since (epoch seconds), $3 nonce, $4 packers of the answer, $5 packed forms taken as they are, $6 heads
# of files read in part "|head offset tail|…", $7 packed files read whole " size:hash …", $8… patterns.
_SCRIPT = (
    GATHER
    + r"""
cap=$1 since=$2 nonce=$3 packers=$4 takes=$5 heads=$6 raws=$7
shift 7
left=$cap
if has sha256sum; then sha=sha256sum
elif has shasum; then sha='shasum -a 256'
elif has openssl; then sha='openssl dgst -sha256 -r'
else echo 'none of sha256sum, shasum and openssl is there' >&2; exit 3
fi
digest() { $sha | cut -c 1-32; }
say() { printf '%s %s %s\n%s\n' "$nonce" "$*" "${#file}" "$file"; }
missing() { file=$1; say missing 0 0 - - - 0 0 0; }
end() { printf '\n%s end\n' "$nonce"; }
# Looks for a head in what was read before; true when the bytes before the offset are the same, too. Sets offset.
match() {
  others=$heads offset=
  while :; do
    case $others in *"|$head "*) ;; *) return 1;; esac
    others=${others#*"|$head "}
    entry=${others%%|*}
    others="|${others#*|}"
    offset=${entry% *}
    [ "$offset" -le "$1" ] || { short=1; continue; }
    [ "$(part $((offset - TAIL)) TAIL | digest)" != "${entry#* }" ] || return 0
  done
}
part() {
  if [ -n "$unpack" ]; then $unpack <"$file" 2>/dev/null | tail -c +$(($1 + 1)) | head -c "$2"
  else tail -c +$(($1 + 1)) -- "$file" 2>/dev/null | head -c "$2"
  fi
}
send() { # state, start, length
  if [ "$left" -le 0 ]; then say later "$size" "$time" "$identity" "$raw" "$head" "$2" 0 "$3"; return; fi
  length=$3
  [ "$length" -le $((left + TAIL)) ] || length=$((left + TAIL))
  say "$1" "$size" "$time" "$identity" "$raw" "$head" "$2" "$length" "$3"
  left=$((left - length))
  if [ "$1" = packed ]; then head -c "$length" <"$file"; else part "$2" "$length"; fi
  end
}
plain() {
  short=
  [ "$size" -eq 0 ] || head=$(part 0 HEAD | digest)
  if [ "$size" -ge HEAD ] && match "$size"; then
    if [ "$offset" -eq "$size" ]; then say same "$size" "$time" "$identity" - "$head" "$offset" 0 0
    else send rest $((offset - TAIL)) $((size - offset + TAIL))
    fi
  elif [ -n "$short" ]; then say short "$size" "$time" "$identity" - "$head" 0 0 0
  elif [ "$time" -lt "$since" ] && [ "$size" -gt 0 ]; then
    raw=$(tail -c TAIL -- "$file" | digest)
    say old "$size" "$time" "$identity" "$raw" "$head" 0 0 0
  else send whole 0 "$size"
  fi
}
packed() {
  raw=$size:$({ head -c HEAD <"$file"; tail -c TAIL -- "$file"; } | digest)
  case $raws in *" $raw "*) say same "$size" "$time" "$identity" "$raw" - 0 0 0; return;; esac
  if [ "$time" -lt "$since" ]; then say old "$size" "$time" "$identity" "$raw" - 0 0 0; return; fi
  if has "${unpack%% *}"; then
    head=$(part 0 HEAD | digest)
    if match 999999999999999; then
      rest=$(part "$offset" $((left + 1)) | wc -c | tr -d ' ')
      if [ "$rest" = 0 ]; then say same "$size" "$time" "$identity" "$raw" "$head" "$offset" 0 0
      else send rest $((offset - TAIL)) $((rest + TAIL))
      fi
      return
    fi
  else unpack=
  fi
  case $takes in *" $kind "*) [ "$size" -gt "$left" ] && [ -n "$unpack" ] || {
    send packed 0 "$size"; left=$((left - 9 * size)); return
  };; esac
  if [ -n "$unpack" ]; then send whole 0 "$(part 0 $((left + 1)) | wc -c | tr -d ' ')"
  else say closed "$size" "$time" "$identity" - - 0 0 0
  fi
}
one() {
  head=- raw=- kind=${file##*.}
  time=${facts%% *} identity=${facts##* } size=${facts#* }; size=${size%% *} identity=${identity:--}
  if [ ! -f "$file" ] || [ ! -r "$file" ]; then say closed "${size:-0}" "$time" - - - 0 0 0; return; fi
  case $kind in
  gz) unpack='gzip -dc';; xz) unpack='xz -dc';; zst) unpack='zstd -dcq';; bz2) unpack='bzip2 -dc';; *) unpack=;;
  esac
  if [ -n "$unpack" ]; then packed; else plain; fi
}
answer() {
  gather "$@"
  IFS="$space	$newline"
  for number in $(printf %s "$list" | sort -k 1,1n -k 2,2nr | cut -d ' ' -f 2); do
    eval "file=\$file$number facts=\$facts$number"
    one
  done
  printf '%s done\n' "$nonce"
}
for packer in $packers cat; do has "$packer" && break; done
case $packer in
zstd) answer "$@" | zstd -q -3 -c;;
gzip) answer "$@" | gzip -5 -c;;
*) answer "$@";;
esac
""".replace("HEAD", str(HEAD)).replace("TAIL", str(TAIL))
)


class Question(NamedTuple):
    """What is asked of the server: at most `cap` bytes of the logs that `patterns` name, beyond what is `known`; at
    first only of files changed at `since` (epoch seconds) or later."""

    patterns: Sequence[str]
    known: Sequence[Known]
    cap: int
    since: int
    nonce: str
    zstd: bool


def build_command(question: Question, run_as: str = "") -> Command:
    """Given a question, return the command that answers it."""
    heads = "|".join(f"{each.head} {each.offset} {each.tail}" for each in question.known if each.offset >= HEAD)
    raws = " ".join(each.raw for each in question.known if each.raw)
    words = (
        str(question.cap),
        str(question.since),
        question.nonce,
        "zstd gzip" if question.zstd else "gzip",
        " gz xz bz2 zst " if question.zstd else " gz xz bz2 ",
        f"|{heads}|",
        f" {raws} ",
    )
    return Command(line=_SCRIPT, parameters=(*words, *_unique(question.patterns)), run_as=run_as)


def _unique(patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(patterns))
