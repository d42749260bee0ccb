"""Logins from the site's own configuration: read as text, whatever stands in it, and never executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.actions.backup.dumps import Database
from runner.actions.backup.logins import Login, find_login, parse_site
from runner.actions.backup.php import parse_constants, parse_properties
from runner.actions.backup_database import ACTION
from runner.errors import Failed
from tests.actions.backups import backup_call
from tests.calls import LocalConnection

CASES = Path(__file__).parents[1] / "cases" / "site-configs"
FOUND = {
    "wordpress": {
        "engine": "mariadb",
        "name": "situs",
        "user": "pn_contoh",
        "password": "kata'sandi\\",
        "socket": "/run/mysqld/mysqld.sock",
    },
    "joomla": {
        "engine": "mariadb",
        "name": "joomla",
        "user": "joomla",
        "password": "a\"b$c; // d \\ ' e",
        "host": "db.pn-contoh.invalid",
        "port": 3307,
    },
}


@pytest.mark.parametrize("site", sorted(FOUND))
def test_reads_what_the_site_itself_uses(site: str) -> None:
    assert parse_site((CASES / f"{site}.php").read_text(), "config.php") == FOUND[site]


def test_takes_what_the_task_says_before_what_the_file_says(tmp_path: Path) -> None:
    inputs = {"config": str(CASES / "joomla.php"), "user": "backup", "password": "other"}
    call = backup_call(ACTION, inputs, tmp_path)
    expected = Database("joomla", "backup", "other", "db.pn-contoh.invalid", 3307)
    assert find_login(call, LocalConnection()) == Login("mariadb", expected)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", {"host": "localhost"}),
        ("127.0.0.1:3307", {"host": "127.0.0.1", "port": 3307}),
        ("[::1]:3307", {"host": "::1", "port": 3307}),
        ("localhost:/s", {"socket": "/s"}),
        (":/s", {"socket": "/s"}),
        ("", {}),
        ("::1", {"host": "::1"}),
    ],
)
def test_reads_hosts_as_wordpress_writes_them(host: str, expected: dict[str, Any]) -> None:
    text = f"<?php define('DB_NAME', 'x'); define('DB_HOST', '{host}');"
    assert parse_site(text, "wp-config.php") == {"engine": "mariadb", "name": "x", **expected}


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("define('A', 'b')", "b"),
        ("DEFINE ( \"A\" , 'it\\'s \\n' );", "it's \\n"),
        ('define("A", "x\\ty\\x41\\101\\u{e9}\\$z")', "x\tyAA\u00e9$z"),
        ("/* define('A', 'no'); */ # define('A', 'no')\ndefine('A', 'yes')", "yes"),
        ("define('A', 'one'); define('A', 'two')", "one"),
        ("define('A', 5)", "5"),
        ("define('A', getenv('B'))", None),
        ("define('A', 'x' . 'y')", None),
        ('define("A", "x$y")', None),
        ("$s = \"define('A', 'no')\"; define('A', 'yes')", "yes"),
    ],
)
def test_reads_constants_as_php_means_them(code: str, value: str | None) -> None:
    assert parse_constants("<?php\n" + code) == {"A": value}


def test_reads_properties_of_joomla() -> None:
    text = "<?php class JConfig { var $a = 'x'; public string $b = \"y\"; public $c = 1 + 1; /* public $d = 'z'; */ }"
    assert parse_properties(text) == {"a": "x", "b": "y", "c": None}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<?php echo 'hello';", "it names no database"),
        ("<?php define('DB_NAME', 'x'); define('DB_PASSWORD', getenv('P'));", "DB_PASSWORD is computed there"),
        ("", "it names no database"),
    ],
)
def test_says_what_a_file_lacks(text: str, words: str) -> None:
    with pytest.raises(Failed, match=words):
        parse_site(text, "wp-config.php")


def test_says_when_no_kind_of_database_is_known(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="engine: nothing says which kind"):
        find_login(backup_call(ACTION, {"name": "x"}, tmp_path), LocalConnection())


@given(st.text(max_size=200))
def test_reads_any_text_without_stumbling(text: str) -> None:
    parse_constants(text)
    parse_properties("class JConfig {" + text)


@given(st.text(max_size=30))
def test_reads_any_text_that_php_would_read(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    assert parse_constants(f"<?php define('A', '{quoted}');") == {"A": value}
