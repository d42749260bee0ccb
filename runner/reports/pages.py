"""Templates to complete HTML pages: everything escaped, nothing fetched, nothing executed."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from runner.reports.values import clean

TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, *, styles: str, more: str = "", **values: Any) -> str:
    """Given a template, the name of its style sheet and more rules of our own, return a self-contained page.

    Values are escaped. The page's policy allows that one style sheet and nothing else: no script, no image, no link
    to anywhere works even if something slipped through.
    """
    sheet = (TEMPLATES / "page.css").read_text("utf-8") + (TEMPLATES / styles).read_text("utf-8") + more
    policy = f"default-src 'none'; style-src '{_digest(sheet)}'; base-uri 'none'; form-action 'none'"
    page = _environment().get_template(template)
    return page.render(policy=policy, sheet=Markup(sheet), **values)  # noqa: S704 - our own file, holds no "<"


def render_screen(template: str, *, styles: str = "screen.css", script: str = "screen.js", **values: Any) -> str:
    """Given a template, the names of its style sheet and its script, return a self-contained page for the screen.

    The page's policy allows that style sheet, that script and links to beside it, and nothing else.
    """
    sheet, code = ((TEMPLATES / name).read_text("utf-8") for name in (styles, script))
    policy = (
        f"default-src 'none'; style-src '{_digest(sheet)}'; script-src '{_digest(code)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(template)
    return page.render(policy=policy, sheet=Markup(sheet), script=Markup(code), **values)  # noqa: S704 - our own files


def _digest(text: str) -> str:
    """How a policy names an inline sheet or script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def render_part(template: str, **values: Any) -> str:
    """Given a template, return it filled, every value escaped."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )


def _finalize(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value)
    return "" if value is None else value
