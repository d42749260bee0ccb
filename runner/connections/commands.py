"""What every way of running commands shares: checks, words for the system, reading and writing of files.

Values reach a shell as its parameters. Where they have to cross a shell's text (the wire to the agent), `quote`
makes each of them one word.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner.contract import OUTPUT_LIMIT, Command, Result
from runner.durations import Deadline
from runner.errors import Failed
from runner.messages import readable

SHELL = "/bin/sh"
LONGEST_WORD = 131_071  # Linux: MAX_ARG_STRLEN, with its NUL
LONGEST_WORDS = 1_500_000
LONGEST_LINE = 100_000
TERM_GRACE = 2.0
MARK = "SOP_COMMAND"
READ_ONLY_NAMES = frozenset({"PPID", "UID", "EUID", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO"})

# Reads shell code line by line up to a line that equals $1, and runs it with the rest of stdin still unread: what
# it says is seen neither in a process list nor by sudo's log. Without single quotes, so that it can stand in some.
READER = (
    'c=; n=$(printf "\\nx"); n=${n%x}; while IFS= read -r l || exit 97; [ "$l" != "$1" ]; do c=$c$l$n; done; '
    'shift; eval "$c"'
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\Z")

_WRITE = """new=$1.$$.new; trap 'rm -f -- "$new"' EXIT; trap 'exit 1' HUP INT TERM; umask 077
[ ! -d "$1" ] || { echo "it is a directory" >&2; exit 1; }
cat >"$new" || exit
[ "$(wc -c <"$new")" -eq "$3" ] || { echo "it arrived incomplete" >&2; exit 1; }
chmod "$2" "$new" && mv -f "$new" "$1\""""

_READ = """[ "$(wc -c <"$1")" -le "$2" ] || { echo "it is larger than $2 bytes" >&2; exit 1; }
exec cat <"$1\""""

Run = Callable[[Command, Deadline], Result]


class DirectoryRefused(Exception):
    """The command's directory cannot be entered."""


class OutputTooLong(Exception):
    """A stream of a command has passed its limit."""


class Collector:
    """Takes a stream piece by piece, up to a limit in bytes. Raise OutputTooLong beyond it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._pieces: list[bytes] = []

    def __call__(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise OutputTooLong
        self._pieces.append(piece)

    @property
    def content(self) -> bytes:
        """Everything taken so far."""
        return b"".join(self._pieces)


@dataclass(frozen=True, slots=True)
class Request:
    """A command made ready: the program's words, where and with what it runs, and a mark to find it by.

    `script` is a line too long for a word; it goes to a file, before whose parameters (`words`) the shell stands.
    """

    words: tuple[str, ...]
    mark: str
    directory: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    run_as: str = ""
    script: str = ""

    @property
    def mark_setting(self) -> str:
        """The mark as it stands in the environment of the command's processes."""
        return f"{MARK}={self.mark}"


def build_request(command: Command) -> Request:
    """Given a checked command, return what is to be run."""
    mark = secrets.token_hex(8)
    if command.run_as:
        return _as_another(command, mark)
    words, script = words_of(command), ""
    if len(encode(command.line)) > LONGEST_LINE:
        words, script = command.parameters, command.line
    directory = _anchored(command.directory) if command.directory else ""
    return Request(words, mark, directory, command.environment, command.stdin, script=script)


def _as_another(command: Command, mark: str) -> Request:
    """sudo passes no variables on; they, the directory and the words reach the new shell through its stdin."""
    directory = _anchored(command.directory) if command.directory else ""
    code = (
        render_preparation(directory, command.environment, f"{{ echo {mark} >&2; exit 1; }}")
        + f"export {MARK}={mark}\nexec {render_words(words_of(command))}\n"
    )
    stdin = encode(f"{code}{mark}\n") + command.stdin
    return Request((SHELL, "-c", READER, "sh", mark), mark, stdin=stdin, run_as=command.run_as)


def check_command(command: Command, place: str) -> None:
    """Given a command for the server `place`, raise Failed for what no system can run."""
    texts = (command.line, *command.argv, *command.parameters, *command.environment.values(), command.directory)
    if bool(command.line) == bool(command.argv):
        raise Failed(f"{place}: a command is either a line or argv. give one of them")
    if command.argv and command.parameters:
        raise Failed(f"{place}: parameters belong to a line. with argv, write them as its words")
    if any("\0" in text for text in texts):
        raise Failed(f"{place}: a command, parameter or variable holds a NUL character. give such data on stdin")
    for name in command.environment:
        if not _NAME.match(name) or name in READ_ONLY_NAMES:
            raise Failed(f"{place}: '{name}' cannot be set as an environment variable. use letters, digits and _")
    if command.run_as and not _USER.match(command.run_as):
        raise Failed(f"{place}: '{command.run_as}' is not a user's name. correct run_as")
    _check_sizes(command, place)


