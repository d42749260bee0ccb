from __future__ import annotations

import base64
import html
import json
import os
import re
import select
import shlex
import sys
import textwrap
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner import secrets
from runner.errors import Failed
from runner.secrets import Redactor, SecretReference, resolve_secret, was_masked

PASSWORD = "p@ss/w+rd & 'q\"\\é€ 100%"


def _resolve(**reference: Any) -> str:
    return resolve_secret("db", SecretReference.parse(reference))


def _failure(**reference: Any) -> str:
    with pytest.raises(Failed) as failure:
        _resolve(**reference)
    assert str(failure.value).startswith("secret 'db': ")
    return str(failure.value)


def _private(path: Path, content: bytes, mode: int = 0o600) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_takes_a_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    assert _resolve(env="DB_PASSWORD") == PASSWORD
    monkeypatch.delenv("DB_PASSWORD")
    assert "DB_PASSWORD is not set. set it" in _failure(env="DB_PASSWORD")


@pytest.mark.parametrize("value", ["", "  "])
def test_refuses_an_empty_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.setenv("DB_PASSWORD", value)
    assert "holds nothing. store a value" in _failure(env="DB_PASSWORD")
    assert "holds nothing" in _failure(file=_private(tmp_path / "db", value.encode() + b"\n"))
    assert "holds nothing" in _failure(command=["echo", value])


def test_takes_a_secret_from_a_private_file(tmp_path: Path) -> None:
    assert _resolve(file=_private(tmp_path / "a", PASSWORD.encode() + b"\n")) == PASSWORD
    assert _resolve(file=_private(tmp_path / "b", b"two\r\nlines\r\n", 0o400)) == "two\r\nlines"


def test_finds_a_file_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _private(tmp_path / "db", b"secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _resolve(file="~/db") == "secret"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602, 0o700, 0o4600])
@pytest.mark.promise("Secrets", "a secret's file that others may read", "refused")
def test_refuses_a_file_that_others_may_use(tmp_path: Path, mode: int) -> None:
    path = _private(tmp_path / "db", b"secret", mode)
    assert f"mode {mode:04o}, so others may use it. run: chmod 600 {path}" in _failure(file=path)


@pytest.mark.promise("Secrets", "a secret's file of another user", "refused")
def test_refuses_a_file_of_another_user(tmp_path: Path) -> None:
    path = "/etc/passwd"
    if os.geteuid() == 0:
        path = _private(tmp_path / "db", b"secret")
        os.chown(path, 65534, -1)
    assert f"belongs to another user. run: chown {os.geteuid()} {path}" in _failure(file=path)


def test_refuses_what_is_not_a_readable_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "is not a file" in _failure(file=str(tmp_path / "pipe"))
    assert "is not a file" in _failure(file=str(tmp_path))
    assert "No such file" in _failure(file=str(tmp_path / "none"))


def test_refuses_what_is_not_a_short_text(tmp_path: Path) -> None:
    assert "not UTF-8 text" in _failure(file=_private(tmp_path / "a", b"\xff\xfe\xfd\xfc"))
    assert "is longer than 16384 bytes" in _failure(file=_private(tmp_path / "b", "é".encode() * 8193))
    assert len(_resolve(file=_private(tmp_path / "c", b"x" * 16384 + b"\n"))) == 16384


def test_takes_the_first_line_that_a_command_prints() -> None:
    assert _resolve(command=["printf", "first $(id)\\nsecond\\n"]) == "first $(id)"


def test_tells_why_a_command_gave_no_secret() -> None:
    assert "ended with exit code 3. run it yourself" in _failure(command=["sh", "-c", "echo x; exit 3"])
    assert "cannot start: No such file" in _failure(command=["/nowhere/pass"])
    assert "prints more than" in _failure(command=["yes"])


def test_what_a_command_says_to_stderr_is_not_repeated(capfd: pytest.CaptureFixture[str]) -> None:
    assert "hunter2" not in _failure(command=["sh", "-c", "echo hunter2 >&2; exit 1"])
    assert capfd.readouterr() == ("", "")


def test_ends_a_command_that_takes_too_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(secrets, "COMMAND_LIMIT", 0.3)
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    begin = time.monotonic()
    assert "took longer than" in _failure(command=["sh", "-c", f"exec 3> {tmp_path}/alive; sleep 60 & wait"])
    watch = select.poll()
    watch.register(reader, select.POLLIN)
    assert [event for _, event in watch.poll(5000)] == [select.POLLHUP]  # nothing that the command started is left
    assert time.monotonic() - begin < 5
    os.close(reader)


def test_says_when_the_keyring_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    assert "'keyring' is not installed. run: pip install keyring" in _failure(keyring="sop/db")


def test_asks_the_keyring_for_service_and_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keyring").mkdir()
    (tmp_path / "keyring/__init__.py").touch()
    (tmp_path / "keyring/__main__.py").write_text(
        "import sys\nsys.exit('no') if 'none' in sys.argv else print('|'.join(sys.argv[1:]))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert _resolve(keyring="https://sop.example/db") == "get|https://sop.example|db"
    assert "'keyring get sop none' ended with exit code 1. run it" in _failure(keyring="sop/none")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "hunter2",
        {},
        [],
        {"env": "A", "file": "b"},
        {"value": "hunter2"},
        {"env": "1A"},
        {"env": "A B"},
        {"env": None},
        {"env": ["A"]},
        {"file": ""},
        {"file": 3},
        {"file": "a\0b"},
        {"keyring": "sop"},
        {"keyring": "sop/"},
        {"command": []},
        {"command": "pass show db"},
        {"command": [1]},
        {"command": [""]},
    ],
)
def test_refuses_what_is_not_a_reference(value: object) -> None:
    with pytest.raises(ValueError, match="write ") as refusal:
        SecretReference.parse(value)
    assert "hunter2" not in str(refusal.value)


