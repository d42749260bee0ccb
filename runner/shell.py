"""A shell line with expressions in it: values reach the shell as "$1", "$2" …, never as its text.

Where a value would become text all the same (inside quotes, a here-document, arithmetic, `eval`), the line is
refused with the cure. The scanner knows POSIX sh's quoting: sections 2.2 and 2.7.4 of the Shell Command Language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runner.expressions import Expression, ExpressionError, Template, parse_template, render_text

MOST_PARAMETERS = 10_000

_READS_ITS_WORDS_AS_CODE = frozenset(
    {"eval", "let", "trap", "alias", "source", ".", "declare", "typeset", "unset", "[["}
)
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "ash", "su", "busybox"})
_WORD_ENDS = frozenset(" \t\n;&|()<>")
_COMMAND_ENDS = frozenset("\n;&|()")
_KEYWORDS = frozenset({"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"})
_HERE_DOCUMENT = re.compile(r"<<-?[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([^\s;&|()<>'\"]+))")


class ShellLine(NamedTuple):
    """A checked shell line."""

    template: Template

    def fill(self, scope: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Given the values of the roots, return the line and its parameters; a list becomes one word an item."""
        line: list[str] = []
        parameters: list[str] = []
        for part in self.template.parts:
            if isinstance(part, str):
                line.append(part)
                continue
            words = _words(part, part.value(scope))
            line.append(" ".join(f'"${{{len(parameters) + n}}}"' for n in range(1, len(words) + 1)))
            parameters += words
        if len(parameters) > MOST_PARAMETERS:
            raise ExpressionError(f"more than {MOST_PARAMETERS} words", "pass them on stdin")
        return "".join(line), tuple(parameters)


def _words(part: Expression, value: Any) -> list[str]:
    if isinstance(value, Mapping):
        raise ExpressionError("a mapping is not a word", "name one of its keys, or add | tojson", part.fragment)
    values = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(item, Mapping | list | tuple) for item in values):
        raise ExpressionError("a nested list is not a list of words", "add | tojson", part.fragment)
    return [render_text(item) for item in values]


def parse_shell_line(text: str) -> ShellLine:
    """Given a shell line, return it checked. Raise ExpressionError where a value would become shell text."""
    template = parse_template(text)
    scanner = _Scanner()
    for part in template.parts:
        if isinstance(part, str):
            scanner.read(part)
        else:
            scanner.check(part)
    return ShellLine(template)


