"""Pieces of a playbook that VS Code offers while one types: each action's example, and the parts of the language."""

from __future__ import annotations

from typing import Any

from runner.actions import ACTIONS

STEP = """\
- id: ${1:nama}
  activity: ${2:Kegiatan, kata demi kata seperti pada SOP}
  actor: ${3:admin}
  inputs: [{text: ${4:Kelengkapan}}]
  time_limit: ${5:1 hari}
  outputs: [{id: ${6:hasil}, text: ${7:Output}}]
  tasks:
    - id: ${8:tugas}
      action: $0"""
DECISION = """\
decide:
  question: ${1:Apakah masalah sudah terselesaikan?}
  actor: ${2:admin}
  answers:
    ${3:sudah}: next
    ${4:belum}: {step: ${5:solution}}
  rounds: ${6:5}$0"""
SCHEDULE = """\
schedule:
  - {steps: [${1:watch}], cron: "${2:0 8 * * *}", note: ${3:setiap hari, pada awal jam kerja}}$0"""


def build_snippets() -> dict[str, Any]:
    """Return the snippets as VS Code reads them from `*.code-snippets`."""
    parts = {
        "langkah": (STEP, "A step: one row of the form"),
        "keputusan": (DECISION, "A decision at the end of a step or task"),
        "jadwal": (SCHEDULE, "When steps run by themselves"),
    }
    examples = {name: (_literal(action.example), action.description) for name, action in sorted(ACTIONS.items())}
    return {
        name: {"scope": "yaml", "prefix": name, "body": body.strip("\n").split("\n"), "description": description}
        for name, (body, description) in {**parts, **examples}.items()
    }


def _literal(text: str) -> str:
    """Text in which nothing is a place to fill in."""
    return text.replace("\\", "\\\\").replace("$", "\\$")
