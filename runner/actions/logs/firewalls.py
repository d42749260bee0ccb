"""A block list as each program reads it. Only networks, days and numbers stand in it: nothing that a visitor wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from runner.actions.logs.blocking import Entry

DAY = 86400  # seconds
JAIL = "sop-blokir"


class Form(NamedTuple):
    """How a program reads a list: the file's name, how to put it to use, and what writes its lines."""

    file: str
    use: str
    render: Callable[[Sequence[Entry], date], Iterator[str]]


def render_list(form: str, entries: Sequence[Entry], made: date) -> str:
    """Given the program ("nginx" …), the entries and the office's day, return the list's text."""
    known = FORMS[form]
    head = [
        f"# Daftar blokir, dibuat {made.isoformat()}: {len(entries)} jaringan. Dipakai hanya setelah disetujui.",
        f"# {known.use}",
        "# Menggantikan daftar sebelumnya. Setiap jaringan dilepas sesudah hari terakhirnya, dengan daftar berikutnya.",
    ]
    if form == "fail2ban":
        head.insert(0, "#!/bin/sh")
    return "\n".join([*head, *known.render(entries, made)]) + "\n"


def _address(entry: Entry) -> str:
    """One address without its length, as all programs take it."""
    network = entry.network
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def _days(entry: Entry, made: date) -> int:
    return max(1, (entry.until - made).days + 1)


def _nginx(entries: Sequence[Entry], made: date) -> Iterator[str]:
    yield from (f"deny {_address(each)};  # sampai {each.until}" for each in entries)


def _required(entries: Sequence[Entry]) -> Iterator[str]:
    yield "<RequireAll>"
    yield "    Require all granted"
    for each in entries:
        yield f"    # sampai {each.until}"
        yield f"    Require not ip {_address(each)}"
    yield "</RequireAll>"


def _apache(entries: Sequence[Entry], made: date) -> Iterator[str]:
    yield from _required(entries)


def _cpanel(entries: Sequence[Entry], made: date) -> Iterator[str]:
    yield "# BEGIN sop-blokir"
    yield "<IfModule mod_authz_core.c>"
    yield from _required(entries)
    yield "</IfModule>"
    yield "<IfModule !mod_authz_core.c>"
    yield "Order allow,deny"
    yield "Allow from all"
    for each in entries:
        yield f"# sampai {each.until}"
        yield f"Deny from {_address(each)}"
    yield "</IfModule>"
    yield "# END sop-blokir"


def _fail2ban(entries: Sequence[Entry], made: date) -> Iterator[str]:
    """A jail has one ban time for all, so the script holds each entry against the day that it is run on."""
    yield "set -eu"
    yield "today=$(date +%Y%m%d)"
    yield "hold() { # network, last day"
    yield f'    if [ "$today" -le "$2" ]; then fail2ban-client set {JAIL} banip "$1"'
    yield f'    else fail2ban-client set {JAIL} unbanip "$1"; fi'
    yield "}"
    yield f"fail2ban-client set {JAIL} bantime {2 * DAY}"
    yield from (f"hold {_address(each)} {each.until:%Y%m%d}  # sampai {each.until}" for each in entries)


def _nftables(entries: Sequence[Entry], made: date) -> Iterator[str]:
    yield "add table inet sop_blokir"
    yield "delete table inet sop_blokir"
    yield "table inet sop_blokir {"
    for version, type_ in ((4, "ipv4_addr"), (6, "ipv6_addr")):
        yield from _nft_set(f"alamat{version}", type_, [e for e in entries if e.network.version == version], made)
    yield "    chain masuk {"
    yield "        type filter hook input priority -10; policy accept;"
    yield "        ip saddr @alamat4 tcp dport { 80, 443 } drop"
    yield "        ip6 saddr @alamat6 tcp dport { 80, 443 } drop"
    yield "    }"
    yield "}"


def _nft_set(name: str, type_: str, entries: Sequence[Entry], made: date) -> Iterator[str]:
    yield f"    set {name} {{"
    yield f"        type {type_}; flags interval, timeout;"
    if entries:
        yield "        elements = {"
        yield from (f'            {_address(e)} timeout {_days(e, made)}d comment "sampai {e.until}",' for e in entries)
        yield "        }"
    yield "    }"


FORMS: Mapping[str, Form] = {
    "nginx": Form("blokir.nginx.restricted.conf", "nginx: include berkas ini dalam http atau server.", _nginx),
    "apache": Form("blokir.apache.restricted.conf", "Apache 2.4: Include berkas ini dalam <Directory> situs.", _apache),
    "cpanel": Form("blokir.restricted.htaccess", "cPanel: tempelkan pada awal .htaccess di folder situs.", _cpanel),
    "fail2ban": Form(
        "blokir.fail2ban.restricted.sh",
        f"fail2ban: jalankan setiap hari sebagai root; perlu jail {JAIL}.",
        _fail2ban,
    ),
    "nftables": Form("blokir.nft.restricted.nft", "nftables: nft -f berkas ini, sebagai root.", _nftables),
}
