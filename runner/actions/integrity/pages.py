"""A page judged by itself, as one view saw it: all rules that need nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from runner.actions.integrity import scripts, wording
from runner.actions.integrity.findings import Finding, kept
from runner.actions.integrity.markup import read_markup
from runner.actions.integrity.parts import Markup
from runner.actions.integrity.sights import Scene

Rule = Callable[[Scene], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    wording.check_title,
    wording.check_links,
    wording.check_structure,
    wording.check_hidden_words,
    wording.check_disguise,
    wording.check_alphabets,
    scripts.check_canonical,
    scripts.check_redirect,
    scripts.check_shop,
    scripts.check_frames,
    scripts.check_scripts,
)


def check_page(markup: Markup, url: str, own: Collection[str], view: str = "") -> list[Finding]:
    """Given a page taken apart, its address, the court's own hosts and the view, return what is found on it."""
    scene = Scene(markup, url, own, view)
    return kept(finding for rule in RULES for finding in rule(scene))


def check_html(html: str, url: str = "", own: Collection[str] = (), stylesheets: str = "") -> list[Finding]:
    """Given a page as text, return what is found on it. Without `url` and `own` all hosts count as foreign."""
    return check_page(read_markup(html, stylesheets), url, own)
