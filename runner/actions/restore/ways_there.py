"""Which way to a site a restore takes: a shell's, SFTP, or FTPS; and how what is live there is listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runner.actions.backup.choosing import choose_way
from runner.actions.backup.listing import Listed
from runner.actions.backup.sets import BackupSet
from runner.actions.backup.sftp_way import offers_sftp
from runner.actions.backup.ways import Reach
from runner.actions.restore.far_site import FarSite
from runner.actions.restore.site import Site
from runner.actions.restore.swapping import find_shell_site
from runner.contract import Call, Command, Connection
from runner.errors import Failed

_ASK = "command -v tar && command -v mv"


@contextmanager
def opened_site(call: Call, root: str, id_: str) -> Iterator[Site]:
    """Given a call, a folder and a plan's ID, give how a restore of it stands, by the best way that the account
    allows. Raise Failed where it cannot be replaced, Unreachable."""
    if call.inputs.get("ftps"):
        from runner.actions.backup.ftps import host_of  # loads TLS, which no other way needs
        from runner.actions.restore.far_ftps import FtpsFar

        far = FtpsFar(host_of(call.inputs["ftps"]), call.deadline)
        try:
            yield FarSite(far, root, id_)
        finally:
            far.close()
        return
    connection = call.connect()
    if has_shell(call, connection):
        yield find_shell_site(connection, root, id_, call.deadline, call.run_as)
        return
    if call.run_as or not offers_sftp(connection):
        raise Failed(f"{root}: the account runs no tar there, and only SFTP without run_as does without. use SSH")
    from runner.actions.restore.far_sftp import SftpFar

    yield FarSite(SftpFar(connection, call.deadline), root, id_)


def list_live(call: Call, root: str, take: Callable[[Iterable[Listed]], None]) -> None:
    """List what is in that folder now. Raise NotAccepted, Failed, Unreachable."""
    if not call.inputs.get("ftps"):
        choose_way(Reach(call.connect(), root, call.deadline, call.run_as)).list_files(take)
        return
    from runner.actions.backup.ftps import host_of
    from runner.actions.backup.ftps_way import FtpsWay

    way = FtpsWay(host_of(call.inputs["ftps"]), root, call.deadline)
    try:
        way.list_files(take)
    finally:
        way.close()


def has_shell(call: Call, connection: Connection) -> bool:
    """Whether the account may run what a restore needs."""
    result = connection.run(Command(line=_ASK), call.deadline)
    return result.exit_code == 0 and len(result.stdout.splitlines()) >= 2


def check_database_way(call: Call, connection: Connection, found: BackupSet, part: Mapping[str, Any]) -> None:
    """Raise Failed, which says where the dump lies, where the account cannot restore a database."""
    if has_shell(call, connection):
        return
    dump: Path = found.file(part["file"])
    raise Failed(
        f"{part['source']}: the account has no shell on the server, and a database is not restored without one. import "
        f"{dump} by the panel's phpMyAdmin, unpacked as {found.file('PULIHKAN.txt')} says; for the files alone give "
        "database: none"
    )
