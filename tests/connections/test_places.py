"""Where a login leads, by what an ssh_config says."""

from __future__ import annotations

import getpass
import subprocess
import sys
from pathlib import Path

import pytest

from runner.connections.login import Login
from runner.connections.places import Place, Places, split_address
from runner.errors import Unreachable


def find(tmp_path: Path, config: str, address: str = "web1", **login: object) -> Place:
    """Return the place of a login under an ssh_config."""
    file = tmp_path / "config"
    file.write_text(config)
    return Places().find(Login.of("web1", {"address": address, "ssh_config": str(file), **login}))


def hops(place: Place | None) -> list[str]:
    """The hosts on the way, in the order in which they are passed."""
    return [*hops(place.jump), place.host] if place else []


def test_without_a_word_it_is_port_22_and_oneself(tmp_path: Path) -> None:
    assert find(tmp_path, "") == Place("web1", 22, getpass.getuser())


def test_takes_host_port_user_and_keys_from_ssh_config(tmp_path: Path) -> None:
    config = "Host web*\n HostName 192.0.2.7\n Port 2222\n User admin\n IdentityFile /k/one\n IdentityFile /k/two\n"
    assert find(tmp_path, config) == Place("192.0.2.7", 2222, "admin", ("/k/one", "/k/two"))


def test_what_the_inventory_says_goes_first(tmp_path: Path) -> None:
    config = "Host web1\n Port 2222\n User admin\n ProxyJump gate\n"
    found = find(tmp_path, config, port=22, user="me", proxy_jump="other")
    assert (found.port, found.user, hops(found)) == (22, "me", ["other", "web1"])


@pytest.mark.parametrize("where", ["inventory", "ssh_config"])
def test_jump_hosts_are_passed_as_they_are_named(tmp_path: Path, where: str) -> None:
    named = "ops@first:2201,second"
    config = f"Host web1\n ProxyJump {named}\n" if where == "ssh_config" else ""
    found = find(tmp_path, config, proxy_jump=named if where == "inventory" else "")
    assert hops(found) == ["first", "second", "web1"]
    assert found.jump
    assert found.jump.jump
    assert (found.jump.jump.user, found.jump.jump.port) == ("ops", 2201)


def test_a_jump_host_is_not_reached_over_itself(tmp_path: Path) -> None:
    assert hops(find(tmp_path, "Host *\n ProxyJump gate\n")) == ["gate", "web1"]
    assert hops(find(tmp_path, "Host gate\n ProxyJump none\nHost *\n ProxyJump gate\n")) == ["gate", "web1"]
    with pytest.raises(Unreachable, match="jump hosts stand behind one another"):
        find(tmp_path, "Host web1\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n")


def test_knows_a_proxy_command(tmp_path: Path) -> None:
    assert find(tmp_path, "Host web1\n Port 2222\n ProxyCommand nc %h %p\n").command == "nc web1 2222"
    assert find(tmp_path, "Host web1\n ProxyCommand none\n").command == ""


def test_an_ssh_config_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="config: Unparsable line Host"):
        find(tmp_path, "Host\n")
    with pytest.raises(Unreachable, match="ssh_config cannot be used"):
        find(tmp_path, "Port many\n")
    with pytest.raises(Unreachable, match="cannot be read: No such file"):
        Places().find(Login.of("web1", {"ssh_config": str(tmp_path / "none")}))


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("web1", ("", "web1", 0)),
        ("me@web1:2222", ("me", "web1", 2222)),
        ("me@corp@web1", ("me@corp", "web1", 0)),
        ("2001:db8::1", ("", "2001:db8::1", 0)),
    ],
)
def test_splits_an_address(address: str, parts: tuple[str, str, int]) -> None:
    assert split_address(address) == parts


def test_match_exec_is_asked_though_invoke_is_not_loaded_before(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f'Match exec "test -d {tmp_path}"\n Port 2222\nMatch exec "false"\n User no\n')
    code = (
        "import sys; from runner.connections.places import Places; from runner.connections.login import Login;"
        "assert 'invoke' not in sys.modules;"
        f"print(Places().find(Login.of('web1', {{'ssh_config': {str(tmp_path / 'config')!r}}})).port)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2222\n"
