"""Channels: the ways out to people that an inventory names, and what of them only the values themselves show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from runner.shapes.describe import SECRET_VALUE, Schema, keys, port, text, word

Fault = tuple[tuple[str, ...], str, str]  # where below the channel, message, cure

MAIL_ADDRESS = r"^[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+$"
_HOST = r"^[^-\s/@][^\s/@]*$"
_HEADER = r"^(?!(?i:host|content-.*|transfer-encoding|connection|expect|te|upgrade)$)[A-Za-z0-9-]{1,64}$"
_PLAIN = text("A value that everybody may know", "sop", pattern=r"^[ -~]+$")
_SENSITIVE = re.compile(r"auth|token|key|secret|cookie|password|sign", re.IGNORECASE)

_CA_FILE = text("The authorities to trust, where they are the office's own", "/etc/ssl/kantor.pem")

SMTP = keys(
    "Mail to each person's own address",
    {
        "kind": word("Mail over SMTP", "smtp"),
        "host": text("The mail server", "mail.example.go.id", pattern=_HOST),
        "port": port("Its port; without it 587, with security tls 465, with none 25", 587),
        "security": word(
            "How the way there is encrypted: upgraded (the usual), from the start, or not, on this machine only",
            *("starttls", "tls", "none"),
        ),
        "user": text("The user to log in as", "it@example.go.id"),
        "password": SECRET_VALUE,
        "from": text("The address it comes from", "it@example.go.id", pattern=MAIL_ADDRESS),
        "ca_file": _CA_FILE,
    },
    ("kind", "host", "from"),
    dependentRequired={"user": ["password"], "password": ["user"]},
)

WEBHOOK = keys(
    "JSON sent to one address, for all recipients together",
    {
        "kind": word("JSON over HTTP", "webhook"),
        "url": {
            "anyOf": [
                text("The address", "https://chat.example.go.id/hooks/it", pattern=r"^https?://\S+$"),
                SECRET_VALUE,
            ],
            "description": "The address; as a secret where whoever knows it may write",
            "examples": ["https://chat.example.go.id/hooks/it", {"secret": "hook"}],
        },
        "headers": {
            "type": "object",
            "description": "Headers to send along; what gives access only as a secret",
            "propertyNames": {
                "pattern": _HEADER,
                "description": "A header of your own",
                "examples": ["Authorization"],
            },
            "additionalProperties": {
                "anyOf": [_PLAIN, SECRET_VALUE],
                "description": "A text or a secret",
                "examples": [{"secret": "hook"}],
            },
            "examples": [{"Authorization": {"secret": "hook"}}],
        },
        "ca_file": _CA_FILE,
    },
    ("kind", "url"),
)

TELEGRAM = keys(
    "Messages of a Telegram bot: to one chat for all recipients, or to each person's own",
    {
        "kind": word("The bot API of Telegram", "telegram"),
        "token": SECRET_VALUE,
        "chat": text(
            "The chat's id or @name; without it, each person's `telegram`",
            "-1001234567890",
            pattern=r"^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,40})$",
        ),
        "url": text("Where the API is", "https://api.telegram.org", pattern=r"^https?://[^\s?#@]+$"),
        "ca_file": _CA_FILE,
    },
    ("kind", "token"),
)

KINDS: Mapping[str, Schema] = {"smtp": SMTP, "webhook": WEBHOOK, "telegram": TELEGRAM}

CHANNEL: Schema = {
    "type": "object",
    "description": "A way to send messages to people",
    "properties": {"kind": word("What it is; the other keys depend on it", *KINDS)},
    "required": ["kind"],
    "allOf": [
        {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": schema}
        for kind, schema in KINDS.items()
    ],
}


def find_faults(channel: Mapping[str, Any]) -> Iterator[Fault]:
    """Given a channel as written, give what is wrong with it besides its form: secrets must not travel open."""
    if channel.get("security") == "none" and not is_loopback(str(channel.get("host", ""))):
        yield ("security",), "without encryption only this machine itself may be written to", "write starttls or tls"
    url = channel.get("url")
    if isinstance(url, str) and not is_safe(url):
        yield ("url",), "without encryption only this machine itself may be written to", "write https://"
    headers = channel.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if isinstance(value, str) and isinstance(name, str) and _SENSITIVE.search(name):
            yield ("headers", name), f"'{name}' gives access, and stands here for all to read", "write {secret: name}"


def is_safe(url: str) -> bool:
    """Say whether what is sent to a URL is encrypted, or stays on this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or is_loopback(parts.hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself, by its address or as localhost."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
