"""Inputs that the website actions share, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runner.contract import Call
from runner.durations import Deadline
from runner.errors import Failed

if TYPE_CHECKING:  # loaded when a site is visited, not at every start
    from runner.actions.web.fetch import Fetcher
    from runner.actions.web.lookup import Resolver

SHARE = 0.8

SHARED: dict[str, Mapping[str, Any]] = {
    "url": {
        "type": "string",
        "description": "The address to visit; without it the target's url",
        "examples": ["https://pn-tais.go.id/"],
        "optional": True,
    },
    "hosts": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Further hosts that are the court's own; the site's, its aliases' and those below are anyway",
        "examples": [["sipp.pn-tais.go.id"]],
        "default": [],
    },
    "within": {
        "type": "string",
        "description": "How long the visit may take; at most 80 % of the task's limit is used",
        "unit": "duration",
        "examples": ["20s", "1 menit"],
        "default": "20s",
    },
    "size_limit": {
        "type": "integer",
        "minimum": 1024,
        "maximum": 100 * 1024 * 1024,
        "description": "The largest page that is read",
        "unit": "bytes",
        "examples": [10485760],
        "default": 10 * 1024 * 1024,
    },
    "ca_file": {
        "type": "string",
        "description": "Certificates of the authorities to trust, where not those of this machine",
        "examples": ["/etc/ssl/court-ca.pem"],
        "optional": True,
        "names": "file",
    },
}

RESOLVING: dict[str, Mapping[str, Any]] = {
    "resolve": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 6},
        "maxProperties": 2000,
        "description": "Where names lead, in place of the DNS: a host (or host:port) to its addresses",
        "examples": [{"pn-tais.go.id": ["203.0.113.10"], "www.pn-tais.go.id": ["203.0.113.10:8443"]}],
        "default": {},
    },
    "dns_resolver": {
        "type": "string",
        "pattern": r"^.+:[0-9]{1,5}$",
        "description": "The DNS resolver as address:port, where not this machine's",
        "examples": ["203.0.113.53:53"],
        "optional": True,
    },
}


def site_url(call: Call) -> str:
    """Given a call, return the address to visit. Raise Failed when there is none."""
    url = call.inputs.get("url") or (call.target or {}).get("url")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        name = (call.target or {}).get("name", "this task")
        raise Failed(f"{name}: there is no web address to visit. give the task an input url")
    return url


def own_hosts(call: Call, url: str) -> frozenset[str]:
    """Given a call and the address to visit, return the hosts that are the court's own."""
    aliases = (call.target or {}).get("aliases", ())
    listed = [aliases] if isinstance(aliases, str) else list(aliases)
    names = {_host(address) for address in (url, *listed, *call.inputs["hosts"])}
    return frozenset(name for name in names if name)


def _host(address: str) -> str:
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


def last_visit(call: Call) -> Deadline:
    """Given a call, return when its last visit must end: the rest of its time is for the answer."""
    return call.deadline.tightened(SHARE * call.deadline.remaining())


def visit_deadline(call: Call) -> Deadline:
    """Given a call, return when visits that share `within` must end. Raise Failed when it is not a duration."""
    return last_visit(call).tightened(call.seconds("within"))


def build_resolver_of(call: Call) -> Resolver:
    """Given a call, return who looks names up. Raise Failed for a table of names that holds no address."""
    from runner.actions.web.names import build_resolver

    try:
        return build_resolver(call.inputs.get("resolve") or {}, call.inputs.get("dns_resolver") or "")
    except ValueError as error:
        raise Failed(f"resolve: {error}. write for example 203.0.113.10 or 203.0.113.10:8443") from None


def build_fetcher(call: Call) -> Fetcher:
    """Given a call, return what fetches as its inputs say. Raise Failed for a table of names that holds no address."""
    from runner.actions.web.fetch import Fetcher

    inputs = call.inputs
    ca_file = inputs.get("ca_file") or ""
    return Fetcher(limit=inputs["size_limit"], ca_file=ca_file, resolver=build_resolver_of(call))
