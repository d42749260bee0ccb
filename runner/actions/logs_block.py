"""`logs.block`: prepares a block list from the suspicious lines of scans, for a person to confirm. It blocks nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from runner.actions.documents.kept import as_output, declare_document
from runner.actions.logs.blocking import (
    Chosen,
    Entry,
    Limits,
    choose,
    entry_from_json,
    entry_to_json,
    gather_visitors,
    parse_also,
    read_hits,
)
from runner.actions.logs.firewalls import FORMS, render_list
from runner.actions.logs.privacy import mask_address, token_of
from runner.actions.logs.ranges import Never, build_never
from runner.actions.logs.restricted import RESTRICTED, restrict
from runner.contract import Action, Call, Effect, Evidence, Outcome, Preview, Reach, Repeat, Status
from runner.errors import Failed
from runner.messages import render_day, render_number

REASON = "keamanan sistem: daftar blokir"
ENTRIES = "blokir.restricted.json"
LEFT_OUT = {
    "few": "permintaan mencurigakannya terlalu sedikit",
    "own": "jaringan sendiri",
    "court": "jaringan pengadilan lain",
    "engine": "mesin pencari yang terverifikasi",
    "claims_engine": "mengaku mesin pencari dan belum dapat diperiksa",
    "nobody": "bukan alamat pengunjung dari luar",
    "nameless": "tanpa alamat yang dapat dibaca",
    "too_many": "melebihi panjang daftar",
}
_DAYS = re.compile(r"([1-9]\d{0,2}) hari")


def run(call: Call) -> Outcome:
    """Choose whom to block, keep the list apart, and tell a person what it would do."""
    inputs, today = call.inputs, call.office_time.date()
    until = today + timedelta(days=_days(inputs["for"]))
    never = build_never(call.office, inputs["never"], inputs["engines"])
    limits = Limits(inputs["least"], inputs["most"], today, until)
    before = list(_before(call))
    chosen = _choose(call, before, never, limits)
    text = render_list(inputs["form"], chosen.entries, today)
    kept = _keep_raw(call, chosen.entries, text)
    outputs = _outputs(call, chosen, before)
    told = call.keep("usulan-blokir.txt", _render_proposal(outputs, kept[0], inputs["form"]).encode(), "text/plain")
    outputs |= {
        "restricted": [restrict(call, each, REASON) for each in kept],
        "document": as_output(told),
    }
    return Outcome(Status.OK, outputs=outputs, evidence=(told, *kept), message=outputs["summary"])


def preview(call: Call) -> Preview:
    """Say what would be prepared; what is wrong with the networks is told now."""
    never = build_never(call.office, call.inputs["never"], call.inputs["engines"])
    parse_also(call.inputs["also"], never, call.office_time.date())
    return Preview(f"a block list for {call.inputs['form']} would be prepared, for a person to confirm", changes=False)


def _choose(call: Call, before: Sequence[Entry], never: Never, limits: Limits) -> Chosen:
    hits = (hit for site, sha256 in _findings(call) for hit in read_hits(site, call.record.evidence(sha256)))
    visitors, nameless = gather_visitors(hits)
    also = parse_also(call.inputs["also"], never, limits.until)
    chosen = choose(visitors, before, also, never, limits)
    return chosen._replace(left_out={**chosen.left_out, **({"nameless": nameless} if nameless else {})})


def _findings(call: Call) -> Iterator[tuple[str, str]]:
    """The site and hash of each file of suspicious lines, as one scan gives them, or those of a step by target."""
    here = str((call.target or {}).get("name") or "")
    for row in call.inputs["findings"]:
        rows = row.get("value") if "target" in row else [row]
        for each in rows or ():
            if str(each.get("name", "")).endswith(".jsonl"):
                yield str(row.get("target") or here), str(each["sha256"])


def _before(call: Call) -> Iterator[Entry]:
    """The entries of the list that this task prepared the last time; of one that was deleted since none."""
    for each in (call.record.latest() or {}).get("restricted") or ():
        if each.get("name") == ENTRIES:
            try:
                yield from map(entry_from_json, json.loads(call.record.evidence(each["sha256"])))
            except (Failed, ValueError, TypeError, KeyError):
                return


def _days(text: str) -> int:
    found = _DAYS.fullmatch(text)
    if not found:
        raise Failed(f"for: '{text}' is no number of days. write it as '30 hari'")
    return int(found[1])


def _keep_raw(call: Call, entries: Sequence[Entry], text: str) -> tuple[Evidence, Evidence]:
    form = FORMS[call.inputs["form"]]
    rows = json.dumps([entry_to_json(each) for each in entries], indent=1)
    return call.keep(form.file, text.encode(), "text/plain"), call.keep(ENTRIES, rows.encode(), "application/json")


def _outputs(call: Call, chosen: Chosen, before: Sequence[Entry]) -> dict[str, Any]:
    networks = [_masked(call, each) for each in chosen.entries]
    new = sum(each.new for each in chosen.entries)
    return {
        "count": len(networks),
        "new": new,
        "changed": {each.network for each in chosen.entries} != {each.network for each in before},
        "networks": networks,
        "left_out": dict(chosen.left_out),
        "until": max((each["until"] for each in networks), default=None),
        "summary": _summary(len(networks), new, chosen.left_out),
    }


def _masked(call: Call, entry: Entry) -> dict[str, Any]:
    token = token_of(call.record.secret_key(f"visitors of {entry.site}"), entry.address) if entry.address else ""
    return {
        "network": mask_address(str(entry.network.network_address)),
        "token": token,
        "until": entry.until.isoformat(),
        "requests": entry.requests,
        "likely_successes": entry.successes,
        "rules": list(entry.rules),
        "new": entry.new,
    }


def _summary(count: int, new: int, left_out: Mapping[str, int]) -> str:
    spared = sum(left_out.values())
    others = f" {render_number(spared, 'id')} lainnya tidak dimasukkan." if spared else ""
    if not count:
        return f"Tidak ada pengunjung yang diusulkan untuk diblokir.{others}"
    listed, added = render_number(count, "id"), render_number(new, "id")
    return f"{listed} jaringan diusulkan untuk diblokir, {added} di antaranya baru.{others}"


def _render_proposal(outputs: Mapping[str, Any], text: Evidence, form: str) -> str:
    """What a person reads and signs: masked, and bound to the list by its hash."""
    rows = [_line(each) for each in outputs["networks"]]
    spared = [f"- {number} {LEFT_OUT[why]}" for why, number in sorted(outputs["left_out"].items())]
    parts = [
        "USULAN DAFTAR BLOKIR PENGUNJUNG",
        outputs["summary"],
        f"Berkas: {text.name}, SHA-256 {text.sha256}, untuk {form}. Belum ada yang diblokir.",
        "",
        *rows,
        *(["", "Tidak dimasukkan:", *spared] if spared else []),
    ]
    return "\n".join(parts) + "\n"


def _line(each: Mapping[str, Any]) -> str:
    worked = f", {each['likely_successes']} diduga berhasil" if each["likely_successes"] else ""
    day = render_day(date.fromisoformat(each["until"]), "id")
    what = f"{render_number(each['requests'], 'id')} permintaan mencurigakan{worked}: {', '.join(each['rules'])}"
    source = f"{each['network']} [{each['token']}]" if each["token"] else f"{each['network']} [ditambahkan petugas]"
    return f"- {source} sampai {day}{' (baru)' if each['new'] else ''}. {what if each['requests'] else ''}".rstrip(" .")


_NETWORKS = {"type": "array", "items": {"type": "string"}, "maxItems": 1000, "default": []}

ACTION = Action(
    name="logs.block",
    description="Prepares a block list of suspicious visitors (nginx, Apache, cPanel, fail2ban, nftables), each with "
    "its last day, for a person to confirm. Own networks, courts' and verified engines are never on it.",
    inputs={
        "findings": {
            "type": "array",
            "items": {"type": "object"},
            "description": "The output `restricted` of logs.scan, or that of a step on all its targets",
            "examples": ["{{ steps.scan.each.raw }}"],
        },
        "form": {
            "enum": list(FORMS),
            "description": "The program that is to read the list",
            "examples": ["nginx"],
            "default": "nginx",
        },
        "for": {
            "type": "string",
            "description": "How long a new entry holds",
            "examples": ["30 hari"],
            "default": "30 hari",
        },
        "least": {
            "type": "integer",
            "minimum": 1,
            "description": "From how many suspicious requests on a visitor is listed; one that likely worked is enough",
            "unit": "requests",
            "examples": [10],
            "default": 10,
        },
        "most": {
            "type": "integer",
            "minimum": 1,
            "maximum": 5000,
            "description": "How long the list may be; the worst come first",
            "unit": "networks",
            "examples": [500],
            "default": 500,
        },
        "also": {
            **_NETWORKS,
            "description": "Networks that a person adds, /24 (IPv6 /48) at most",
            "examples": [["203.0.113.0/24"]],
        },
        "never": {
            **_NETWORKS,
            "description": "Further networks never to block, beside the office's `networks` and `court_networks`",
            "examples": [["198.51.100.0/24"]],
        },
        "engines": {
            "type": "string",
            "description": "A JSON file with the networks that search engines publish, as for logs.scan",
            "examples": ["inventory/engines.json"],
            "default": "",
        },
    },
    outputs={
        "count": {"type": "integer", "description": "Networks on the list", "unit": "networks", "examples": [12]},
        "new": {
            "type": "integer",
            "description": "Those not on the last list",
            "unit": "networks",
            "examples": [3],
        },
        "changed": {
            "type": "boolean",
            "description": "Whether it is another list than the last one: a network came, or was let go",
            "examples": [True],
        },
        "networks": {
            "type": "array",
            "items": {"type": "object"},
            "description": "The list, masked",
            "examples": [[{"network": "203.0.113.0/24", "token": "1f0a3b5c7d", "until": "2026-12-22", "requests": 40}]],
        },
        "left_out": {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "Visitors that are not on it, by why",
            "examples": [{"few": 31, "own": 1, "claims_engine": 2}],
        },
        "until": {
            "type": ["string", "null"],
            "description": "The latest last day of an entry",
            "unit": "time",
            "examples": ["2026-12-22"],
        },
        "summary": {
            "type": "string",
            "description": "The result in a sentence",
            "examples": ["12 jaringan diusulkan untuk diblokir, 3 di antaranya baru."],
        },
        "restricted": RESTRICTED,
        "document": declare_document(
            "What a person reads and signs: masked, with the SHA-256 of the list", "usulan-blokir.txt"
        ),
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2m",
    run=run,
    preview=preview,
    targets=("website", "server", ""),
    example="""\
- id: block
  action: logs.block
  with: {findings: "{{ steps.scan.each.raw }}", form: nginx}
""",
)
