"""A folder of a server, copied into volumes: listed, held against what was there before, fetched, kept as a part."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from runner.actions.backup.choosing import choose_way
from runner.actions.backup.excludes import ASIDE, Excluded, build_excluded
from runner.actions.backup.known import Known
from runner.actions.backup.ledger import Ledger
from runner.actions.backup.listing import OTHER, Listed
from runner.actions.backup.pace import PROGRESS, Pace, Progress, build_meter
from runner.actions.backup.packing import Packer
from runner.actions.backup.parents import bytes_of, find_parent, load_known, note_parent
from runner.actions.backup.part import build_part, part_folder, part_path, slug
from runner.actions.backup.set_files import shown
from runner.actions.backup.sets import BackupSet
from runner.actions.backup.storage import Stored, free_name, locked
from runner.actions.backup.verdict import check_size, incomplete
from runner.actions.backup.volumes import Volume
from runner.actions.backup.ways import Reach, Way
from runner.actions.backup.workspace import PARTS, Papers, Workspace, clear_forgotten, workspace_path
from runner.contract import Call
from runner.errors import Failed
from runner.messages import render_size

MIB = 1024 * 1024
MOST_NAMED = 1000
SPARE = 64 * MIB
ROOT = b"."


@dataclass(slots=True)
class Survey:
    """What a listing has shown: which of the paths asked for are not there, how much is neither file, folder nor link,
    and how many entries there are in all."""

    lacking: set[bytes]
    left_out: int = 0
    all: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder on a server: what is known of it, what is left out of it, and what must be in it."""

    root: str
    way: Way
    known: Callable[[], Known]
    exclude: Sequence[str]
    must_contain: Sequence[str]


@contextmanager
def opened(call: Call, parent: BackupSet | None, *, afresh: bool = False) -> Iterator[Tree]:
    """Given a call and what it stands on, give the folder that it names; `afresh` with nothing known of it. Raise
    Failed where there is no way to it, Unreachable."""
    root, inputs = call.inputs["root"], call.inputs
    with ThreadPoolExecutor(1, "known") as pool:
        known = pool.submit(load_known, call, parent, hold=not afresh).result
        demands = known, tuple(inputs["exclude"]), tuple(inputs["must_contain"])
        if inputs.get("ftps"):
            from runner.actions.backup.ftps import host_of  # loads TLS, which no other way needs
            from runner.actions.backup.ftps_way import FtpsWay

            way = FtpsWay(host_of(inputs["ftps"]), root, call.deadline)
            try:
                yield Tree(root, way, *demands)
            finally:
                way.close()
            return
        reach = Reach(call.connect(), root, call.deadline, call.run_as, known)
        yield Tree(root, choose_way(reach), *demands)


def survey_tree(call: Call, tree: Tree, ledger: Ledger) -> Survey:
    """List the folder into the ledger, but for what is known. Raise NotAccepted where that is not what was backed up
    before."""
    survey = Survey({bytes_of(name) for name in tree.must_contain})
    excluded = build_excluded((*tree.exclude, *ASIDE))
    tree.way.list_files(lambda entries: ledger.add_listed(_pick(entries, survey, excluded)))
    known = tree.known().entries
    survey.all += known
    _check_survey(tree.root, survey, ledger.listed()[0] + known)
    return survey


def copy_files(call: Call) -> dict[str, Any]:
    """Copy the folder and return the part. Raise NotAccepted or Failed; what has come stays there for the next try."""
    folder = part_folder(call)
    with locked(folder, "backup.files"):
        clear_forgotten(folder)
        parent = find_parent(call)
        with (
            Workspace(workspace_path(folder, _what(call)), _settings(call, parent)) as work,
            # What an earlier try has stored is held against every entry that is listed.
            opened(call, parent, afresh=bool(work.ledger.frames())) as tree,
        ):
            return _copy(call, tree, work, parent)


def _copy(call: Call, tree: Tree, work: Workspace, parent: BackupSet | None) -> dict[str, Any]:
    ledger = work.ledger
    survey, known = survey_tree(call, tree, ledger), tree.known()
    entries, size = ledger.listed()
    check_size(call, tree.root, content_bytes=size + known.size, entries=entries + known.entries)
    note_parent(parent, known, ledger)
    wanted, missing = ledger.want_missing()
    check_room(call, missing, parent)
    if wanted or ledger.frames():
        ledger.add_owners(tree.way.find_owners())
    changed = _fetch(call, tree, work, missing) if wanted else []
    volumes, papers = work.finish(parent.name if parent else "", known, call.deadline)
    place = work.keep(free_name(part_path(call, _what(call), PARTS)))
    return _build(call, tree, place, volumes, papers, parent, changed, survey)


def _what(call: Call) -> str:
    """The folder's name in names of files."""
    return f"files-{slug(PurePosixPath(call.inputs['root']).name)}"


