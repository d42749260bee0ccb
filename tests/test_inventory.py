from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.errors import Refused
from runner.inventory import Inventory, load_inventory, parse_inventory
from runner.inventory.documents import Document
from runner.inventory.nouns import INVENTORY_SCHEMA, NOUNS
from runner.secrets import SecretReference

COURT = Path(__file__).parent / "cases" / "inventory" / "court.yml"


@pytest.fixture(scope="module")
def court() -> Inventory:
    return load_inventory([COURT])


def parse(*texts: str) -> Inventory:
    return parse_inventory([Document(f"{'abc'[index]}.yml", text) for index, text in enumerate(texts)])


def mistakes(*texts: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        parse(*texts)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_targets_stand_in_file_order_with_kinds(court: Inventory) -> None:
    assert [(target.name, target.kind) for target in court.select("all")] == [
        ("pn_contoh", "website"),
        ("web1", "server"),
        ("bastion", "server"),
        ("here", "server"),
        ("domain", "service"),
    ]


def test_a_view_holds_settings_name_and_kind(court: Inventory) -> None:
    view = court.targets["pn_contoh"].view()
    assert (view["name"], view["kind"], view["cms"]) == ("pn_contoh", "website", "joomla")
    assert "vars" not in view


def test_a_service_shows_its_own_kind_and_name_as_service_and_title(court: Inventory) -> None:
    view = court.targets["domain"].view()
    assert (view["kind"], view["service"]) == ("service", "domain")
    assert (view["name"], view["title"]) == ("domain", "pn-contoh.example")


def test_the_nearest_group_wins_then_the_later_name(court: Inventory) -> None:
    assert court.targets["web1"].groups == ("tais", "bengkulu")
    assert court.variables(court.targets["web1"], {})["level"] == "tais"
    assert court.targets["here"].groups == ("bengkulu", "archipelago")
    assert court.variables(court.targets["here"], {})["level"] == "bengkulu"


def test_variables_come_from_near_before_far(court: Inventory) -> None:
    assert court.variables(court.targets["pn_contoh"], {"colour": "red"}) == {
        "colour": "red",
        "level": "tais",
        "region": "Bengkulu",
        "section_age": "7 hari",
        "motto": "tertib",
    }
    assert court.variables(None, {}) == court.vars


def test_server_of_finds_the_server(court: Inventory) -> None:
    assert court.server_of(court.targets["pn_contoh"]) is court.targets["web1"]
    assert court.server_of(court.targets["here"]) is court.targets["here"]
    assert court.server_of(court.targets["domain"]) is None


def test_holders_are_full_appointments_before_deputies(court: Inventory) -> None:
    assert [person.id for person in court.holders("kasubbag", date(2026, 6, 14))] == ["sari", "budi"]
    assert [person.id for person in court.holders("kasubbag", date(2026, 6, 15))] == ["sari"]
    assert court.holders("admin", date(2026, 1, 1)) == ()
    assert court.people["budi"].phone == "081200000000"


def test_select_keeps_to_a_kind(court: Inventory) -> None:
    assert [target.name for target in court.select("tais", kind="server")] == ["web1"]
    with pytest.raises(Refused, match=r"--limit: 'domain' selects no server, only domain \(service\)"):
        court.select("domain", kind="server")


def test_ungrouped_and_kinds_are_groups(court: Inventory) -> None:
    assert [target.name for target in court.select("ungrouped")] == ["bastion", "domain"]
    assert [target.name for target in court.select("servers:!here")] == ["web1", "bastion"]


def test_several_files_become_one(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("websites: {s: {url: 'http://x', server: w}}\noffice: {name: PN}\n")
    (tmp_path / "b.yaml").write_text("servers: {w: {address: 10.0.0.1}}\noffice: {timezone: WIB}\n")
    (tmp_path / "b.yaml~").write_text("broken: [")
    (tmp_path / ".hidden.yml").write_text("broken: [")
    inventory = load_inventory([tmp_path])
    assert [*inventory.targets] == ["s", "w"]
    assert inventory.office == {"name": "PN", "timezone": "WIB"}
    assert [Path(source.file).name for source in inventory.sources] == ["a.yml", "b.yaml"]


def test_what_was_kept_gives_the_same_inventory_again(court: Inventory) -> None:
    again = parse_inventory([Document(source.file, source.text) for source in court.sources])
    assert again.targets == court.targets
    assert again.people == court.people


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("webistes: {}", "a.yml:1:1: unknown key 'webistes'. did you mean 'websites'?"),
        ("websites: {s: {ulr: x}}", "a.yml:1:16: unknown key 'ulr'. did you mean 'url'?"),
        ("websites: {s: {url: x}}", "'x' does not have the right form. write \"https://pn-tais.go.id\""),
        (
            "websites: {s: {url: 'http://x', server: w}}",
            "a.yml:1:41: there is no server 'w'. define it under 'servers'",
        ),
        ("websites: {s: {url: 'http://x', server: s}}", "a.yml:1:41: 's' is a website, not a server."),
        ("servers: {web 1: {address: x}}", "a.yml:1:11: 'web 1' cannot be a name here."),
        ("servers: {all: {address: x}}", "a.yml:1:11: 'all' has a meaning of its own. choose another name"),
        ("servers: {w: {user: x}}", "a.yml:1:14: the key 'address' is missing. write address: \"203.0.113.10\""),
        ("servers: {w: {address: '-oProxyCommand=x'}}", "does not have the right form"),
        ("servers: {w: {address: x, port: 70000}}", "a.yml:1:33: 70000 is out of range, at most 65535 is needed"),
        ("servers: {w: {address: x, jump: w}}", "a.yml:1:33: the way goes round in a circle: w → w"),
        ("servers: {w: }", "a.yml:1:11: nothing stands here, a mapping is needed"),
        ("servers: {w: {address: x}}\nwebsites: {w: {url: 'http://x'}}", "'w' is already defined at a.yml:2"),
        (
            "groups: {g: {members: [wbe]}}\nservers: {web: {address: x}}",
            "'wbe' is no target or group, and matches none.",
        ),
        ("groups: {g: {members: [wbe]}}\nservers: {web: {address: x}}", "did you mean 'web'?"),
        ("groups: {g: {members: ['x*']}}", "a.yml:1:24: 'x*' is no target or group, and matches none"),
        ("groups: {g: {children: [h]}}", "a.yml:1:25: there is no group 'h'"),
        ("groups: {g: {members: [h]}, h: {children: [g]}}", "a.yml:1:10: groups hold each other: g → h → g"),
        (
            "websites: {s: {url: 'http://x', database: {engine: sqlite, password: {secret: d}}}}",
            "there is no secret 'd'.",
        ),
        ("vars: {token: {secret: d}}", "a.yml:1:24: there is no secret 'd'. define it under 'secrets'"),
        ("secrets: {d: hunter2}", "the value is a text, a mapping is needed"),
        ("secrets: {d: {env: A, file: b}}", "the mapping has 2 entries, at most 1 is allowed"),
        ("services: {d: {kind: domane}}", "'domane' is not allowed here. did you mean 'domain'?"),
        (
            "services: {d: {kind: domain, expires: 2026-02-30}}",
            "a.yml:1:39: '2026-02-30' is not a day of the calendar.",
        ),
        ("services: {d: {kind: domain, started: 2026-02-02, expires: 2026-02-01}}", "before it started on 2026-02-02"),
        (
            "people: {b: {name: B, roles: [{role: a, from: 2026-02-02, until: 2026-01-01}]}}",
            "the role ends on 2026-01-01",
        ),
        ("people: {b: {name: B, roles: [{role: a, as: plh}]}}", "'plh' is not allowed here. did you mean 'Plh'"),
        ("people: {b: {name: B, phone: 62812}}", "62812 is a whole number, a text is needed. write it in quotes"),
        ("services: {d: {kind: domain, responsible: [budi]}}", "there is no person 'budi'. define it under 'people'"),
        ("- a", "a.yml:1:1: a list stands here, a mapping or nothing is needed"),
        ("servers: {a: {address: x", "not valid YAML"),
    ],
)
def test_refuses_with_place_and_cure(text: str, expected: str) -> None:
    found = mistakes(text)
    assert any(expected in each for each in found), found


