"""A real WordPress with MariaDB and PostgreSQL, reached over SSH: backed up, destroyed, and brought back as it was."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.actions import (
    backup_compare,
    backup_database,
    backup_drill,
    backup_files,
    backup_media,
    backup_restore,
    backup_seal,
)
from runner.actions.backup import discs
from runner.connections import Connections
from runner.contract import Action, Connection, Outcome, Status
from tests.calls import NOW, make_call
from tests.connections.conftest import target_of
from tests.mariadb import PASSWORD, USER
from tests.postgresql import PASSWORD as PG_PASSWORD
from tests.postgresql import USER as PG_USER
from tests.processes import give_away
from tests.wordpress_lab import WordPress, wordpress_lab

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]
SIGNED = {"role": "kasubbag", "person": "kasubbag_demo", "at": "2026-11-22T02:00:00+00:00"}


class Court:
    """The site, the SSH connection to it, and the folder that backups go to."""

    def __init__(self, site: WordPress, connection: Connection, folder: Path) -> None:
        self.site, self.connection, self.folder = site, connection, folder
        self.hours = 0

    def run(self, action: Action, inputs: Mapping[str, Any], **more: Any) -> Outcome:
        """Run an action on the site, an hour after the one before."""
        self.hours += 1
        given = {"destination": str(self.folder / "backups")} if "destination" in action.inputs else {}
        target = {"name": "wp", "kind": "website", "root": str(self.site.root)}
        call = make_call(
            action,
            {**given, **inputs},
            directory=self.folder,
            target=target,
            connect=lambda: self.connection,
            limit=300,
            now=NOW + timedelta(minutes=self.hours),
            **more,
        )
        outcome = action.run(call)
        assert outcome.status in (Status.OK, Status.CHANGED), outcome.message
        return outcome

    @property
    def mariadb(self) -> dict[str, Any]:
        """How to log in to MariaDB, as an account that may make databases."""
        return {"user": USER, "password": PASSWORD, "socket": self.site.mariadb.socket}

    @property
    def postgresql(self) -> dict[str, Any]:
        """How to log in to PostgreSQL."""
        return {"user": PG_USER, "password": PG_PASSWORD, "host": str(self.site.postgresql.folder)}

    def back_up(self, **seal: Any) -> Path:
        """Back up files and both databases; return the set's folder."""
        site = self.site
        parts = [
            self.run(backup_database.ACTION, {"engine": engine, "name": name, "accept_smaller": True, **login})
            for engine, name, login in (
                ("mariadb", site.database, self.mariadb),
                ("postgresql", site.register, self.postgresql),
            )
        ]
        parts.append(self.run(backup_files.ACTION, {"root": str(site.root), "accept_smaller": True}))
        made = [part.outputs["part"] for part in parts]
        return Path(self.run(backup_seal.ACTION, {"parts": made, **seal}).outputs["set"])

    def restore(self, rescue: Path | None = None, **chosen: Any) -> Outcome:
        """Make a plan, have it signed, do it."""
        plan = self.run(backup_compare.ACTION, chosen).outputs["plan"]
        login = {name: chosen[name] for name in ("user", "password", "socket", "host") if name in chosen}
        if "/" in chosen.get("set", ""):
            login["set"] = chosen["set"]
        inputs = {"plan": plan, **login, **({"rescue": str(rescue)} if rescue else {})}
        return self.run(backup_restore.ACTION, inputs, signatures={plan["sha256"]: SIGNED})


