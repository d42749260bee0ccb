"""backup.drill: restores a set into a folder and databases of its own naming, and says what that proved."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from runner.actions.backup.checking import check_stored
from runner.actions.backup.dumps import Database
from runner.actions.backup.login_inputs import LOGIN
from runner.actions.backup.part import DESTINATION
from runner.actions.backup.sets import BackupSet, spoilt
from runner.actions.backup.shelf import SET, choose, open_shelf
from runner.actions.backup.unlocking import KEY
from runner.actions.backup.verdict import reading
from runner.actions.documents.kept import as_output, declare_document
from runner.actions.restore.drill_paper import render_drill
from runner.actions.restore.proving import Restored, prove_files, restored_database
from runner.actions.restore.starting import visit_restored
from runner.actions.restore.throwaway import NoServer
from runner.connections.local import LocalConnection
from runner.contract import (
    Action,
    Call,
    Connection,
    Effect,
    Outcome,
    Preview,
    Problem,
    Reach,
    Repeat,
    Severity,
    Status,
)
from runner.errors import Failed

PROVED, FAILED, NOT_CHECKED = "proved", "failed", "not_checked"
_FOR_DRILLS = "For a database server to try it on, never the live one"
_LOGIN = {
    "user": "an account that may make databases; without any of these the drill runs a server of its own",
    "password": "its password",
    "host": "its host, as seen from this machine",
    "port": "its port",
    "socket": "its socket file",
}


class Check(NamedTuple):
    """One thing that a drill looked at: files, a database by its source, or the site; what came of it, and details."""

    what: str
    result: str
    detail: str


def run(call: Call) -> Outcome:
    """Restore the set where nothing is live, and compare. Raise NotAccepted for a set that is spoilt, Failed."""
    started = time.monotonic()
    shelf = open_shelf(call)
    found = choose(call, shelf)
    chain = shelf.chain(found)
    for fault in check_stored(chain.values(), call.deadline):
        raise spoilt(found.folder, f"{fault.name} {fault.indonesian}", f"{fault.name}: {fault.english}")
    scratch = Path(tempfile.mkdtemp(prefix="sop-uji-", dir=_scratch_folder(call)))
    connection = LocalConnection()
    try:
        checks = _drill(call, chain, found, scratch, connection)
    finally:
        connection.close()
        shutil.rmtree(scratch, ignore_errors=True)
    return _outcome(call, found, checks, time.monotonic() - started)


def preview(call: Call) -> Preview:
    """Say which set would be tried, and where."""
    found = choose(call, open_shelf(call))
    return Preview(f"would restore {found.name} below {_scratch_folder(call)} and compare it; nothing live is touched")


def _scratch_folder(call: Call) -> str:
    folder = str(call.inputs.get("scratch") or tempfile.gettempdir())
    if not Path(folder).expanduser().is_dir():
        raise Failed(f"{folder}: there is no such folder. make it, or name another `scratch`")
    return str(Path(folder).expanduser())


def _drill(
    call: Call, chain: Mapping[str, BackupSet], found: BackupSet, scratch: Path, connection: Connection
) -> list[Check]:
    if any(each.is_locked for each in chain.values()):
        return [Check(what, NOT_CHECKED, "it is encrypted, and no key was given") for what in _contents(found)]
    checks: list[Check] = []
    site, work = scratch / "berkas", scratch / "kerja"
    site.mkdir(mode=0o700)
    work.mkdir(mode=0o700)
    if found.manifest.get("files"):
        proof = prove_files(chain, found, site, connection, call)
        detail = "; ".join(proof.lacking) or f"{proof.number} files, {proof.amount} bytes"
        checks.append(Check("files", FAILED if proof.lacking else PROVED, detail))
    with ExitStack() as stack:
        databases: list[Restored] = []
        for part in found.parts:
            if part["kind"] == "database":
                check, restored = _try_database(call, found, part, work, connection, stack)
                checks.append(check)
                databases += [restored] if restored else []
        if found.manifest.get("files"):
            checks.append(_try_site(call, site, databases, work))
    return checks


def _contents(found: BackupSet) -> list[str]:
    """What a set holds: files, databases by their source."""
    files = ["files"] if found.manifest.get("files") else []
    return [*files, *(str(part["source"]) for part in found.parts if part["kind"] == "database")]


def _try_database(
    call: Call, found: BackupSet, part: Mapping[str, Any], work: Path, connection: Connection, stack: ExitStack
) -> tuple[Check, Restored | None]:
    source = str(part["source"])
    try:
        restored = stack.enter_context(restored_database(found, part, work, connection, call))
    except NoServer as error:
        return Check(source, NOT_CHECKED, str(error)), None
    except Failed as error:
        return Check(source, FAILED, str(error)), None
    proof = restored.proof
    detail = "; ".join(proof.lacking) or f"{proof.number} tables, {proof.amount} rows"
    return Check(source, FAILED if proof.lacking else PROVED, detail), restored


def _try_site(call: Call, site: Path, databases: list[Restored], work: Path) -> Check:
    """What has no page, or no PHP here, is not checked; files and databases are proved all the same."""
    if not call.inputs["start"]:
        return Check("site", NOT_CHECKED, "it was not to be started")
    main: Database | None = next((each.login.database for each in databases if each.login.engine == "mariadb"), None)
    try:
        page = visit_restored(site, main, call.inputs["path"], call.inputs["marker"], work, call.deadline)
    except NoServer as error:
        return Check("site", NOT_CHECKED, str(error))
    except Failed as error:
        return Check("site", FAILED, str(error))
    detail = f"{call.inputs['path']} answers {page.status}" + (f", '{page.title}'" if page.title else "")
    return Check("site", FAILED if page.fault else PROVED, page.fault or detail)


def _outcome(call: Call, found: BackupSet, checks: list[Check], seconds: float) -> Outcome:
    proved = all(check.result == PROVED or (check.what == "site" and check.result == NOT_CHECKED) for check in checks)
    begun = datetime.fromisoformat(found.manifest["begun"])
    outputs: dict[str, Any] = {
        "set": found.name,
        "manifest_sha256": found.manifest_sha256,
        "proved": proved,
        "checks": [check._asdict() for check in checks],
        "rto_seconds": round(seconds, 1),
        "rpo_seconds": max(0, round((call.now - begun).total_seconds())),
    }
    paper = render_drill(call, found, outputs)
    kept = call.keep(f"uji-pulih-{found.name}-{call.office_time:%Y-%m-%d}.txt", paper, "text/plain")
    outputs["document"] = as_output(kept)
    said = "; ".join(f"{check.what} {check.result.replace('_', ' ')} ({check.detail})" for check in checks)
    return Outcome(
        Status.OK if proved else Status.FAILED,
        outputs,
        evidence=(kept,),
        problems=() if proved else (_problem(found, checks),),
        message=f"{found.name}: {'proved restorable' if proved else 'not proved'}: {said}",
    )


def _problem(found: BackupSet, checks: list[Check]) -> Problem:
    failed = [check for check in checks if check.result == FAILED]
    if failed:
        words = "; ".join(f"{check.what} ({check.detail})" for check in failed)
        return Problem("backup.drill.failed", Severity.CRITICAL, f"Uji pulih {found.name} gagal: {words}.")
    words = "; ".join(f"{check.what} ({check.detail})" for check in checks if check.result == NOT_CHECKED)
    message = f"Uji pulih {found.name} belum membuktikan semuanya; tidak dapat diuji: {words}."
    return Problem("backup.drill.unproved", Severity.MAJOR, message)


ACTION = Action(
    name="backup.drill",
    description="Restores a set on this machine into a scratch folder and databases of its own naming, holds every "
    "file, table and row against the backup, starts the site where it can, and records what that proved.",
    inputs={
        "set": SET,
        "scratch": {
            "description": "Folder on this machine to try it in, with room for all of it; without it the system's "
            "temporary folder",
            "type": "string",
            "minLength": 1,
            "optional": True,
            "examples": ["/srv/uji-pulih"],
        },
        "start": {
            "description": "Start the restored site by PHP's own server for a moment, without mail, cron, programs or "
            "connections to elsewhere, and ask it for a page",
            "type": "boolean",
            "default": True,
            "examples": [False],
        },
        "path": {
            "description": "The page to ask for",
            "type": "string",
            "pattern": "^/",
            "default": "/",
            "examples": ["/?page_id=2"],
        },
        "marker": {
            "description": "A text that its page must hold",
            "type": "string",
            "default": "",
            "examples": ["Pengadilan Negeri Tais"],
        },
        **{name: {**LOGIN[name], "description": f"{_FOR_DRILLS}: {text}"} for name, text in _LOGIN.items()},
        **KEY,
        "destination": DESTINATION,
    },
    outputs={
        "set": {"type": "string", "description": "Name of the set", "examples": ["WEB-PN-TAIS-2026-11-22-013000-P"]},
        "manifest_sha256": {"type": "string", "description": "SHA-256 of its manifest", "examples": ["9f86d0…"]},
        "proved": {
            "type": "boolean",
            "description": "Whether all files and databases came back as they were, and the site answers where it "
            "could be started",
            "examples": [True],
        },
        "checks": {
            "type": "array",
            "items": {"type": "object"},
            "description": "What was looked at: what (files, a database, site), result (proved, failed, not_checked), "
            "detail",
            "examples": [[{"what": "files", "result": PROVED, "detail": "30162 files, 922000000 bytes"}]],
        },
        "rto_seconds": {
            "type": "number",
            "description": "How long the restoring took on this machine, in seconds",
            "examples": [14.6],
        },
        "rpo_seconds": {
            "type": "integer",
            "description": "How old the set was, in seconds: what was written since then would be lost",
            "examples": [27000],
        },
        "document": declare_document("The drill's minutes, in Indonesian", "uji-pulih-WEB-PN-TAIS-2026-11-22.txt"),
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="4h",
    run=reading("backup.drill", run),
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: drill
  action: backup.drill
  with: {marker: "{{ target.title }}"}
""",
)
