"""`sop init`: options or questions, what is seen of a site and a server on this machine, files that pass sop check."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.cli import run
from runner.connections import Verdict
from runner.inventory import load_inventory
from runner.start.answers import Answers, read_court, read_database, read_holders, read_server, read_site
from runner.start.probing import probe_site
from runner.start.writing import build_files, write_files
from tests.calls import NOW
from tests.sshd import ssh_server
from tests.terminal import terminal
from tests.web_servers import Reply, page_server

HOLDERS = "admin=Budi Santoso, S.Kom., kasubbag=Sari Dewi, S.H., sekretaris=Andi Putra"
OPTIONS = ["--court", "Pengadilan Negeri Contoh", "--database", "mariadb:joomla:backup", "--holders", HOLDERS]
JOOMLA = (
    '<html><head><meta name="generator" content="Joomla! - Open Source"><link rel="alternate" '
    'type="application/rss+xml" href="/?format=feed"><title>PN</title></head>isi</html>'
)
WORDPRESS = '<html><link href="/wp-content/themes/pn/style.css">isi</html>'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_options_alone_make_a_folder_that_passes_check(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with page_server({"/": JOOMLA}) as site:
        assert run(["init", "kantor", "--site", site, "--server", "local", *OPTIONS]) == 0
    told = capsys.readouterr().out
    assert "site: answers; built with joomla (its page's generator)" in told
    assert "feed: its page names one" in told
    assert "certificate: none was seen" in told
    assert "kantor/playbooks/pemeliharaan-website.yml: no mistakes, 9 steps" in told
    assert told.rstrip().endswith("sop plan playbooks/pemeliharaan-website.yml")
    inventory = load_inventory([Path("kantor/inventory")])
    [website] = inventory.select("websites")
    assert website.settings["cms"] == "joomla"
    assert [person.name for person in inventory.holders("kasubbag", date.today() + timedelta(days=1))] == [
        "Sari Dewi, S.H."
    ]


def test_sop_check_is_green_in_the_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--site", "pn-contoh.example", "--cms", "joomla", "--server", "web@192.0.2.1:2222", "--no-probe"]
    assert run(["init", "kantor", *words, *OPTIONS]) == 0
    monkeypatch.chdir(here / "kantor")
    assert run(["check"]) == 0
    assert run(["schedule", "next"]) == 0
    assert "/records/" in Path(".gitignore").read_text()
    for file in Path("inventory").iterdir():
        assert file.read_text().startswith("# yaml-language-server: $schema=../schemas/inventory.schema.json\n")
    assert Path("schemas/inventory.schema.json").exists()


def test_nothing_is_written_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("kantor").mkdir()
    Path("kantor/catatan.txt").write_text("penting")
    assert run(["init", "kantor", "--site", "pn.example", "--server", "local", "--no-probe", *OPTIONS]) == 5
    assert "kantor: it is there already, and nothing is written over. name a new folder" in capsys.readouterr().err
    assert [path.name for path in Path("kantor").iterdir()] == ["catatan.txt"]


def test_without_a_terminal_all_that_is_missing_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "kantor", "--site", "pn.example"]) == 5
    told = capsys.readouterr().err
    assert [line.split(":")[0] for line in told.splitlines()] == ["--court", "--database", "--holders", "--server"]
    assert "--server: it is missing, and nobody is here to be asked. write for example web@203.0.113.10" in told
    assert not Path("kantor").exists()


def test_all_bad_options_are_told_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "kantor", "--court", "X", "--site", "a b", "--cms", "jomla", "--database", "oracle:x"]) == 5
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "--cms",
        "--court",
        "--database",
        "--site",
    ]


def test_a_question_is_asked_again_until_its_answer_can_be_read(here: Path) -> None:
    with page_server({"/": WORDPRESS}) as site, terminal(here, HOME=str(here)) as screen:
        screen.type("sop init kantor")
        for asked, bad, good in (
            ("Which court is it?", "X", "Pengadilan Negeri Contoh"),
            ("the address of its website?", "a b", site),
            ("What is it built with?", "jomla", "wordpress"),
            ("How is its server reached?", "nowhere", "local"),
            ("What is its database?", "oracle", "none"),
            ("Who holds the roles", "admin=Budi", HOLDERS),
        ):
            screen.wait_for(lambda text, asked=asked: asked in text)  # type: ignore[misc]  # mypy: lambda with default
            screen.type(bad)
            screen.wait_for(lambda text, bad=bad: f"'{bad}'" in text or "missing or unknown" in text)  # type: ignore[misc]  # the same
            screen.type(good)
        shown = screen.wait_for(lambda text: "what comes next" in text)
        assert "no mistakes, 9 steps" in shown
    site = Path("kantor/inventory/situs.yml").read_text()
    assert "cms: wordpress" in site
    assert "database:" not in site


def test_a_site_that_does_not_answer_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with page_server({"/": Reply("<html>rusak</html>", 500)}) as site:
        assert run(["init", "kantor", "--site", site, "--server", "local", *OPTIONS]) == 0
    assert "site: could not be looked at: HTTP 500" in capsys.readouterr().out
    assert "cms: other" in Path("kantor/inventory/situs.yml").read_text()


def test_a_cms_is_told_by_the_addresses_in_the_page() -> None:
    with page_server({"/": Reply("", 302, {"Location": "/id/"}), "/id/": WORDPRESS}) as site:
        assert probe_site(site).cms == "wordpress"


def test_the_host_key_of_the_server_is_shown(here: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with ssh_server(tmp_path / "sshd") as server:
        words = ["--site", "http://127.0.0.1:9", "--cms", "joomla", "--server", f"web@127.0.0.1:{server.port}"]
        assert run(["init", "kantor", *words, *OPTIONS]) == 0
    told = capsys.readouterr().out
    assert "SHA256:" in told
    assert f"({Verdict.UNKNOWN})" in told
    assert "access log: not looked for, because the host key is not trusted yet" in told
    assert "sop inventory trust web1" in told


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=60), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_a_court_is_called_its_files_say_it(text: str, database: bool) -> None:
    try:
        court = read_court(text)
    except ValueError:
        return
    holders = dict.fromkeys(("admin", "kasubbag", "sekretaris"), court)
    data = read_database("postgresql:db:backup") if database else None
    answers = Answers(court, read_site("www.pn-contoh.example"), "slims", read_server("a@b.example"), data, holders)
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), build_files(answers, ("/var/log/a: b.log",), NOW.date()))
        inventory = load_inventory([Path(folder, "inventory")])
    assert inventory.office["name"] == court
    assert inventory.select("pn_contoh")[0].settings["access_log"] == "/var/log/a: b.log"


@pytest.mark.parametrize(
    "wrong", ["", "web", "web@", "@host", "web@host:0", "web@host:99999", "web@ho st", "a@b@c", "-o@host", "web@-x"]
)
def test_what_is_no_server_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"is no server\. write"):
        read_server(wrong)


def test_names_keep_their_degrees() -> None:
    assert read_holders(HOLDERS) == {
        "admin": "Budi Santoso, S.Kom.",
        "kasubbag": "Sari Dewi, S.H.",
        "sekretaris": "Andi Putra",
    }
