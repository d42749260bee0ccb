"""Networks that are never blocked: the office's own, courts', search engines' published ones, those of no visitor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from typing import Any, NamedTuple

from runner.actions.logs.engines import Network, claimed_engine, load_ranges
from runner.actions.logs.privacy import parse_address
from runner.errors import Failed

WIDEST = {4: 24, 6: 48}
EACH = {4: 32, 6: 64}  # what one visitor has: an address, or the smallest network that is given to a customer
# RFC 1918, 6598, 3927, 4193, 4291, 5771: this machine, this site, nobody, everybody
_NOBODY = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
)


class Never(NamedTuple):
    """What is never blocked, by why: "own", "court", "engine", "nobody"; `engines` by name."""

    networks: Mapping[str, Sequence[Network]]
    engines: Mapping[str, Sequence[Network]]

    def why(self, network: Network) -> str:
        """Why a network must not be blocked; "" where it may."""
        return next((why for why, kept in self.networks.items() if overlaps(network, kept)), "")

    def is_in_doubt(self, agents: Iterable[str]) -> bool:
        """Whether an agent claims an engine whose networks are not known, so that it may be true."""
        claimed = {claimed_engine(agent.encode("utf-8", "replace")) for agent in agents}
        return bool(claimed - self.engines.keys() - {""})


def parse_network(text: str, place: str) -> Network:
    """Given a network or address as written, return it. Raise Failed with its place."""
    try:
        return ip_network(str(text).strip(), strict=False)
    except ValueError:
        raise Failed(f"{place}: '{str(text)[:60]}' is no network. write it as 203.0.113.0/24 or 203.0.113.7") from None


def build_never(office: Mapping[str, Any], more: Sequence[str], engines: str = "") -> Never:
    """Given the office, further networks and the file of the networks that engines publish ("": none), return what is
    never blocked. Raise Failed where one of them cannot be read."""
    try:
        known = load_ranges(Path(engines)) if engines else {}
    except ValueError as error:
        raise Failed(str(error)) from None
    networks = {
        "own": [*office_networks(office, "networks"), *(parse_network(text, "never") for text in more)],
        "court": office_networks(office, "court_networks"),
        "engine": [network for each in known.values() for network in each],
        "nobody": _NOBODY,
    }
    return Never(networks, known)


def office_networks(office: Mapping[str, Any], key: str) -> list[Network]:
    """Given the office and one of its keys for networks, return them. Raise Failed for one that is none."""
    value = office.get(key) or ()
    return [parse_network(text, f"office.{key}") for text in ([value] if isinstance(value, str) else value)]


def visitor_of(address: str) -> Network | None:
    """Given an address as a log has it, return what is blocked to block that visitor; None where it is none."""
    found = parse_address(address)
    return None if found is None else _around(found)


def _around(address: IPv4Address | IPv6Address) -> Network:
    return ip_network((address, EACH[address.version]), strict=False)


def overlaps(network: Network, others: Iterable[Network]) -> bool:
    """Whether a network shares an address with one of the others."""
    return any(network.version == other.version and network.overlaps(other) for other in others)


def is_within(network: Network, other: Network) -> bool:
    """Whether all of a network is in the other."""
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]  # same version
