from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Refused
from runner.inventory import Inventory, load_inventory, parse_inventory
from runner.inventory.ansible_forms import parse_host, parse_value
from runner.inventory.documents import Document
from runner.inventory.scripts import run_inventory_script

HOSTS = Path(__file__).parent / "cases" / "inventory" / "hosts.ini"


@pytest.fixture(scope="module")
def hosts() -> Inventory:
    return load_inventory([HOSTS])


def ini(text: str) -> Inventory:
    return parse_inventory([Document("hosts", text)])


def mistakes(text: str, file: str = "hosts") -> list[str]:
    with pytest.raises(Refused) as caught:
        parse_inventory([Document(file, text)])
    return [str(mistake) for mistake in caught.value.mistakes]


def program(folder: Path, text: str) -> Path:
    path = folder / "inventory.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def test_hosts_become_servers_with_ranges_ports_and_addresses(hosts: Inventory) -> None:
    assert {target.name: target.settings for target in hosts.select("all")} == {
        "lone": {"address": "lone", "port": 2222, "user": "deploy"},
        **{f"web0{n}.x": {"address": "10.0.0.1", "user": "deploy"} for n in (1, 2, 3)},
        "2001:db8::5": {"address": "2001:db8::5", "user": "deploy"},
        "2001:db8::6": {"address": "2001:db8::6", "port": 2200, "user": "deploy"},
        "db-a": {"address": "db-a", "user": "dba"},
        "db-c": {"address": "db-c", "user": "deploy"},
    }


def test_values_are_python_literals_or_text(hosts: Inventory) -> None:
    texts = {"d": "true", "e": "FALSE", "g": "two words", "j": "0755", "l": "a=b"}
    others = {"a": 1, "b": 1.5, "c": True, "f": 1, "h": [1, 2], "k": None}
    assert hosts.targets["web02.x"].vars == texts | others
    texts = {"s2": "quoted", "s3": "FALSE", "s5": "val # comment", "s7": ""}
    assert hosts.groups["web"].vars == texts | {"s1": 80, "s4": False, "s6": [1, 2]}
    assert hosts.vars == {"everywhere": 1}


def test_groups_hold_their_children(hosts: Inventory) -> None:
    assert hosts.targets["db-a"].groups == ("web", "db", "prod")
    assert [target.name for target in hosts.select("prod:&db")] == ["db-a"]
    assert [target.name for target in hosts.select("ungrouped")] == ["lone"]


YAML = """
all:
  vars: {ansible_user: deploy, level: all}
  children:
    web:
      hosts:
        web[1:2]: {ansible_port: 2222}
        plain:
      vars: {level: web}
      children:
        inner: {hosts: {core: {ansible_connection: local}}, vars: {level: inner}}
"""


def test_yaml_is_read_with_children_and_vars() -> None:
    inventory = parse_inventory([Document("hosts.yml", YAML)])
    assert [*inventory.targets] == ["web1", "web2", "plain", "core"]
    assert inventory.targets["web2"].settings == {"address": "web2", "port": 2222, "user": "deploy"}
    assert inventory.targets["core"].settings["connection"] == "local"
    assert inventory.variables(inventory.targets["core"], {})["level"] == "inner"
    assert inventory.variables(inventory.targets["plain"], {})["level"] == "web"


def test_a_group_called_servers_does_not_make_it_ours() -> None:
    inventory = parse_inventory([Document("hosts.yml", "servers: {hosts: {a: , b: }}\nother: {hosts: {c: }}")])
    assert [target.name for target in inventory.select("servers")] == ["a", "b"]


def test_connection_variables_become_settings() -> None:
    inventory = ini(
        "a ansible_ssh_host=10.0.0.1 ansible_ssh_port=22 ansible_ssh_private_key_file=~/.ssh/k ansible_become=yes\n"
        "b ansible_become=true ansible_become_user=www-data ansible_ssh_common_args='-o ProxyJump=ops@gate:2200'\n"
        "c ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p -q gate\"' ansible_connection=ansible.builtin.ssh\n"
    )
    assert {name: target.settings for name, target in inventory.targets.items()} == {
        "a": {"address": "10.0.0.1", "port": 22, "identity": "~/.ssh/k", "run_as": "root"},
        "b": {"address": "b", "run_as": "www-data", "jump": "ops@gate:2200"},
        "c": {"address": "c", "jump": "gate"},
    }
    assert inventory.notes == ()


