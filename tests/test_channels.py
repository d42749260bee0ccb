"""Channels of an inventory: what is accepted, and every way in which a secret or a message would travel open."""

from __future__ import annotations

import pytest

from runner.errors import Refused
from runner.inventory import parse_inventory
from runner.inventory.channels import is_loopback, is_safe
from runner.inventory.documents import Document

SECRETS = "secrets: {mail: {env: A}, bot: {env: B}}\n"
ACCEPTED = [
    "{kind: smtp, host: mail.example, from: it@pn.example}",
    "{kind: smtp, host: m.example, port: 465, security: tls, user: it, password: {secret: mail}, from: a@pn.example}",
    "{kind: smtp, host: 127.0.0.1, security: none, from: it@pn.example}",
    '{kind: webhook, url: "https://chat.example/hooks/it", headers: {Authorization: {secret: mail}, X-Room: it}}',
    "{kind: webhook, url: {secret: mail}}",
    '{kind: telegram, token: {secret: bot}, chat: "-1001234567890"}',
    '{kind: telegram, token: {secret: bot}, chat: "@pn_contoh"}',
    "{kind: telegram, token: {secret: bot}}",
]
REFUSED = [
    ("{host: x}", "the key 'kind' is missing"),
    ("{kind: email}", "'email' is not allowed here. write one of: smtp, telegram, webhook"),
    ("{kind: smtp}", "the key 'from' is missing"),
    ("{kind: webhook, url: 'https://x', host: y}", "unknown key 'host'"),
    ("{kind: smtp, host: x, from: a@b, password: rahasia}", "the value is a text, a mapping is needed"),
    ("{kind: smtp, host: x, from: a@b, user: u}", "'user' is of no use without 'password'"),
    ("{kind: smtp, host: x, from: a@b, user: u, password: {secret: no}}", "there is no secret 'no'"),
    ('{kind: smtp, host: x, from: "a@b\\nBcc: c@d"}', "does not have the right form"),
    ("{kind: smtp, host: mail.example, from: a@b, security: none}", "only this machine itself may be written to"),
    ("{kind: webhook, url: 'http://chat.example/'}", "only this machine itself may be written to"),
    ("{kind: telegram, token: {secret: bot}, url: 'http://api.example'}", "only this machine itself may be written to"),
    ("{kind: webhook, url: 'https://x', headers: {Authorization: Bearer abc}}", "stands here for all to read"),
    ("{kind: webhook, url: 'https://x', headers: {X-Api-Key: abc}}", "stands here for all to read"),
    ("{kind: webhook, url: 'https://x', headers: {Host: y}}", "'Host' cannot be a name here"),
    ('{kind: webhook, url: "https://x", headers: {X-A: "b\\r\\nC: d"}}', "does not have the right form"),
    ("{kind: telegram, token: 123:abc}", "the value is a text, a mapping is needed"),
    ("{kind: telegram, token: {secret: bot}, chat: budi}", "does not have the right form"),
]


def parse(channel: str) -> None:
    parse_inventory([Document("inv.yml", f"{SECRETS}channels:\n  it: {channel}\n")])


@pytest.mark.parametrize("channel", ACCEPTED)
def test_is_accepted(channel: str) -> None:
    parse(channel)


@pytest.mark.parametrize(("channel", "expected"), REFUSED)
def test_is_refused_with_its_place(channel: str, expected: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(channel)
    told = [str(mistake) for mistake in caught.value.mistakes]
    assert any(expected in line for line in told)
    assert all(line.startswith("inv.yml:3:") for line in told)
    assert not any("rahasia" in line or "Bearer abc" in line for line in told)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1.example/", "http://localhost.example", "http://10.0.0.1", "ftp://[x", ""]
)
def test_what_only_looks_like_it_is_not(url: str) -> None:
    assert not is_safe(url)
