"""Makes the demo's working folder: what a court would have, and the playbook that its SOP became."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from string import Template

from runner.demo.site import DATA, load_articles, write_database, write_site
from runner.demo.traffic import render_access_log
from runner.errors import refuse

PLAYBOOKS = ("pemeliharaan-website.yml", "pembaharuan-konten.yml")
DOMAIN_ENDS = timedelta(days=12)
OTHERS_END = timedelta(days=300)
NEXT_ENDS = timedelta(days=55)
YEAR = timedelta(days=365)
INVOICE = """\
PERAGAAN - BUKAN INVOICE

Penyedia Internet Contoh kepada Pengadilan Negeri Contoh
Nomor INV-0003: internet kantor contoh, satu tahun
Rp12.000.000,00 ditambah pajak 11 persen: Rp13.320.000,00
"""
IN_OFFICE = timedelta(days=365)
_SPANS = {
    "asked": DOMAIN_ENDS - YEAR - timedelta(days=20),
    "began": DOMAIN_ENDS - YEAR + timedelta(days=1),
    "soon": DOMAIN_ENDS,
    "next": NEXT_ENDS,
    "renewed": NEXT_ENDS + YEAR,
    "requested": timedelta(days=-9),
    "invoiced": timedelta(days=-2),
    "payable": timedelta(days=20),
    "later": OTHERS_END,
    "since": -IN_OFFICE,
}


@dataclass(frozen=True, slots=True)
class Act:
    """What a demo official does when `step` waits for `role`: the answer's label and a note."""

    step: str
    role: str
    person: str
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo's folder and what lies in it; `acts` are the people's parts in the order they come up."""

    folder: Path
    playbook: Path
    inventory: Path
    website: Path
    database: Path
    access_log: Path
    acts: Sequence[Act]


def build_demo(folder: Path, now: datetime) -> Demo:
    """Given a folder that is empty or does not exist and the time to play at (aware), make the demo court in it.

    Same folder and time, same files. Raise Refused if the folder has anything in it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise refuse(str(folder), "the folder is not empty", "name a new one")
    folder = folder.resolve()
    demo = Demo(
        folder=folder,
        playbook=folder / "playbooks" / PLAYBOOKS[0],
        inventory=folder / "inventory" / "demo.yml",
        website=folder / "website",
        database=folder / "database" / "situs.sqlite",
        access_log=folder / "logs" / "access.log",
        acts=load_acts(),
    )
    articles = load_articles(now)
    write_site(demo.website, articles)
    write_database(demo.database, articles)
    _write(demo.access_log, render_access_log(now))
    _write(demo.inventory, _inventory(demo, now))
    _write(demo.inventory.with_name("knowledge.yml"), (DATA / "knowledge.yml").read_text("utf-8"))
    _write(folder / "berkas" / "invoice-0003.txt", INVOICE)
    for name in PLAYBOOKS:
        _write(demo.playbook.with_name(name), (DATA / "playbooks" / name).read_text("utf-8"))
    return demo


def load_acts() -> list[Act]:
    """Return what the demo officials do, in order."""
    return [Act(**entry) for entry in json.loads((DATA / "acts.json").read_text("utf-8"))]


def _inventory(demo: Demo, now: datetime) -> str:
    page = Template((DATA / "inventory.yml").read_text("utf-8"))
    return page.substitute(
        website=json.dumps(str(demo.website)),
        database=json.dumps(str(demo.database)),
        access_log=json.dumps(str(demo.access_log)),
        **{name: (now + span).date().isoformat() for name, span in _SPANS.items()},
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