def test_group_and_host_folders_are_read_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("[web]\na x=file\nb\n[web:vars]\ny=file\n")
    for path, text in {
        "group_vars/all.yml": "ansible_user: deploy\nz: all",
        "group_vars/web": "y: folder",
        "group_vars/web2.yml": "y: other",
        "host_vars/a/one.yml": "x: folder",
        "host_vars/a/two.yml": "---\nansible_port: 2200",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    inventory = load_inventory([tmp_path / "hosts"])
    assert inventory.variables(inventory.targets["a"], {}) == {"x": "folder", "y": "folder", "z": "all"}
    assert inventory.targets["a"].settings == {"address": "a", "port": 2200, "user": "deploy"}
    assert any("is for 'web2', which is not in the inventory" in note for note in inventory.notes)
    assert load_inventory([tmp_path]).targets == inventory.targets
    kept = [Document(source.file, source.text) for source in inventory.sources]
    assert parse_inventory(kept).targets == inventory.targets


@pytest.mark.promise("Secrets", "plain passwords in an Ansible inventory", "masked everywhere")
def test_passwords_become_secrets_and_are_never_shown() -> None:
    inventory = ini(
        "a ansible_password=hunter2 ansible_become_password=hunter3 api_token=hunter4 "
        "pool=\"{'db_password': 'hunter5'}\"\n"
        "[all:vars]\nsmtp_password=12345\n"
    )
    assert inventory.targets["a"].settings["password"] == {"secret": "a.ansible_password"}
    assert inventory.targets["a"].vars == {
        "api_token": {"secret": "a.api_token"},
        "pool": {"db_password": {"secret": "a.pool.db_password"}},
    }
    assert inventory.vars == {"smtp_password": {"secret": "all.smtp_password"}}
    assert sorted(inventory.plain.values()) == ["12345", "hunter2", "hunter3", "hunter4", "hunter5"]
    assert inventory.secrets.keys() == inventory.plain.keys()
    assert inventory.resolve("a.api_token") == "hunter4"
    shown = repr(inventory) + "".join(inventory.notes) + str(inventory.secrets)
    assert "hunter" not in shown
    assert "hosts:1: ansible_password stands there as plain text" in "".join(inventory.notes)


@pytest.mark.parametrize(
    "variable",
    [
        "ansible_ssh_common_args='-o StrictHostKeyChecking=no'",
        "ansible_ssh_common_args='-oStrictHostKeyChecking=no'",
        "ansible_ssh_common_args='-o \"stricthostkeychecking off\"'",
        "ansible_ssh_extra_args='-C -o UserKnownHostsFile=/dev/null'",
        "ansible_ssh_args='-o GlobalKnownHostsFile=/dev/null'",
        "ansible_ssh_args='-o StrictHostKeyChecking=accept-new'",
        "ansible_ssh_common_args='-o ProxyCommand=\"ssh -o StrictHostKeyChecking=no -W %h:%p gate\"'",
        "ansible_host_key_checking=false",
        "ansible_ssh_host_key_checking=no",
        "ansible_host_key_checking=False",
        "ansible_paramiko_host_key_auto_add=true",
        "ansible_ssh_executable=/tmp/ssh",
    ],
)
@pytest.mark.promise("SSH", "Ansible variables that would switch a check off", "refused with words")
def test_what_would_switch_a_check_off_is_refused(variable: str) -> None:
    [found] = mistakes(f"[web]\nok\na {variable}\n")
    assert found.startswith("hosts:3:1: ")
    assert "leave it out" in found


def test_a_check_switched_off_in_a_group_has_its_line() -> None:
    [found] = mistakes("a\n[all:vars]\nansible_host_key_checking=false\n")
    assert found.startswith(
        "hosts:3:1: ansible_host_key_checking would switch the check of host keys off. leave it out"
    )
    [found] = mistakes("all:\n  hosts:\n    a:\n      x: 1\n      ansible_ssh_executable: y\n", "hosts.yml")
    assert found.startswith("hosts.yml:5:7: ")


def test_what_has_no_meaning_is_noted_once() -> None:
    inventory = ini(
        "a ansible_python_interpreter=/x url='{{ base }}/'\nb ansible_python_interpreter=/x ansible_connection=winrm\n"
    )
    assert inventory.notes == (
        "hosts:1: ansible_python_interpreter has no meaning here (2 times)",
        "hosts:1: url holds a template, which is kept as text",
        "hosts:2: ansible_connection=winrm is not known here: such hosts cannot be reached",
    )


def test_vaults_are_noted_not_opened() -> None:
    text = "all:\n  hosts:\n    a:\n      k: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        3132\n"
    inventory = parse_inventory(
        [Document("hosts.yml", text), Document("group_vars/x.yml", "$ANSIBLE_VAULT;1.1;AES256\n31")]
    )
    assert inventory.targets["a"].vars == {}
    assert [note.partition(": ")[2][:40] for note in inventory.notes] == [
        "the file is encrypted by Ansible's vault",
        "k is encrypted by Ansible's vault and ca",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[web:childs]\na\n", "hosts:1:1: '[web:childs]' has no meaning. write :children or :vars"),
        ("[web:vars]\na=1\n", "hosts:1:1: there is no group 'web'"),
        ("[web]\na\n[p:children]\nwbe\n", "hosts:4:1: there is no group 'wbe'. did you mean 'web'?"),
        ("a novalue\n", "hosts:1:1: 'novalue' is not key=value"),
        ("a x='open\n", "hosts:1:1: No closing quotation"),
        ("a ansible_port=ssh\n", "hosts:1:1: 'ssh' is not a port. write a number from 1 to 65535"),
        ("-oProxyCommand=x\n", "hosts:1:1: '-oProxyCommand=x' is not the name of a host"),
        ("a ansible_host=-oProxyCommand=x\n", "hosts:1:1: the address of 'a' begins with '-' or holds a blank"),
        ("w[1:999999999]\n", "stands for more than 100000 hosts"),
        ("[a:children]\nb\n[b:children]\na\n", "hosts:1:1: groups hold each other: a → b → a"),
    ],
)
def test_refuses_with_line_and_cure(text: str, expected: str) -> None:
    found = mistakes(text)
    assert any(expected in each for each in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a[01:03]", (["a01", "a02", "a03"], None)),
        ("a[8:10]", (["a8", "a9", "a10"], None)),
        ("a[1:5:2]:22", (["a1", "a3", "a5"], 22)),
        ("[a:c].x", (["a.x", "b.x", "c.x"], None)),
        ("r[1:2]-[a:b]", (["r1-a", "r1-b", "r2-a", "r2-b"], None)),
        ("host:22", (["host"], 22)),
        ("::1", (["::1"], None)),
        ("[::1]:22", (["::1"], 22)),
        ("10.0.0.1:22", (["10.0.0.1"], 22)),
    ],
)
def test_names_are_spelled_out(text: str, expected: tuple[list[str], int | None]) -> None:
    assert parse_host(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("80", 80), ("-1", -1), ("0755", "0755"), ("0x1f", 31), ("1_0", 10), ("1.50", 1.5), ("10.0.0.1", "10.0.0.1")],
        *[
            ("True", True),
            ("true", "true"),
            ("None", None),
            ("'x'", "x"),
            ("[1, 'a']", [1, "a"]),
            ("{'a': 1}", {"a": 1}),
        ],
        *[
            ("(1, 2)", [1, 2]),
            ("b'x'", "b'x'"),
            ("1j", "1j"),
            ("", ""),
            ("/x", "/x"),
            ("[1,", "[1,"),
            ("9" * 5000, "9" * 5000),
        ],
        ("'\\d'", "\\d"),
    ],
)
def test_literals(text: str, expected: object) -> None:
    value = parse_value(text)
    assert (value, type(value)) == (expected, type(expected))


