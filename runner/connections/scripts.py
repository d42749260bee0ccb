"""The shell code that lives on a server: how a process group is ended, and the agent."""

from __future__ import annotations

from runner.connections.commands import TERM_GRACE

# Functions that end a process group. $sop_d/p holds "group user mark" of the running command (user -: the same).
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
sop_recall() { sop_p=; read -r sop_p sop_u sop_m <"$sop_d/p"; [ "$sop_u" != - ] || sop_u=; }
sop_end() { [ -z "$sop_p" ] || { sop_send TERM; sop_send CONT; sop_wait GRACE; sop_send KILL; sop_wait 10; }; }
sop_left() {
  for sop_i in $([ -z "$sop_p" ] || sop_alive; sop_found $(sh -c "$sop_seek" sh "$1")); do
    sop_x='?'; read -r sop_x <"/proc/$sop_i/comm"; printf '%s %s\\t' "$sop_i" "$sop_x"
  done
}
""".replace("GRACE", str(int(TERM_GRACE * 10)))

WORKER_CODE = """ENDING
sop_main() {
unset sop_g sop_t sop_d sop_w sop_x sop_n sop_o sop_e sop_r sop_i sop_c sop_p sop_u sop_m sop_k sop_f
sop_t=TOKEN; sop_d=; sop_w=
sop_no() { printf '%s\\n' "${sop_t}no $1"; [ -z "$sop_d" ] || rm -rf "$sop_d"; exit 1; }
for sop_x in /tmp /var/tmp /dev/shm "$HOME"; do
  if mkdir -m 700 "$sop_x/.sop-FOLDER" 2>/dev/null; then sop_d=$sop_x/.sop-FOLDER; break; fi
done
[ -n "$sop_d" ] || sop_no 'no folder for private pipes can be made'
for sop_x in /usr/bin /bin /usr/local/bin; do
  if [ -x "$sop_x/timeout" ]; then sop_w=$sop_x/timeout; break; fi
done
if [ -L "$sop_w" ] && ! "$sop_w" -k 1 9 true 2>/dev/null; then sop_w=; fi
[ -n "$sop_w" ] || command -v setsid >/dev/null || sop_no 'it has neither timeout nor setsid'
[ -r /proc/self/stat ] || sop_no 'it has no /proc'
mkfifo "$sop_d/q" "$sop_d/o0" "$sop_d/e0" "$sop_d/o1" "$sop_d/e1" 2>/dev/null || sop_no 'it has no named pipes'
: >"$sop_d/p"
exec 3<&0
read -r sop_x sop_x sop_x sop_x sop_g sop_x </proc/self/stat
( trap '' HUP INT TERM PIPE
  sh <&3 3<&- 2>/dev/null
  : >"$sop_d/x"; exec 3<&- >/dev/null 2>&1; sop_recall; sop_end
  mv "$sop_d" "$sop_d-" && sop_d=$sop_d-  # or the worker might put a file into the folder while it goes
  rm -rf "$sop_d"; kill -KILL 0 ) &
exec 3<&- </dev/null
sop_o='o1 o0 o1 o0 o1 o0 o1 o0 o1 o0 o1 o0 o1 o0 o1 o0'; sop_o="$sop_o $sop_o $sop_o $sop_o"
sop_e='e1 e0 e1 e0 e1 e0 e1 e0 e1 e0 e1 e0 e1 e0 e1 e0'; sop_e="$sop_e $sop_e $sop_e $sop_e"
sop_n=0; sop_r=
while :; do
  if [ $((sop_n % 64)) = 0 ]; then
    [ -z "$sop_r" ] || wait $sop_r
    ( cd "$sop_d" && exec cat $sop_o ) & sop_r=$!
    ( cd "$sop_d" && exec cat $sop_e >&2 ) & sop_r="$sop_r $!"
  fi
  [ ! -e "$sop_d/x" ] || exit
  sop_n=$((sop_n + 1)); sop_i=$((sop_n % 2))
  exec 5>"$sop_d/o$sop_i" 6>"$sop_d/e$sop_i"
  printf '%s\\n' "${sop_t}started $sop_n $sop_g $sop_d" >&5; printf '%s\\n' "${sop_t}started $sop_n" >&6
  ( . "$sop_d/q" ) >&5 2>&6 5>&- 6>&-
  sop_c=$?
  : >"$sop_d/p"
  printf '%s\\n' "${sop_t}ended $sop_n $sop_c" >&5; printf '%s\\n' "${sop_t}ended $sop_n" >&6
  exec 5>&- 6>&-
  for sop_x in "$sop_d/i" "$sop_d/s"; do [ ! -e "$sop_x" ] || rm -f "$sop_x"; done
done
}
sop_main
""".replace("ENDING", ENDING_CODE)
