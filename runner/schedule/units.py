"""Units of systemd for the user's own manager: a timer that calls each minute, and the service that it starts."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from runner.errors import refuse

LIMIT = 30.0  # seconds for systemctl


def unit_name(folder: str) -> str:
    """The name of a working folder's units, without their endings."""
    return f"sop-{hashlib.sha256(folder.encode()).hexdigest()[:8]}"


def unit_folder() -> Path:
    """Where the user's own units lie."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def render_units(folder: str, words: Sequence[str], environment: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Given the working folder, the command and its environment, return the units by their file names.

    What the service leaves running goes on (KillMode=process), so that a long run holds up no other.
    """
    name = unit_name(folder)
    settings = "".join(f"Environment={_quote(f'{key}={value}')}\n" for key, value in environment)
    service = (
        f"[Unit]\nDescription=sop schedule of {_plain(folder)}\n\n[Service]\nType=oneshot\nKillMode=process\n"
        f"WorkingDirectory={_plain(folder)}\n{settings}ExecStart={' '.join(map(_quote_word, words))}\n"
    )
    timer = (
        f"[Unit]\nDescription=sop schedule of {_plain(folder)}, each minute\n\n"
        "[Timer]\nOnCalendar=*-*-* *:*:00\nAccuracySec=5s\n\n[Install]\nWantedBy=timers.target\n"
    )
    return {f"{name}.service": service, f"{name}.timer": timer}


def write_units(units: dict[str, str]) -> str:
    """Write the user's units and start the timer; return what is left to be typed ("" where nothing is)."""
    place = unit_folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in units.items():
            (place / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise refuse("--systemd", f"{error.filename}: {error.strerror}", "make that folder writable") from error
    timer = next(name for name in units if name.endswith(".timer"))
    if _systemctl("daemon-reload") and _systemctl("enable", "--now", timer):
        return ""
    return f"systemctl --user daemon-reload && systemctl --user enable --now {timer}"


def remove_units(folder: str) -> None:
    """Stop the timer and take the user's units away."""
    name = unit_name(folder)
    _systemctl("disable", "--now", f"{name}.timer")
    for ending in ("timer", "service"):
        (unit_folder() / f"{name}.{ending}").unlink(missing_ok=True)
    _systemctl("daemon-reload")


def _systemctl(*words: str) -> bool:
    program = shutil.which("systemctl")
    if program is None:
        return False
    try:
        done = subprocess.run(  # noqa: S603  # the machine's own program, its words are ours
            [program, "--user", *words], capture_output=True, timeout=LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _plain(text: str) -> str:
    return text.replace("%", "%%")


def _quote(text: str) -> str:
    escaped = _plain(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quote_word(text: str) -> str:
    return _quote(text.replace("$", "$$"))