def files_of(root: Path) -> dict[bytes, tuple[int, int, str]]:
    """Every entry of a folder: mode, time and hash of its content, or where it leads."""
    found = {}
    for folder, names, files in os.walk(os.fsencode(root)):
        names[:] = [name for name in names if not name.startswith(b".lama-")]
        for name in (*names, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if os.path.islink(path):
                found[os.path.relpath(path, os.fsencode(root))] = (0, 0, os.readlink(path).hex())
                continue
            content = b"" if os.path.isdir(path) else Path(os.fsdecode(path)).read_bytes()
            time = 0 if os.path.isdir(path) else status.st_mtime_ns
            found[os.path.relpath(path, os.fsencode(root))] = (
                status.st_mode,
                time,
                hashlib.sha256(content).hexdigest(),
            )
    return found


def tables_of(site: WordPress) -> dict[str, str]:
    """The checksum of every table of MariaDB, and every row of PostgreSQL's."""
    names = site.mariadb.sql("SHOW TABLES", site.database).split()
    found = {name: site.mariadb.sql(f"CHECKSUM TABLE `{name}`", site.database).split()[-1] for name in names}
    query = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^pg_|information_schema'"
    for name in site.postgresql.sql(query, site.register).splitlines():
        rows = site.postgresql.sql(f"SELECT * FROM {name}", site.register).splitlines()
        found[name] = "\n".join(sorted(rows))
    return found


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    with wordpress_lab() as site:
        connections = Connections((site.ssh.known_hosts,))
        try:
            yield Court(site, connections.get(target_of(site.ssh)), tmp_path_factory.mktemp("court"))
        finally:
            connections.close()


def destroy(site: WordPress) -> None:
    """Delete all files, and drop all tables."""
    for path in site.root.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(os.fsencode(path))
        else:
            path.unlink()
    names = ", ".join(f"`{name}`" for name in site.mariadb.sql("SHOW TABLES", site.database).split())
    site.mariadb.sql(f"SET foreign_key_checks = 0; DROP TABLE {names}", site.database)
    site.postgresql.sql(
        "DROP SCHEMA IF EXISTS arsip CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public", site.register
    )


def test_comes_back_page_for_page_table_for_table_file_for_file(court: Court) -> None:
    site = court.site
    pages, tables, files = site.pages(), tables_of(site), files_of(site.root)
    assert all(status == 200 for status, _ in pages.values())
    assert len(pages) > 12
    court.back_up()
    destroy(site)
    assert site.get("/")[0] != 200
    court.restore(database=f"mariadb:{site.database}", paths=[], **court.mariadb)
    court.restore(database=f"postgresql:{site.register}", **court.postgresql)
    court.restore(database="none")
    assert tables_of(site) == tables
    assert files_of(site.root) == files
    assert site.pages() == pages


def test_a_defaced_site_is_swapped_after_a_rescue(court: Court) -> None:
    site = court.site
    pages, tables, files = site.pages(), tables_of(site), files_of(site.root)
    court.back_up()
    (site.root / "index.php").write_text("<?php echo 'hacked';")
    (site.root / "wp-content" / "shell.php").write_text("<?php system($_GET['c']);")
    site.mariadb.sql("UPDATE wp_posts SET post_title = 'hacked'", site.database)
    assert "hacked" in site.get("/")[1]
    newest = sorted(path for path in (court.folder / "backups" / "WEB-WP").iterdir() if path.is_dir())[-1]
    rescue = court.back_up(reason="before_restore")
    court.restore(rescue, set=newest.name, database=f"mariadb:{site.database}", **court.mariadb)
    court.restore(rescue, set=newest.name, database="none")
    assert tables_of(site) == tables
    assert files_of(site.root) == files
    assert site.pages() == pages


def test_comes_back_from_the_image_of_a_disc(court: Court, tmp_path: Path) -> None:
    site = court.site
    tables, files, pages = tables_of(site), files_of(site.root), site.pages()
    shutil.rmtree(court.folder / "backups", ignore_errors=True)
    folder = court.back_up()
    made = court.run(backup_media.ACTION, {"disc": "cd", "images": str(tmp_path / "discs")})
    for image in made.outputs["images"]:
        subprocess.run(["bsdtar", "-xf", image["path"], "-C", str(tmp_path)], check=True)
    shutil.rmtree(folder)
    destroy(site)
    disc = {"set": str(tmp_path / folder.name)}
    court.restore(**disc, database=f"mariadb:{site.database}", **court.mariadb)
    court.restore(**disc, database=f"postgresql:{site.register}", **court.postgresql)
    court.restore(**disc, database="none")
    assert tables_of(site) == tables
    assert files_of(site.root) == files
    assert site.pages() == pages


def test_a_drill_proves_the_set_and_starts_the_site(court: Court) -> None:
    court.back_up()
    scratch = court.site.folder / "uji"
    scratch.mkdir(mode=0o755)
    outcome = court.run(backup_drill.ACTION, {"scratch": str(scratch), "marker": "wp-content"})
    assert outcome.outputs["proved"] is True
    assert [check["result"] for check in outcome.outputs["checks"]] == ["proved"] * 4, outcome.message
    assert court.site.get("/")[0] == 200


def restore_by_guide(site: WordPress, folder: Path, place: Path) -> None:
    """Do what PULIHKAN.txt says, with a shell and nothing of ours."""
    guide = (folder / "PULIHKAN.txt").read_text()
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    subprocess.run(["sh", "PULIHKAN.sh", str(place)], cwd=folder, check=True, capture_output=True)
    subprocess.run(["cp", "-a", f"{place}/.", str(site.root)], check=True)
    give_away(site.root)
    maria = f"mariadb --no-defaults -uroot -S {site.mariadb.socket} {site.database}"
    postgres = f"-d {site.register} -h {site.postgresql.folder} -U {PG_USER}"
    for line in guide.partition("HOW TO RESTORE")[0].splitlines():
        command = line if "mkdir susun" in line else line.rpartition(": ")[2] if "PULIH" in line else ""
        if any(word in command for word in ("susun", "mariadb PULIH", "-d PULIH")) and "tail" not in command:
            command = command.replace("mariadb PULIH", maria).replace("-d PULIH", postgres)
            environment = {**os.environ, "PGPASSWORD": PG_PASSWORD}
            words = ["bash", "-o", "pipefail", "-ec", command]
            subprocess.run(words, cwd=folder, check=True, env=environment, stdout=subprocess.DEVNULL)


def test_comes_back_by_a_shell_and_the_guide_alone(court: Court, tmp_path: Path) -> None:
    site = court.site
    pages, tables, files = site.pages(), tables_of(site), files_of(site.root)
    folder = court.back_up()
    destroy(site)
    restore_by_guide(site, folder, tmp_path / "pulih")
    assert tables_of(site) == tables
    assert files_of(site.root) == files
    assert site.pages() == pages


def test_comes_back_from_images_of_cds_alone(court: Court, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small discs, so that the set takes several; their folders are copied into one, as CAKRAM.txt says."""
    site = court.site
    pages, tables, files = site.pages(), tables_of(site), files_of(site.root)
    logins = (("mariadb", site.database, court.mariadb), ("postgresql", site.register, court.postgresql))
    parts = [
        court.run(backup_database.ACTION, {"engine": engine, "name": name, "increments": 0, **login})
        for engine, name, login in logins
    ]
    parts.append(court.run(backup_files.ACTION, {"root": str(site.root), "increments": 0, "volume_size": 8}))
    sealed = Path(court.run(backup_seal.ACTION, {"parts": [part.outputs["part"] for part in parts]}).outputs["set"])
    monkeypatch.setitem(discs.SIZES, "cd", 14 * discs.MIB)
    outcome = court.run(backup_media.ACTION, {"set": sealed.name, "disc": "cd", "images": str(tmp_path / "discs")})
    images = outcome.outputs["images"]
    assert len(images) > 1
    destroy(site)
    for image in images:
        subprocess.run(["bsdtar", "-xf", image["path"], "-C", str(tmp_path)], check=True)
    restore_by_guide(site, tmp_path / sealed.name, tmp_path / "pulih")
    assert tables_of(site) == tables
    assert files_of(site.root) == files
    assert site.pages() == pages
    assert_each_volume_stands_alone(images[0], tmp_path)


def assert_each_volume_stands_alone(image: Mapping[str, Any], folder: Path) -> None:
    """With all other discs lost, every file of this disc's volumes is still there."""
    alone = folder / "alone"
    alone.mkdir()
    subprocess.run(["bsdtar", "-xf", image["path"], "-C", str(alone)], check=True)
    volumes = sorted(path for path in alone.rglob("p*.tar.zst") if path.name in image["files"])
    assert volumes
    for volume in volumes:
        unpack = ["bash", "-o", "pipefail", "-c", f"zstd -dc {volume} | tar -xf - -C {alone}"]
        subprocess.run(unpack, check=True)
    assert sum(path.is_file() for path in alone.rglob("*.php")) > 10
