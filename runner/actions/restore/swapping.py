"""Brings what was unpacked beside a live folder into its place, by renaming only; how far that came is seen there.

Beside the folder `html` stand `html.pulih-ID.sebagian` while it is unpacked, `html.pulih-ID` once that is whole, and
`html.lama-ID` with what was there before; ID is the plan's. So a restore that was cut off goes on where it was.

Where the account may not write to the folder above, these stand inside, as `.pulih-ID` and `.lama-ID`, which only the
account may enter; then what is in the folder is moved, and `.pulih-ID.masuk` says that the old is all aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from runner.actions.backup.listing import FOLDER
from runner.actions.backup.set_files import Entry, shown
from runner.actions.backup.verdict import complaint
from runner.actions.restore import leftovers
from runner.actions.restore.leftovers import ID_GLOB, SWEEP
from runner.actions.restore.site import State, not_restored
from runner.actions.restore.unpacking import Place, Unpacker
from runner.contract import Command, Connection
from runner.durations import Deadline
from runner.errors import Failed

_AT_A_TIME = 50
# Finds the folder itself, not a link to it; says how far a restore of this ID came, and what room there is.
_LOOK = """root=$1 id=$2
if [ -d "$root" ]; then cd -P -- "$root" || exit 3; root=$(pwd -P; echo .); root=${root%??}
else cd -P -- "$(dirname -- "$root")" 2>/dev/null || { echo nowhere; exit; }; root=$(pwd -P)/${root##*/}; fi
cd -P -- "${root%/*}/" && name=${root##*/} || exit 3
[ -n "$name" ] || { echo nowhere; exit; }
if [ -w . ]; then at=$root.
elif [ -d "$root" ] && [ -w "$root" ]; then at=$root/.
else echo closed; exit; fi
new=${at}pulih-$id old=${at}lama-$id
if [ -d "$new" ] || [ -d "$new.masuk" ]; then echo ready
elif [ -d "$old" ] && [ ! -d "$new.sebagian" ]; then echo done
else echo begin; fi
df -Pk . | tail -n 1 | { read -r _ _ _ free _; echo "$free"; }
if [ -d "$name" ] && ls -A -- "$name" | grep -qv '^[.]\\(pulih\\|lama\\)-'; then echo filled; else echo empty; fi
[ "$at" = "$root." ] && echo beside || echo inside
printf %s "$root"
"""
_STAGE = """rm -rf -- "$3pulih-$2.sebagian" && mkdir -m 700 -- "$3pulih-$2.sebagian"
"""
# Where the folder is not there, what is whole beside it may be all that there is of it.
_TIDY_OTHERS = (
    SWEEP
    + f"""minutes=$4 own=$3pulih-$2
[ -d "$1" ] || exit 0
for left in "$3"pulih-{ID_GLOB} "$3"pulih-{ID_GLOB}.sebagian; do
    case $left in "$own"|"$own".*) ;; *) [ ! -d "$left" ] || sweep "$left";; esac
done
"""
)
_CLEAR = """rm -rf -- "$3pulih-$2.sebagian"
"""
_WHOLE = """mv -T -- "$3pulih-$2.sebagian" "$3pulih-$2"
"""
# Either rename may be the one that was cut off. Where the second fails, the first is taken back.
_SWAP = """new=$3pulih-$2 old=$3lama-$2
if [ -d "$1" ] && [ ! -e "$old" ]; then mv -T -- "$1" "$old" || exit 1; fi
[ -d "$old" ] || mkdir -m 700 -- "$old" || exit 1
[ ! -e "$1" ] || { echo "$1 is there again" >&2; exit 1; }
mv -T -- "$new" "$1" && exit
mv -T -- "$old" "$1"
exit 1
"""
_BACK = """new=$3pulih-$2 old=$3lama-$2
[ -d "$old" ] && [ ! -e "$new" ] || exit 1
mv -T -- "$1" "$new" && mv -T -- "$old" "$1"
"""
# Moves all entries from here to the folder $1, but those of this restore.
_MOVE = """id=$2
move() {
    for name in * .[!.]* ..?*; do
        case $name in .pulih-"$id"|.pulih-"$id".masuk|.lama-"$id") continue;; esac
        [ -e "./$name" ] || [ -L "./$name" ] || continue
        mv -T -- "./$name" "$1/$name" || return 1
    done
}
"""
_SWAP_INSIDE = (
    _MOVE
    + """root=$1 new=$3pulih-$2 old=$3lama-$2
mkdir -p -m 700 -- "$old" && cd -P -- "$root" || exit 1
if [ -d "$new" ]; then
    if ! move "$old"; then cd -P -- "$old" && move "$root"; exit 1; fi
    mv -T -- "$new" "$new.masuk" || exit 1
fi
cd -P -- "$new.masuk" && move "$root" && chmod --reference=. -- "$root" && touch -r . -- "$root" && cd / &&
    rmdir -- "$new.masuk"
