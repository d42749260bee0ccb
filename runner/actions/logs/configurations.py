"""Which logs a web server's configuration names, and in what form it writes them: nginx, Apache, LiteSpeed.

What is read here is what logging needs, not a whole configuration: blocks that tell a site's names, the directives
that tell its log, and the forms that these name. A variable in a path stands for anything, so it becomes a `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

APACHE_ROOT, LITESPEED_ROOT, NGINX_ROOT = "/etc/apache2", "/usr/local/lsws", "/usr/share/nginx"

_TOKEN = re.compile(
    r"""\s+|#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([{};])|((?:[^\s;{}"'\\]|\\.|\$\{\w+\})+)"""
)
_APACHE_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_VARIABLE = re.compile(r"\$\{?\w+\}?|%\{?[A-Za-z]\w*\}?")
_BLANK = re.compile(r"\s+")
_COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
_USUAL = {
    "%h %l %u %t %r %>s %b": "common",
    "%h %l %u %t %r %>s %b %{referer}i %{user-agent}i": "combined",
    "%v %h %l %u %t %r %>s %b %{referer}i %{user-agent}i": "vhost",
    "$remote_addr - $remote_user [$time_local] $request $status $body_bytes_sent $http_referer $http_user_agent": (
        "combined"
    ),
}


class Named(NamedTuple):
    """A log that a configuration names: its path or glob, its form (a name, or the server's own format line), the
    file that says so, and the names of the sites that it is of."""

    path: str
    form: str
    source: str
    sites: tuple[str, ...] = ()


def find_logs(files: Mapping[str, str]) -> list[Named]:
    """Given the texts of configuration files by path, return the logs that they name, each once."""
    found: list[Named] = []
    found += find_nginx_logs({path: text for path, text in files.items() if "nginx" in path})
    found += find_litespeed_logs({path: text for path, text in files.items() if "lsws" in path})
    rest = {path: text for path, text in files.items() if "nginx" not in path and "lsws" not in path}
    found += find_apache_logs(rest)
    merged: dict[str, Named] = {}
    for each in found:
        other = merged.get(each.path)
        sites = tuple(dict.fromkeys((*other.sites, *each.sites))) if other else each.sites
        merged[each.path] = (other or each)._replace(sites=sites)
    return list(merged.values())


def name_form(line: str) -> str:
    """Given a server's format line, return the form's name where it is a usual one, else the line itself."""
    plain = _BLANK.sub(" ", line.replace('\\"', '"').replace('"', "").strip())
    if plain.startswith("{"):
        return "json"
    bare = plain.replace("%O", "%b").replace("%I", "").replace("%v:%p", "%v").replace("%a", "%h").strip()
    return (
        _USUAL.get(bare)
        or _USUAL.get(re.sub(r"\{[^}]*\}", lambda m: m[0].lower(), bare))
        or line.replace('\\"', '"').strip()
    )


def find_nginx_logs(files: Mapping[str, str]) -> Iterator[Named]:
    """Given nginx's files, yield the logs. A `log_format` counts wherever it stands."""
    statements = [(path, statement) for path, text in files.items() for statement in _nginx_statements(text)]
    forms = {"combined": "combined"}
    for _, (words, _) in statements:
        if words[0] == "log_format" and len(words) > 2:
            pieces = [word for word in words[2:] if not word.startswith("escape=")]
            forms[words[1]] = name_form("".join(pieces))
    for path, (words, sites) in statements:
        if words[0] == "access_log" and len(words) > 1 and not words[1].startswith(("off", "syslog:", "/dev/")):
            name = next((word for word in words[2:3] if "=" not in word), "combined")
            yield Named(_whole(words[1], NGINX_ROOT), forms.get(name, ""), path, sites)


def _nginx_statements(text: str) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """Yield the directives, each with the names of the server block that it stands in."""
    blocks: list[tuple[list[str], list[list[str]]]] = [([], [])]
    words: list[str] = []
    for match in _TOKEN.finditer(text):
        double, single, sign, word = match.groups()
        if sign == "{":
            blocks.append((words, []))
            words = []
        elif sign == "}" and len(blocks) > 1:
            head, inside = blocks.pop()
            if head[:1] == ["server"]:
                yield from _with_names(inside)
            else:
                blocks[-1][1].extend(inside)
        elif sign == ";" and words:
            blocks[-1][1].append(words)
            words = []
        elif text_ := double or single or word:
            words.append(text_)
    for _, inside in blocks:
        yield from ((each, ()) for each in inside)


