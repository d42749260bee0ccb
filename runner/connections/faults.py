"""Says in words why a connection did not come about."""

from __future__ import annotations

import socket

from runner.connections.library import auth_strategy, paramiko
from runner.connections.login import Login
from runner.connections.places import Place
from runner.connections.trust import HostKey, Verdict
from runner.errors import Unreachable


class Distrust(paramiko.SSHException):
    """A server showed a key that is not known to be its own."""

    def __init__(self, verdict: Verdict, key: HostKey) -> None:
        self.verdict = verdict
        self.key = key
        super().__init__(verdict)


def is_storm(error: BaseException) -> bool:
    """Whether sshd may have dropped the connection only because too many were opening (MaxStartups)."""
    text = str(error)
    return isinstance(error, (ConnectionResetError, BrokenPipeError, EOFError)) or "banner" in text


def explain(error: BaseException, place: Place, login: Login) -> Unreachable:
    """Given what opening a connection raised, return the error for people."""
    if isinstance(error, Unreachable):
        return error
    if isinstance(error, Distrust):
        return Unreachable(f"{login.name}: {_distrust(error, login)}")
    return Unreachable(f"{login.name}: {_reason(error, f'{place.host} port {place.port}', place.user)}")


def _reason(error: BaseException, place: str, user: str) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name in '{place}' does not resolve. correct `address` in the inventory, or check the DNS"
    if isinstance(error, paramiko.AuthenticationException):
        return _refused_login(error, user, place)
    if isinstance(error, ConnectionRefusedError):
        return f"{place} refuses connections. does sshd run there, on this port?"
    if isinstance(error, TimeoutError):
        return f"{place} gives no answer in time. is the server up, and does a firewall let SSH through?"
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return f"{place} and this side share no way to encrypt ({error}). update its SSH server"
    if isinstance(error, paramiko.ChannelException):
        return f"{place} cannot be reached from the jump host: {error.text}. check `address` and `proxy_jump`"
    if is_storm(error):
        return f"{place} ends the connection before it says that it speaks SSH. check the port; see its sshd's log"
    if isinstance(error, OSError):
        return f"{place} cannot be reached: {error.strerror or error}. check `address` and the network"
    return f"{place}: no SSH connection: {str(error).strip() or type(error).__name__}. see its sshd's log"


def _refused_login(error: paramiko.AuthenticationException, user: str, place: str) -> str:
    tried = "no key and no password to try"
    if isinstance(error, auth_strategy.AuthFailure) and error.result:
        tried = "tried " + ", ".join(dict.fromkeys(_source(result.source) for result in error.result))
    elif isinstance(error, paramiko.BadAuthenticationType):
        tried = f"it allows {', '.join(error.allowed_types)}"
    return f"{place} refuses user '{user}' ({tried}). correct `user` or `identity`, or add the key there"


def _source(source: object) -> str:
    key = getattr(source, "pkey", None)
    if key is None:
        return "the password"
    return f"a key {'of the agent' if isinstance(key, paramiko.AgentKey) else key.get_name()}"


def _distrust(distrust: Distrust, login: Login) -> str:
    key = distrust.key
    shown = f"{key.host} shows the {key.kind} key {key.fingerprint}"
    if distrust.verdict is Verdict.UNKNOWN:
        return f"{shown}, which is not known. compare it with the server, then: sop inventory trust {login.name}"
    if distrust.verdict is Verdict.REVOKED:
        return f"{shown}, which was revoked. do not connect; ask who runs the server"
    return (
        f"{shown}, but another key is known: the server was set up anew, or someone stands in between. "
        f"ask who runs it; if the key is right: sop inventory trust {login.name}"
    )