"""
)
# Goes down to each path's folder without following a link, then works there on names alone.
_PUT = r"""root=$1 new=$3pulih-$2 old=$3lama-$2
shift 3
mkdir -p -m 700 -- "$old" && cd -P -- "$root" || exit 1
set -f
put() {
    kind=$1 mode=$2 path=$3
    name=${path##*/} folder=
    case $path in */*) folder=${path%/*};; esac
    cd -P -- "$root" || return 1
    rest=$folder here=$root
    while [ -n "$rest" ]; do
        step=${rest%%/*}
        case $rest in */*) rest=${rest#*/};; *) rest=;; esac
        if [ -L "./$step" ]; then echo "a link is in the way" >&2; return 1; fi
        [ -d "./$step" ] || mkdir -- "./$step" || return 1
        cd -P -- "./$step" || return 1
        here=$here/$step
        # -P says where this really is; what is put into its place from now on leads nowhere else
        if [ "$PWD" != "$here" ]; then echo "a link is in the way" >&2; return 1; fi
    done
    if [ "$kind" = folder ]; then
        if [ ! -d "./$name" ] || [ -L "./$name" ]; then mkdir -- "./$name" && chmod "$mode" "./$name" || return 1; fi
        return 0
    fi
    [ -e "$new/$path" ] || [ -L "$new/$path" ] || return 0
    if [ -d "./$name" ] && [ ! -L "./$name" ]; then echo "a folder is in its place" >&2; return 1; fi
    if [ -e "./$name" ] || [ -L "./$name" ]; then
        mkdir -p -- "$old/${folder:-.}" || return 1
        [ -e "$old/$path" ] || [ -L "$old/$path" ] || ln -P -- "./$name" "$old/$path" || return 1
    fi
    mv -fT -- "$new/$path" "./$name"
}
while [ $# -gt 0 ]; do
    put "$1" "$2" "$3" || { printf '%s\n' "$3" >&2; exit 1; }
    shift 3
done
"""
_TIDY = """rm -rf -- "$3pulih-$2.sebagian" "$3pulih-$2"
"""


class ShellSite(NamedTuple):
    """A folder on a server that a restore is to replace, or to put files into. `root` is its real path; `free` counts
    bytes, `filled` tells whether anything is in it now, `inside` that what is unpacked stands in it, not beside it."""

    connection: Connection
    root: str
    id: str
    deadline: Deadline
    run_as: str
    state: State
    free: int
    filled: bool
    inside: bool
    note: str = ""

    def cannot(self, entry: Entry) -> bool:
        """By a shell everything can be made."""
        return False

    @property
    def old(self) -> str:
        """Where what was there before is kept."""
        return f"{self._at}lama-{self.id}"

    def unpacking(self, meter: Callable[[int], None]) -> Unpacker:
        """Make the folder to unpack into anew; what an earlier try left there is removed."""
        with suppress(Failed):
            self._do(_TIDY_OTHERS, [str(leftovers.CLAIMED_MINUTES)])
        self._do(_STAGE)
        place = Place(self.connection, f"{self._at}pulih-{self.id}.sebagian", self.deadline, self.run_as)
        return Unpacker(place, meter)

    def clear_stage(self) -> None:
        """Remove what was unpacked so far, where that can be done: the live site needs the room."""
        with suppress(Failed):
            self._do(_CLEAR)

    def make_whole(self) -> None:
        """Say that all was unpacked."""
        self._do(_WHOLE)

    def swap(self) -> None:
        """Bring the whole folder into place; the one that was there is kept. Raise Failed; then it is there again."""
        self._do(_SWAP_INSIDE if self.inside else _SWAP)

    def swap_back(self) -> None:
        """Bring the folder that was there before into place again. Raise Failed, always where it was swapped inside."""
        if self.inside:
            raise Failed(f"{self.root}: its files are restored, its database is not. run the task again")
        self._do(_BACK)

    def put(self, entries: Iterable[Entry]) -> None:
        """Bring these entries, folders before what is in them, into the live folder; what each replaces is kept."""
        for some in _batches(iter(entries)):
            words = [word for entry in some for word in (_kind(entry), f"{entry.mode & 0o7777:o}", _name(entry))]
            self._do(_PUT, words)
        self._do(_TIDY)

    @property
    def _at(self) -> str:
        return f"{self.root}/." if self.inside else f"{self.root}."

    def _do(self, line: str, words: Sequence[str] = ()) -> None:
        command = Command(line=line, parameters=(self.root, self.id, self._at, *words), run_as=self.run_as)
        result = self.connection.run(command, self.deadline)
        if result.exit_code != 0:
            raise not_restored(self.root, complaint(result.stderr))


def find_shell_site(connection: Connection, root: str, id_: str, deadline: Deadline, run_as: str) -> ShellSite:
    """Given a folder and a plan's ID, return how a restore of it stands. Raise Failed where it cannot be replaced."""
    result = connection.run(Command(line=_LOOK, parameters=(root, id_), run_as=run_as), deadline)
    said = result.stdout.decode("utf-8", "surrogateescape").split("\n", 4)
    if said[0] == "nowhere":
        raise Failed(f"{root}: the folder above it is not there. make it, or name another root")
    if said[0] == "closed":
        raise Failed(f"{root}: the account may not write to it, nor to the folder above. name one that may by run_as")
    if result.exit_code != 0 or len(said) < 5:
        raise Failed(
            f"{root}: cannot be looked at: {complaint(result.stderr)}. check the root, and the account's rights"
        )
    free = int(said[1]) * 1024 if said[1].isdigit() else 0
    facts = State(said[0]), free, said[2] == "filled", said[3] == "inside"
    return ShellSite(connection, said[4], id_, deadline, run_as, *facts)


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while some := list(islice(entries, _AT_A_TIME)):
        yield some


def _kind(entry: Entry) -> str:
    return "folder" if entry.type == FOLDER else "content"


def _name(entry: Entry) -> str:
    if entry.path == b".":
        raise Failed(f"'{shown(entry.path)}': the root itself is not put into itself")
    return entry.path.decode("utf-8", "surrogateescape")
