"""What Ansible's variables mean here: how to reach a server, a secret, a value of your own, or nothing.

Those that would switch a check off are mistakes. Passwords become secrets; their text is shown nowhere.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from runner.inventory.ansible_found import Found, Scope
from runner.inventory.documents import VAULT
from runner.inventory.draft import Draft

_ADDRESS = ("ansible_host", "ansible_ssh_host")
_PORT = ("ansible_port", "ansible_ssh_port")
_USER = ("ansible_user", "ansible_ssh_user")
_IDENTITY = ("ansible_ssh_private_key_file", "ansible_private_key_file")
_PASSWORD = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
_BECOME = ("ansible_become", "ansible_become_user", "ansible_become_method")
_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args")
_MEANT = frozenset((*_ADDRESS, *_PORT, *_USER, *_IDENTITY, *_PASSWORD, *_BECOME, *_ARGUMENTS, "ansible_connection"))

_CHECKS = frozenset(
    {"ansible_host_key_checking", "ansible_ssh_host_key_checking", "ansible_paramiko_host_key_checking"}
)
_NO_CHECKS = frozenset({"ansible_paramiko_host_key_auto_add", "ansible_host_key_auto_add"})
_PROGRAMS = frozenset(f"ansible_{name}_executable" for name in ("ssh", "scp", "sftp"))
_SECRET = re.compile(r"passw(or)?d|passphrase|(^|_)pass($|_)|secret|token|api_?key|credential|private_key($|_pem)")
_YES = frozenset({"true", "yes", "on", "1", "y", "t"})
_NO = frozenset({"false", "no", "off", "0", "n", "f"})
_SAFE_NAME = re.compile(r"[^A-Za-z0-9_.-]")
_THROUGH_SSH = re.compile(r"ssh\s+(?:-q\s+)?-W\s+\[?%h\]?:%p\s+(?:-q\s+)?(?P<jump>[^\s-]\S*)\Z")
_UNCHECKED_WAY = re.compile(
    r"StrictHostKeyChecking[=\s]+(no|off|accept-new)|KnownHostsFile[=\s]+(/dev/null|none)", re.IGNORECASE
)
_CURE = "leave it out: host keys are always checked; `sop inventory trust` records them"


class Variables:
    """Sorts the variables of all scopes, and keeps the secrets among them in the draft."""

    def __init__(self, found: Found, draft: Draft) -> None:
        self._found = found
        self._draft = draft

    def sort(self, scope: Scope, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Given a scope and its name, return its variables in two parts: how to connect, and values of its own."""
        connection: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, value in scope.vars.items():
            meaning = _meaning(key)
            if meaning == "own":
                if self._is_readable(scope, key, value):
                    own[key] = self._without_secrets(value, f"{name}.{key}", scope, key)
            elif meaning == "secret":
                self._keep_secret(scope, name, key, value, connection, own)
            elif meaning == "connection":
                connection[key] = value
            elif meaning == "check":
                self._check(scope, key, value)
            else:
                self._note(scope, key, f"{key} has no meaning here")
        for key in connection.keys() & {*_ARGUMENTS}:
            self._check_arguments(scope, key, str(connection[key]))
        return connection, own

    def _keep_secret(
        self, scope: Scope, name: str, key: str, value: Any, connection: dict[str, Any], own: dict[str, Any]
    ) -> None:
        if not self._is_readable(scope, key, value):
            return
        reference = self._without_secrets(value, f"{name}.{key}", scope, key, secret=True)
        if key in _PASSWORD:
            connection[key] = reference
        elif key.startswith("ansible_"):
            self._note(scope, key, f"{key} has no meaning here: another user is become by `sudo -n`, without password")
        else:
            own[key] = reference

    def _is_readable(self, scope: Scope, key: str, value: Any) -> bool:
        if isinstance(value, str):
            if value.startswith(VAULT):
                self._note(
                    scope, key, f"{key} is encrypted by Ansible's vault and cannot be read: name it under 'secrets'"
                )
                return False
            if "{{" in value or "{%" in value:
                self._note(scope, key, f"{key} holds a template, which is kept as text")
        return True

    def _without_secrets(self, value: Any, name: str, scope: Scope, key: str, *, secret: bool = False) -> Any:
        """Put a reference in the place of every secret within a value."""
        if isinstance(value, dict):
            return {
                part: self._without_secrets(inner, f"{name}.{part}", scope, key, secret=secret or _is_secret(part))
                for part, inner in value.items()
            }
        if isinstance(value, list):
            return [self._without_secrets(v, f"{name}.{i}", scope, key, secret=secret) for i, v in enumerate(value)]
        if not secret or value in (None, "") or isinstance(value, bool) or (isinstance(value, str) and "{{" in value):
            return value
        safe = _SAFE_NAME.sub("_", name)
        self._draft.plain[safe] = str(value)
        self._draft.secrets[safe] = {"plain": str(scope.places.get(key, scope.place))}
        self._note(scope, key, f"{key} stands there as plain text: it is masked; better name it under 'secrets'")
        return {"secret": safe}

    def _check(self, scope: Scope, key: str, value: Any) -> None:
        word = str(value).lower()
        if key in _PROGRAMS:
            message = f"{key} would put another program in the place of ssh"
            self._found.mistakes.append(scope.mistake(key, message, "leave it out: it could switch checks off"))
        elif word in (_NO if key in _CHECKS else _YES):
            self._found.mistakes.append(scope.mistake(key, f"{key} would switch the check of host keys off", _CURE))

    def _check_arguments(self, scope: Scope, key: str, text: str) -> None:
        options, rest = parse_ssh_arguments(text)
        for option, value in options:
            if _switches_off(option, value):
                message = f"{option}={value} in {key} would switch the check of host keys off"
                self._found.mistakes.append(scope.mistake(key, message, _CURE))
            elif option not in ("proxyjump", "proxycommand") or _jump_of(option, value) is None:
                rest.append(f"{option}={value}")
        if rest:
            self._note(scope, key, f"{key}: {' '.join(rest)} has no meaning here; put it into ssh_config")

    def _note(self, scope: Scope, key: str, message: str) -> None:
        self._found.note(message, scope.places.get(key, scope.place))


