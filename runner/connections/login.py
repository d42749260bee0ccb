"""How one server is reached, and with which keys one logs in there. Each private key is read once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.connections.library import auth_handler, auth_strategy, paramiko
from runner.errors import Unreachable

_USUAL_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_LOGIN_SERVICE, _RSA = "ssh-userauth", "ssh-rsa"
_SETTINGS = ("address", "port", "user", "identity", "password", "proxy_jump", "ssh_config", "host_key")


@dataclass(frozen=True, slots=True)
class Login:
    """How to reach one server, as the inventory says it; what is empty is left to ssh_config and its habits."""

    name: str
    address: str
    port: int | None = None
    user: str | None = None
    identity: str = ""
    password: str = ""
    proxy_jump: str = ""
    ssh_config: str = ""
    host_key: str = ""
    inner_identity: str = ""  # of a jump host: the key of the server behind it, which may serve here too

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any]) -> Login:
        """Given a server's settings, return how to reach it; without an address its name is one."""
        known = {key: settings[key] for key in _SETTINGS if settings.get(key)}
        return cls(**{"name": name, "address": name, **known})


class _QuickHandler(auth_handler.AuthHandler):
    """Asks for the login service and logs in without waiting for its answer in between: a round trip less."""

    def _request_auth(self) -> None:
        super()._request_auth()  # type: ignore[misc]  # unknown to the types, as is the next one
        accepted = paramiko.Message()
        accepted.add_string(_LOGIN_SERVICE)
        super()._parse_service_accept(paramiko.Message(accepted.asbytes()))  # type: ignore[misc]  # as its answer does

    def _parse_service_accept(self, m: paramiko.Message) -> None:
        """Do nothing: it was done before."""


class _Key(auth_strategy.InMemoryPrivateKey):
    """A key of a file."""

    def authenticate(self, transport: paramiko.Transport) -> list[str]:
        """Log in. How an RSA key signs, the server says only together with its answer."""
        if self.pkey.get_name() == _RSA:
            return super().authenticate(transport)
        done = threading.Event()
        transport.auth_handler = handler = _QuickHandler(transport)
        handler.auth_publickey(self.username, self.pkey, done)
        return handler.wait_for_response(done)


class LoginStrategy(auth_strategy.AuthStrategy):
    """Tries keys that were read before, then those of the agent, then the password."""

    def __init__(self, user: str, keys: Sequence[paramiko.PKey], password: str, *, use_agent: bool) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._user = user
        self._keys = keys
        self._password = password
        self._use_agent = use_agent and bool(os.environ.get("SSH_AUTH_SOCK"))

    def get_sources(self) -> Iterator[auth_strategy.AuthSource]:
        """Yield what to log in with, in order."""
        for key in self._keys:
            yield _Key(self._user, key)
        if self._use_agent:
            yield from self._agent_keys()
        if self._password:
            yield auth_strategy.Password(self._user, lambda: self._password)

    def _agent_keys(self) -> Iterator[auth_strategy.AuthSource]:
        agent = paramiko.Agent()
        try:
            for key in agent.get_keys():
                yield auth_strategy.InMemoryPrivateKey(self._user, key)
        finally:
            agent.close()


class Keyring:
    """The private keys of this run. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, paramiko.PKey | None] = {}

    def strategy(self, login: Login, user: str, configured: Iterable[str]) -> LoginStrategy:
        """Return how to log in: with the server's own key if it names one, else as `ssh` would.

        An own key that needs a passphrase is left to the agent. Raise Unreachable when it cannot be read.
        """
        if login.identity:
            own = self._load(login.identity, login.name)
            return LoginStrategy(user, [own] if own else [], login.password, use_agent=own is None)
        wanted = filter(None, (*configured, login.inner_identity, *_USUAL_KEYS))
        files = [file for file in wanted if Path(file).expanduser().is_file()]
        keys = [key for file in dict.fromkeys(files) if (key := self._load(file, login.name))]
        return LoginStrategy(user, keys, login.password, use_agent=True)

    def _load(self, file: str, place: str) -> paramiko.PKey | None:
        with self._lock:
            if file not in self._keys:
                self._keys[file] = _read_key(file, place)
            return self._keys[file]


def _read_key(file: str, place: str) -> paramiko.PKey | None:
    """Return a private key; None when it needs a passphrase."""
    try:
        return paramiko.PKey.from_path(Path(file).expanduser())
    except paramiko.PasswordRequiredException:
        return None
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreachable(f"{place}: the key {file} cannot be read: {reason}. correct `identity`") from error
    except (ValueError, TypeError, paramiko.SSHException) as error:
        if "encrypted" in str(error).lower() or "password" in str(error).lower():
            return None
        raise Unreachable(f"{place}: {file} is not a private key. correct `identity`") from error
