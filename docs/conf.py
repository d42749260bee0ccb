"""How Sphinx makes the pages: Markdown as it stands, strict on links (`make docs`)."""

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
html_static_path: list[str] = []
myst_heading_anchors = 3
nitpicky = True
