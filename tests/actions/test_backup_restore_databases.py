"""backup.compare and backup.restore of databases: a new one beside the live one, checked, then in its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner.actions import backup_database
from runner.contract import Status
from runner.errors import Failed, TimeUp
from tests.actions.backups import backup_call, run_well, seal
from tests.actions.made_sets import make_rescue
from tests.actions.test_backup_restore import Broken, compare, restore
from tests.calls import NOW
from tests.mariadb import PASSWORD, USER, MariaDB
from tests.postgresql import PASSWORD as PG_PASSWORD
from tests.postgresql import USER as PG_USER
from tests.postgresql import PostgreSQL

CONTENT = """
CREATE TABLE orang (id INT PRIMARY KEY, nama TEXT, foto BLOB) ENGINE=InnoDB;
INSERT INTO orang VALUES (1, 'Siti 😀', x'002741'), (2, NULL, NULL), (3, 'a\\tb\\n', '');
CREATE TABLE perkara (id INT PRIMARY KEY, orang INT, FOREIGN KEY (orang) REFERENCES orang (id)) ENGINE=InnoDB;
INSERT INTO perkara VALUES (10, 1), (11, 3);
CREATE TABLE `aneh ``nama` (a INT) ENGINE=MyISAM;
INSERT INTO `aneh ``nama` SELECT seq FROM seq_1_to_500;
CREATE TABLE catatan (a INT);
CREATE VIEW daftar AS SELECT nama FROM orang;
CREATE VIEW daftar2 AS SELECT * FROM daftar;
DELIMITER //
CREATE TRIGGER dicatat AFTER INSERT ON `aneh ``nama` FOR EACH ROW BEGIN INSERT INTO catatan VALUES (NEW.a); END//
CREATE PROCEDURE p() BEGIN SELECT 1; END//
CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 7//
CREATE EVENT malam ON SCHEDULE EVERY 1 DAY DO DELETE FROM catatan//
DELIMITER ;
"""
PG_CONTENT = """
CREATE TABLE orang (id int PRIMARY KEY, nama text);
INSERT INTO orang VALUES (1, E'Siti 😀\\t\\\\'), (2, NULL);
CREATE TABLE perkara (id serial PRIMARY KEY, orang int REFERENCES orang (id));
INSERT INTO perkara (orang) VALUES (1), (2), (1);
CREATE TABLE catatan (a int);
INSERT INTO catatan VALUES (5);
CREATE VIEW daftar AS SELECT nama FROM orang;
"""


@pytest.fixture
def joomla(mariadb: MariaDB) -> Iterator[str]:
    with mariadb.database() as name:
        mariadb.sql(CONTENT, name)
        yield name
    for other in mariadb.sql(f"SHOW DATABASES LIKE '{name}%'").split():
        mariadb.sql(f"DROP DATABASE `{other}`")


@pytest.fixture
def register(postgresql: PostgreSQL) -> Iterator[str]:
    with postgresql.database() as name:
        postgresql.sql(PG_CONTENT, name)
        yield name


def fingerprint(server: MariaDB, name: str) -> dict[str, str]:
    """All that a database holds: rows by checksum, and what is defined."""
    tables = server.sql(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{name}'").splitlines()
    found = {t: server.sql(f"SELECT * FROM `{t.replace('`', '``')}`", name) for t in sorted(tables)}
    for kind, what in {
        "triggers": "trigger_name, event_object_table, action_statement",
        "routines": "routine_name, routine_type, routine_definition",
        "events": "event_name, interval_value, event_definition",
    }.items():
        column = f"{kind[:-1]}_schema"
        found[kind] = server.sql(f"SELECT {what} FROM information_schema.{kind} WHERE {column} = '{name}' ORDER BY 1")
    return found


def inputs_of(server: MariaDB) -> dict[str, Any]:
    return {"user": USER, "password": PASSWORD, "socket": server.socket}


def pg_inputs(server: PostgreSQL) -> dict[str, Any]:
    return {"user": PG_USER, "password": PG_PASSWORD, "host": str(server.folder)}


def back_up(tmp_path: Path, engine: str, name: str, login: Mapping[str, Any]) -> Path:
    inputs = {"engine": engine, "name": name, **login}
    part = run_well(backup_database.ACTION, backup_call(backup_database.ACTION, inputs, tmp_path))["part"]
    return seal(part, tmp_path)


def test_a_dropped_database_comes_back_as_it_was(mariadb: MariaDB, joomla: str, tmp_path: Path) -> None:
    login = inputs_of(mariadb)
    back_up(tmp_path, "mariadb", joomla, login)
    before = fingerprint(mariadb, joomla)
    mariadb.sql(f"DROP DATABASE {joomla}")
    found = compare(tmp_path, **login)
    assert found["tables"] == {"replaced": [], "missing": sorted(found["tables"]["missing"]), "only_live": []}
    assert len(found["tables"]["missing"]) == 4
    outcome = restore(tmp_path, found["plan"], **login)
    assert outcome.status is Status.CHANGED, outcome.message
    assert (outcome.outputs["tables"], outcome.outputs["kept"]) == (4, [])
    assert fingerprint(mariadb, joomla) == before


def test_a_live_database_is_swapped_and_the_old_one_kept(mariadb: MariaDB, joomla: str, tmp_path: Path) -> None:
    login = inputs_of(mariadb)
    back_up(tmp_path, "mariadb", joomla, login)
    before = fingerprint(mariadb, joomla)
    mariadb.sql("DELETE FROM perkara; DROP VIEW daftar2; CREATE TABLE baru (a INT); DROP PROCEDURE p;", joomla)
    plan = compare(tmp_path, **login)
    assert plan["tables"]["only_live"] == ["baru"]
    with pytest.raises(Failed, match="no rescue set is given"):
        restore(tmp_path, plan["plan"], **login)
    rescue = make_rescue(tmp_path, f"mariadb:{joomla}")
    outcome = restore(tmp_path, plan["plan"], rescue=rescue, **login)
    assert fingerprint(mariadb, joomla) == before
    (old,) = outcome.outputs["kept"]
    assert "baru" in mariadb.sql("SHOW TABLES", old)
    assert mariadb.sql("SELECT count(*) FROM perkara", old) == "0\n"
    mariadb.sql("INSERT INTO `aneh ``nama` VALUES (9999)", joomla)
    assert mariadb.sql("SELECT a FROM catatan", joomla) == "9999\n"
    mariadb.sql("INSERT INTO perkara VALUES (12, 77)", joomla, check=False)
    assert "12" not in mariadb.sql("SELECT id FROM perkara", joomla)


def test_one_table_comes_back_alone(mariadb: MariaDB, joomla: str, tmp_path: Path) -> None:
    login = inputs_of(mariadb)
    back_up(tmp_path, "mariadb", joomla, login)
    before = fingerprint(mariadb, joomla)
    mariadb.sql("DELETE FROM `aneh ``nama`; INSERT INTO orang VALUES (4, 'baru', NULL)", joomla)
    plan = compare(tmp_path, tables=["aneh `nama"], **login)["plan"]
    assert plan["order"]["root"] is None
    restore(tmp_path, plan, rescue=make_rescue(tmp_path, f"mariadb:{joomla}"), **login)
    after = fingerprint(mariadb, joomla)
    assert after["aneh `nama"] == before["aneh `nama"]
    assert after["triggers"] == before["triggers"]
    assert "baru" in after["orang"]
    with pytest.raises(Failed, match="'perkara' refers to 'orang', so they are restored together only"):
        compare(tmp_path, tables=["perkara"], **login)
    mariadb.sql("DELETE FROM perkara; UPDATE orang SET nama = ''", joomla)
    plan = compare(tmp_path, tables=["perkara", "orang"], **login)["plan"]
    restore(tmp_path, plan, rescue=make_rescue(tmp_path / "b", f"mariadb:{joomla}"), **login)
    after = fingerprint(mariadb, joomla)
    assert (after["orang"], after["perkara"]) == (before["orang"], before["perkara"])
    mariadb.sql("INSERT INTO perkara VALUES (12, 77)", joomla, check=False)
    assert "12" not in mariadb.sql("SELECT id FROM perkara", joomla)


@pytest.mark.heavy
@pytest.mark.timeout(400)
@pytest.mark.parametrize("after", [False, True])
def test_cut_off_while_it_is_swapped_the_database_is_old_or_new_and_goes_on(
    mariadb: MariaDB, joomla: str, tmp_path: Path, after: bool
) -> None:
    login = inputs_of(mariadb)
    back_up(tmp_path, "mariadb", joomla, login)
    before = fingerprint(mariadb, joomla)
    rescue = make_rescue(tmp_path, f"mariadb:{joomla}")
    counted = Broken(10**6)
    damage = "DELETE FROM perkara; DROP PROCEDURE p; CREATE TABLE baru (a INT)"
    mariadb.sql(damage, joomla)
    restore(tmp_path, compare(tmp_path, **login)["plan"], rescue=rescue, connection=counted, **login)
    commands = 10**6 - counted.left[0]
    mariadb.sql(damage, joomla)
    broken = fingerprint(mariadb, joomla)
    tables = set(before) - {"triggers", "routines", "events", "daftar", "daftar2"}
    plan = compare(tmp_path, now=NOW.replace(hour=3), **login)["plan"]
    for at in range(commands - 24, commands, 3):
        with pytest.raises(TimeUp):
            restore(tmp_path, plan, rescue=rescue, connection=Broken(at, after=after), **login)
        now = fingerprint(mariadb, joomla)
        rows = {table: now.get(table) for table in tables}
        assert rows in ({t: broken[t] for t in tables}, {t: before[t] for t in tables}), f"cut off at {at}"
    restore(tmp_path, plan, rescue=rescue, **login)
    assert fingerprint(mariadb, joomla) == before


@pytest.fixture
def plain(mariadb: MariaDB, joomla: str) -> Iterator[dict[str, Any]]:
    """The login of an account as hosting gives it: all rights in its own database, and no right to make any."""
    mariadb.sql(f"CREATE OR REPLACE USER plain@localhost IDENTIFIED BY 'x'; GRANT ALL ON {joomla}.* TO plain@localhost")
    yield {"user": "plain", "password": "x", "socket": mariadb.socket}
    mariadb.sql("DROP USER plain@localhost")


def make_by_panel(mariadb: MariaDB, paper: str) -> None:
    """Make the databases that a plan names."""
    made = paper.partition("semua\n  hak atasnya: ")[2].partition(".")[0].split(" dan ")
    assert len(made) == 2
    for name in made:
        mariadb.sql(f"CREATE DATABASE `{name}`; GRANT ALL ON `{name}`.* TO plain@localhost")


def test_an_account_that_may_not_make_databases_restores_into_those_that_the_plan_names(
    mariadb: MariaDB, joomla: str, plain: dict[str, Any], tmp_path: Path
) -> None:
    mariadb.sql("DROP PROCEDURE p; DROP FUNCTION f; DROP EVENT malam; DROP TRIGGER dicatat", joomla)
    mariadb.sql("DROP VIEW daftar2, daftar", joomla)
    back_up(tmp_path, "mariadb", joomla, plain)
    before = fingerprint(mariadb, joomla)
    mariadb.sql("DELETE FROM catatan; DROP TABLE perkara", joomla)
    broken = fingerprint(mariadb, joomla)
    told, rescue = compare(tmp_path, **plain), make_rescue(tmp_path, f"mariadb:{joomla}")
    with pytest.raises(Failed, match="make the empty databases that it names by the hosting's panel"):
        restore(tmp_path, told["plan"], rescue=rescue, **plain)
    assert fingerprint(mariadb, joomla) == broken
    make_by_panel(mariadb, told["paper"])
    restore(tmp_path, told["plan"], rescue=rescue, **plain)
    assert fingerprint(mariadb, joomla) == before


def test_what_another_user_defined_needs_an_account_that_may_do_all(
    mariadb: MariaDB, joomla: str, plain: dict[str, Any], tmp_path: Path
) -> None:
    back_up(tmp_path, "mariadb", joomla, inputs_of(mariadb))
    before = fingerprint(mariadb, joomla)
    told, rescue = compare(tmp_path, **plain), make_rescue(tmp_path, f"mariadb:{joomla}")
    make_by_panel(mariadb, told["paper"])
    with pytest.raises(Failed, match=r"ERROR 1227 .* were defined by another user: restore as that one"):
        restore(tmp_path, told["plan"], rescue=rescue, **plain)
    assert fingerprint(mariadb, joomla) == before


def test_what_a_user_defined_who_is_gone_comes_back_to_the_account_that_restores(
    mariadb: MariaDB, joomla: str, tmp_path: Path
) -> None:
    login = inputs_of(mariadb)
    mariadb.sql(
        f"CREATE OR REPLACE USER hilang@localhost; GRANT ALL ON {joomla}.* TO hilang@localhost; "
        "CREATE DEFINER=hilang@localhost VIEW b_milik AS SELECT nama FROM orang; "
        "CREATE DEFINER=hilang@localhost VIEW a_atas AS SELECT * FROM b_milik; "
        "CREATE DEFINER=hilang@localhost TRIGGER pemicu AFTER INSERT ON perkara FOR EACH ROW "
        "INSERT INTO catatan VALUES (77);",
        joomla,
    )
    back_up(tmp_path, "mariadb", joomla, login)
    mariadb.sql(f"DROP DATABASE {joomla}; DROP USER hilang@localhost;")
    outcome = restore(tmp_path, compare(tmp_path, **login)["plan"], **login)
    assert outcome.outputs["notes"] == [
        "what 'hilang@localhost' defined now belongs to the account that restores: that user is gone"
    ]
    assert "Siti" in mariadb.sql("SELECT * FROM a_atas", joomla)
    mariadb.sql("INSERT INTO perkara VALUES (13, 1)", joomla)
    assert mariadb.sql("SELECT a FROM catatan", joomla) == "77\n"


def pg_fingerprint(server: PostgreSQL, name: str) -> dict[str, str]:
    tables = server.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", name).split()
    return {table: server.sql(f"SELECT * FROM {table} ORDER BY 1", name) for table in tables}


def test_postgresql_is_swapped_renamed_and_the_old_one_kept(
    postgresql: PostgreSQL, register: str, tmp_path: Path
) -> None:
    login = pg_inputs(postgresql)
    back_up(tmp_path, "postgresql", register, login)
    before = pg_fingerprint(postgresql, register)
    postgresql.sql("DROP TABLE perkara; UPDATE orang SET nama = 'x'; CREATE TABLE baru (a int)", register)
    found = compare(tmp_path, **login)
    assert found["tables"] == {"replaced": ["catatan", "orang"], "missing": ["perkara"], "only_live": ["baru"]}
    outcome = restore(tmp_path, found["plan"], rescue=make_rescue(tmp_path, f"postgresql:{register}"), **login)
    assert pg_fingerprint(postgresql, register) == before
    (old,) = outcome.outputs["kept"]
    assert "baru" in pg_fingerprint(postgresql, old)
    postgresql.sql("INSERT INTO perkara (orang) VALUES (1)", register)
    assert postgresql.sql("SELECT max(id) FROM perkara", register).strip() == "4"
    again = restore(tmp_path, found["plan"], rescue=make_rescue(tmp_path / "b", f"postgresql:{register}"), **login)
    assert again.status is Status.CHANGED
    postgresql.sql(f'DROP DATABASE "{old}"')


def test_postgresql_tables_come_back_in_one_transaction(postgresql: PostgreSQL, register: str, tmp_path: Path) -> None:
    login = pg_inputs(postgresql)
    back_up(tmp_path, "postgresql", register, login)
    before = pg_fingerprint(postgresql, register)
    rescue = make_rescue(tmp_path, f"postgresql:{register}")
    postgresql.sql("DELETE FROM catatan; DELETE FROM perkara WHERE id = 1", register)
    restore(tmp_path, compare(tmp_path, tables=["catatan"], **login)["plan"], rescue=rescue, **login)
    after = pg_fingerprint(postgresql, register)
    assert (after["catatan"], after["perkara"] == before["perkara"]) == (before["catatan"], False)
    with pytest.raises(Failed, match="'perkara' refers to 'orang'"):
        compare(tmp_path, tables=["perkara"], **login)
    postgresql.sql("ALTER TABLE catatan ADD COLUMN b int NOT NULL DEFAULT 1; DELETE FROM catatan", register)
    postgresql.sql("ALTER TABLE catatan DROP COLUMN a", register)
    plan = compare(tmp_path, tables=["catatan"], **login)["plan"]
    with pytest.raises(Failed, match='column "a" of relation "catatan" does not exist'):
        restore(tmp_path, plan, rescue=rescue, **login)
    assert pg_fingerprint(postgresql, register)["catatan"] == ""
    assert f"{register}_pulih" not in postgresql.sql("SELECT datname FROM pg_database WHERE datname LIKE '%lama%'")


def test_an_sqlite_file_is_renamed_into_place(tmp_path: Path) -> None:
    path = tmp_path / "data" / "site.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as base:
        base.executescript("CREATE TABLE a (b TEXT); INSERT INTO a VALUES ('satu');")
    back_up(tmp_path, "sqlite", str(path), {})
    with closing(sqlite3.connect(path)) as base:
        base.executescript("DELETE FROM a;")
    found = compare(tmp_path)
    assert found["tables"] == {"replaced": ["a"], "missing": [], "only_live": []}
    outcome = restore(tmp_path, found["plan"], rescue=make_rescue(tmp_path, f"sqlite:{path}"))
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("SELECT b FROM a").fetchall() == [("satu",)]
    with closing(sqlite3.connect(outcome.outputs["kept"][0])) as base:
        assert base.execute("SELECT b FROM a").fetchall() == []
    with pytest.raises(Failed, match="single tables of an SQLite database are not restored"):
        compare(tmp_path, tables=["a"])
