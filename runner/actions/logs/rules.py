"""Named rules for suspicious requests. Each is matched against every decoded form of a request, in lower case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from runner.actions.logs.decode import forms
from runner.actions.logs.lines import Line
from runner.contract import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, what it means for people, how bad an attempt is.

    `where` is "target", "path" or "agent". `proof` is where it must stand so that an answer with a success status
    means that it likely worked (a shell that answers): "target", "path" or nowhere (""), since any page ignores an
    odd parameter.
    """

    name: str
    title: str
    severity: Severity
    pattern: re.Pattern[str]
    where: str = "target"
    proof: str = ""
    unless: re.Pattern[str] | None = None


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# Courts publish articles about gambling cases: such words beside these mean an article, not a planted page.
_COURT_WORDS = _any(r"perkara|putusan|sidang|terdakwa|pidana|pasal|tipikor|hakim|jaksa|sosialisasi|pencegahan|bahaya")

RULES = (
    Rule(
        "sql_injection",
        "penyisipan perintah SQL",
        Severity.MAJOR,
        _any(
            r"\bunion\b.{0,20}\bselect\b",
            r"\bselect\b.{1,200}\bfrom\b.{1,60}(?:information_schema|users|#__|dual|sysobjects|pg_)",
            r"information_schema\.",
            r"['\")]\s{0,3}(?:or|and|\|\||&&)\s{0,3}\(?['\"]?[\w]{1,20}['\"]?\s{0,3}(?:=|like|>|<)",
            r"\b(?:or|and)\s+\d{1,6}\s{0,2}=\s{0,2}\d{1,6}\b",
            r"(?:sleep|benchmark|pg_sleep|extractvalue|updatexml|load_file|group_concat)\s{0,3}\(",
            r"\bwaitfor\s+delay\b",
            r"\border by \d{1,3}\s{0,3}(?:--|#)",
            r";\s{0,3}(?:drop|insert|update|delete|alter|exec)\s",
        ),
    ),
    Rule(
        "path_traversal",
        "penelusuran folder di luar situs",
        Severity.MAJOR,
        _any(r"(?:\.\.[/\\]){2,}", r"/etc/(?:passwd|shadow|hosts)\b", r"/proc/self/", r"boot\.ini\b", r"win\.ini\b"),
        proof="path",
    ),
    Rule(
        "cross_site_scripting",
        "penyisipan skrip",
        Severity.MAJOR,
        _any(
            r"<\s{0,3}/?\s{0,3}script\b",
            r"<\s{0,3}(?:svg|img|iframe|body|object|embed|video|details)\b[^>]{0,200}\bon\w{3,20}\s{0,3}=",
            r"<\s{0,3}iframe\b",
            r"javascript\s{0,3}:\s{0,3}\S",
            r"\bdocument\s{0,2}\.\s{0,2}(?:cookie|write|domain)\b",
            r"['\"]\s{0,3}on(?:load|error|click|focus|mouse\w{2,10})\s{0,3}=",
        ),
    ),
    Rule(
        "command_injection",
        "penyisipan perintah sistem",
        Severity.CRITICAL,
        _any(
            r"(?:[;|`]|&&)\s{0,3}(?:cat|ls|id|whoami|uname|wget|curl|ping|nc|bash|sh|python|perl|nslookup|certutil)\b[\s;|&`]",
            r"[;|`]\s{0,3}(?:id|whoami|uname)\b",
            r"\$\(\s{0,3}(?:cat|id|whoami|uname|wget|curl|sleep|ping)\b",
            r"\(\s{0,2}\)\s{0,2}\{.{0,5};\s{0,2}\}\s{0,2};",
            r"/bin/(?:ba|da|z)?sh\b",
            r"\bcmd(?:\.exe)?\s{0,3}/c\b",
        ),
    ),
    Rule(
        "code_injection",
        "penyisipan kode PHP, templat, atau JNDI",
        Severity.CRITICAL,
        _any(
            r"\$\{(?:jndi|\$\{|lower:|upper:|env:)",
            r"<\?(?:php|=)",
            r"\b(?:base64_decode|call_user_func(?:_array)?|assert|eval|phpinfo|passthru|shell_exec|system)\s{0,3}\(",
            r"php://(?:input|filter)",
            r"\b(?:data|expect|phar|zip)://?[a-z]",
            r"auto_prepend_file|allow_url_include",
            r"\{\{\s{0,3}\d{1,5}\s{0,3}\*\s{0,3}\d{1,5}\s{0,3}\}\}",
            r"eval-stdin\.php|invokefunction|think\\+app",
        ),
    ),
    Rule(
        "remote_file",
        "penyertaan berkas dari situs lain",
        Severity.MAJOR,
        _any(r"(?:file|page|path|include|inc|template|mosconfig_absolute_path|dir)\s{0,2}=\s{0,2}(?:https?|ftp)://"),
    ),
    Rule(
        "shell_name",
        "pintu belakang dengan nama yang dikenal",
        Severity.CRITICAL,
        _any(
            r"/(?:c99|c100|r57|wso\d{0,3}|b374k|alfa(?:shell|new|cgiapi)?|indoxploit|idx|mini|priv8|marijuana|gecko"
            r"|shell\d{0,3}|webshell|backdoor|cmd|up(?:loader)?|0x|leaf|haxor|xleet|fox|bypass|tinyfilemanager|adminer-\d\S{0,20})"
            r"\.(?:php\d?|phtml|phar|asp|aspx|jsp)\b",
            r"/alfacgiapi/",
        ),
        where="path",
        proof="path",
    ),
    Rule(
        "shell_place",
        "berkas PHP di folder unggahan, gambar, atau sementara",
        Severity.CRITICAL,
        _any(
            r"/(?:uploads?|images?|img|media|cache|tmp|temp)/"
            r"(?:[^?]{0,300}/)?[^/?]{1,200}\.(?:php\d?|phtml|phar|php\.\w{2,4})(?:$|[?/])"
        ),
        where="path",
        proof="path",
        unless=_any(r"/(?:index|thumb|timthumb)\.php$"),
    ),
    Rule(
        "secret_file",
        "pencarian berkas rahasia",
        Severity.MAJOR,
        _any(
            r"/\.(?:env|git|svn|hg|aws|ssh|htpasswd|htaccess|ds_store|vscode|npmrc|bash_history)(?:$|[/._-])",
            r"/(?:wp-config|configuration|config|database|settings|localsettings)\.php(?:\.\w{1,8}|~|_\w{1,8}|-\w{1,8})$",
            r"/[^/]{1,80}\.(?:sql|sqlite3?|bak|old|swp|mdb)(?:\.(?:gz|zip|bz2|xz))?$",
            r"/(?:backup|backups|db|dump|www|public_html|site|website|html|web)\.(?:zip|rar|7z|tar|tar\.gz|tgz)$",
            r"/(?:id_rsa|credentials|secrets?\.(?:json|ya?ml))$",
        ),
        where="path",
        proof="path",
    ),
    Rule(
        "planted_page",
        "halaman titipan judi atau penjualan",
        Severity.CRITICAL,
        _any(
            r"slot[-_/ ]?(?:gacor|online|deposit|maxwin|dana|qris|thailand|demo|88|777)",
            r"(?:situs|agen|bandar|link|daftar|login|rtp)[-_ /](?:slot|togel|toto|judi|casino|live-slot)",
            r"\b(?:togel|toto|slot|mpo|idn|zeus|joker|dewa)\d{2,4}d?\b",
            r"\b(?:rtp[-_ ]live|maxwin|scatter[-_ ]hitam|sbobet|bandarq|dominoqq|pkv[-_ ]games)\b",
        ),
        proof="path",
        unless=_COURT_WORDS,
    ),
    Rule(
        "doorway",
        "halaman titipan yang dibuka dengan parameter",
        Severity.CRITICAL,
        _any(r"[?&](?:pafi|tunnel)=[\w-]"),
        proof="target",
    ),
    Rule(
        "scanner",
        "alat pemindai kerentanan",
        Severity.MINOR,
        _any(
            r"sqlmap|nikto|wpscan|nuclei|acunetix|nessus|openvas|dirbuster|gobuster|feroxbuster|ffuf|wfuzz|masscan",
            r"zgrab|joomscan|netsparker|w3af|havij|zmeu|morfeus|jorgee|whatweb|l9explore",
        ),
        where="agent",
    ),
)
COUNTED = (
    Rule("login_guessing", "penebakan kata sandi", Severity.MAJOR, _any(r"(?!)")),
    Rule("not_found_burst", "pencarian banyak halaman yang tidak ada", Severity.MINOR, _any(r"(?!)")),
)
TITLES = {rule.name: rule.title for rule in (*RULES, *COUNTED)}

