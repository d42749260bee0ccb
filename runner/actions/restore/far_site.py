"""A restore's site where no command can be run: what swapping does by a shell, done by single acts on files.

The names are those of swapping: beside the folder `html` stand `html.pulih-ID.sebagian`, `html.pulih-ID` and
`html.lama-ID`; where nothing can be made beside it, they stand inside, with a dot before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby, islice
from posixpath import basename, dirname

from runner.actions.backup.listing import FOLDER, LINK, Listed
from runner.actions.backup.set_files import Entry, shown
from runner.actions.restore import leftovers
from runner.actions.restore.far import Far, Pair, join, remove_tree
from runner.actions.restore.far_unpacking import FarUnpacker
from runner.actions.restore.site import State, not_restored
from runner.errors import Failed

_AT_A_TIME = 50
_PARTIAL = b".sebagian"
_MOVING = b".masuk"
_LEFT = f"pulih-{leftovers.ID_PATTERN}(?:[.]sebagian)?".encode()


class FarSite:
    """A folder of a server; see site.Site."""

    def __init__(self, far: Far, root: str, id_: str) -> None:
        """Given a server's files, a folder and a plan's ID, look how far a restore came. Raise Failed."""
        self._far = far
        self._root = far.find_root(root.encode("utf-8", "surrogateescape"))
        self._id = id_.encode()
        self._at = self._find_place()
        self.filled = self._is_filled()
        self.state = self._find_state()
        self.free = far.free(self._root if self._there(self._root) else dirname(self._root))

    @property
    def root(self) -> str:
        """Its real path."""
        return _text(self._root)

    @property
    def note(self) -> str:
        """What the way there cannot do."""
        return self._far.note

    @property
    def old(self) -> str:
        """Where what was there before is kept; before it is known, both places where that may be."""
        places = [self._at] if self._at else self._places()
        return " atau ".join(_text(at + b"lama-" + self._id) for at in places)

    def cannot(self, entry: Entry) -> bool:
        """Whether the way there cannot make such an entry."""
        return self._far.cannot(entry)

    @contextmanager
    def unpacking(self, meter: Callable[[int], None]) -> Iterator[FarUnpacker]:
        """Make the folder to unpack into anew; beside the live one, or else inside it."""
        stage = self._stage()
        with FarUnpacker(self._far, stage, meter) as unpacker:
            yield unpacker

    def clear_stage(self) -> None:
        """Remove what was unpacked so far."""
        if self._at:
            with suppress(Failed):
                remove_tree(self._far, self._new + _PARTIAL)

    def make_whole(self) -> None:
        """Say that all was unpacked."""
        self._far.rename([(self._new + _PARTIAL, self._new)])

    def swap(self) -> None:
        """Bring the whole folder into place."""
        if self._inside:
            self._swap_inside()
        else:
            self._swap_beside()

    def swap_back(self) -> None:
        """Bring the folder that was there before into place again."""
        if self._inside:
            raise Failed(f"{self.root}: its files are restored, its database is not. run the task again")
        self._far.rename([(self._root, self._new), (self._old, self._root)])

    def put(self, entries: Iterable[Entry]) -> None:
        """Bring these entries into the live folder."""
        self._make_old()
        for above, some in groupby(entries, key=lambda entry: dirname(entry.path)):
            while batch := list(islice(some, _AT_A_TIME)):
                self._make_way(self._root, above)
                self._put_folders([entry for entry in batch if entry.type == FOLDER])
                self._put_files(above, [entry.path for entry in batch if entry.type != FOLDER])
        remove_tree(self._far, self._new + _PARTIAL)
        remove_tree(self._far, self._new)

    @property
    def _new(self) -> bytes:
        assert self._at
        return self._at + b"pulih-" + self._id

    @property
    def _old(self) -> bytes:
        assert self._at
        return self._at + b"lama-" + self._id

    @property
    def _inside(self) -> bool:
        return self._at == self._within

    @property
    def _within(self) -> bytes:
        return self._root.rstrip(b"/") + b"/."

    def _places(self) -> list[bytes]:
        """What the names of a restore may begin with: beside the folder, unless it is the root of all, and inside."""
        return [self._within] if self._root == b"/" else [self._root + b".", self._within]

    def _find_place(self) -> bytes | None:
        """Where an earlier try of this ID stands; None where there was none."""
        endings = [b"pulih-" + self._id + _PARTIAL, b"pulih-" + self._id, b"lama-" + self._id]
        endings.append(b"pulih-" + self._id + _MOVING)
        for at in self._places():
            if any(self._far.look([at + ending for ending in endings])):
                return at
        return None

    def _find_state(self) -> State:
        if self._at is None:
            return State.BEGIN
        names = [self._new, self._new + _MOVING, self._old, self._new + _PARTIAL]
        new, moving, old, partial = (self._there(name) for name in names)
        if new or moving:
            return State.READY
        return State.DONE if old and not partial else State.BEGIN

    def _there(self, path: bytes) -> Listed | None:
        return self._far.look([path])[0]

    def _is_filled(self) -> bool:
        found = self._there(self._root)
        if found and found.type != FOLDER:
            raise Failed(f"{self.root}: it is no folder. name the folder of the site")
        entries = self._far.list_folders([self._root]) if found else []
        return any(not basename(each.path).startswith((b".pulih-", b".lama-")) for each in entries)

    def _stage(self) -> bytes:
        """Make the folder to unpack into: where an earlier try had it, else beside, else inside."""
        *first, last = [self._at] if self._at else [at for at in self._places() if self._may_be(at)]
        for at in first:
            with suppress(Failed):
                return self._stage_at(at)
        try:
            return self._stage_at(last)
        except Failed as error:
            raise not_restored(self.root, str(error).partition(". ")[0]) from None

    def _stage_at(self, at: bytes) -> bytes:
        stage = at + b"pulih-" + self._id + _PARTIAL
        remove_tree(self._far, stage)
        self._far.make_folders([stage])
        self._at = at
        if self._there(self._root):
            with suppress(Failed):
                self._remove_others(stage)
        return stage

    def _remove_others(self, stage: bytes) -> None:
        """Remove what other restores left; how old it is, the time of the stage tells, which was made just now."""
        (now,) = (found.mtime_ns for found in self._far.look([stage]) if found)
        named = re.compile(re.escape(stage[: stage.rindex(b"pulih-")]) + _LEFT)
        for each in self._far.list_folders([dirname(stage)]):
            old = now - each.mtime_ns >= leftovers.CLAIMED_MINUTES * 60 * 10**9
            if each.type == FOLDER and old and named.fullmatch(each.path) and not each.path.startswith(self._new):
                remove_tree(self._far, each.path)

    def _may_be(self, at: bytes) -> bool:
        return at != self._within or bool(self._there(self._root))

    def _make_old(self) -> None:
        if not self._there(self._old):
            self._far.make_folders([self._old])

    def _swap_beside(self) -> None:
        if self._there(self._root) and not self._there(self._old):
            self._far.rename([(self._root, self._old)])
        self._make_old()
        if self._there(self._root):
            raise not_restored(self.root, f"{self.root} is there again")
        try:
            self._far.rename([(self._new, self._root)])
        except Failed as error:
            self._far.rename([(self._old, self._root)])
            raise not_restored(self.root, str(error)) from None

    def _swap_inside(self) -> None:
        """Either of the two moves may be the one that was cut off; the first is taken back where it fails."""
        self._make_old()
        moving = self._new + _MOVING
        if self._there(self._new):
            try:
                self._move(self._root, self._old)
            except Failed as error:
                self._move(self._old, self._root)
                raise not_restored(self.root, str(error)) from None
            self._far.rename([(self._new, moving)])
        facts = self._there(moving)
        self._move(moving, self._root)
        if facts and self._root != b"/":
            self._far.set_facts([(self._root, facts.mode, facts.mtime_ns)])
        self._far.remove_folders([moving])

    def _move(self, source: bytes, to: bytes) -> None:
        own = {self._new, self._new + _MOVING, self._old}
        entries = [each.path for each in self._far.list_folders([source]) if each.path not in own]
        self._far.rename([(path, join(to, basename(path))) for path in entries])

    def _put_folders(self, entries: Sequence[Entry]) -> None:
        paths = [join(self._root, entry.path) for entry in entries]
        for entry, path, found in zip(entries, paths, self._far.look(paths), strict=True):
            if found is None:
                self._far.make_folders([path])
                self._far.set_facts([(path, entry.mode, entry.mtime_ns)])
            else:
                self._check_folder(entry.path, found)

    def _put_files(self, above: bytes, paths: Sequence[bytes]) -> None:
        """Bring files of one folder into place; one that is not among what was unpacked came in before."""
        live, new, old = ([join(place, path) for path in paths] for place in (self._root, self._new, self._old))
        rows = list(zip(paths, live, new, old, *(self._far.look(each) for each in (live, new, old)), strict=True))
        keep: list[Pair] = []
        replace: list[Pair] = []
        for path, at, from_, aside, is_live, is_new, is_kept in rows:
            if not is_new:
                continue
            if is_live and is_live.type == FOLDER:
                raise not_restored(self.root, f"a folder is in its place; {shown(path)}")
            if is_live and not is_kept:
                keep.append((at, aside))
            replace.append((from_, at))
        if keep:
            self._make_way(self._old, above)
            self._far.keep(keep)
        self._far.replace(replace)

    def _make_way(self, base: bytes, folder: bytes) -> None:
        """Make a folder below `base` where it is not there. Raise Failed where the way there is no row of folders."""
        words = [word for word in folder.split(b"/") if word]
        steps = [b"/".join(words[: end + 1]) for end in range(len(words))]
        for step, found in zip(steps, self._far.look([join(base, step) for step in steps]), strict=True):
            if found is None:
                self._far.make_folders([join(base, step)])
            else:
                self._check_folder(folder, found)

    def _check_folder(self, path: bytes, found: Listed) -> None:
        if found.type != FOLDER:
            way = "a link is in the way" if found.type == LINK else "a file is in the way"
            raise not_restored(self.root, f"{way}; {shown(path)}")


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
