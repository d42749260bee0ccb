"""Text from outside in every place it can come to: each sink with each payload (law 8).

A made-up action finds the payload, as a page's title or a line of a log would be found: it comes back as an output, a
problem's words and evidence. It also stands in a variable, in a service's provider, and in a person's note.
What each sink then shows is held against what it shows for harmless words.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from email import message_from_bytes
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as Xml

import pytest

from runner.cli import run
from tests.mail_servers import mail_server

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

HARMLESS = "kata biasa"
ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
PAYLOADS = {
    "shell words": "x; touch pwned $(touch pwned) `touch pwned` | touch pwned & touch pwned\n touch pwned #' \" \\",
    "an option": "--version",
    "Jinja": "{{ 7 * 191 }} {% for a in b %}{{ ''.__class__.__mro__ }}{# x #}",
    "YAML": "!!python/object/apply:os.system ['touch pwned'] &a *a <<: {x: 1}\n- ? [a\n---\n...",
    "HTML": "</title></td></script><script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:x'>x</a>",
    "SVG and CSS": "<svg onload=alert(1)><style>*{background:url(http://127.0.0.1:9/x)}</style>';} body{display:none",
    "an attribute": "\" onmouseover=\"alert(1)\" style='x' autofocus ' onfocus='alert(1)",
    "a formula": '=HYPERLINK("http://127.0.0.1:9/"&A1,"x")\n+1+1\n-1+1\n@SUM(A1)\t=1',
    "document markup": "</w:t></w:r><w:r><w:t>x ]]> <?php ?> (x) Tj ET endstream endobj %PDF-1.4 /JS (app.alert(1))",
    "a terminal's commands": "\x1b[2J\x1b[31m\x1b]0;judul\x07\x1b]52;c;eA==\x07\x9b31m\x08\x08\r\x0b\x7f",
    "letters that turn the text": "\u202ehtml.exe\u202c \u2066x\u2069 \u200f\u200e\u061c \ufeff\u2028\u2029",
    "NUL and broken letters": "a\x00b \ufffe \udcff"[:6] + "\ufffd",
    "parts of a path": "../../../../etc/passwd\n/etc/passwd\n..\\..\\x\n~/.ssh/id_ed25519\nfile:///etc/passwd",
    "a mail's headers": "x\r\nBcc: lain@pn-contoh.example\r\nContent-Type: text/html\r\n\r\n<b>isi</b>\r\n.\r\nQUIT",
    "a line of ten million letters": "A" * 10_000_000,
    "a billion laughs": f"<!DOCTYPE x [<!ENTITY l0 'lol'>{ENTITIES}]><x>&l8;</x>",
}
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]")
ACTION = """
from pathlib import Path
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status

def run(call):
    text = Path(call.inputs["file"]).read_bytes().decode("utf-8", "replace")
    problems = (Problem("serangan.terlihat", Severity.MAJOR, f"Terlihat: {text}"),)
    kept = call.keep(text[:200], text.encode("utf-8", "replace"), "text/html")
    return Outcome(Status.OK, outputs={"text": text}, evidence=(kept,), problems=problems)