def _forms(secret: str, prefix: str = "") -> dict[str, str]:
    raw = (prefix + secret).encode()
    return {
        "as it is": secret,
        "percent": quote(secret, safe=""),
        "percent, lower": re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="/:")),
        "plus": quote_plus(secret),
        "percent twice": quote(quote(secret)),
        "json": json.dumps(secret)[1:-1],
        "json, not ascii": json.dumps(secret, ensure_ascii=False)[1:-1],
        "json, php": json.dumps(secret)[1:-1].replace("/", "\\/"),
        "json in json": json.dumps(json.dumps(secret)),
        "json in a url": quote(json.dumps(secret)),
        "python": repr(secret),
        "python bytes": repr(secret.encode()),
        "html": html.escape(secret),
        "html twice": html.escape(html.escape(secret)),
        "shell": shlex.quote(secret),
        "shell, backslashes": "".join(c if c.isalnum() else "\\" + c for c in secret),
        "shell in json": json.dumps(shlex.quote(secret)),
        "shell, old": secret.replace("'", "'\\''"),
        "base64": base64.b64encode(raw).decode(),
        "base64 for urls": base64.urlsafe_b64encode(raw).decode(),
        "base64 in a url": quote(base64.b64encode(raw).decode(), safe=""),
        "base64 in php": base64.b64encode(raw).decode().replace("/", "\\/"),
        "base64, wrapped": "\n  ".join(textwrap.wrap(base64.b64encode(raw).decode(), 7)),
        "base64, mime": base64.encodebytes(raw * 9).decode(),
        "hex": raw.hex(),
        "hex, upper": raw.hex().upper(),
        "hex, od": raw.hex(" "),
        "hex, xxd": textwrap.fill(raw.hex(" ", -2), 20),
        "hex, fingerprint": raw.hex(":").upper(),
    }


def _readings(text: str) -> list[str]:
    """What a reader who undoes the encodings finds in a text."""
    found = [text, unquote_plus(text), unquote_plus(unquote_plus(text)), html.unescape(html.unescape(text))]
    letters = "".join(text.split()).replace("-", "+").replace("_", "/").replace("%2F", "/").replace("%2B", "+")
    for part in letters.replace("\\", "").split("="):
        for skip in range(4):
            whole = part[skip : skip + (len(part) - skip) // 4 * 4]
            try:
                found.append(base64.b64decode(whole, validate=True).decode("latin-1"))
            except ValueError:
                continue
    return found


alphabet = st.characters(exclude_categories=("Cs",)) | st.sampled_from("\\\"'/+&<>% \n\té€😀")
words = st.text(alphabet, min_size=6, max_size=20).filter(lambda text: len(text.strip()) >= 6)
tangled = st.text("ab1\\'% ", min_size=6, max_size=12).filter(lambda text: len(text.strip()) >= 6)
patient = settings(deadline=None, max_examples=40)
plain_words = words.filter(lambda text: len(text.splitlines()) == 1)


@patient
@given(plain_words, st.text(max_size=5), st.text(max_size=3))
@example(PASSWORD, "", "x")
@example("''''''''\\\\\\'", "\\", "'")
@example("%25%25&amp;&amp;", "%", "&")
@example("\\\\\\\\\\\\\\\\", "\\", "")
@example("a" * 63 + "\\\\" + "b" * 63, "", "")
@pytest.mark.promise("Secrets", "a secret as plain, base64, URL, hex or JSON text", "masked in each")
def test_no_secret_survives_in_any_form(secret: str, around: str, prefix: str) -> None:
    redactor = Redactor({"db": secret})
    for form, text in _forms(secret, prefix).items():
        masked = redactor.mask(f"{around} {text} {around}")
        assert was_masked(masked), form
        assert all(secret.strip() not in reading for reading in _readings(masked)), form


@patient
@given(words, st.text(alphabet, max_size=20))
@pytest.mark.promise("Secrets", "a secret in bytes, across chunk borders", "masked")
def test_no_secret_survives_in_bytes(secret: str, around: str) -> None:
    for form in (secret, base64.b64encode(secret.encode()).decode(), quote(secret)):
        masked = Redactor({"db": secret}).mask(b"\xff" + (around + form).encode() + b"\xfe")
        assert secret.encode() not in masked
        assert (masked[:1], masked[-1:]) == (b"\xff", b"\xfe")


@patient
@given(st.lists(words, min_size=1, max_size=3), st.data())
def test_no_secret_survives_in_nested_values(values: list[str], data: st.DataObject) -> None:
    redactor = Redactor({f"s{number}": value for number, value in enumerate(values)})
    leaves = st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(values)
    nested = st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(values), inner)
        ),
    )
    masked = redactor.mask(data.draw(nested))
    for value in values:
        assert not _holds(masked, value)