def build_settings(name: str, connection: Mapping[str, Any], scope: Scope, found: Found) -> dict[str, Any]:
    """Given a host's variables about connecting (its own and its groups'), return the settings of a server."""
    settings: dict[str, Any] = {"address": str(_first(connection, _ADDRESS, name))}
    port = _first(connection, _PORT, None)
    if port is not None:
        _set_port(settings, port, scope, found)
    for key, names in (("user", _USER), ("identity", _IDENTITY), ("password", _PASSWORD)):
        value = _first(connection, names, None)
        if value not in (None, ""):
            settings[key] = value if key == "password" else str(value)
    _set_connection(settings, connection, scope, found)
    _set_run_as(settings, connection, scope, found)
    for key in _ARGUMENTS:
        for option, value in parse_ssh_arguments(str(connection.get(key, "")))[0]:
            if jump := _jump_of(option, value):
                settings["jump"] = jump
    for key in ("address", "user", "jump"):
        if re.match(r"-|.*[\s\x00-\x1f]", str(settings.get(key, "")), re.DOTALL):
            message = f"the {key} of '{name}' begins with '-' or holds a blank"
            found.mistakes.append(scope.mistake(f"ansible_{key}", message, "write the plain name"))
    return settings


def _set_port(settings: dict[str, Any], port: Any, scope: Scope, found: Found) -> None:
    text = str(port)
    if text.isascii() and text.isdigit() and 1 <= len(text) <= 5 and 1 <= int(text) <= 65535:
        settings["port"] = int(text)
    else:
        key = next((key for key in _PORT if key in scope.vars), _PORT[0])
        found.mistakes.append(scope.mistake(key, f"'{text[:40]}' is not a port", "write a number from 1 to 65535"))


def _set_connection(settings: dict[str, Any], connection: Mapping[str, Any], scope: Scope, found: Found) -> None:
    word = str(connection.get("ansible_connection", "ssh")).rpartition(".")[2]
    if word == "local":
        settings["connection"] = "local"
    elif word not in ("ssh", "smart", "paramiko", "paramiko_ssh"):
        settings["connection"] = word
        found.note(f"ansible_connection={word} is not known here: such hosts cannot be reached", scope.place)


def _set_run_as(settings: dict[str, Any], connection: Mapping[str, Any], scope: Scope, found: Found) -> None:
    if str(connection.get("ansible_become", "")).lower() in _YES:
        settings["run_as"] = str(connection.get("ansible_become_user") or "root")
        method = str(connection.get("ansible_become_method", "sudo")).rpartition(".")[2]
        if method != "sudo":
            found.note(f"ansible_become_method={method} is not known here: sudo is used", scope.place)


def parse_ssh_arguments(text: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Given arguments of ssh, return its options (names in small letters) with values, and the other words."""
    if not text:
        return [], []
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    options, rest = [], []
    waiting = iter(words)
    for word in waiting:
        if word[:2] in ("-o", "-J", "-F", "-i", "-p", "-l"):
            value = word[2:] or next(waiting, "")
            if word[:2] == "-o":
                name, _, setting = value.strip().replace("=", " ", 1).partition(" ")
                options.append((name.lower(), setting.strip().strip('"')))
            else:
                options.append(({"-J": "proxyjump"}.get(word[:2], word[:2]), value))
        else:
            rest.append(word)
    return options, rest


def _switches_off(option: str, value: str) -> bool:
    word = value.lower()
    if option in ("userknownhostsfile", "globalknownhostsfile"):
        return "/dev/null" in word or word == "none"
    if option == "nohostauthenticationforlocalhost":
        return word in _YES
    if option == "proxycommand":
        return _UNCHECKED_WAY.search(value) is not None
    return option == "stricthostkeychecking" and word in (*_NO, "accept-new")


def _jump_of(option: str, value: str) -> str | None:
    if option == "proxyjump":
        return value or None
    found = _THROUGH_SSH.match(value) if option == "proxycommand" else None
    return found["jump"] if found else None


def _first(values: Mapping[str, Any], names: tuple[str, ...], default: Any) -> Any:
    return next((values[name] for name in names if values.get(name) not in (None, "")), default)


@lru_cache(maxsize=4096)
def _meaning(key: str) -> str:
    if key in _CHECKS or key in _NO_CHECKS or key in _PROGRAMS:
        return "check"
    if key in _PASSWORD or (_is_secret(key) and key not in _IDENTITY):
        return "secret"
    if key in _MEANT:
        return "connection"
    return "none" if key.startswith("ansible_") else "own"


@lru_cache(maxsize=4096)
def _is_secret(key: str) -> bool:
    return _SECRET.search(key.lower()) is not None
