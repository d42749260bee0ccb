"""A page as PDF: the one door of WeasyPrint, which fetches nothing."""

from __future__ import annotations

from typing import Any

from runner.errors import refuse

EXTRA = "sop-runner[pdf]"


def render_pdf(page: str) -> bytes:
    """Given a self-contained HTML page, return it as PDF. Raise Refused where WeasyPrint cannot be used."""
    weasyprint = load_weasyprint()
    nothing = weasyprint.urls.URLFetcher(allowed_protocols=())
    return bytes(weasyprint.HTML(string=page, url_fetcher=nothing).write_pdf())


def load_weasyprint() -> Any:
    """Return the library. Raise Refused, with the cure, where it or the system's Pango is not installed."""
    try:
        import weasyprint
    except ImportError:
        raise refuse("--pdf", "WeasyPrint is not installed", f"run: pip install '{EXTRA}'") from None
    except OSError as error:
        cure = "run: apt-get install libpango-1.0-0 libpangoft2-1.0-0 fonts-liberation"
        raise refuse("--pdf", f"a library of WeasyPrint is missing ({error})".splitlines()[0], cure) from None
    return weasyprint