LISTING = """cat <<END
{"_meta": {"hostvars": {"a": {"ansible_host": "10.0.0.1", "x": 1}}}, "web": {"hosts": ["a", "b"], "vars": {"y": 2}},
 "db": ["c"], "prod": {"children": ["web", "db"]}, "all": {"vars": {"z": 3}, "children": ["ungrouped", "prod"]}}
END"""


def test_a_program_that_prints_json_is_run(tmp_path: Path) -> None:
    inventory = load_inventory([program(tmp_path, f'[ "$1" = --list ] || exit 9\n{LISTING}')])
    assert [*inventory.targets] == ["a", "b", "c"]
    assert inventory.targets["a"].settings == {"address": "10.0.0.1"}
    assert inventory.variables(inventory.targets["a"], {}) == {"x": 1, "y": 2, "z": 3}
    assert inventory.targets["c"].groups == ("db", "prod")
    kept = [Document(source.file, source.text) for source in inventory.sources]
    assert parse_inventory(kept).targets == inventory.targets


def test_a_program_that_fails_is_refused_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="exit code 3: no token"):
        load_inventory([program(tmp_path, "echo no token >&2; exit 3")])
    with pytest.raises(Refused, match="it printed no JSON object"):
        load_inventory([program(tmp_path, "echo hello")])


