"""Commands sent ahead that share a shell: which lines may, and the code of that shell.

A subshell costs a server less than half of what a fork of the agent and a new shell do. All lines then stand in one
process group, which a limit ends as a whole, with those behind; so none may leave something in the background, or ask
for the shell's own process id. A line of any other form gets a shell of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from runner.connections.commands import SHELL, Request, quote

MOST_SHARED = 20  # each has four descriptors in the agent, and some hosting allows a login 100
_LONGEST = 1000  # characters of a line and its parameters: twenty of them fit into a word
_TELL_SCRIPT = "case $? in 0) echo 0;; *) echo $?; exit;; esac;"
_OPENING = r"(?!(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|in|function|select|coproc)\b)"
_QUOTED = r"""'(?:[^'$&\n]|\$\d)*'|"(?:[^"\\$&`\n]|\$\w)*\""""
_WORD = rf"(?:[\w./:=+,@%*?~\[\]-]|\$\w|{_QUOTED})+"
_REDIRECTION = r"\d?[<>](?:&\d| ?[\w./-]+)"
_COMMAND = rf"{_OPENING}(?:\[(?= )|(?!\[){_WORD})(?: +(?:{_REDIRECTION}|{_WORD}))*"
_LINE = re.compile(rf"(?!.*PPID) *{_COMMAND}(?: *(?:&&|\|\||[|;]) *{_COMMAND})*(?: *;)? *\Z", re.ASCII)


def may_share(request: Request) -> bool:
    """Whether a request is a line that does in a subshell of a shared shell what it does in a shell of its own."""
    if request.directory or request.environment or request.stdin or request.run_as or request.script:
        return False
    if request.words[:2] != (SHELL, "-c") or sum(map(len, request.words)) > _LONGEST:
        return False
    return request.words[3:4] == ("sh",) and bool(_LINE.match(request.words[2]))


def render_shared(requests: Sequence[Request]) -> str:
    """Return code for a shell: it runs these lines one after the other, up to the first that fails, each with stdout
    and stderr to two of the shell's parameters, and says on its own stdout with which code each ended."""
    return " ".join(_render(request, 2 * index + 1) for index, request in enumerate(requests))


def _render(request: Request, first: int) -> str:
    line, parameters = request.words[2], request.words[4:]
    setting = f"set -- {' '.join(map(quote, parameters))}; " if "$" in line else ""
    streams = f">${{{first}}} 2>${{{first + 1}}}"
    return f"( {setting}{line.strip(' ;')} ) {streams}; {_TELL_SCRIPT}"
