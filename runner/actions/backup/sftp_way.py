"""A way to files for an account that may only use SFTP: folders are read, and files opened, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from runner.actions.backup import sftp
from runner.actions.backup.building import SMALL, build_member, gathered
from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import FILE, FOLDER, LINK, OTHER, Listed, Owner
from runner.actions.backup.packing import Packer
from runner.actions.backup.sftp import Answer, Attributes, Conversing, Job, Request, Sftp
from runner.actions.backup.ways import Reach, not_read, wanted
from runner.contract import Connection
from runner.errors import Failed

AT_A_TIME = 64
_TYPES = {0x8000: FILE, 0x4000: FOLDER, 0xA000: LINK}


class SftpWay:
    """SFTP over a connection; see ways.Way."""

    note = (
        "the account may only use SFTP: times are in whole seconds, owners are numbers, hard links are stored as files "
        "of their own, sparse files with their zeros"
    )

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        assert isinstance(reach.connection, Conversing)
        self._sftp = Sftp(reach.connection.converse("sftp", reach.deadline), reach.deadline)
        self._root = reach.root.encode("utf-8", "surrogateescape")
        self._changed: list[bytes] = []

    def list_files(self, take: Callable[[Iterable[Listed]], None]) -> None:
        """Hand over all that the folder holds."""
        folders: list[bytes] = []
        self._sftp.perform(iter([self._look(take, folders)]), 1)
        while folders:
            level, folders[:] = list(folders), []
            self._sftp.perform((self._list(path, take, folders) for path in level), AT_A_TIME)

    def find_owners(self) -> Iterable[Owner]:
        """Nobody tells."""
        return ()

    def fetch_files(self, ledger: Ledger, packer: Packer) -> list[bytes]:
        """Have everything come that is wanted; return what is not as it was listed."""
        self._changed = []
        for batch in gathered(wanted(ledger)):
            if batch[0].size > SMALL:
                self._sftp.perform(iter([self._stream(batch[0], packer)]), 1)
            else:
                self._fetch(batch, packer)
        packer.flush()
        return self._changed

    def _look(self, take: Callable[[Iterable[Listed]], None], folders: list[bytes]) -> Job:
        """The root itself. Through "/." a link is followed."""
        (answer,) = yield [Request(sftp.LSTAT, sftp.text(self._root + b"/."))]
        if answer.kind != sftp.ATTRIBUTES:
            raise self._not_there(answer)
        take([listed_as(b".", sftp.parse_attributes(answer.body)[0])])
        folders.append(b".")

    def _list(self, path: bytes, take: Callable[[Iterable[Listed]], None], folders: list[bytes]) -> Job:
        (answer,) = yield [Request(sftp.OPENDIR, sftp.text(self._place(path)))]
        if answer.kind != sftp.HANDLE:
            if answer.code == sftp.NO_SUCH_FILE and path != b".":
                return
            raise self._refused(path, answer)
        handle = sftp.text(answer.text)
        while True:
            (answer,) = yield [Request(sftp.READDIR, handle)]
            if answer.kind != sftp.NAME:
                break
            found = [listed_as(join_name(path, name), facts) for name, facts in _entries(answer)]
            folders += [listed.path for listed in found if listed.type == FOLDER]
            take(found)
        if answer.code != sftp.END:
            raise self._refused(path, answer)
        yield [Request(sftp.CLOSE, handle)]

    def _fetch(self, entries: Sequence[Listed], packer: Packer) -> None:
        """Have small files, links and folders come, and store them in order."""
        contents: dict[bytes, tuple[bytes, int]] = {}
        links: dict[bytes, bytes] = {}
        jobs = [self._read(each, contents) for each in entries if each.type == FILE]
        jobs += [self._follow(each, links) for each in entries if each.type == LINK]
        self._sftp.perform(iter(jobs), AT_A_TIME)
        packer.expect({each.path: each for each in entries})
        for each in entries:
            if each.type == FOLDER:
                packer.begin(build_member(each))
            elif each.path in links:
                packer.begin(build_member(each, link=links[each.path]))
            elif each.path in contents:
                content, mtime = contents[each.path]
                packer.begin(build_member(each, size=len(content), mtime_ns=mtime))
                packer.data(memoryview(content))

    def _read(self, listed: Listed, contents: dict[bytes, tuple[bytes, int]]) -> Job:
        """A small file, whole: what is said of it after its last byte tells whether it changed."""
        (answer,) = yield [sftp.open_file(self._place(listed.path))]
        if answer.kind != sftp.HANDLE:
            self._check_gone(listed, answer)
            return
        handle = answer.text
        reads = _pieces(handle, 0, listed.size)
        *answers, facts, _ = yield [*reads, Request(sftp.FSTAT, sftp.text(handle)), _close(handle)]
        content = self._join(listed, answers)
        self._note(listed, len(content), facts)
        contents[listed.path] = content, sftp.parse_attributes(facts.body)[0].mtime * 10**9

    def _follow(self, listed: Listed, links: dict[bytes, bytes]) -> Job:
        (answer,) = yield [Request(sftp.READLINK, sftp.text(self._place(listed.path)))]
        if answer.kind != sftp.NAME:
            self._check_gone(listed, answer)
            return
        links[listed.path] = next(sftp.parse_names(answer.body))[0]

    def _stream(self, listed: Listed, packer: Packer) -> Job:
        """A large file, window by window."""
        (answer,) = yield [sftp.open_file(self._place(listed.path))]
        if answer.kind != sftp.HANDLE:
            self._check_gone(listed, answer)
            return
        handle, at = answer.text, 0
        packer.expect({listed.path: listed})
        packer.begin(build_member(listed, size=listed.size))
        while at < listed.size:
            window = min(SMALL, listed.size - at)
            answers = yield _pieces(handle, at, window)
            content = self._join(listed, answers)
            packer.data(memoryview(content + bytes(window - len(content))))
            at += window
            if len(content) < window:
                self._changed.append(listed.path)
        facts, _ = yield [Request(sftp.FSTAT, sftp.text(handle)), _close(handle)]
        self._note(listed, listed.size, facts)

    def _join(self, listed: Listed, answers: Sequence[Answer]) -> bytes:
        """The pieces up to the first that is short: behind it, the file has ended."""
        pieces: list[bytes] = []
        for answer in answers:
            if answer.kind != sftp.DATA and answer.code != sftp.END:
                raise self._refused(listed.path, answer)
            pieces.append(answer.text if answer.kind == sftp.DATA else b"")
            if len(pieces[-1]) < sftp.PIECE:
                break
        return b"".join(pieces)

    def _note(self, listed: Listed, size: int, facts: Answer) -> None:
        found = sftp.parse_attributes(facts.body)[0] if facts.kind == sftp.ATTRIBUTES else Attributes()
        if (size, found.size, found.mtime * 10**9) != (listed.size, listed.size, listed.mtime_ns):
            self._changed.append(listed.path)

    def _check_gone(self, listed: Listed, answer: Answer) -> None:
        if answer.code != sftp.NO_SUCH_FILE:
            raise self._refused(listed.path, answer)

    def _place(self, path: bytes) -> bytes:
        return self._root + b"/" + path

    def _not_there(self, answer: Answer) -> Exception:
        reason = "there is no such folder on the server" if answer.code == sftp.NO_SUCH_FILE else answer.complaint
        return not_read(self._reach.root, reason)

    def _refused(self, path: bytes, answer: Answer) -> Exception:
        return not_read(self._reach.root, f"{path.decode('utf-8', 'replace')}: {answer.complaint}")


def offers_sftp(connection: Connection) -> bool:
    """Whether a connection can carry SFTP."""
    return isinstance(connection, Conversing)


def _entries(answer: Answer) -> Iterator[tuple[bytes, Attributes]]:
    return ((name, facts) for name, facts in sftp.parse_names(answer.body) if name not in (b".", b".."))


def listed_as(path: bytes, facts: Attributes) -> Listed:
    """Given a path and what SFTP tells of it, return the entry."""
    type_ = _TYPES.get(facts.mode & 0xF000, OTHER)
    size = facts.size if type_ == FILE else 0
    return Listed(path, type_, size, facts.mtime * 10**9, 0, facts.mode & 0o7777, facts.uid, facts.gid, "", "", b"", "")


def join_name(folder: bytes, name: bytes) -> bytes:
    """Given a folder and a name that the server says is in it, return the path. Raise Failed for what is no name."""
    if b"/" in name or not name:
        raise Failed("the server's SFTP names an entry that cannot be. try again")
    return name if folder == b"." else folder.rstrip(b"/") + b"/" + name


def _pieces(handle: bytes, start: int, size: int) -> list[Request]:
    ends = range(start, start + size, sftp.PIECE)
    return [sftp.read_piece(handle, at, min(sftp.PIECE, start + size - at)) for at in ends]


def _close(handle: bytes) -> Request:
    return Request(sftp.CLOSE, sftp.text(handle))