@pytest.mark.promise("Limits", "an inventory program that hangs", "ended with its children")
def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    path = program(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; wait")
    started = time.monotonic()
    with pytest.raises(Refused, match="not ready in time"):
        run_inventory_script(path, seconds=0.5)
    assert time.monotonic() - started < 5
    child = int((tmp_path / "pid").read_text())
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


@pytest.mark.promise("Limits", "an inventory program that prints without end", "refused")
def test_a_program_that_prints_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.inventory.scripts.LARGEST_OUTPUT", 1000)
    with pytest.raises(Refused, match="printed more than 1000 bytes"):
        load_inventory([program(tmp_path, "yes")])


def test_an_executable_text_is_read_not_run(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("web1\n")
    os.chmod(path, 0o755)
    assert [*load_inventory([path]).targets] == ["web1"]


def test_our_websites_may_stand_on_ansibles_hosts(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("[web]\nweb1 ansible_host=10.0.0.1\n")
    (tmp_path / "sites.yml").write_text("websites: {s: {url: 'http://x', server: web1}}\n")
    inventory = load_inventory([tmp_path])
    server = inventory.server_of(inventory.targets["s"])
    assert server is inventory.targets["web1"]
    (tmp_path / "more.yml").write_text("servers: {web1: {address: x}}\n")
    with pytest.raises(Refused, match=r"hosts\.ini:2:1: 'web1' is already defined at .*more\.yml:1"):
        load_inventory([tmp_path])


def test_ten_thousand_hosts_load_quickly() -> None:
    text = "[web]\n" + "".join(f"h{i} ansible_host=10.0.0.{i % 256} x=1\n" for i in range(10_000))
    started = time.process_time()
    assert len(ini(text).targets) == 10_000
    assert time.process_time() - started < 1.2


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["[web]", "[all:vars]", "[web:children]", "[web:vars]", "web", "a[1:3] x=1", "a ansible_port=22", "x=1"]
        ),
        st.text(alphabet="ab[]:=1'\"# \\{}-é", max_size=15),
    ),
    max_size=8,
)


@given(LINES)
@pytest.mark.promise("Fuzzing", "any INI as an inventory", "an inventory or a refusal")
def test_any_ini_is_an_inventory_or_refused(lines: list[str]) -> None:
    try:
        inventory = ini("\n".join(lines))
    except Refused:
        return
    for target in inventory.targets.values():
        inventory.variables(target, {})


NODES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.sampled_from(["a", "{{ x }}", "-x", "$ANSIBLE_VAULT;"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["all", "web", "hosts", "children", "vars", "_meta", "hostvars", "a", "ansible_host", "password"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


@given(NODES)
def test_any_yaml_or_listing_is_an_inventory_or_refused(data: object) -> None:
    texts = (
        ("h.yml", json.dumps({"all": {"hosts": data, "children": data}})),
        ("h.json", json.dumps(data)),
        ("h", json.dumps(data)),
    )
    for file, text in texts:
        try:
            parse_inventory([Document(file, text)])
        except Refused:
            continue