def test_the_same_name_twice_names_both_places() -> None:
    assert mistakes("servers:\n  w: {address: x}", "servers:\n\n  w: {address: y}") == [
        "b.yml:3:3: 'w' is already defined at a.yml:2. give each a name of its own, or keep one"
    ]
    assert "'name' is already defined at a.yml:1" in mistakes("office: {name: x}", "office: {name: y}")[0]


def test_all_mistakes_of_all_files_come_at_once() -> None:
    found = mistakes("servers: {w: {adress: x}}", "websites: {s: {url: 'http://x', server: v}}", "x: [")
    assert [each[:5] for each in found] == ["a.yml", "a.yml", "b.yml", "c.yml"]


def test_what_stands_in_a_file_that_cannot_be_read_is_not_called_missing() -> None:
    broken = "people:\n  budi: {name: B}\nservers:\n  w: {address x}\n  a b\ndomain:\n  secrets: {'key': {env: K}"
    database = "{engine: mysql, password: {secret: key}}"
    others = f"websites: {{s: {{url: 'http://x', server: w, responsible: [budi, ani], database: {database}}}}}"
    groups = "groups: {g: {members: [s, w]}}"
    found = mistakes(broken, others, groups)
    assert [each.split(": ", 1)[1][:26] for each in found] == [
        "not valid YAML: could not ",
        "there is no person 'ani'. ",
    ]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no such file"):
        load_inventory([tmp_path / "none.yml"])


