"""The inputs and outputs of website.updated, declared as data."""

from __future__ import annotations

from collections.abc import Mapping

from runner.actions.web.inputs import RESOLVING, SHARED
from runner.contract import JsonSchema

_ADDRESSES = {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 20}
_DATE = {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}$", "unit": "date"}
_AGE = {"type": "string", "minLength": 1}
_ROWS = {"type": "array", "items": {"type": "object"}}

_PLACES: Mapping[str, JsonSchema] = {
    "pages": {
        **_ADDRESSES,
        "minItems": 1,
        "description": "The pages to read, relative to the url",
        "examples": [["/", "/berita"]],
        "default": ["/"],
    },
    "feeds": {
        **_ADDRESSES,
        "description": "Feeds to read beside those that the pages name; without any, the usual places are tried",
        "examples": [["/berita?format=feed&type=rss"]],
        "default": [],
    },
    "sitemaps": {
        **_ADDRESSES,
        "description": "Sitemaps to read",
        "examples": [["/sitemap.xml"]],
        "default": ["/sitemap.xml"],
    },
    "apis": {
        **_ADDRESSES,
        "description": "Where the CMS lists its articles as JSON; without any, its usual place where it is known",
        "examples": [["/wp-json/wp/v2/posts?per_page=20&_fields=modified_gmt"]],
        "default": [],
    },
}

INPUTS: Mapping[str, JsonSchema] = {
    **SHARED,
    **RESOLVING,
    "within": {**SHARED["within"], "default": "1 menit"},
    "max_age": {
        **_AGE,
        "description": "How old the newest content may be, in days of the calendar or working days",
        "examples": ["7 hari", "5 hari kerja", "{{ vars.section_age }}"],
        "default": "7 hari",
    },
    **_PLACES,
    "sections": {
        "type": "array",
        "maxItems": 20,
        "items": {
            "type": "object",
            "required": ["name", "pages"],
            "additionalProperties": False,
            "properties": {
                "name": {
                    "type": "string",
                    "pattern": "^[a-z][a-z0-9_]*$",
                    "description": "What the section is called in problems",
                    "examples": ["berita"],
                },
                "max_age": {
                    **_AGE,
                    "description": "How old its newest content may be; without it as for the site",
                    "examples": ["1 tahun"],
                },
                **{name: {k: v for k, v in each.items() if k != "default"} for name, each in _PLACES.items()},
            },
        },
        "description": "Sections judged each by its own limit, in place of the site as a whole",
        "examples": [[{"name": "berita", "pages": ["/berita"], "max_age": "5 hari kerja"}]],
        "default": [],
    },
}

OUTPUTS: Mapping[str, JsonSchema] = {
    "updated": {
        "type": ["boolean", "null"],
        "description": "Whether the newest content of every section is young enough; null when it cannot be determined",
        "examples": [True],
    },
    "newest": {**_DATE, "description": "The day of the newest change", "examples": ["2026-11-20"]},
    "age_days": {
        "type": ["integer", "null"],
        "description": "Days since the newest change",
        "unit": "days",
        "examples": [2],
    },
    "source": {
        "enum": ["", "api", "feed", "markup", "sitemap", "visible", "fingerprint"],
        "description": "What told it, the strongest first: the CMS, a feed's items, the markup, a sitemap, dates that "
        "visitors see, or our own comparison with earlier runs",
        "examples": ["feed"],
    },
    "sources": {
        "type": "object",
        "additionalProperties": _DATE,
        "description": "The newest day by source, as far as they were read; the first in this order decides",
        "examples": [{"feed": "2026-11-20", "sitemap": None, "markup": None, "visible": "2026-11-20"}],
    },
    "agreement": {
        "enum": ["none", "single", "agree", "disagree"],
        "description": "Whether two sources or more come to the same verdict, or only one speaks",
        "examples": ["agree"],
    },
    "articles": {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        "description": "How many dates that source tells in the last 7, 30 and 90 days",
        "examples": [{"7": 2, "30": 9, "90": 31}],
    },
    "sections": {
        **_ROWS,
        "description": "Every section's own verdict, with the same values",
        "examples": [[{"section": "berita", "updated": True, "newest": "2026-11-20", "limit": "5 hari kerja"}]],
    },
    "fingerprints": {
        "type": "object",
        "additionalProperties": {"type": "object"},
        "description": "Each section's fingerprint and since when it is the same, for the next run",
        "examples": [{"situs": {"fingerprint": "9f86d081", "since": "2026-11-20", "changed": True}}],
    },
    "visited": {
        "type": "array",
        "items": {"type": "string"},
        "description": "The addresses visited",
        "examples": [["https://pn-tais.go.id/", "https://pn-tais.go.id/feed/"]],
    },
    "faults": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Which of them could not be read, and why",
        "examples": [["https://pn-tais.go.id/sitemap.xml: status 404"]],
    },
}
