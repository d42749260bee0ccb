"""The house: each room imports only rooms above it, each third-party package has its doors, and files stay small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNNER = ROOT / "runner"
LAYOUT = (ROOT / "docs" / "layout.md").read_text(encoding="utf-8")
FILES = sorted(path for path in RUNNER.rglob("*.py") if path.parent != RUNNER or not path.stem.startswith("__"))

# The rooms, in order: each imports only rooms before it. A folder is one room.
ROOMS = """
errors files messages languages posts signatures slips source spans wordings durations crons hours calendar disguises
redactor secrets notices recorder contract events shapes inventory templates parsing sandbox expressions shell
inputs playbook plan record people engine connections actions notify reports form screen schedule reference schema
demo own binding recorders services workers start commands cli manual
"""
# The files of the rooms that are folders, in the same sense.
FILES_OF = {
    "shapes": "faults describe plain acceptance wording __init__",
    "inventory": """
        channels register register_keys ladder people knowledge nouns scripts documents draft cycles patterns groups
        relations ansible_forms ansible_found ansible_ini ansible_variables ansible_yaml ansible ours __init__
    """,
    "playbook": "habits pieces escalation paper timing keywords mending __init__ order reading",
    "plan": "__init__ types paths choosing deciding references compiling roles fitting planning",
    "record": """
        folder database chain evidence keys deletions sources statements proof locks document reader journal
        period gathering schema_parts record_schema __init__ digest unfinished marks occurrences problems retention
        register solutions recalling standalone exporting copying
    """,
    "form": """
        __init__ chart table measure paper shapes widths levels grid router cutting page labels heads marks sheets svg
        identity supplement document lints
    """,
    "people": """
        schemas accounts signers separation attaching hands requests answers turns escalation going_on __init__
    """,
    "engine": """
        progress executors acts rows scope filling answers course tries decisions routes branches tasks rounds closing
        steps flow pending heading terms __init__
    """,
    "own": "declared declaration writers loading packages __init__",
    "start": "answers probing snippets writing __init__",
    "workers": "channel parcels roster hub station fence processes cluster __init__",
    "schedule": "schemas folder log entries standing watching crontab units beginning __init__",
    "screen": "tables live __init__ register board lines summary rehearsal explaining watching helping",
    "languages": "catalogue matching __init__",
}
ORDER = ROOMS.split()

DOORS = {
    "yaml": {"source"},
    "jsonschema": {"shapes"},
    "paramiko": {"connections"},
    "jinja2": {"sandbox", "reports"},
    "markupsafe": {"reports", "form"},
    "click": {"cli", "commands", "screen", "manual"},
    "tabulate": {"screen"},
    "holidays": {"calendar"},
    "icalendar": {"reports"},
    "weasyprint": {"reports"},
    "cronsim": {"crons"},
    "docx": {"reports"},
    "whois": {"actions"},
    "certifi": {"actions"},
    "dns": {"actions"},
    "backports": {"actions"},
    "compression": {"actions"},
    "cryptography": {"actions"},
    "pyrage": {"actions"},
    "sigma": {"actions"},
    "pycdlib": {"actions"},
    "minio": {"actions"},
    "urllib3": {"actions"},
    "re2": {"actions", "parsing"},
    "hyperscan": {"actions"},
    "distributed": {"workers"},
    "sqlite3": {"record", "actions", "demo"},
}
LONGEST_FILE = 300
LONGEST_FUNCTION = 50
LONG_FILES = {"source.py"}  # one noun, whose parts nobody else needs: 310 lines at most


def room_of(path: Path) -> str:
    """The room that a file stands in."""
    parts = path.relative_to(RUNNER).parts
    return parts[0] if len(parts) > 1 else path.stem


@cache
def tree_of(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """What a file imports, and in which line, inside functions too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "runner":
            yield from ((f"runner.{name.name}", node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a file."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_room_has_its_place_in_the_house() -> None:
    rooms = {room_of(path) for path in FILES}
    assert len(ORDER) == len(set(ORDER))
    assert rooms - set(ORDER) == set(), "a new room: give it a place in ROOMS"
    assert set(ORDER) - rooms == set(), "no such room any more: take it out of ROOMS"


def test_each_room_imports_only_rooms_before_it() -> None:
    wrong = []
    for path in FILES:
        room = room_of(path)
        for module, line in imports(path):
            other = module.split(".")[1] if module.startswith("runner.") else room
            if other in ORDER and other != room and ORDER.index(other) > ORDER.index(room):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: '{room}' stands before '{other}'")
    assert wrong == []


def test_the_page_of_the_layout_names_every_room_in_its_order() -> None:
    rows = LAYOUT.split("| room |")[1].split("\n\n")[0].splitlines()[2:]
    assert [room for row in rows for room in re.findall(r"`(\w+)`", row.split("|")[1])] == ORDER


def test_what_the_page_of_the_layout_points_to_is_there() -> None:
    missing = [path for path in re.findall(r"`([\w/]+(?:/|\.py))`", LAYOUT) if not _stands(path)]
    for path, name in re.findall(r"`([\w/]+\.py)`: `(\w+)`", LAYOUT):
        text = (RUNNER / path).read_text(encoding="utf-8")
        missing += [] if re.search(rf"^(?:def|class) {name}\b", text, re.MULTILINE) else [f"{path}: {name}"]
    assert missing == []


def _stands(path: str) -> bool:
    return (RUNNER / path).exists() or (ROOT / path).exists()


@pytest.mark.parametrize("room", sorted(FILES_OF))
def test_each_file_imports_only_files_before_it(room: str) -> None:
    order = FILES_OF[room].split()
    files = {path.stem: path for path in (RUNNER / room).glob("*.py")}
    assert sorted(order) == sorted(files), "give each file of this folder its place in FILES_OF"
    wrong = []
    for name, path in files.items():
        for module, line in imports(path):
            parts = module.split(".")
            other = (*parts, "__init__")[2] if parts[:2] == ["runner", room] else name
            if order.index(other) > order.index(name):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: '{name}' stands before '{other}'")
    assert wrong == []


def test_each_third_party_package_has_its_doors() -> None:
    wrong = []
    for path in FILES:
        for module, line in imports(path):
            package = module.split(".")[0]
            known = package in sys.stdlib_module_names and package not in DOORS
            if not known and package != "runner" and room_of(path) not in DOORS.get(package, set()):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: no door for '{package}' here")
    assert wrong == []


def test_actions_do_not_import_each_other() -> None:
    names = {path.stem for path in (RUNNER / "actions").glob("*.py")} - {"__init__"}
    wrong = [
        f"{path.name} imports {module}"
        for path in (RUNNER / "actions").glob("*.py")
        for module, _ in imports(path)
        if path.stem != "__init__" and module.removeprefix("runner.actions.") in names
    ]
    assert wrong == []


def test_files_stay_small() -> None:
    long = {path.name: lines for path in FILES if (lines := path.read_text().count("\n")) > LONGEST_FILE}
    assert set(long) <= LONG_FILES, long
    assert max(long.values(), default=0) <= 310


def test_functions_stay_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}"
        for path in FILES
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_the_median_function_is_short() -> None:
    lengths = sorted((node.end_lineno or 0) - node.lineno + 1 for path in FILES for node in functions(path))
    assert lengths[len(lengths) // 2] <= 8


def test_every_public_function_says_what_it_does() -> None:
    silent = []
    for path in FILES:
        tree = tree_of(path)
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
        owners: list[ast.Module | ast.ClassDef] = [tree, *classes]
        for owner in owners:
            for node in owner.body:
                if isinstance(node, ast.FunctionDef) and node.name[0] != "_" and not _is_told(node, owner):
                    silent.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}")
    assert silent == []


def _is_told(node: ast.FunctionDef, owner: ast.Module | ast.ClassDef) -> bool:
    """Whether it has a docstring, or needs none: a property that is its name, a method that click calls, a stub."""
    if ast.get_docstring(node) or any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list):
        return True
    plain = any(isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in node.decorator_list)
    inherits = isinstance(owner, ast.ClassDef) and any("click" in ast.unparse(base) for base in owner.bases)
    return inherits or (plain and len(node.body) == 1)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["actions", "--help"]])
def test_start_up_stays_light(words: list[str]) -> None:
    code = (
        "import sys; from runner.cli import run; run(sys.argv[1:]); "
        "heavy = {'paramiko', 'requests', 'jsonschema', 'jinja2', 'yaml', 'holidays', 'whois'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    allowed = {"jinja2", "yaml"} if words[0] == "actions" else set()
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    loaded = set(done.stderr.strip().split(", ")) - {""}
    assert loaded - allowed == set()


@pytest.mark.parametrize(("text", "loaded"), [("df -P /", False), ("df -P {{ vars.disk }}", True)])
def test_jinja2_is_loaded_for_expressions_only(text: str, loaded: bool) -> None:
    code = (
        "import sys; from runner.expressions import parse_template; import runner.binding, runner.engine; "
        "parse_template(sys.argv[1]); sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, text], check=False).returncode == loaded