ACTION = Action(
    name="outside.text", description="Finds a text.", run=run, effect=Effect.READ, repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER, limit="1m",
    inputs={"file": {"type": "string", "description": "where", "examples": ["x"]}},
    outputs={"text": {"type": "string", "description": "what", "examples": ["x"]}},
    example="- id: find\\n  action: outside.text\\n  with: {file: x}\\n",
)
"""
PLAYBOOK = """
procedure: {title: S.O.P. Contoh, roles: {admin: Admin}}
steps:
  - id: look
    activity: Melihat
    targets: servers
    on_failure: continue
    outputs: [{id: seen, text: Yang terlihat, value: "{{ tasks.find.text }}"}]
    tasks:
      - {id: find, action: outside.text, with: {file: "{{ vars.file }}"}}
      - {id: word, action: command.run, effect: read, on_failure: continue,
         with: {argv: [printf, "%s", "{{ tasks.find.text }}"]}}
      - {id: line, action: command.run, effect: read, on_failure: continue,
         with: {command: "printf %s {{ tasks.find.text }} > /dev/null", stdin: "{{ tasks.find.text }}"}}
      - {id: place, action: command.run, effect: read, on_failure: continue,
         with: {argv: ["true"], cwd: "{{ tasks.find.text }}"}}
  - id: tell
    activity: Memberi tahu
    on_failure: continue
    tasks:
      - {id: mail, action: notify.send, on_failure: continue, with: {to: [admin], channels: [mail],
         values: {subject: "{{ steps.look.each.seen[0].value }}", text: "{{ steps.look.each.seen[0].value }}"}}}
      - {id: calendar, action: service.calendar, on_failure: continue}
      - {id: report, action: report.situation, on_failure: continue}
  - id: ask
    activity: Bertanya
    actor: admin
    tasks:
      - {id: ask, action: person.do, with: {question: "Dilihat: {{ steps.look.each.seen[0].value }}", answers: [ya]}}
"""


class Said(NamedTuple):
    """How a command ended, and its two streams."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Case(NamedTuple):
    """A folder in which a payload went everywhere, the mail that came of it, and what the run said."""

    folder: Path
    text: str
    mail: bytes
    said: str

    def sop(self, *words: str, codes: tuple[int, ...] = (0, 2, 3, 10)) -> str:
        """What a command prints."""
        done = sop(self.folder, *words)
        assert done.returncode in codes, done.stderr[-2000:]
        assert b"Traceback" not in done.stderr
        return done.stdout.decode("utf-8", "strict")

    def made(self, ending: str) -> bytes:
        """The file of that ending that `sop report` made of the run."""
        if not list(self.folder.glob(f"laporan/*.{ending}")):
            self.sop("report", "situation", "last", "--docx")
        [path] = self.folder.glob(f"laporan/*.{ending}")
        return path.read_bytes()


def sop(folder: Path, *words: str) -> Said:
    """Do what `sop` would do in a folder, on a screen of 80 columns."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with pytest.MonkeyPatch.context() as patch, chdir(folder), redirect_stdout(out), redirect_stderr(err):
        patch.setenv("COLUMNS", "80")
        code = run(list(words))
    out.flush()
    err.flush()
    return Said(code, out.buffer.getvalue(), err.buffer.getvalue())  # type: ignore[attr-defined]  # they are BytesIO


def make_case(folder: Path, text: str) -> Case:
    (folder / "actions").mkdir(parents=True)
    (folder / "actions" / "outside_text.py").write_text(ACTION)
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "p.yml").write_text(PLAYBOOK)
    (folder / "payload").write_text(text, encoding="utf-8", errors="replace", newline="")
    title = text[:1000]
    with mail_server() as box:
        inventory: Mapping[str, Any] = {
            "office": {"name": "Pengadilan Negeri Contoh", "timezone": "Asia/Jakarta", "language": "id"},
            "servers": {"s": {"connection": "local"}},
            "services": {"d": {"kind": "hosting", "provider": title.replace("\0", ""), "expires": "2027-01-01"}},
            "people": {"a": {"name": "Siti", "email": "siti@pn-contoh.example", "roles": [{"role": "admin"}]}},
            "channels": {"mail": {"kind": "smtp", "host": "127.0.0.1", "port": box.port, "security": "none",
                                  "from": "it@pn-contoh.example"}},
            "vars": {"file": str(folder / "payload"), "word": title},
        }  # fmt: skip
        (folder / "inventory.yml").write_text(json.dumps(inventory))
        done = sop(folder, "run", "playbooks/p.yml", "-v")
    assert done.returncode in (2, 3, 10), (done.returncode, done.stderr[-3000:])
    assert b"Traceback" not in done.stderr
    return Case(folder, text, b"".join(box.raw), (done.stdout + done.stderr).decode("utf-8", "strict"))


CASES: dict[str, Case] = {}


@pytest.fixture
def case_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    """Gives the case of a payload, made once."""

    def find(payload: str) -> Case:
        if payload not in CASES:
            text = HARMLESS if payload == "harmless" else PAYLOADS[payload]
            CASES[payload] = make_case(tmp_path_factory.mktemp("case") / "office", text)
        return CASES[payload]

    return find


class Shape(HTMLParser):
    """The elements and attributes of a page, counted; texts of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[tuple[str, ...]] = Counter()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[(tag, *sorted(name for name, _ in attrs))] += 1


