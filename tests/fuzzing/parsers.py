"""Every parser of text from outside, as a fuzzer calls it: bytes in, and nothing but its documented errors out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from runner.actions import ACTIONS
from runner.actions.backup.content import inspect_sql
from runner.actions.backup.logins import parse_site
from runner.actions.backup.rows import read_roles, read_rows
from runner.actions.content.facts import read_facts
from runner.actions.domain.asking_rdap import parse_retry_after
from runner.actions.domain.rdap import understand_rdap
from runner.actions.domain.whois import understand_whois
from runner.actions.integrity.checksums import parse_checksums
from runner.actions.integrity.markup import read_markup
from runner.actions.logs.configurations import find_logs
from runner.actions.logs.detector import Detector
from runner.actions.logs.layouts import COMBINED, COMMON, VHOST, parse_layout, read_line
from runner.actions.logs.pack import RuleFile, build_pack, load_detector
from runner.actions.logs.scanning import Scan, Terms
from runner.actions.web.dates import find_dates, parse_moment
from runner.actions.web.feeds import parse_feed, unpack_sitemap
from runner.actions.web.pages import parse_page
from runner.crons import check_cron, find_moments
from runner.durations import LONGEST_LIMIT, parse_limit, parse_norm, render_norm
from runner.errors import Failed, Mistake, Refused
from runner.expressions import ExpressionError, Missing, parse_template
from runner.inventory import parse_inventory
from runner.inventory.documents import Document
from runner.plan import Selection
from runner.plan.planning import build_plan
from runner.playbook.reading import load_playbook

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
KEPT = CASES / "fuzz"
LARGEST_SEED = 20_000  # bytes
DOMAIN = "pn-contoh.go.id"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SCOPE = {"vars": {"x": 1, "name": "a b"}, "target": {"name": "s", "url": "https://pn-contoh.go.id"}, "item": [1, "a"]}


class Parser(NamedTuple):
    """A parser: what it reads, what reads it and holds the result against its promise, and where examples stand: files
    by globs below the repository, and texts."""

    what: str
    read: Callable[[bytes], object]
    globs: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def seeds(self) -> list[bytes]:
        """The examples that mutants are made of."""
        files = sorted(path for glob in self.globs for path in ROOT.glob(glob) if path.is_file())
        return [path.read_bytes()[:LARGEST_SEED] for path in files] + [text.encode() for text in self.texts]


def kept(name: str) -> list[Path]:
    """The corpus of a parser: inputs that once led somewhere new, or were a bug."""
    return sorted((KEPT / name).glob("*"))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def check_refusal(refused: Refused) -> None:
    """A refusal says what is wrong, and where."""
    assert refused.mistakes
    assert all(each.message and each.line >= 0 and each.column >= 0 for each in refused.mistakes), refused.mistakes


@cache
def _office() -> Any:
    files = sorted((ROOT / "inventory").glob("*.yml"))
    return parse_inventory([Document(path.name, path.read_text(encoding="utf-8")) for path in files])


@cache
def _child() -> str:
    return (ROOT / "playbooks" / "pembaharuan-konten.yml").read_text(encoding="utf-8")


def judge_playbook(text: str) -> str:
    """Read and plan a playbook; return "planned" or "refused". A refusal without words or a place is a bug."""
    mistakes: list[Mistake] = []
    texts = {"playbook.yml": text, "pembaharuan-konten.yml": _child(), "child.yml": _child()}
    try:
        playbook = load_playbook(Path("playbook.yml"), mistakes, texts)
        if playbook is None:
            raise Refused(*mistakes)
        build_plan(playbook, _office(), ACTIONS, Selection(), today=NOW.date(), mistakes=mistakes)
    except Refused as refused:
        check_refusal(refused)
        return "refused"
    return "planned"


def read_playbook(data: bytes) -> None:
    """A plan, or mistakes with a place."""
    judge_playbook(_text(data))


def _read_inventory(name: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        try:
            inventory = parse_inventory([Document(name, _text(data))])
        except Refused as refused:
            check_refusal(refused)
            return
        for target in islice(inventory.targets.values(), 50):
            inventory.variables(target, {})
            target.view()

    return read


def read_whois(data: bytes) -> None:
    """What it surely says, in words of bounded length."""
    found = understand_whois(data, DOMAIN)
    assert found.registered in (True, False, None)
    assert all(len(status) <= 80 for status in found.statuses)


def read_rdap(data: bytes) -> None:
    """What it surely says, whatever the status."""
    for status in (200, 404, 429):
        assert understand_rdap(data, DOMAIN, status=status).registered in (True, False, None)
    parse_retry_after(_text(data[:60]), NOW)


def read_feed(data: bytes) -> None:
    """Entries with bounded texts."""
    assert isinstance(parse_feed(unpack_sitemap(data, 1 << 20)).entries, tuple)
    text = _text(data)
    list(find_dates(text))
    parse_moment(text[:100], UTC)


def read_html(data: bytes) -> None:
    """All three readers of pages come to an end with something."""
    text = _text(data)
    parse_page(text)
    assert read_facts(text, "https://pn-contoh.go.id/").url
    read_markup(text, text)


@cache
def _shipped_rules() -> tuple[Any, Detector]:
    return load_detector()


def read_access_log(data: bytes) -> None:
    """Each line is counted: understood or not."""
    pack, detector = _shipped_rules()
    scan = Scan(pack, detector, Terms(NOW, ZoneInfo("Asia/Jakarta")))
    scan.feed(data)
    scan.end()
    scan.finish()
    for layout in (COMBINED, COMMON, VHOST):
        for line in data.split(b"\n")[:5]:
            read_line(line, layout)


def read_log_form(data: bytes) -> None:
    """A layout, or what is wrong with it."""
    form, _, line = data.partition(b"\n")
    with suppress(ValueError):
        read_line(line, parse_layout(_text(form)))


def read_norm(data: bytes) -> None:
    """A norm that reads back, or what to write."""
    text = _text(data)
    with suppress(ValueError):
        norm = parse_norm(text)
        parse_norm(render_norm(norm, "id"))
    with suppress(ValueError):
        assert 0 < parse_limit(text) <= LONGEST_LIMIT


def read_cron(data: bytes) -> None:
    """What is wrong with it, or moments in order."""
    cron = _text(data)
    if check_cron(cron) is None:
        moments = list(islice(find_moments(cron, NOW, NOW + timedelta(days=800)), 50))
        assert all(one < other for one, other in pairwise(moments))


def read_sigma(data: bytes) -> None:
    """A rule that can be looked for, or mistakes."""
    try:
        pack = build_pack([RuleFile("aturan.yml", "own", _text(data))])
    except Refused as refused:
        check_refusal(refused)
        return
    Detector(pack.looked_for())


def read_site_configuration(data: bytes) -> None:
    """The database that it names, or words."""
    with suppress(Failed):
        assert parse_site(_text(data), "wp-config.php")["name"]


def read_server_configuration(data: bytes) -> None:
    """The logs that it names."""
    for path in ("/etc/nginx/nginx.conf", "/etc/apache2/apache2.conf", "/usr/local/lsws/conf/httpd_config.conf"):
        assert all(each.path for each in find_logs({path: _text(data)}))


def read_checksums(data: bytes) -> None:
    """Checksums of one kind, or words."""
    with suppress(Failed):
        assert parse_checksums(_text(data), "md5sums").sums


def read_dump(data: bytes) -> None:
    """Names and rows of a database's dump."""
    inspect_sql(io.BytesIO(data))
    for form in ("sql", "pgsql"):
        assert all(rows.lines > 0 for rows in read_rows(io.BytesIO(data), form).values())
    read_roles(io.BytesIO(data))