_LOGIN = re.compile(r"/(?:wp-login\.php|xmlrpc\.php|administrator(?:/index\.php)?/?|user/login|login|admin/login)$")
_IN_HEADERS = frozenset({"code_injection", "command_injection", "cross_site_scripting"})
_STATIC = re.compile(r"\.(?:css|js|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|map|mp4|pdf)$")


class Match(NamedTuple):
    """A rule that a request meets; `telling`: that an answer with a success status means it likely worked."""

    rule: Rule
    telling: bool


@lru_cache(maxsize=16384)
def match_target(target: str) -> tuple[Match, ...]:
    """Given a request's target, return the rules that it meets."""
    wholes = forms(target)
    paths = tuple(whole.partition("?")[0] for whole in wholes)
    found: list[Match] = []
    for rule in RULES:
        in_path = rule.where != "agent" and meets(rule, paths)
        if in_path or (rule.where == "target" and meets(rule, wholes)):
            found.append(Match(rule, rule.proof == "target" or (rule.proof == "path" and in_path)))
    return tuple(found)


@lru_cache(maxsize=4096)
def match_header(text: str) -> tuple[Match, ...]:
    """Given a user agent or referer, return the rules that it meets: scanners by name, and injected code."""
    views = forms(text)
    odd = any(sign in text for sign in "{<%;`")
    rules = (rule for rule in RULES if rule.where == "agent" or (odd and rule.name in _IN_HEADERS))
    return tuple(Match(rule, False) for rule in rules if meets(rule, views))


def meets(rule: Rule, views: tuple[str, ...]) -> bool:
    """Given a rule and the forms of a text, return whether one of them meets it."""
    return any(rule.pattern.search(view) and not (rule.unless and rule.unless.search(view)) for view in views)


def match_line(line: Line) -> tuple[Match, ...]:
    """Given a line, return the rules that it meets, each once."""
    found = (*match_target(line.target), *match_header(line.agent), *match_header(line.referer))
    return tuple({match.rule: match for match in reversed(found)}.values())


def is_login(line: Line) -> bool:
    """Given a line, return whether it sends a login form."""
    return line.method == "POST" and bool(_LOGIN.search(line.path.lower().rstrip("/") or "/"))


def is_static(path: str) -> bool:
    """Given a path, return whether it is a picture, a style or the like."""
    return bool(_STATIC.search(path.lower()))
