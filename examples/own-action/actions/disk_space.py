"""`disk.space`: how full the disks of the target's server are, and a problem for each that is too full."""

from __future__ import annotations

from typing import Any

from runner.contract import Action, Call, Command, Effect, Outcome, Problem, Reach, Repeat, Severity, Status

LEFT_OUT = ("tmpfs", "devtmpfs", "overlay", "squashfs", "udev")


def run(call: Call) -> Outcome:
    """Ask the server, understand its answer, and say what is wrong."""
    result = call.connect().run(Command(argv=("df", "-P", "-k")), call.deadline)
    disks = parse_df(result.stdout.decode(errors="replace"))
    if not disks:
        return Outcome(Status.FAILED, message=f"df told of no disk (exit code {result.exit_code})")
    full = [disk for disk in disks if disk["used_percent"] > call.inputs["most"]]
    return Outcome(
        Status.OK,
        outputs={"disks": disks, "fullest": max(disk["used_percent"] for disk in disks)},
        evidence=(call.keep("df.txt", result.stdout, "text/plain"),),
        problems=tuple(
            Problem(f"disk.full:{disk['place']}", Severity.MAJOR, f"{disk['place']} terisi {disk['used_percent']} %")
            for disk in full
        ),
    )


def parse_df(text: str) -> list[dict[str, Any]]:
    """Given what `df -P -k` printed, return its disks: place, size in KiB and how full in percent."""
    disks = []
    for line in text.splitlines()[1:]:
        words = line.split(maxsplit=5)
        if len(words) == 6 and words[0] not in LEFT_OUT and words[4].rstrip("%").isdigit():
            disks.append({"place": words[5], "size_kib": int(words[1]), "used_percent": int(words[4].rstrip("%"))})
    return disks


ACTION = Action(
    name="disk.space",
    description="Looks how full the disks of the target's server are.",
    inputs={
        "most": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 90,
            "description": "how full a disk may be, in percent",
            "examples": [85],
        },
    },
    outputs={
        "disks": {
            "type": "array",
            "description": "each disk: where it stands, its size in KiB, how full it is in percent",
            "examples": [[{"place": "/", "size_kib": 41152736, "used_percent": 63}]],
        },
        "fullest": {"type": "integer", "description": "how full the fullest is, in percent", "examples": [63]},
    },
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="30s",
    run=run,
    targets=("website", "server", ""),
    example="""\
- id: space
  action: disk.space
  with: {most: 85}
""",
)
