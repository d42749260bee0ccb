"""backup.files: copies a folder of the target's server to this machine as a tar archive."""

from __future__ import annotations

import shutil
import time
from pathlib import PurePosixPath

from runner.actions.backup.archive import Tree, check_archive, check_tree, is_gnu, measure, tar_command
from runner.actions.backup.entries import inspect_tar
from runner.actions.backup.part import (
    ACCEPT_SMALLER,
    DESTINATION,
    EXTENSIONS,
    PART,
    build_part,
    check_folder,
    make_folder,
    part_folder,
    part_path,
    slug,
)
from runner.actions.backup.storage import PartFile
from runner.actions.backup.stream import choose_compression, find_tools, receive
from runner.actions.backup.verdict import check_size, judged
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status
from runner.messages import render_size

TOOLS = ("tar", "zstd")


def run(call: Call) -> Outcome:
    """Copy the folder, check the archive, keep it. Raise Failed where it cannot be reached."""
    started = time.monotonic()
    connection, tree = call.connect(), _tree(call)
    make_folder(part_folder(call))
    check_tree(connection, tree, call.deadline, call.run_as)
    tools = find_tools(connection, call.deadline, TOOLS)
    compression = choose_compression(tools)
    command = tar_command(tree, tools, compression, call.run_as)
    path = part_path(call, f"files-{slug(PurePosixPath(tree.root).name)}", f"tar.{EXTENSIONS[compression]}")
    with PartFile(path) as file:
        result, content = receive(connection, command, call.deadline, file, compression, inspect_tar)
        unsteady = check_archive(result, content, tree, gnu=is_gnu(tools))
        check_size(call, tree.root, content_bytes=content.size, entries=content.entries)
        stored = file.keep()
    part = build_part(
        call,
        stored,
        kind="files",
        format="tar",
        compression=compression,
        source=tree.root,
        content_bytes=content.size,
        entries=content.entries,
        exclude=list(tree.exclude),
        tools={name: tools[name] for name in ("tar", compression) if name in tools},
        notes=[f"changed or vanished while it was read: {name}" for name in unsteady],
    )
    outputs = {
        "part": part,
        "entries": content.entries,
        "unsteady": unsteady,
        "bytes": stored.bytes,
        "content_bytes": content.size,
        "duration": round(time.monotonic() - started, 3),
    }
    return Outcome(Status.CHANGED, outputs, message=_summary(tree.root, content.entries, stored.bytes, unsteady))


def preview(call: Call) -> Preview:
    """Say what would be copied, how much, and where to, having tried the access. Raise Failed where it is refused."""
    connection, tree, folder = call.connect(), _tree(call), part_folder(call)
    free = render_size(shutil.disk_usage(check_folder(folder)).free, "en")
    check_tree(connection, tree, call.deadline, call.run_as)
    tar_command(tree, find_tools(connection, call.deadline, TOOLS), "gzip", call.run_as)
    size = render_size(measure(connection, tree, call.deadline, call.run_as), "en")
    return Preview(f"would copy {tree.root} (about {size}) to {folder} ({free} free)")


def _tree(call: Call) -> Tree:
    return Tree(call.inputs["root"], tuple(call.inputs["exclude"]), tuple(call.inputs["must_contain"]))


def _summary(root: str, entries: int, size: int, unsteady: list[str]) -> str:
    text = f"{root}: {entries} entries, {render_size(size, 'en')} stored"
    return text if not unsteady else f"{text}; changed or vanished meanwhile: {', '.join(unsteady[:10])}"


ACTION = Action(
    name="backup.files",
    description="Copies a folder of the target's server to this machine as a tar archive, with every file name there "
    "is. Kept only when tar ended well, the archive is whole, and it did not shrink by more than a fifth.",
    inputs={
        "root": {
            "description": "The folder to copy, on the server",
            "type": "string",
            "minLength": 1,
            "examples": ["/var/www/html"],
        },
        "exclude": {
            "description": "Patterns of what to leave out, as tar's --exclude: `cache` leaves out every file or folder "
            "of that name, `./tmp` only the one at the top, `*.log` by ending",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "examples": [["cache", "./tmp", "*.log"]],
        },
        "must_contain": {
            "description": "Paths under the root that have to be there; without them the wrong disk is mounted",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "examples": [["configuration.php", "images"]],
        },
        "destination": DESTINATION,
        "accept_smaller": ACCEPT_SMALLER,
    },
    outputs={
        "part": PART,
        "entries": {
            "type": "integer",
            "description": "How many files, folders and links the archive holds",
            "examples": [30162],
        },
        "unsteady": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Files that changed or vanished while they were read, as tar writes their names",
            "examples": [["./cache/index.html"]],
        },
        "bytes": {"type": "integer", "description": "Size as stored, in bytes", "examples": [836000000]},
        "content_bytes": {
            "type": "integer",
            "description": "Size of the archive once decompressed, in bytes",
            "examples": [947000000],
        },
        "duration": {"type": "number", "description": "How long it took, in seconds", "examples": [5.2]},
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.SERVER,
    limit="4h",
    run=judged("backup.files", run),
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: files
  action: backup.files
  with:
    root: "{{ target.root }}"
    exclude: [cache, ./tmp]
""",
)
