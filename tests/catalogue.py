"""What the code says to people, read from its syntax trees, held against the catalogue of translations.

`python -m tests.catalogue` (`make messages`) puts what is new into runner/languages/id.po, without a translation, and
takes out what nothing says any more. A message is English prose of two words or more: a text, or an f-string, whose
values become holes {0}, {1} …. No messages are docstrings (but a command's, which is its help), what stands in two
languages already (`Words`), what describes keys of playbooks, inventories, actions and documents in the reference, and
programs in other languages: SQL, shell, HTML, expressions.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from runner.languages.catalogue import CATALOGUES, OTHERS_SAY, Entry, parse_catalogue, render_catalogue

ROOT = Path(__file__).parents[1]
RUNNER = ROOT / "runner"
HOLE = re.compile(r"\{\w*(?:![rs])?(?::[^{}\s]*)?\}")
PROSE = re.compile(r"[A-Za-z]+[,;:.]? [a-z{('<]|\}[:,;]? [a-z]{2,}|[a-z]{2,}: \{")
FOREIGN = re.compile(
    r"""^\s*<|</|\(\?|\\[sdwZ]|\$\(\w|\|\||\$\w|>&2|2>|\$\{\w|;[ }]*do
    |Join-Path|json\.|/dev/|sop_\w|-c '|%s|usage:  # programs
    |^\s*(SELECT|INSERT|DELETE|UPDATE|CREATE|DROP|RENAME|PRAGMA|BEGIN|ALTER|ATTACH)\b
    |^\s*(LEFT|EXISTS|FROM|CHECK|SET|WITH\ \w+\ AS)\b
    |\b(WHERE|SELECT|AND|IS|TO|IN|ORDER|CHARACTER)\ [(A-Z{\w]+[.{ ]  # SQL
    |[\w-]+:\ ?[\w#-]+;\ |^-\ id:\ |\n\ {3}|^\#|^Mozilla|HTTP/1|^Host:|^GET  # formats
    |^(same_person|same_paper|no_output|leave_unknown|late):\ \{|^reopened:\ p|^no\ crontab\ for
    |\ /\ .*\b(was|were|is|at|follow)\b  # data, and what is bilingual
    """,
    re.VERBOSE,
)
_ENGLISH = """
    a about accepted access action activities activity add after again ago all already also an and another answers
    any are as ask asks at attempt attempts be because before begins belongs both but by bytes can cannot changed
    character characters check code come copied correct could counted counts default delete deleted deviation did
    different do does done due during each earlier either else end ended entries entry every evidence example
    executed exit few file files finds first for found free from get give given gives go goes gone had has have held
    here holds host how however if in includes input into is it its itself just kept knows last lasts late later
    least leave left less lies likely limit lines list long longest made make mapping may means mend missing more
    most must name names need needed needs never next no nobody none not note nothing now number of off on once one
    only open or other out outdated over own package please port possible problem read reads record recorded removed
    reopened restorable restoring role rows rules run rung runs said same saved say sealed secret see seen set sets
    shown shows signed skipped so some spoilt stand standard stands stays step steps still stopped stored such table
    tables take taken takes target targets task text than that the them then there these they this those though
    through time times to too took tried tries try type unexpected ungrouped unknown until up use used verify waits
    was were what when where which who whole whose why with within without works would write writes written wrong
    wrote yet
"""
_INDONESIAN = """
    ada adalah agar akan atau basis belum berkas besar bila bukan bulan dalam dan dapat dari daripada dengan di
    gagal halaman hanya hari harus ini isi itu jawaban juga karena ke kegiatan kepada lagi laporan lebih masalah
    masih menurut nomor oleh pada permintaan rusak sampai sebagai sebelum secara sejak seluruh sesudah setiap situs
    sudah surat tahun tanggal tanpa telah terakhir tidak untuk waktu yang
"""
# Words of what actions find, which they tell in Indonesian, as reports do.
_FINDINGS = """
    acara akses alamat alternatif angka asing baca bagi bagian bahasa banjir baris berakhir beranda berbeda berhasil
    berita berlaku berubah biasa bilangan bingkai bukan butir cakram ceksum citra daftar dahulu dibaca diblokir
    dicatat diduga dimasukkan dipulihkan disebut disegel disk disusupi ditandatangani ditemukan ditinjau ditunda
    diusulkan domain dua dump folder gagal halaman hanya hari hasil hilang huruf inti isi isian jabat jam jaringan
    jawaban jenis judul jumlah kali kanal kemungkinan ketersediaan kode komputer kondisi kosong kunci kurang lagi
    lain lalu lambat lemah lengkap log masa masalah media melebihi melonjak memuat menit menjawab menunggu mesin
    mohon naik nama nilai nomor panjang pelaksanaan pemecahan pemindaian pencarian penerbit penerima pengadilan
    pengalihan pengamanan pengiriman peramban perangkat periksa perlu perpanjangan persen ponsel pulih putus rusak
    sambungan sampai sebab sebelum semula sendiri serah serangan sertifikat situs skrip status tahun tanda tangan
    tautan teks terakhir terbukti terdaftar terhenti terima terindikasi terkirim terlihat termuda terpotong tersedia
    tingkat tiruan titipan uji urut verifikasi
"""
# Calls that put what they are given into the reference, a pattern, a program or a protocol.
_SILENT_CALLS = """
    ArgumentParser For Format Heading Score Sheet Thread TypeVar Words _compile _event _sign add_argument add_unseen
    build_asking_keys build_list clean_text compile encode endswith execute executemany executescript frozenset
    get_close_matches getattr hasattr render_template setattr sign split startswith strftime strptime
"""
# Calls that describe a key: shown with actions and in cures, but not those of documents that programs read.
_DESCRIBING = """
    Fact _count _number _status _words amount choice day days declare_document flag free keys listing many mapping
    moment named names_of null_day null_or number numbers one option_of port recipients secret_key text texts thing
    word
"""
ENGLISH, INDONESIAN = frozenset(_ENGLISH.split()), frozenset(_INDONESIAN.split())
FINDINGS = INDONESIAN | frozenset(_FINDINGS.split())
SILENT_CALLS, DESCRIBING = frozenset(_SILENT_CALLS.split()), frozenset(_DESCRIBING.split())
SILENT_KEYS = frozenset({"examples", "example", "pattern", "title", "format", "program"})
DOCUMENT_ROOMS = frozenset({"record", "people", "schedule"})
_SILENT_FILES = """
    actions/backup/guide.py record/standalone.py actions/logs/firewalls.py actions/logs/vocabulary.py
    actions/integrity/markup.py
"""  # texts in two languages, rules of firewalls, words of attacks, names of tags
SILENT_FILES = frozenset(_SILENT_FILES.split())
SILENT_ROOMS = frozenset({"reports", "form", "demo", "manual", "reference", "schema", "messages", "disguises"})
TOLD_FILES = frozenset({"form/lints.py", "reports/making.py"})
SILENT_NAMES = re.compile(r"(DESCRIPTION|PATTERN|SCRIPT|SQL|QUERY|DOCUMENT)S?$")
# What holds words that are given to `label`.
LABELS = re.compile("SHORTER|LISTS|NEEDED|HEADERS|STATES|FOUND|ONCE|TARGETS|Effect|Repeat|Reach")
HEADING = re.compile(r"(?:, )?\(?[A-Za-z][A-Za-z ()]+")
PRINTED = re.compile(r"paper|keys\.py|placeholders|phrases")
UNIT = re.compile(r"\{0\} \w+")
MOST_BRANCHES = 8


def find_messages() -> dict[str, str]:
    """The messages of the code, in order, each with the file that says it first."""
    found = dict.fromkeys(OTHERS_SAY, "runner/languages/catalogue.py")
    for path in sorted(RUNNER.rglob("*.py")):
        name = path.relative_to(RUNNER).as_posix()
        if name in SILENT_FILES:
            continue
        reader = _Reader(is_prose, documents=Path(name).parts[0] in DOCUMENT_ROOMS)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        quiet = Path(name).parts[0].removesuffix(".py") in SILENT_ROOMS and name not in TOLD_FILES
        for part in _refusals(tree) if quiet else [tree]:
            for message in reader.read(part):
                found.setdefault(message, f"runner/{name}")
    return found


def _refusals(tree: ast.Module) -> Iterator[ast.AST]:
    """What a room whose documents are Indonesian says of its own: why it refuses."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Raise))


def find_findings() -> dict[str, str]:
    """What actions say in Indonesian, in order, each with the file that says it first; not what is only printed."""
    found: dict[str, str] = {}
    for path in sorted((RUNNER / "actions").rglob("*.py")):
        name = path.relative_to(RUNNER).as_posix()
        if name not in SILENT_FILES and not PRINTED.search(name):
            reader = _Reader(is_finding, documents=True)
            for message in reader.read(ast.parse(path.read_text(encoding="utf-8"))):
                found.setdefault(message, f"runner/{name}")
    return found


def normal(text: str) -> str:
    """A text with its holes numbered."""
    numbers = itertools.count()
    return HOLE.sub(lambda _: f"{{{next(numbers)}}}", text)


def is_prose(text: str) -> bool:
    """Whether it is English, for people."""
    return bool(PROSE.search(text)) and not FOREIGN.search(text) and _is_english(text)


def is_finding(text: str) -> bool:
    """Whether it is Indonesian, for people; not a number with its unit, which a norm may hold."""
    prose = PROSE.search(text) and not FOREIGN.search(text) and not UNIT.fullmatch(text)
    return bool(prose) and not _is_english(text, FINDINGS, least=0)


def _is_english(text: str, others: Collection[str] = INDONESIAN, *, least: int = 1) -> bool:
    words = re.findall(r"[a-z]+", text.lower())
    english, indonesian = (sum(word in known for word in words) for known in (ENGLISH, others))
    return english >= indonesian + least


class _Reader:
    """Reads the messages of one file; with `documents`, its descriptions are of documents for programs."""

    def __init__(self, accepts: Callable[[str], bool], *, documents: bool) -> None:
        self._accepts = accepts
        self._calls = SILENT_CALLS | (DESCRIBING if documents else frozenset())
        self._keys = SILENT_KEYS | ({"description"} if documents else frozenset())

    def read(self, node: ast.AST) -> Iterator[str]:
        """The messages within a node."""
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            yield from self._text(node)
        elif isinstance(node, ast.Call):
            yield from self._call(node)
        else:
            yield from _declared(node)
            for child in self._children(node):
                yield from self.read(child)

    def _text(self, node: ast.expr) -> Iterator[str]:
        templates = [text for text in _templates(node) if not FOREIGN.search(text)]
        yield from filter(self._accepts, (normal(line.strip()) for text in templates for line in text.split("\n")))
        for part in _values(node):
            yield from self.read(part)

    def _call(self, node: ast.Call) -> Iterator[str]:
        name = ast.unparse(node.func).rsplit(".", 1)[-1]
        if name in ("label", "labels") and isinstance(node.func, ast.Name):
            yield from _words(node)
        elif name == "render_table":
            yield from _words(node.args[0])
        if name not in self._calls:
            given = [keyword.value for keyword in node.keywords if keyword.arg not in self._keys]
            for part in (node.func, *node.args, *given):
                yield from self.read(part)

    def _children(self, node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.Assign | ast.AnnAssign) and SILENT_NAMES.search(_target(node)):
            return
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if not (isinstance(key, ast.Constant) and key.value in self._keys):
                    yield value
        elif isinstance(node, ast.Subscript):
            yield node.value
        elif isinstance(node, ast.Compare):
            yield from (each for each in (node.left, *node.comparators) if not isinstance(each, ast.Constant))
        else:
            yield from ast.iter_child_nodes(node)


def _declared(node: ast.AST) -> Iterator[str]:
    """The words that a class or a constant declares, and the help of a command, by its paragraphs."""
    if isinstance(node, ast.ClassDef) and LABELS.fullmatch(node.name):
        yield from (word for each in node.body if isinstance(each, ast.Assign) for word in _words(each))
    elif isinstance(node, ast.Assign | ast.AnnAssign) and LABELS.fullmatch(_target(node)):
        yield from _words(node)
    elif isinstance(node, ast.FunctionDef) and _is_command(node):
        for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
            yield " ".join(paragraph.split())


def _is_command(node: ast.FunctionDef) -> bool:
    return any(re.search(r"\b(command|group)\(", ast.unparse(each)) for each in node.decorator_list)


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def _words(node: ast.AST) -> Iterator[str]:
    """The words and headings that stand in an expression, each by itself."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and HEADING.fullmatch(each.value):
            yield each.value


def _values(node: ast.expr) -> Iterator[ast.expr]:
    """What the holes of a text are filled with."""
    if isinstance(node, ast.JoinedStr):
        yield from (part.value for part in node.values if isinstance(part, ast.FormattedValue))
    elif isinstance(node, ast.BinOp):
        for side in (node.left, node.right):
            if isinstance(side, ast.JoinedStr | ast.BinOp):
                yield from _values(side)
            elif not isinstance(side, ast.Constant):
                yield side


def _templates(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may give, with {} for what only the run knows."""
    if isinstance(node, ast.Constant):
        yield from [node.value] if isinstance(node.value, str) else []
    elif isinstance(node, ast.JoinedStr):
        parts = [_branches(part) for part in node.values]
        yield from map("".join, itertools.islice(itertools.product(*parts), MOST_BRANCHES))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = list(_templates(node.left)), list(_templates(node.right))
        if left or right:
            yield from map("".join, itertools.islice(itertools.product(left or ["{}"], right or ["{}"]), MOST_BRANCHES))


def _branches(part: ast.expr) -> list[str]:
    """What one part of an f-string may be."""
    if isinstance(part, ast.Constant):
        return [str(part.value)]
    value = part.value if isinstance(part, ast.FormattedValue) else part
    if isinstance(value, ast.IfExp) and all(isinstance(each, ast.Constant) for each in (value.body, value.orelse)):
        return [str(ast.literal_eval(each)) for each in (value.body, value.orelse)]
    return ["{}"]


def update() -> None:
    """Renew the catalogues: what is new stands there without a translation. en.po is for what actions find."""
    for path in CATALOGUES.glob("*.po"):
        said = find_findings() if path.stem == "en" else find_messages()
        known = {entry.message: entry for entry in parse_catalogue(path.read_text(encoding="utf-8"))}
        entries = [
            Entry(message, known[message].translation if message in known else "", file)
            for message, file in said.items()
        ]
        path.write_text(render_catalogue(entries, path.stem), encoding="utf-8")
        print(
            f"{path.relative_to(ROOT)}: {len(entries)} messages, {sum(not e.translation for e in entries)} to translate"
        )


if __name__ == "__main__":
    update()
