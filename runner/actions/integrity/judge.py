"""Judges pages that lie here as files: `python -m runner.actions.integrity.judge [--url URL] FILE…`

Prints a JSON object in a line for each file: {"file", "verdict", "rules", "findings"}. `--url` is the address that the
pages had; without it nothing is said about what is foreign in their heads. Stylesheets beside a page are read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.actions.integrity.hosts import host_of
from runner.actions.integrity.markup import read_markup
from runner.actions.integrity.pages import check_html
from runner.actions.integrity.verdict import judge

LARGEST = 100 * 1024 * 1024


def judge_file(path: Path, url: str = "") -> dict[str, Any]:
    """Given a page as a file and the address it had, return its verdict with what led to it. Raise OSError."""
    if path.stat().st_size > LARGEST:
        return {"file": str(path), "verdict": "unknown", "rules": [], "findings": []}
    html = path.read_bytes().decode("utf-8", "replace")
    markup = read_markup(html)
    findings = check_html(html, url, [host_of(url)] if url else [], _stylesheets(path, markup.sheets))
    return {
        "file": str(path),
        "verdict": judge(findings, [], [] if markup.whole else [str(path)]),
        "rules": list(dict.fromkeys(finding.rule for finding in findings)),
        "findings": [{**finding._asdict(), "weight": str(finding.weight)} for finding in findings],
    }


def _stylesheets(path: Path, addresses: Sequence[str]) -> str:
    """The stylesheets that lie beside a page; none from elsewhere."""
    texts: list[str] = []
    for address in addresses:
        sheet = path.parent / address.partition("?")[0].lstrip("/")
        if (
            address
            and "//" not in address
            and sheet.is_file()
            and sheet.resolve().is_relative_to(path.parent.resolve())
        ):
            texts.append(sheet.read_text("utf-8", "replace"))
    return "\n".join(texts)


def main(words: Sequence[str]) -> int:
    """Given the words of the command line, judge the files; return 1 where one is not clean, 2 where one is unread."""
    parser = argparse.ArgumentParser(prog="judge", description="Look for what does not belong on pages in files.")
    parser.add_argument("--url", default="", help="the address that the pages had")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    asked = parser.parse_args(words)
    worst = 0
    for path in asked.files:
        try:
            found = judge_file(path, asked.url)
        except OSError as error:
            print(f"{path}: cannot be read: {error.strerror}. check the path", file=sys.stderr)
            worst = 2
            continue
        print(json.dumps(found, ensure_ascii=False))
        worst = max(worst, int(found["verdict"] != "clean"))
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