OF_OURS = {("br",), ("p",), ("p", "class"), ("span",), ("div",), ("li",)}  # how a text of more lines is set


def same_shape(page: str, harmless: str) -> None:
    assert Shape(page).elements.keys() - Shape(harmless).elements.keys() - OF_OURS == set()


def command(case: Case, harmless: Case) -> None:
    assert not list(case.folder.rglob("pwned"))
    shown = json.loads(case.sop("show", "last", "--format", "json"))
    tasks = {task["id"]: task for task in shown["steps"][0]["targets"][0]["tasks"]}
    if "\0" not in case.text and len(case.text) < 100_000:
        assert tasks["word"]["outputs"]["stdout"] == case.text.encode("utf-8", "replace").decode()
    else:
        assert tasks["word"]["status"] == "failed"
        assert tasks["word"]["message"]


def template(case: Case, harmless: Case) -> None:
    told = case.sop("show", "last", "--format", "json")
    assert "1337" not in told  # what 7 * 191 would have given
    found = json.loads(told)["steps"][0]["targets"][0]["tasks"][0]
    assert found["outputs"]["text"][:200] == case.text[:200] or found["evidence"]


def screen(case: Case, harmless: Case) -> None:
    for words in (["show", "last"], ["show", "last", "look"], ["problems"], ["status"], ["history"]):
        told = case.sop(*words)
        assert CONTROLS.search(told.replace("\n", "")) is None, words
        assert words[0] == "show" or max(map(len, told.split("\n"))) <= 80, words  # show gives outputs whole
        assert len(told) < 1_000_000, words


def log(case: Case, harmless: Case) -> None:
    assert CONTROLS.search(case.said.replace("\n", "")) is None
    assert len(case.said) < 200_000


def document(case: Case, harmless: Case) -> None:
    for words in (["show", "last"], ["problems"], ["history"], ["status"]):
        json.loads(case.sop(*words, "--format", "json"))


def report(case: Case, harmless: Case) -> None:
    page = case.made("html").decode("utf-8", "strict")
    same_shape(page, harmless.made("html").decode())
    assert len(page) < 40_000_000


def word_document(case: Case, harmless: Case) -> None:
    def shape(data: bytes) -> set[str]:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            names = [name for name in parts.namelist() if name.endswith((".xml", ".rels"))]
            trees = [Xml.fromstring(parts.read(name)) for name in names]  # our own file, well formed or not
            return {element.tag for tree in trees for element in tree.iter()} | set(parts.namelist())

    assert shape(case.made("docx")) - shape(harmless.made("docx")) <= {
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}br",
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}tab",
    }


def dashboard(case: Case, harmless: Case) -> None:
    def pages(each: Case) -> dict[str, str]:
        each.sop("dashboard", "--out", "layar")
        return {path.name: path.read_text() for path in (each.folder / "layar").rglob("*.html")}

    made, plain = pages(case), pages(harmless)
    assert made.keys() == plain.keys()
    for name, page in made.items():
        same_shape(page, plain[name])


def spreadsheet(case: Case, harmless: Case) -> None:
    kept = [path.read_bytes() for path in (case.folder / "records" / "evidence").rglob("*") if path.is_file()]
    [table] = [data.decode("utf-8-sig") for data in kept if data.startswith(b"\xef\xbb\xbf")]
    cells = [cell for row in csv.reader(io.StringIO(table), delimiter=";") for cell in row]
    assert len(cells) > 5
    assert [cell for cell in cells if cell[:1] in {*"=+-@\t\r"} and not re.fullmatch(r"-?[\d.,]+", cell)] == []


