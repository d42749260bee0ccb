"""Which way to the files of a server is taken: the best one that its account and its tools allow."""

from __future__ import annotations

from runner.actions.backup.gnu_way import GnuWay
from runner.actions.backup.plain_way import TOOLS, PlainWay
from runner.actions.backup.sftp_way import SftpWay, offers_sftp
from runner.actions.backup.stream import find_tools
from runner.actions.backup.ways import Reach, Way
from runner.errors import Failed


def choose_way(reach: Reach) -> Way:
    """Given a folder on a server, return the best way to it. Raise Failed where there is none, Unreachable."""
    tools = find_tools(reach.connection, reach.deadline, TOOLS)
    if all("GNU" in tools.get(name, "") for name in ("find", "tar")):
        return GnuWay(reach)
    if all(name in tools for name in TOOLS):
        return PlainWay(reach)
    if reach.run_as:
        raise Failed(f"{reach.root}: the account runs no find and tar there, so run_as cannot be. leave run_as out")
    if offers_sftp(reach.connection):
        return SftpWay(reach)
    raise Failed(
        f"{reach.root}: there is no {' or '.join(name for name in TOOLS if name not in tools)}. install it there"
    )
