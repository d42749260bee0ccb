"""What website.integrity takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.actions.web.inputs import RESOLVING, SHARED

_ADDRESSES = {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 20}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_ROWS = {"type": "array", "items": {"type": "object"}}
_COUNT = {"type": "integer", "minimum": 0}
UPLOADS = ["wp-content/uploads", "images", "media", "uploads", "files", "upload", "assets/uploads", "tmp", "cache"]

INPUTS: dict[str, Mapping[str, Any]] = {
    **SHARED,
    **RESOLVING,
    "within": {**SHARED["within"], "description": "How long all visits together may take", "default": "2 menit"},
    "pages": {
        **_ADDRESSES,
        "description": "Pages that are looked at each time beside the front page, relative to the url",
        "examples": [["/berita", "/pengumuman"]],
        "default": [],
    },
    "sample": {
        **_COUNT,
        "maximum": 20,
        "description": "How many linked pages, and how many only the sitemap lists, are looked at; others each day",
        "unit": "pages",
        "examples": [3],
        "default": 3,
    },
    "sitemaps": {
        **_ADDRESSES,
        "description": "Sitemaps beside those that robots.txt names",
        "examples": [["/sitemap.xml"]],
        "default": ["/sitemap.xml"],
    },
    "burst": {
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "description": "From what growth on (0.5: by half) the sitemap bursts; with less than 50 new ones never",
        "examples": [0.5],
        "default": 0.5,
    },
    "files": {
        "enum": ["auto", "yes", "no"],
        "description": "Whether files on the target's server are looked at, read-only; `auto`: where it has a root",
        "examples": ["auto"],
        "default": "auto",
    },
    "uploads": {
        **_ADDRESSES,
        "description": "Folders below the root where only uploads belong, no PHP",
        "examples": [["images", "media"]],
        "default": UPLOADS,
    },
    "checksums": {
        "type": "string",
        "description": "The CMS's own checksums, a file here: WordPress's API answer, or lines of md5sum or sha256sum",
        "examples": ["checksums/wordpress-6.4.2-id_ID.json"],
        "optional": True,
        "names": "file",
    },
}

OUTPUTS: dict[str, Mapping[str, Any]] = {
    "verdict": {
        "enum": ["clean", "review", "indicated", "unknown"],
        "description": "Clean, to be reviewed, indicated, or not to be determined because something was not seen",
        "examples": ["clean"],
    },
    "summary": {
        "type": "string",
        "description": "The verdict with what led to it, in words",
        "examples": ["Terindikasi disusupi: tautan tersembunyi."],
    },
    "findings": {
        **_ROWS,
        "description": "What was found: rule, weight (strong or weak), place, line, view, and the line that shows it",
        "examples": [
            [
                {
                    "rule": "hidden_links",
                    "weight": "strong",
                    "place": "https://pn-tais.go.id/",
                    "line": 212,
                    "view": "browser",
                    "excerpt": "[display, 40] Slot Gacor → hxxps://contoh.example/",
                }
            ]
        ],
    },
    "rules": {**_TEXTS, "description": "The rules that were met", "examples": [["hidden_links"]]},
    "pages": {
        **_TEXTS,
        "description": "The pages looked at, each as five views",
        "examples": [["https://pn-tais.go.id/"]],
    },
    "unseen": {
        **_TEXTS,
        "description": "What could not be looked at, and why",
        "examples": [["https://pn-tais.go.id/ sebagai mesin pencari: status 403"]],
    },
    "requests": {**_COUNT, "description": "How often the site was asked", "unit": "requests", "examples": [34]},
    "addresses": {
        "type": ["integer", "null"],
        "description": "Addresses in the sitemaps; null when not all were read",
        "unit": "addresses",
        "examples": [412],
    },
    "baseline": {
        "type": ["object", "null"],
        "description": "What the site is known to be: found by the first run, changed by consents only (`accepted_by`)",
        "examples": [{"title": "Pengadilan Negeri Tais", "script_hosts": []}],
    },
    "changes": {
        **_ROWS,
        "description": "What differs from the baseline and nobody has accepted, each with its problem's key",
        "examples": [
            [{"key": "website.changed.script_hosts.0a1b2c3d4e", "kind": "script_hosts", "value": "cdn.example"}]
        ],
    },
    "consents": {
        **_ROWS,
        "description": "The changes that this run took into the baseline, and who accepted them",
        "examples": [
            [{"kind": "title", "value": "Pengadilan Negeri Tais Kelas II", "person": "Nama Admin: situs baru"}]
        ],
    },
    "files": {
        "type": "object",
        "description": "What was looked at on the server: the CMS, its version, how its core was compared",
        "examples": [{"looked": True, "cms": "wordpress", "version": "6.4.2", "core": "whole", "checked": 1850}],
    },
}
