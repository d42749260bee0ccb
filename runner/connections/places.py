"""Where a login leads: host, port, user and keys, as ssh_config completes them, and the servers on the way."""

from __future__ import annotations

import getpass
import threading
from dataclasses import dataclass
from pathlib import Path

from runner.connections.dialling import USUAL_CONFIGS
from runner.connections.library import allow_match_exec, paramiko
from runner.connections.login import Login
from runner.errors import Unreachable

MOST_JUMPS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A server's SSH port, the user there and the key files to try. It is reached over `jump`, or by the program
    `command` (ProxyCommand), or directly."""

    host: str
    port: int
    user: str
    identities: tuple[str, ...] = ()
    jump: Place | None = None
    command: str = ""


class Places:
    """Finds places; reads each ssh_config once. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._configs: dict[str, paramiko.SSHConfig] = {}

    def find(self, login: Login) -> Place:
        """Given a login, return where it leads. Raise Unreachable where its ssh_config cannot be used."""
        config = self._config(login.ssh_config)
        try:
            jump = _chain(login.proxy_jump, config, 0) if login.proxy_jump else None
            return _complete(config, login.address, user=login.user, port=login.port, jump=jump)
        except (paramiko.ConfigParseError, paramiko.CouldNotCanonicalize, ValueError, KeyError) as error:
            raise Unreachable(f"{login.name}: its ssh_config cannot be used: {error}. correct it") from error

    def _config(self, path: str) -> paramiko.SSHConfig:
        with self._lock:
            if path not in self._configs:
                self._configs[path] = _load(path)
            return self._configs[path]


def _complete(
    config: paramiko.SSHConfig,
    address: str,
    *,
    user: str | None = None,
    port: int | None = None,
    jump: Place | None = None,
    depth: int = 0,
) -> Place:
    """Given "[user@]host[:port]", return its place; what is given beside it goes before what ssh_config says."""
    named_user, host, named_port = split_address(address)
    said = config.lookup(host)
    command = said.get("proxycommand") or ""
    hops = str(said.get("proxyjump", "none"))
    if jump is None and hops.lower() != "none" and split_address(hops.split(",")[-1])[1] != host:
        jump = _chain(hops, config, depth + 1)
    return Place(
        host=str(said["hostname"]),
        port=port or named_port or int(said.get("port", 22)),
        user=user or named_user or said.get("user") or getpass.getuser(),
        identities=tuple(said.get("identityfile", ())),
        jump=jump,
        command="" if jump else command,
    )


def _chain(hops: str, config: paramiko.SSHConfig, depth: int) -> Place | None:
    """Given hops between commas, the first to be passed first, return the last of them."""
    if depth > MOST_JUMPS:
        raise ValueError(f"more than {MOST_JUMPS} jump hosts stand behind one another")
    place = None
    for hop in filter(None, map(str.strip, hops.split(","))):
        place = _complete(config, hop, jump=place, depth=depth)
    return place


def split_address(address: str) -> tuple[str, str, int]:
    """Given "[user@]host[:port]", return user, host and port, "" and 0 where they are not told; IPv6 has no port."""
    user, _, host = address.rpartition("@")
    if host.count(":") == 1:
        host, _, port = host.partition(":")
        return user, host, int(port)
    return user, host.removeprefix("[").removesuffix("]"), 0


def _load(path: str) -> paramiko.SSHConfig:
    """Return the given ssh_config, or the user's and the system's."""
    config = paramiko.SSHConfig()
    for file in map(Path, (path,) if path else USUAL_CONFIGS):
        try:
            text = file.expanduser().read_text(encoding="utf-8", errors="surrogateescape")
            config.parse(text.splitlines())
        except OSError as error:
            if path:
                raise Unreachable(f"{path}: cannot be read: {error.strerror}. correct `ssh_config`") from error
        except (paramiko.ConfigParseError, ValueError) as error:
            raise Unreachable(f"{file}: {error}. correct it") from error
        else:
            if "exec" in text.lower():
                allow_match_exec()
    return config
