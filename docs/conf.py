"""How Sphinx makes the pages: Markdown as it stands, strict on links (`make docs`)."""

from __future__ import annotations

import re
from typing import Any

from runner import __version__

project = "sop"
release = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
html_theme = "furo"
html_title = f"sop {release}"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["style"]
html_css_files = ["tables.css"]
myst_heading_anchors = 3
nitpicky = True


def name_pages_outside(app: Any, name: str, source: list[str]) -> None:
    """Pages beside docs/ are not built: a link to one becomes its path. tests/test_readme.py holds that it is there."""
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./([^)#]+\.md)[^)]*\)", r"\1 (`\2`)", source[0])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", name_pages_outside)
