"""The media that copies of sets go to: each with what is written on its label, and what a person does afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from runner.actions.backup.copying import Store
from runner.actions.backup.disk_store import DiskStore
from runner.actions.backup.disks import find_disk
from runner.actions.backup.part import label
from runner.contract import Call

DISK, HOST, S3, DISC = KINDS = ("disk", "host", "s3", "disc")
WORDS = {DISK: "hardisk", HOST: "komputer lain", S3: "penyimpanan S3", DISC: "cakram"}


class Medium(NamedTuple):
    """A medium that is there: its kind, label and place, what a person is reminded of, its copies, and what is closed
    after them."""

    kind: str
    label: str
    place: str
    reminder: str
    store: Store
    closed: AbstractContextManager[object]


class Host(NamedTuple):
    """A host as connections know it."""

    name: str
    settings: Mapping[str, Any]


def open_medium(call: Call) -> Medium:
    """Given a call, return the medium that it names. Raise NotAccepted where a disk is missing, Failed, Unreachable."""
    if DISK in call.inputs:
        return _open_disk(call, call.inputs[DISK])
    return _open_host(call, call.inputs[HOST]) if HOST in call.inputs else _open_s3(call, call.inputs[S3])


def _open_disk(call: Call, name: str) -> Medium:
    disk = find_disk(name)
    folder = disk.mount / call.inputs["folder"] / label(call.target)
    reminder = (
        f"Lepaskan hardisk '{name}' setelah selesai, lalu simpan terpisah dari komputer: "
        f"udisksctl unmount -b {disk.device} && udisksctl power-off -b {disk.device}"
    )
    return Medium(DISK, name, str(folder), reminder, DiskStore(disk.mount, folder), nullcontext())


def _open_host(call: Call, settings: Mapping[str, Any]) -> Medium:
    from runner.actions.backup.sftp_store import SftpStore
    from runner.connections import open_connections

    connections = open_connections()
    address = str(settings["address"])
    connection = connections.get(Host(address, settings))
    folder = str(PurePosixPath(settings["folder"]) / label(call.target))
    store = SftpStore(connection, folder, call.deadline)
    return Medium(HOST, address, f"{address}:{folder}", "", store, closing(connections))


def _open_s3(call: Call, settings: Mapping[str, Any]) -> Medium:
    from runner.actions.backup.s3_store import S3Store

    keys = str(call.inputs.get("access_key", "")), str(call.inputs.get("secret_key", ""))
    prefix = f"{settings.get('prefix', 'backups').strip('/')}/{label(call.target)}".lstrip("/")
    store = S3Store(str(settings["endpoint"]), str(settings["bucket"]), prefix, keys, str(settings.get("region", "")))
    place = f"{settings['endpoint']}/{settings['bucket']}/{prefix}"
    return Medium(S3, str(settings["bucket"]), place, "", store, nullcontext())