def _holds(value: Any, secret: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(key, secret) or _holds(item, secret) for key, item in value.items())
    if isinstance(value, list):
        return any(_holds(item, secret) for item in value)
    return isinstance(value, str) and secret in value


@patient
@given(tangled, tangled, st.integers(1, 5))
def test_overlapping_secrets_leave_nothing(first: str, second: str, overlap: int) -> None:
    second = first[-overlap:] + second
    masked = Redactor({"a": first, "b": second}).mask(first + second[overlap:])
    assert first not in masked
    assert second not in masked


def test_says_which_secret_was_masked() -> None:
    redactor = Redactor({"db": "hunter2", "api": "hunter2000"})
    assert redactor.mask("a hunter2 b hunter2000 c") == "a [masked:db] b [masked:api] c"
    assert redactor.mask({"hunter2": ["hunter2", ("x", 1, None, True)]}) == {
        "[masked:db]": ["[masked:db]", ("x", 1, None, True)]
    }
    assert redactor.mask(b"Basic " + base64.b64encode(b"admin:hunter2")) == b"Basic YWRtaW46[masked:db]"


def test_masks_numbers_that_are_a_secret() -> None:
    assert Redactor({"pin": "123456"}).mask({"a": 123456, "b": 1234567, "c": 12}) == {
        "a": "[masked:pin]",
        "b": "[masked:pin]7",
        "c": 12,
    }


def test_keeps_keys_apart_that_are_one_secret() -> None:
    assert Redactor({"db": "a b/cd"}).mask({"a b/cd": 1, "a+b%2fcd": 2}) == {"[masked:db]": 1, "[masked:db]'": 2}


def test_masks_a_short_secret_as_a_whole_word_only() -> None:
    assert (
        Redactor({"pin": "a1"}).mask("a1 a1b ba1 (a1) pin=a1") == "[masked:pin] a1b ba1 ([masked:pin]) pin=[masked:pin]"
    )


def test_masks_a_key_line_by_line() -> None:
    lines = [f"{number}{'abcdefgh' * 8}"[:64] for number in range(5)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    redactor = Redactor({"key": key})
    assert redactor.mask(f"log: {lines[3]}!") == "log: [masked:key]!"
    assert not any(line in redactor.mask(json.dumps(key)) for line in lines)
    assert "-----BEGIN PRIVATE KEY-----" in redactor.mask(key)


def test_a_mask_never_holds_a_secret() -> None:
    assert Redactor({"admin": "admin"}).mask("as admin") == "as [masked]"
    assert Redactor({"x": "masked"}).mask("is masked") == "is [*****]"
    assert was_masked(["is [*****]"])


def test_without_secrets_gives_back_the_same_object() -> None:
    value = {"a": [1, "b"]}
    assert Redactor({}).mask(value) is value
    assert not Redactor({})
    text, data = "nothing here", b"nothing \xff here"
    redactor = Redactor({"db": PASSWORD})
    assert redactor
    assert redactor.mask(text) is text
    assert redactor.mask(data) is data


def test_tells_what_was_masked() -> None:
    assert was_masked({"a": [{"b": b"x [masked:db]"}]})
    assert was_masked({"[masked]": 1})
    assert not was_masked({"a": ["masked", 1, None]})


def test_what_is_nested_too_deep_is_masked_whole() -> None:
    deep: Any = "hunter2"
    for _ in range(900):
        deep = [deep]
    assert "hunter2" not in json.dumps(Redactor({"db": "hunter2"}).mask(deep))


@pytest.mark.parametrize("value", ["", " \n", "\ud800abcdef"])
def test_refuses_to_mask_what_is_no_text(value: str) -> None:
    with pytest.raises(ValueError, match=r"blank|surrogates"):
        Redactor({"db": value})


@pytest.mark.parametrize("text", ["\\" * 300_000, "%5C" * 100_000, "p\n" * 150_000, "&#92;" * 60_000, "'" * 30_000])
def test_hostile_text_takes_no_longer(text: str) -> None:
    redactor = Redactor({"a": "\\\\x'/y", "b": PASSWORD, "c": "'" * 40 + "x", "d": "///???"})
    begin = time.perf_counter()
    redactor.mask(text)
    assert time.perf_counter() - begin < 3