def _with_names(statements: Iterable[list[str]]) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    kept = list(statements)
    names = tuple(name for words in kept if words[0] == "server_name" for name in words[1:])
    yield from ((words, names) for words in kept)


def find_apache_logs(files: Mapping[str, str]) -> Iterator[Named]:
    """Given Apache's files (and its envvars), yield the logs. Names are of the whole <VirtualHost>."""
    values = _apache_values(files.values())
    lines = [(path, *_fill(line, values)) for path, text in files.items() for line in _apache_lines(text)]
    forms = {"common": "common", "combined": "combined", "vhost_combined": "vhost"}
    for _, name, words in lines:
        if name == "logformat" and len(words) > 1:
            forms[words[1].lower()] = name_form(words[0])
    sites: list[str] = []
    waiting: list[Named] = []
    for path, name, words in [*lines, ("", "</virtualhost>", [])]:
        if name in ("<virtualhost", "</virtualhost>"):
            yield from (each._replace(sites=tuple(sites)) for each in waiting)
            sites, waiting = [], []
        elif name in ("servername", "serveralias"):
            sites += [word.rpartition("//")[2].partition(":")[0] for word in words]
        elif name in ("customlog", "transferlog") and words and (log := _apache_path(words[0])):
            form = words[1] if name == "customlog" and len(words) > 1 else "common"
            known = forms.get(form.lower(), name_form(form) if "%" in form else "")
            waiting.append(Named(_whole(log, values.get("ServerRoot", APACHE_ROOT)), known, path))


def _apache_values(texts: Iterable[str]) -> dict[str, str]:
    values = {"APACHE_LOG_DIR": "/var/log/apache2"}
    for text in texts:
        for name, value in re.findall(r"(?m)^\s*(?:export\s+(\w+)=|Define\s+(?=\w))(.*)$", text):
            if name:
                values[name] = re.sub(r"\$\{?\w+\}?", "", value.strip("\"' \t"))
            else:
                key, _, rest = value.partition(" ")
                values[key] = rest.strip("\"' \t")
        if root := re.search(r'(?mi)^\s*ServerRoot\s+"?([^"\n]+)"?', text):
            values["ServerRoot"] = root[1].strip()
    return values


def _apache_lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _fill(line: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    filled = re.sub(r"\$\{(\w+)\}", lambda m: values.get(m[1], "*"), line)
    words = [double.replace('\\"', '"') or plain for double, plain in _APACHE_WORD.findall(filled)]
    return words[0].lower(), words[1:]


def _apache_path(text: str) -> str:
    """The path of a CustomLog; of a pipe into rotatelogs or cronolog the path that it writes to, of others ""."""
    if not text.startswith("|"):
        return text
    words = text[1:].lstrip("$|").split()
    if not words or words[0].rpartition("/")[2] not in ("rotatelogs", "rotatelogs2", "cronolog"):
        return ""
    return next((word for word in words[1:] if word.startswith("/")), "")


def find_litespeed_logs(files: Mapping[str, str]) -> Iterator[Named]:
    """Given LiteSpeed's files (plain or XML), yield the logs."""
    for path, text in files.items():
        sites = re.findall(r"(?mi)^\s*vhDomain\s+(\S+)|<domain>([^<]+)</domain>", text)
        names = tuple(name for pair in sites for name in pair if name)
        plain = re.findall(r"(?mi)^\s*accesslog\s+(\S+)\s*\{([^}]*)\}", text)
        xml = [
            (name, form and f"logFormat {form}")
            for name, form in re.findall(
                r"<accessLog>.*?<fileName>([^<]+)</fileName>(?:.*?<logFormat>([^<]*)</logFormat>)?.*?</accessLog>",
                text,
                re.DOTALL,
            )
        ]
        for name, inside in [*plain, *xml]:
            form = re.search(r"(?mi)^\s*logFormat\s+(.+?)\s*$", inside)
            line = form[1].replace("&quot;", '"').strip('"') if form else _COMBINED
            yield Named(
                _whole(name.replace("$SERVER_ROOT", LITESPEED_ROOT), LITESPEED_ROOT), name_form(line), path, names
            )


def _whole(path: str, root: str) -> str:
    """A path as a glob that begins at the root folder: whatever a variable or a date in it stands for."""
    return re.sub(r"\*+", "*", _VARIABLE.sub("*", path if path.startswith(("/", "$")) else f"{root}/{path}"))