@dataclass(slots=True)
class _Scanner:
    """Where in the shell's grammar we are: a stack of contexts, and the words of the command being written."""

    contexts: list[str] = field(default_factory=lambda: ["command"])
    words: list[list[str]] = field(default_factory=lambda: [[]])
    word: str = ""
    here: list[str] = field(default_factory=list)
    rest: str = ""

    def check(self, part: Expression) -> None:
        context = self.contexts[-1]
        message, cure = _REFUSALS.get(context, ("", ""))
        if context == "command" and self._is_code():
            message = "the shell would read the value as code here"
            cure = "call the program directly, or pass the value through env: or stdin:"
        if message:
            raise ExpressionError(message, cure, part.fragment)
        self.word += "\x00"

    def _is_code(self) -> bool:
        words = self.words[-1]
        if _READS_ITS_WORDS_AS_CODE.intersection(words):
            return True
        names = {word.rsplit("/", 1)[-1] for word in words}
        return bool(names & _SHELLS) and any(re.fullmatch(r"-[a-z]*c", word) for word in words)

    def read(self, text: str) -> None:
        position = 0
        while position < len(text):
            position += getattr(self, "_" + self.contexts[-1])(text, position)

    def _command(self, text: str, at: int) -> int:
        character, two, three = text[at], text[at : at + 2], text[at : at + 3]
        if character == "\\":
            self.word += text[at + 1 : at + 2]
            return 2
        if character in "'\"`":
            self.contexts.append({"'": "single", '"': "double", "`": "backtick"}[character])
            self.word += "\x01"
            return 1
        if three == "$((" or (two == "((" and not self.word):
            self.contexts.append("arithmetic")
            return len(three) if three == "$((" else 2
        if two == "$(" or character == "(":
            self._end_word()
            self._open_command("command")
            return 2 if two == "$(" else 1
        if two == "${":
            self.contexts.append("brace")
            return 2
        if character == "#" and not self.word:
            self.contexts.append("comment")
            return 1
        return self._plain(text, at)

    def _plain(self, text: str, at: int) -> int:
        character = text[at]
        found = _HERE_DOCUMENT.match(text, at) if text.startswith("<<", at) else None
        if found and not text.startswith("<<<", at):
            self._end_word()
            self.here.append(found[1] or found[2] or found[3])
            return len(found[0])
        if character not in _WORD_ENDS:
            self.word += character
            return 1
        self._end_word()
        if character == ")" and len(self.words) > 1:
            self.contexts.pop()
            self.words.pop()
            self.word = "\x01"
        elif character in _COMMAND_ENDS:
            self.words[-1] = []
        if character == "\n" and self.here:
            self.contexts.append("here")
            self.rest = ""
        return 3 if text.startswith("<<<", at) else 1

    def _open_command(self, context: str) -> None:
        self.contexts.append(context)
        self.words.append([])

    def _end_word(self) -> None:
        if self.word and not (self.word in _KEYWORDS and not self.words[-1]):
            self.words[-1].append(self.word)
        self.word = ""

    def _single(self, text: str, at: int) -> int:
        if text[at] == "'":
            self.contexts.pop()
        else:
            self.word += text[at]
        return 1

    def _double(self, text: str, at: int) -> int:
        if text[at] == "\\":
            return 2
        if text.startswith("$((", at):
            self.contexts.append("arithmetic")
            return 3
        if text.startswith("$(", at):
            self._open_command("command")
            return 2
        if text.startswith("${", at):
            self.contexts.append("brace")
            return 2
        if text[at] == "`":
            self.contexts.append("backtick")
        elif text[at] == '"':
            self.contexts.pop()
        else:
            self.word += text[at]
        return 1

    def _backtick(self, text: str, at: int) -> int:
        if text[at] == "\\":
            return 2
        if text[at] == "`":
            self.contexts.pop()
        return 1

    def _arithmetic(self, text: str, at: int) -> int:
        if text.startswith("))", at):
            self.contexts.pop()
            return 2
        if text[at] == "(":
            self.contexts.append("parenthesis")
        return 1

    def _parenthesis(self, text: str, at: int) -> int:
        if text[at] == "(":
            self.contexts.append("parenthesis")
        elif text[at] == ")":
            self.contexts.pop()
        return 1

    def _brace(self, text: str, at: int) -> int:
        if text[at] == "\\":
            return 2
        if text[at] in "'\"":
            self.contexts.append("single" if text[at] == "'" else "double")
        elif text[at] == "}":
            self.contexts.pop()
        return 1

    def _comment(self, text: str, at: int) -> int:
        if text[at] == "\n":
            self.contexts.pop()
            return 0
        return 1

    def _here(self, text: str, at: int) -> int:
        end = text.find("\n", at)
        line = self.rest + (text[at:] if end < 0 else text[at:end])
        self.rest = line if end < 0 else ""
        if line.strip("\t\r") == self.here[0]:
            self.here.pop(0)
            if not self.here:
                self.contexts.pop()
        return len(text) - at if end < 0 else end - at + 1


_IN_QUOTES = (
    "a value inside quotes would become shell text",
    "leave the quotes out: the value is one word without them",
)
_REFUSALS = {
    "single": _IN_QUOTES,
    "double": _IN_QUOTES,
    "backtick": ("a value inside backticks would become shell text", "write $( … ) instead of backticks"),
    "arithmetic": ("a value inside $(( )) would be computed as code", "compute in the expression: {{ a + b }}"),
    "parenthesis": ("a value inside $(( )) would be computed as code", "compute in the expression: {{ a + b }}"),
    "brace": ("a value inside ${ } would become shell text", "assign it first: name={{ … }}"),
    "here": ("a value inside a here-document would become shell text", "pass it through stdin:"),
    "comment": ("a value inside a comment does nothing", "delete the comment"),
}