def _check_sizes(command: Command, place: str) -> None:
    words = [encode(word) for word in (*command.argv, *command.parameters)]
    values = [encode(value) for value in command.environment.values()]
    if max((len(word) for word in (*words, *values)), default=0) > LONGEST_WORD - 256:
        raise Failed(f"{place}: one value of the command is longer than 128 KB. give it on stdin")
    if sum(len(word) + 9 for word in (*words, *values)) > LONGEST_WORDS:
        raise Failed(f"{place}: the values of the command are longer than 1.5 MB. give them on stdin")
    if command.run_as and len(encode(command.line)) > LONGEST_WORD - 256:
        raise Failed(f"{place}: with run_as a line may have 128 KB. write it to a file first")


def encode(text: str) -> bytes:
    """Given text, return its bytes for the system; undecodable bytes that came from there go back as they were."""
    return text.encode("utf-8", "surrogateescape")


def quote(text: str) -> str:
    """Given any text without NUL, return it as one word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def words_of(command: Command) -> tuple[str, ...]:
    """Given a command, return the program and arguments to start; a line becomes `sh -c line sh parameters…`."""
    return command.argv or (SHELL, "-c", command.line, "sh", *command.parameters)


def render_preparation(directory: str, environment: Mapping[str, str], refusal: str) -> str:
    """Return shell code that enters a directory (or does `refusal`) and exports variables."""
    parts = []
    if directory:
        parts.append(f"CDPATH= cd {quote(directory)} >/dev/null 2>&1 || {refusal}\n")
    parts += [f"export {name}={quote(value)}\n" for name, value in environment.items()]
    return "".join(parts)


def _anchored(directory: str) -> str:
    return directory if directory.startswith("/") else f"./{directory}"


def render_words(words: tuple[str, ...]) -> str:
    """Return words as text for a shell that reads exactly them."""
    return " ".join(map(quote, words))


def as_user(user: str) -> tuple[str, ...]:
    """The words before a command that is to run as another user."""
    return ("sudo", "-n", "-u", user, "--")


def check_become(request: Request, result: Result, place: str) -> Result:
    """Return the result of a command. Raise Failed when sudo refused it, DirectoryRefused when its shell did."""
    if not request.run_as or result.exit_code not in (1, 126, 127):
        return result
    if result.stderr.startswith(encode(request.mark)):
        raise DirectoryRefused
    if result.exit_code == 127 and b"sudo" in result.stderr and b"not found" in result.stderr:
        raise Failed(f"{place}: it has no sudo, so run_as cannot be done. install sudo there")
    if result.stderr.startswith(b"sudo:"):
        why = one_line(result.stderr)
        raise Failed(f"{place}: cannot become '{request.run_as}': {why}. allow it in sudoers with NOPASSWD")
    return result


def one_line(text: bytes) -> str:
    """Given a program's message, return its first line as printable text of at most 200 characters."""
    lines = text.decode("utf-8", "replace").strip().splitlines() or [""]
    return readable(lines[0][:200])


def too_long(place: str, command: Command) -> Failed:
    """The error for a command whose output passed its limit."""
    return Failed(f"{place}: the command wrote more than {command.output_limit} bytes and was ended. let it write less")


def no_directory(place: str, command: Command) -> Failed:
    """The error for a command whose directory cannot be entered."""
    return Failed(f"{place}: the directory {command.directory} cannot be entered. check the path and its rights")


def read_file(run: Run, place: str, path: str, deadline: Deadline, limit: int = OUTPUT_LIMIT) -> bytes:
    """Given a way to run commands, return a file's bytes. Raise Failed when it is missing or larger than `limit`."""
    command = Command(line=_READ, parameters=(_anchored(path), str(limit)), output_limit=limit)
    result = run(command, deadline)
    if result.exit_code:
        raise Failed(f"{place}: {path} cannot be read: {one_line(result.stderr)}. check the path and its rights")
    return result.stdout


def write_file(run: Run, place: str, path: str, data: bytes, deadline: Deadline, mode: int) -> None:
    """Given a way to run commands, write a file whole or not at all. Raise Failed when that is not possible."""
    command = Command(line=_WRITE, parameters=(_anchored(path), f"{mode:o}", str(len(data))), stdin=data)
    result = run(command, deadline)
    if result.exit_code:
        raise Failed(f"{place}: {path} cannot be written: {one_line(result.stderr)}. check the path and its rights")
