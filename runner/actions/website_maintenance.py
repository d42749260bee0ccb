"""website.maintenance: closes a site by its own maintenance mode while it is worked on, and opens it again."""

from __future__ import annotations

from datetime import timedelta

from runner.actions.backup.verdict import complaint
from runner.contract import Action, Call, Command, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.errors import Failed

# Each script says what was done: closed, opened, unchanged, or another, where somebody else has closed the site.
# WordPress drops the mode ten minutes after the moment in the file (wp_is_maintenance_mode): it ends by itself.
_WORDPRESS = r"""cd -- "$1" || exit
[ -f wp-load.php ] || { echo 'there is no WordPress in this folder' >&2; exit 44; }
if [ -e .maintenance ] && ! grep -q '// sop$' .maintenance; then echo another; exit; fi
done=closed
[ ! -e .maintenance ] || done=unchanged
if [ "$2" = open ]; then
    [ "$done" = closed ] && echo unchanged || { rm -f .maintenance && echo opened; }
    exit
fi
printf '<?php $upgrading = %d; // sop\n' "$(($(date +%s) + $3 - 600))" > .maintenance-sop &&
    mv -f .maintenance-sop .maintenance && echo "$done"
"""
# Joomla knows no end: a process of its own on the server opens the site when the time is up, whatever became of us.
# All copies end in .php, so that no web server shows the passwords in them as text.
_JOOMLA = r"""cd -- "$1" || exit
grep -q 'class JConfig' configuration.php || { echo 'there is no Joomla in this folder' >&2; exit 44; }
kept=configuration.sop.php mark=configuration.sop-mark.php
if [ "$2" = open ]; then
    [ -e "$kept" ] || { echo unchanged; exit; }
    rm -f "$mark" && mv -f "$kept" configuration.php && echo opened
    exit
fi
[ ! -e "$kept" ] || { echo unchanged; exit; }
if grep -Eq 'public +\$offline *= *(true|1|.1.) *;' configuration.php; then echo another; exit; fi
grep -Eq 'public +\$offline *=' configuration.php || { echo 'configuration.php says nothing of $offline' >&2; exit 44; }
new=configuration.sop-new.php
cp -p configuration.php "$new" && chmod u+w "$new" &&
    sed -E 's/(public +\$offline *= *)[^;]*;/\1true;/' configuration.php > "$new" || { rm -f "$new"; exit 1; }
token="<?php // $$ $(date +%s)"
echo "$token" > "$mark"
wait_and_open='sleep "$1"; [ "$(cat "$4")" = "$5" ] && mv -f "$2" "$3" && rm -f "$4"'
run=nohup
! command -v setsid >/dev/null || run=setsid
$run sh -c "$wait_and_open" sh "$3" "$kept" configuration.php "$mark" "$token" </dev/null >/dev/null 2>&1 &
cp -p configuration.php "$kept" && mv -f "$new" configuration.php && echo closed
"""
_SCRIPTS = {"wordpress": _WORDPRESS, "joomla": _JOOMLA}
_SAID = {
    "closed": "closed",
    "opened": "open again",
    "unchanged": "as it was",
    "another": "closed by somebody else: left",
}


def run(call: Call) -> Outcome:
    """Close or open the site. Raise Failed where it cannot be."""
    root, system, seconds = _site(call)
    word = "close" if call.inputs["closed"] else "open"
    command = Command(line=_SCRIPTS[system], parameters=(root, word, str(seconds)), run_as=call.run_as)
    result = call.connect().run(command, call.deadline)
    said = result.stdout.decode("ascii", "replace").strip()
    if result.exit_code != 0 or said not in _SAID:
        raise Failed(f"{root}: cannot be {word}d: {complaint(result.stderr)}. check the root and the account's rights")
    until = (call.office_time + timedelta(seconds=seconds)).isoformat(timespec="seconds")
    closed = said in ("closed", "another") or (said == "unchanged" and call.inputs["closed"])
    outputs = {"closed": closed, "by_us": closed and said != "another", "until": until if said == "closed" else ""}
    status = Status.OK if said in ("unchanged", "another") else Status.CHANGED
    return Outcome(status, outputs, message=f"{root}: {_SAID[said]}" + (f" until {until}" if outputs["until"] else ""))


def preview(call: Call) -> Preview:
    """Say what would be done."""
    root, system, seconds = _site(call)
    word = f"close, for at most {seconds} s," if call.inputs["closed"] else "open"
    return Preview(f"would {word} the {system} site in {root}")


def _site(call: Call) -> tuple[str, str, int]:
    """The site's folder and system, and for how long at most. Raise Failed."""
    target = call.target or {}
    root, system = call.inputs.get("root") or target.get("root"), call.inputs.get("cms") or target.get("cms")
    if not root:
        raise Failed("root: the site's folder is not known. give the website its `root`, or the task")
    if system not in _SCRIPTS:
        raise Failed(f"cms: {system} has no maintenance mode that is known here. write {' or '.join(_SCRIPTS)}")
    return str(root), str(system), max(1, round(call.seconds("at_most")))


ACTION = Action(
    name="website.maintenance",
    description="Closes a WordPress or Joomla site by its own maintenance mode, or opens it again. It opens by itself "
    "when the time is up, whatever became of the run; what somebody else has closed is left alone.",
    inputs={
        "closed": {
            "type": "boolean",
            "description": "true closes the site; false, best in a task with `always: true`, opens it again",
            "examples": [True, False],
        },
        "at_most": {
            "type": "string",
            "description": "After which time it opens by itself",
            "default": "2h",
            "examples": ["2h", "30 menit"],
        },
        "root": {
            "type": "string",
            "minLength": 1,
            "description": "The site's folder on the server; without it the target's `root`",
            "optional": True,
            "examples": ["/var/www/html"],
        },
        "cms": {
            "enum": list(_SCRIPTS),
            "description": "What the site is built with; without it the target's `cms`",
            "optional": True,
            "examples": ["joomla"],
        },
    },
    outputs={
        "closed": {"type": "boolean", "description": "Whether the site is closed now", "examples": [True]},
        "by_us": {"type": "boolean", "description": "Whether it is so by this action", "examples": [True]},
        "until": {
            "type": "string",
            "description": "When it opens by itself; empty where it was not closed now",
            "examples": ["2026-11-22T03:30:00+07:00"],
        },
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="1m",
    run=run,
    preview=preview,
    targets=("website",),
    example="""\
- id: close
  action: website.maintenance
  with: {closed: true}
""",
)