def calendar(case: Case, harmless: Case) -> None:
    def names(each: Case) -> set[str]:
        kept = (path.read_bytes() for path in (each.folder / "records" / "evidence").rglob("*") if path.is_file())
        [ics] = [data.decode() for data in kept if data.startswith(b"BEGIN:VCALENDAR")]
        lines = ics.replace("\r\n ", "").split("\r\n")
        return {re.split("[:;]", line)[0] for line in lines if line}

    assert names(case) == names(harmless)


def mail_header(case: Case, harmless: Case) -> None:
    def headers(raw: bytes) -> list[bytes]:
        return sorted(re.findall(rb"(?m)^([A-Za-z-]+):", raw.split(b"\r\n\r\n", 1)[0]))

    if case.mail:  # what no mail can carry is refused, and the record says so
        assert headers(case.mail) == headers(harmless.mail)
    else:
        assert "notify.failed" in case.sop("problems", "--all", "--format", "json")


def mail_body(case: Case, harmless: Case) -> None:
    if case.mail:
        assert message_from_bytes(case.mail).get_content_type() == "text/plain"
        assert case.mail.count(b"Message-ID:") == 1


def file_name(case: Case, harmless: Case) -> None:
    evidence = [path for path in (case.folder / "records" / "evidence").rglob("*") if path.is_file()]
    assert evidence
    assert all(re.fullmatch("[0-9a-f]{60,64}", path.name) for path in evidence), evidence
    case.sop("show", "last", "look", "--save", "bukti")
    saved = [path for path in (case.folder / "bukti").rglob("*") if path.is_file()]
    assert saved
    for path in saved:
        assert path.resolve().is_relative_to(case.folder / "bukti")
        assert len(path.name.encode()) <= 255
        assert CONTROLS.search(path.name) is None


def note(case: Case, harmless: Case) -> None:
    words = ["sign", "last", "ask", "--answer", "ya", "--paper", "payload", "--person", "Siti"]
    done = sop(case.folder, *words, "--note", case.text[:50_000].replace("\0", "").encode("utf-8", "replace").decode())
    assert done.returncode in (0, 2, 5, 10), done.stderr[-2000:]
    assert b"Traceback" not in done.stderr
    assert CONTROLS.search(done.stdout.decode().replace("\n", "")) is None
    screen(case, harmless)


def auditor(case: Case, harmless: Case) -> None:
    case.sop("export", "last", "--out", "auditor.zip")
    assert case.sop("verify") != ""
    with zipfile.ZipFile(case.folder / "auditor.zip") as archive:
        assert archive.testzip() is None
        assert all(not name.startswith("/") and ".." not in name for name in archive.namelist())


SINKS: Mapping[str, tuple[Callable[[Case, Case], None], str]] = {
    "a command": (command, "arrives as the one word it is, or is refused; runs nothing"),
    "a template": (template, "stays text; nothing in it is evaluated"),
    "a screen": (screen, "at most 80 columns, no control characters, nothing turned round"),
    "a log": (log, "no control characters, a bounded length"),
    "JSON": (document, "one valid document"),
    "a report": (report, "no element or attribute that harmless words do not make"),
    "a DOCX": (word_document, "well-formed, no part or element that harmless words do not make"),
    "a dashboard": (dashboard, "no element or attribute that harmless words do not make"),
    "a spreadsheet": (spreadsheet, "no cell that is a formula"),
    "a calendar": (calendar, "no line of its own"),
    "a mail's head": (mail_header, "no header of its own, or the letter is refused and said so"),
    "a mail's body": (mail_body, "plain text, whole"),
    "a file's name": (file_name, "a name inside the folder it belongs to"),
    "a person's note": (note, "recorded as text, or refused with words"),
    "an auditor's file": (auditor, "verifies; names lead nowhere else"),
}


@pytest.mark.promise("Text from outside", "{payload} in {sink}", "{promised}")
@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(("sink", "promised"), [(name, promised) for name, (_, promised) in SINKS.items()])
def test_text_from_outside_stays_text(case_of: Callable[[str], Case], sink: str, promised: str, payload: str) -> None:
    SINKS[sink][0](case_of(payload), case_of("harmless"))
