"""What is installed for the demo and the tests is pinned, each file by its hash, and is what setup.cfg asks for."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;]+)", re.MULTILINE)


def pinned(name: str) -> dict[str, list[str]]:
    """Versions by name of a lock file."""
    found: dict[str, list[str]] = {}
    for package, version in PINNED.findall((ROOT / "requirements" / name).read_text()):
        found.setdefault(canonicalize_name(package), []).append(version)
    return found


def asked(*extras: str) -> list[Requirement]:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    texts = [parser["options"]["install_requires"], *(parser["options.extras_require"][extra] for extra in extras)]
    return [Requirement(line) for text in texts for line in text.strip().splitlines()]


@pytest.mark.promise("Supply", "a dependency in {lock} is exchanged", "each file is pinned by its hash")
@pytest.mark.parametrize("lock", ["base.lock", "test.lock"])
def test_every_file_is_pinned_by_its_hash(lock: str) -> None:
    for block in re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements" / lock).read_text().strip()):
        assert PINNED.match(block), block
        assert "--hash=sha256:" in block, block
        assert "://" not in block


@pytest.mark.parametrize(("lock", "extras"), [("base.lock", ()), ("test.lock", ("test",))])
def test_the_lock_is_what_setup_cfg_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    versions = pinned(lock)
    for requirement in asked(*extras):
        found = versions.get(canonicalize_name(requirement.name), [])
        assert any(requirement.specifier.contains(each) for each in found), f"{requirement}: make lock"