def read_expression(data: bytes) -> None:
    """A value, or what is wrong."""
    with suppress(ExpressionError, Missing):
        parse_template(_text(data)).fill(SCOPE)


def _logs() -> tuple[str, ...]:
    cases = json.loads((CASES / "logs" / "requests.json").read_text(encoding="utf-8"))
    lines = [
        f'203.0.113.{n % 250} - - [22/Nov/2026:09:{n % 60:02}:00 +0700] "GET {path} HTTP/1.1" 200 512 "-" "curl/8"'
        for n, path in enumerate(path for paths in cases.values() for path in paths)
    ]
    return ("\n".join(lines[:40]), "\n".join(lines[40:80]), lines[0], '{"remote_addr": "203.0.113.9", "status": 200}')


def _norms() -> tuple[str, ...]:
    lines = (CASES / "time-norms.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.split(" => ")[0] for line in lines if " => " in line)


_APACHE = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
_NGINX = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer"'
_LINE = '203.0.113.7 - - [22/Nov/2026:09:00:00 +0700] "GET / HTTP/1.1" 200 5 "-" "x"'
_FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>PN</title><item><title>Berita</title>
<link>https://pn-contoh.go.id/1</link><pubDate>Sun, 22 Nov 2026 09:00:00 +0700</pubDate></item></channel></rss>"""
_ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>x</title><updated>2026-11-22T09:00:00Z</updated>
<link href="/1"/></entry></feed>"""
_SITEMAP = "<urlset><url><loc>https://pn-contoh.go.id/</loc><lastmod>2026-11-22</lastmod></url></urlset>"
_ANSIBLE = """all:
  vars: {ansible_user: deploy}
  children:
    web:
      hosts:
        web[1:2]: {ansible_port: 2222}
      vars: {level: web}
"""
_LISTED = json.dumps({"_meta": {"hostvars": {"a": {"ansible_host": "10.0.0.1"}}}, "web": {"hosts": ["a"], "vars": {}}})
_SUMS = f"{'a' * 32}  ./index.php\n{'b' * 32}  wp-login.php\n"
_DUMP = """CREATE TABLE `t` (`a` int);
INSERT INTO `t` VALUES (1,'a'),
(2,'b;\\'c');
COPY public.t (a, b) FROM stdin;
1\tx
\\.
ALTER TABLE public.t OWNER TO webadmin;
"""

PARSERS: Mapping[str, Parser] = {
    "playbook": Parser(
        "a playbook",
        read_playbook,
        ("tests/cases/rich-playbook.yml", "playbooks/*.yml", "tests/cases/bad-playbooks/*.yml"),
    ),
    "inventory-ini": Parser("an INI inventory", _read_inventory("hosts"), ("tests/cases/inventory/hosts.ini",)),
    "inventory-yaml": Parser(
        "a YAML inventory",
        _read_inventory("inventory.yml"),
        ("tests/cases/inventory/*.yml", "inventory/*.yml"),
        (_ANSIBLE,),
    ),
    "inventory-json": Parser("a JSON inventory", _read_inventory("hosts.json"), (), (_LISTED,)),
    "whois": Parser("a WHOIS answer", read_whois, ("tests/cases/domain.status/*.whois.txt",)),
    "rdap": Parser("an RDAP answer", read_rdap, ("tests/cases/domain.status/*.rdap.json",)),
    "feed": Parser("a feed or a sitemap", read_feed, (), (_FEED, _ATOM, _SITEMAP)),
    "html": Parser(
        "a page", read_html, ("tests/cases/website.available/*.html", "tests/cases/website.integrity/*/*.html")
    ),
    "access-log": Parser("an access log", read_access_log, (), _logs()),
    "log-form": Parser("a server's form of its log", read_log_form, (), (f"{_APACHE}\n{_LINE}", f"{_NGINX}\n{_LINE}")),
    "time-norm": Parser("a time norm", read_norm, (), _norms()),
    "cron": Parser(
        "a schedule",
        read_cron,
        (),
        ("30 1 * * *", "*/5 8-16 * * mon-fri", "0 0 29 2 *", "@daily", "1,2 0-23/2 1 jan *"),
    ),
    "sigma": Parser("a Sigma rule", read_sigma, ("runner/actions/logs/rules/*/*.yml",)),
    "site-configuration": Parser(
        "a site's configuration", read_site_configuration, ("tests/cases/site-configs/*.php",)
    ),
    "server-configuration": Parser(
        "a web server's configuration", read_server_configuration, ("tests/cases/logs.discover/**/*",)
    ),
    "checksums": Parser(
        "checksums", read_checksums, (), (_SUMS, '{"checksums": {"6.0": {"index.php": "' + "a" * 32 + '"}}}')
    ),
    "dump": Parser("a database's dump", read_dump, ("tests/cases/wordpress/*.sql",), (_DUMP,)),
    "expression": Parser(
        "an expression",
        read_expression,
        (),
        ("{{ vars.x }}", "a {{ vars.name | upper }} {{ item[0] }}", "{{ 1 + vars.x * 2 }}"),
    ),
}


def examples(name: str) -> Iterator[bytes]:
    """All that is at hand for a parser: its seeds and its kept corpus."""
    yield from PARSERS[name].seeds()
    yield from (path.read_bytes() for path in kept(name))
