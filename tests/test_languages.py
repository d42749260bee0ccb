"""In which language sop speaks, and how a message is found again in what was said."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli import run as sop
from runner.languages import label, language, translate
from runner.languages.catalogue import load_catalogue, parse_catalogue
from runner.languages.matching import HOLE, Matcher
from tests.test_wrong_edits import EDITS, Edit, apply, folder

__all__ = ["folder"]

TRANSLATIONS = {
    "{0}: no such step": "{0}: tidak ada kegiatan itu",
    "write {0}": "tulis {0}",
    "did you mean '{0}'?": "mungkin maksud Anda '{0}'?",
    "{0} is {1}, {2} is needed": "{0} adalah {1}, yang diperlukan {2}",
    "a text": "teks",
    "a list": "daftar",
    "or": "atau",
    "{0} of {1}": "{1}: {0}",
    "nobody is here": "tidak ada orang",
    "step '{0}' comes later": "kegiatan '{0}' baru datang kemudian",
}
MARKS = "the is not of an and or did mean needed which to be must cannot has have was it this that"
ENGLISH = frozenset(MARKS.split())


@pytest.mark.parametrize(
    ("settings", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "id"}, "id"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LC_MESSAGES": "id_ID", "LANG": "en_US.UTF-8"}, "id"),
        ({"SOP_LANG": "id", "LC_ALL": "C"}, "id"),
        ({"SOP_LANG": "en", "LANG": "id_ID.UTF-8"}, "en"),
        ({"SOP_LANG": "de", "LANG": "id_ID.UTF-8"}, "id"),
    ],
)
def test_the_language_is_asked_for_or_the_systems(
    settings: dict[str, str], spoken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SOP_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert language() == spoken


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("nobody is here", "tidak ada orang"),
        ("  nobody is here", "  tidak ada orang"),
        ("Nobody is there", "Nobody is there"),
        ("backup: no such step", "backup: tidak ada kegiatan itu"),
        ("a.yml:3:1: step 'x' comes later. write 5", "a.yml:3:1: kegiatan 'x' baru datang kemudian. tulis 5"),
        ("'3' is a text, a list is needed", "'3' adalah teks, yang diperlukan daftar"),
        ("'3' is a text, a text or a list is needed", "'3' adalah teks, yang diperlukan teks atau daftar"),
        ("write 'a' or 'b'", "tulis 'a' atau 'b'"),
        ("step 'a text' comes later", "kegiatan 'a text' baru datang kemudian"),
        ("b: nobody is here: no such step", "b: tidak ada orang: tidak ada kegiatan itu"),
        ("3 of 5", "5: 3"),
        ("the end of the world", "the end of the world"),
        ("dilaporkan pada hari ini", "dilaporkan pada hari ini"),
    ],
)
def test_finds_the_message_that_a_text_was_made_from(said: str, told: str) -> None:
    assert Matcher(TRANSLATIONS).translate(said) == told


@pytest.mark.parametrize("text", [". " * 2000, "a: " * 2000, "is " * 1300, "x, y is needed " * 200, ""])
def test_long_and_odd_texts_take_no_time(text: str) -> None:
    matcher = Matcher(TRANSLATIONS)
    matcher.translate(text)
    assert len(matcher._known) < 20_000


def test_a_catalogue_as_other_programs_write_it_is_read() -> None:
    text = """
# a translator's remark
msgid ""
msgstr ""
"Language: id\\n"

#: runner/a.py
#, python-brace-format
msgid "{0}: no "
"such step"
msgstr ""
"{0}: tidak ada "
"kegiatan itu"

#, fuzzy
msgid "guessed"
msgstr "dikira"

#~ msgid "gone"
#~ msgstr "hilang"
"""
    [entry] = parse_catalogue(text.replace("\\\\", "\\"))
    assert entry == ("{0}: no such step", "{0}: tidak ada kegiatan itu", "runner/a.py")


@pytest.mark.parametrize("spoken", ["en", "id"])
def test_each_message_is_found_whatever_stands_in_its_holes(spoken: str) -> None:
    """With names in them, or with several words."""
    matcher = Matcher(load_catalogue(spoken))
    wrong = [
        message
        for message, told in matcher.translations.items()
        if " " in message
        and all(matcher.translate(_filled(message, held)) != _filled(told, held) for held in ("x{}", "x{} y"))
    ]
    assert wrong == []


def _filled(template: str, held: str) -> str:
    return HOLE.sub(lambda hole: held.format(hole[0][1:-1]), template)


def test_english_reads_no_catalogue() -> None:
    code = (
        "import sys, builtins, runner.languages as languages; "
        "assert languages.translate('nobody is here to be asked', 'en'); "
        "print(languages._matcher.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_what_actions_find_is_told_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOP_LANG", "en")
    found = (
        "Masa berlaku nama domain pn-contoh.example berakhir pada Jumat, 4 Desember 2026, 11 hari lagi; perpanjangan "
    )
    assert translate(f"web1: {found}perlu diurus.") == (
        "web1: nama domain pn-contoh.example ends on Friday 4 December 2026, in 11 days; see to its renewal."
    )
    assert translate("limit 1 hari, due Monday") == "limit 1 hari, due Monday"
    assert (
        translate("Memeriksa ruang penyimpanan pada setiap server") == "Memeriksa ruang penyimpanan pada setiap server"
    )


def test_words_and_messages_of_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOP_LANG", "id")
    assert label("step") == "kegiatan"
    assert translate("inventory.yml:3:1: unknown key 'srever'. did you mean 'server'?") == (
        "inventory.yml:3:1: kunci 'srever' tidak dikenal. mungkin maksud Anda 'server'?"
    )
    monkeypatch.setenv("SOP_LANG", "en")
    assert label("step") == "step"


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.file}: {edit.title}")
def test_no_wrong_edit_is_answered_in_english(
    edit: Edit, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOP_LANG", "id")
    (folder / edit.file).write_text(apply(edit)[0], encoding="utf-8")
    assert sop(["check", "-i", "inventory.yml", "daily.yml"]) == 5
    for line in capsys.readouterr().err.splitlines():
        words = re.findall(r"[a-z]+", re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\{[^}]*\}", "", line.lower()))
        assert ENGLISH.isdisjoint(words), line


def test_machines_read_the_same_in_each_language(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["actions", "person.sign", "--format", "json"], ["inventory", "list", "--format", "json"]):
        read = []
        for spoken in ("en", "id"):
            monkeypatch.setenv("SOP_LANG", spoken)
            assert sop([*words]) == 0
            read.append(capsys.readouterr().out)
        assert read[0] == read[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--help"], "Melaksanakan prosedur tertulis dan menyimpan bukti pelaksanaannya."),
        (["history", "--help"], "Pemakaian: sop history"),
        (["histori"], "tidak ada perintah 'histori'. mungkin maksud Anda 'history'? lihat: sop --help"),
        (["history", "--wrong"], "Tidak ada opsi"),  # in quotes since click 8.4
        (
            ["history", "-n", "x"],
            "Nilai untuk '-n' / '--number' tidak sah: 'x' bukan bilangan bulat. lihat: sop history",
        ),
        (["show"], "Argumen 'RUN' tidak disebutkan. lihat: sop show --help"),
    ],
)
def test_help_and_wrong_usage_are_told_in_indonesian(words: list[str], told: str, folder: Path) -> None:
    environment = {"SOP_LANG": "id", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words], capture_output=True, text=True, check=False, env=environment
    )
    assert told in done.stdout + done.stderr
