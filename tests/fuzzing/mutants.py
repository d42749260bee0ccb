"""Changed examples: what stands where something else should, and pieces that parsers trip over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

PIECES = tuple(
    piece.encode("utf-8", "surrogatepass")
    for piece in (
        *("", "\0", "\n", "\r\n", "\t", " ", "\x07", "\x1b[2J", "\ufeff", "\u202e", "\u2028", "\u0130", "😀", "\ud800"),
        *("{", "}", "[", "]", "(", ")", "<", ">", '"', "'", "\\", "/", ":", ";", ",", "|", "&", "*", "!", "%", "@"),
        *("{{", "}}", "{%", "{{ vars.x }}", "&a [*a]", "<<: {a: b}", "!!python/object:os.system x", "*a", "---\n"),
        *("null", "true", "ya", "[]", "{}", "-1", "0", "9" * 40, "1e400", "nan", "0x10", "1_000", "9999-99-99", "24"),
        *("<!--", "<![CDATA[", "&#x110000;", "&amp;", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "</script>", "<style>"),
        *("%00", "%2e%2e/", "../", "\\x", "\\'", "\\u0000", "\\ud83d", "$", "${x}", "%{x}i", "~", "^", "=", "- ", ": "),
        *("31/Feb/2026:25:61:61 +9999", "2026-11-22T09:00:00+99:99", "0001-01-01", "*/0", "60-0", "[1:9]", "[a:"),
        *("(a+)+$", "`", "½", "#", "? ", "٣", ">-", "a" * 300),
    )
)  # fmt: skip


class Edit(NamedTuple):
    """A change: what is done, where (a share of the text), over how many bytes, what comes in."""

    act: str
    place: float
    size: int
    piece: bytes


def apply(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Make the changes one after the other."""
    for edit in edits:
        at = int(edit.place * len(data))
        end = at + edit.size
        middle = {"insert": edit.piece + data[at:end], "replace": edit.piece, "cut": b"", "double": 2 * data[at:end]}
        data = data[:at] + middle[edit.act] + data[end:]
    return data


def mutants(examples: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """The examples with up to five changes each, also by pieces of other examples; and any bytes."""
    others = st.builds(lambda other, at: other[at : at + 60], st.sampled_from(examples), st.integers(0, 2000))
    edit = st.builds(
        Edit,
        st.sampled_from(("insert", "replace", "cut", "double")),
        st.floats(0, 1),
        st.integers(0, 40),
        st.sampled_from(PIECES) | others | st.binary(max_size=4),
    )
    return st.builds(apply, st.sampled_from(examples), st.lists(edit, max_size=5)) | st.binary(max_size=200)
