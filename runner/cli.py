"""The command line: `sop`. The one place that turns errors into words and exit codes."""

from __future__ import annotations

import gc
import os
import resource
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from runner import __version__
from runner.durations import Clock
from runner.errors import Refused, RunnerError
from runner.languages import language, translate

COMMANDS = {
    "actions": "what kinds of act there are",
    "cancel": "end a run for good, with a reason",
    "check": "look for mistakes in playbooks and inventory",
    "completion": "the Tab key of bash, zsh and fish knows targets, steps and runs",
    "dashboard": "static pages for the office's screen: each site's state, and whose turn it is",
    "demo": "run the whole SOP on an embedded court website",
    "explain": "what a playbook will do, in sentences: what, when, and by whom",
    "export": "the record for an auditor, in one file that verifies without sop",
    "history": "runs, newest first",
    "init": "a working folder of your own, from six answers",
    "inventory": "what there is, and whether it can be reached",
    "plan": "a dry run: read, preview, and say what could not be checked",
    "print": "the SOP as its form",
    "problems": "what is open, in whose hands, and what was accepted",
    "report": "reports for people: of a run, of a period, letters, services",
    "resume": "go on with a run",
    "rules": "what logs are held against: list, test, explain",
    "run": "carry out a playbook",
    "schedule": "what runs by itself: when, by what, and whether it did",
    "show": "what a run did",
    "sign": "answer what a run waits for",
    "status": "what goes on, what waits, and for whom",
    "tick": "go on with what can go on, and escalate what is overdue: cron's one line",
    "verify": "whether the record is whole",
}
OBJECTS_BEFORE_COLLECTION = 50_000  # of Python's 700, a tenth of a short run went into looking for garbage
BUG = 1
COMPLETING = "_SOP_COMPLETE"  # set by a shell that asks, at the Tab key, what could come next
INTERRUPTED = 130


class Commands(click.Group):
    """Loads a command's file when it is asked for, so that the rest costs nothing."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(f"runner.commands.{name}")
        command: click.Command = module.command
        if COMPLETING in os.environ:
            import_module("runner.commands.completing").add_completion(command)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from runner.errors import did_you_mean

            cure = did_you_mean(args[0], COMMANDS)
            context.fail(f"there is no command '{args[0]}'{cure and '. '}{cure}")
        return super().resolve_command(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sop", message="%(prog)s %(version)s")
def group() -> None:
    """Carry out written standard operating procedures, and keep the proof."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    _leave_no_core()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
    _exit(run(arguments))


def _exit(code: int) -> NoReturn:
    """End at once. Python would first look through all that is left, for 5 to 10 % of a short run; and a thread that
    was left behind would abort the process where it wakes meanwhile and no further file can be opened."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # a pipe that has gone, or no stream at all
            stream.flush()
    os._exit(code)


def _leave_no_core() -> None:
    """A crash must not write this process's memory, which holds secrets, to the disk."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def run(arguments: list[str] | None = None, *, clock: Clock | None = None) -> int:
    """Given the words after `sop`, and a clock where it should not be this machine's, do it; return the exit code."""
    if language() != "en":
        from runner.screen.helping import speak

        speak()
    try:
        result = group.main(arguments, prog_name="sop", standalone_mode=False, obj=clock)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException as error:
        message = error.format_message().rstrip(".")
        joint = "" if message.endswith("?") else "."
        _tell(f"{message}{joint} see: {_command_of(error)} --help")
        return Refused.exit_code
    except BrokenPipeError:
        return _end_quietly()
    except RunnerError as error:
        _tell(str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001  # the one door: a bug is told with a report, not with a traceback
        from runner.commands.bug import report_bug

        _tell(report_bug(error))
        return BUG


def _tell(text: str) -> None:
    """Say what went wrong, on a terminal between words; where that cannot be, the exit code has to do."""
    with suppress(OSError, ValueError):
        text = translate(text)
        if sys.stderr.isatty():
            from runner.screen import width, wrap

            text = "\n".join(each for line in text.split("\n") for each in wrap(line, width(), indent="  "))
        click.echo(text, err=True)


def _command_of(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "sop"


def _end_quietly() -> int:
    """The reader of our output has gone (`sop history | head`): nothing more can be said."""
    sys.stdout = None  # so that the interpreter does not try to flush it
    return 0


if __name__ == "__main__":
    main()
