"""`command.run`: any command, on the target's server; the plainest action."""

from __future__ import annotations

from typing import Any

from runner.contract import Action, Call, Command, Effect, Evidence, Outcome, Preview, Reach, Repeat, Result, Status

LONGEST_OUTPUT = 64 * 1024  # characters of a stream that become an output; the whole is then kept as evidence
SHOWN_ERROR = 400
LONGEST_AHEAD = 10_000


def build_command(call: Call) -> Command:
    """Given the inputs, return the command to run."""
    line, parameters = call.inputs.get("command", ("", ()))
    return Command(
        line=line,
        parameters=parameters,
        argv=tuple(call.inputs.get("argv", ())),
        stdin=call.inputs.get("stdin", "").encode(),
        directory=call.inputs.get("cwd", ""),
        environment={name: str(value) for name, value in call.inputs.get("env", {}).items()},
        run_as=call.run_as,
    )


def run(call: Call) -> Outcome:
    """Run the command; an exit code other than 0 is a failure."""
    result = call.connect().run(build_command(call), call.deadline)
    stdout, kept_out = _text(call, "stdout", result.stdout)
    stderr, kept_err = _text(call, "stderr", result.stderr)
    return Outcome(
        _status(call, result),
        outputs={"stdout": stdout, "stderr": stderr, "exit_code": result.exit_code},
        evidence=kept_out + kept_err,
        message=_message(result, stderr),
    )


def ahead(call: Call) -> Command | None:
    """The command, where it needs nothing but its words."""
    command = build_command(call)
    return None if command.stdin or command.run_as or len(command.line) > LONGEST_AHEAD else command


def preview(call: Call) -> Preview | None:
    """What a command does can be known only by running it."""
    return None


def _status(call: Call, result: Result) -> Status:
    if result.exit_code:
        return Status.FAILED
    return Status.OK if call.effect is Effect.READ else Status.CHANGED


def _message(result: Result, stderr: str) -> str:
    parts = [f"exit code {result.exit_code}: {stderr.strip()[-SHOWN_ERROR:]}".rstrip(": ")] if result.exit_code else []
    return "; ".join([*parts, *filter(None, [result.remark])])


def _text(call: Call, name: str, data: bytes) -> tuple[str, tuple[Evidence, ...]]:
    """A stream as text, and the whole as evidence where the text is not all of it."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
    else:
        if len(text) <= LONGEST_OUTPUT:
            return text, ()
    return text[:LONGEST_OUTPUT], (call.keep(name, data, "application/octet-stream"),)


def _stream(name: str) -> dict[str, Any]:
    return {
        "type": "string",
        "description": f"{name} as UTF-8 text, the first 64 Ki characters; all of a longer or binary one is evidence",
        "examples": ["up 3 days"],
    }


ACTION = Action(
    name="command.run",
    description="Runs a command on the target's server, or on this machine in a step that runs once.",
    inputs={
        "command": {
            "type": "string",
            "minLength": 1,
            "shell": True,
            "optional": True,
            "description": "a line for the shell (sh); values in it arrive as single words, whatever they hold",
            "examples": ["tail -n 5 {{ target.access_log }}"],
        },
        "argv": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string"},
            "optional": True,
            "description": "the program and its arguments, word by word, without a shell",
            "examples": [["systemctl", "is-active", "nginx"]],
        },
        "stdin": {
            "type": "string",
            "secret": True,
            "optional": True,
            "description": "text for its standard input; empty without it",
            "examples": ["yes"],
        },
        "cwd": {
            "type": "string",
            "optional": True,
            "description": "the directory it runs in; without it the login's home",
            "examples": ["/var/www/html"],
        },
        "env": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            "additionalProperties": {"type": ["string", "integer", "number"]},
            "secret": True,
            "optional": True,
            "description": "environment variables to add",
            "examples": [{"LC_ALL": "C"}],
        },
    },
    outputs={
        "stdout": _stream("standard output"),
        "stderr": _stream("standard error"),
        "exit_code": {"type": "integer", "description": "0 when it succeeded", "examples": [0]},
    },
    effect=Effect.CHANGE,
    effects=(Effect.READ, Effect.CHANGE, Effect.OUTSIDE),
    repeat=Repeat.NEVER,
    reach=Reach.SERVER,
    limit="10m",
    run=run,
    ahead=ahead,
    preview=preview,
    targets=("website", "server", ""),
    one_of=("command", "argv"),
    example="""\
- id: load
  action: command.run
  effect: read
  with: {command: "uptime"}
""",
)