def test_every_key_is_described_with_an_example() -> None:
    Draft202012Validator.check_schema(INVENTORY_SCHEMA)
    lacking = [
        f"{noun}.{key}" for noun, keys in NOUNS.items() for key in keys["properties"] if not _is_described(keys, key)
    ]
    for noun, schema in INVENTORY_SCHEMA["properties"].items():
        inner = schema.get("additionalProperties")
        for key in inner["properties"] if isinstance(inner, dict) else ():
            lacking += [] if _is_described(inner, key) else [f"{noun}.{key}"]
    assert lacking == []


def _is_described(noun: dict[str, dict[str, dict[str, object]]], key: str) -> bool:
    return bool(noun["properties"][key].get("description") and noun["properties"][key].get("examples"))


def test_examples_fit_their_own_schemas() -> None:
    def check(schema: object) -> None:
        if isinstance(schema, dict):
            for example in schema["examples"] if isinstance(schema.get("examples"), list) else ():
                Draft202012Validator(schema).validate(example)
            for part in schema.values():
                check(part)
        elif isinstance(schema, list):
            for part in schema:
                check(part)

    check(INVENTORY_SCHEMA)


def test_every_form_of_secret_is_one_that_can_be_fetched() -> None:
    for key, part in INVENTORY_SCHEMA["properties"]["secrets"]["additionalProperties"]["properties"].items():
        SecretReference.parse({key: part["examples"][0]})


def test_a_secret_is_fetched_by_its_reference(court: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "rahasia")
    assert court.resolve("db") == "rahasia"


def test_deep_chains_of_groups_are_no_trouble() -> None:
    groups = ", ".join(f"g{i}: {{members: [{'here' if i == 0 else f'g{i - 1}'}]}}" for i in range(3000))
    inventory = parse(f"servers: {{here: {{connection: local}}}}\ngroups: {{{groups}}}")
    assert len(inventory.targets["here"].groups) == 3000


def test_ten_thousand_servers_load_quickly() -> None:
    text = "servers:\n" + "".join(f"  h{i}: {{address: 10.0.0.1, user: deploy}}\n" for i in range(10_000))
    started = time.process_time()
    assert len(parse(text).targets) == 10_000
    assert time.process_time() - started < 1.6


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["", "a", "w", "2026-13-01", "~(", "*"])
)
KEYS = st.sampled_from(
    [
        *INVENTORY_SCHEMA["properties"],
        *("w", "a", "g", "all", "address", "url", "server", "jump", "members", "children", "roles", "name"),
        *("from", "until", "kind", "expires", "secret", "database", "password", "hosts", "connection"),
    ]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=25,
)
SECTIONS = st.dictionaries(
    st.sampled_from([*INVENTORY_SCHEMA["properties"]]),
    st.dictionaries(
        st.sampled_from(["w", "a", "g"]), st.one_of(TREES, st.dictionaries(KEYS, TREES, max_size=4)), max_size=3
    ),
)


@given(st.one_of(TREES, SECTIONS))
def test_any_data_is_an_inventory_or_refused(data: object) -> None:
    try:
        inventory = parse(json.dumps(data))
    except Refused:
        return
    for target in inventory.targets.values():
        inventory.variables(target, {})
        target.view()


@given(st.text(max_size=60))
@pytest.mark.promise("Fuzzing", "any text as an inventory", "an inventory or a refusal")
def test_any_text_is_an_inventory_or_refused(text: str) -> None:
    for file in ("a.yml", "hosts", "a.ini"):
        try:
            parse_inventory([Document(file, text)])
        except Refused:
            continue