def _settings(call: Call, parent: BackupSet | None) -> dict[str, Any]:
    """What an earlier try must have been of to be gone on with."""
    inputs = call.inputs
    settings = {"root": inputs["root"], "exclude": inputs["exclude"], "limit": inputs["volume_size"]}
    return settings | {"parent": parent.manifest_sha256 if parent else None}


def _fetch(call: Call, tree: Tree, work: Workspace, missing: int) -> list[bytes]:
    """Have everything come, and what changed meanwhile once more; return what changed again."""
    volumes, limit = work.volumes, call.inputs["volume_size"] * MIB
    pace = Pace(call.inputs["rate"] * MIB, call.inputs.get("quiet_hours", ""), call.office_time, call.deadline)
    meter = build_meter(pace, Progress(call.tell, missing, work.path / PROGRESS))
    packer = Packer(volumes.store, limit, number=volumes.number, used=volumes.used, meter=meter)
    try:
        changed = tree.way.fetch_files(work.ledger, packer)
        if changed:
            work.ledger.want_again(changed)
            changed = tree.way.fetch_files(work.ledger, packer)
        return changed
    finally:
        packer.close()


def check_room(call: Call, missing: int, parent: BackupSet | None) -> None:
    """Given how many bytes have to come, raise Failed where the destination's disk has no room for them, packed as
    those of the parent were. On the server no room is needed."""
    need = int(missing * _packed_share(parent) * 1.05) + SPARE
    free = shutil.disk_usage(part_folder(call)).free
    if free < need:
        raise Failed(
            f"{part_folder(call)}: {render_size(free, 'en')} are free, and about {render_size(need, 'en')} are needed. "
            "make room, or take another disk"
        )


def _packed_share(parent: BackupSet | None) -> float:
    """What part of their size files take once packed; all of it where nothing is known yet."""
    parts = _files_of(parent) if parent else []
    content = sum(part["content_bytes"] for part in parts)
    return min(1.0, sum(part["bytes"] for part in parts) / content) if content else 1.0


def _build(
    call: Call,
    tree: Tree,
    place: Path,
    volumes: Sequence[Volume],
    papers: Papers,
    parent: BackupSet | None,
    changed: Sequence[bytes],
    survey: Survey,
) -> dict[str, Any]:
    names = {"changed_while_read": sorted(set(changed)), "vanished": papers.vanished}
    named = {key: [shown(path) for path in paths[:MOST_NAMED]] for key, paths in names.items()}
    notes = [f"{key.replace('_', ' ')}: {name}" for key, paths in named.items() for name in paths]
    notes += [tree.way.note] if tree.way.note else []
    if survey.left_out:
        notes.append(f"{survey.left_out} sockets, pipes or devices were left out")
    stored = Stored(place, papers.listed.sha256, sum(volume.bytes for volume in volumes) + papers.listed.bytes)
    return build_part(
        call,
        stored,
        kind="files",
        format="tar",
        compression="zstd",
        source=tree.root,
        content_bytes=papers.size,
        entries=papers.entries,
        exclude=list(tree.exclude),
        tools={},
        notes=notes,
        volumes=[volume._asdict() for volume in volumes],
        list=_paper(papers.listed),
        deletions=_paper(papers.deleted),
        parent={"set": parent.name, "manifest_sha256": parent.manifest_sha256} if parent else None,
        **named,
    )


def _paper(stored: Stored | None) -> dict[str, Any] | None:
    return {"file": stored.path.name, "sha256": stored.sha256, "bytes": stored.bytes} if stored else None


def _pick(entries: Iterable[Listed], survey: Survey, excluded: Excluded) -> Iterator[Listed]:
    """What is to be backed up of what the server lists."""
    for listed in entries:
        survey.all += 1
        survey.lacking.discard(listed.path)
        if listed.path != ROOT and excluded(listed.path):
            continue
        if listed.type == OTHER:
            survey.left_out += 1
        else:
            yield listed


def _check_survey(root: str, survey: Survey, entries: int) -> None:
    if survey.all < 2:
        raise incomplete(
            f"Folder {root} kosong; mungkin disknya tidak terpasang.",
            f"{root}: it is empty: is its disk mounted? check the root",
        )
    if survey.lacking:
        name = shown(min(survey.lacking))
        raise incomplete(
            f"Folder {root} tidak memuat {name}.",
            f"{root}: it does not contain {name}: is the right disk mounted? check the root",
        )
    if entries < 2:
        raise incomplete(
            f"Backup berkas {root} kosong; backup kosong tidak diterima.",
            f"{root}: nothing is left to back up. look at the folder and at exclude",
        )


def _files_of(chosen: BackupSet) -> list[Mapping[str, Any]]:
    return [part for part in chosen.parts if part["kind"] == "files"]
