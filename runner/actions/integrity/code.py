"""What PHP files and server rules give away: that they sort visitors, run what they decode, or go before the CMS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.actions.integrity.findings import Finding, Weight
from runner.actions.integrity.hosts import defang

STRONG, WEAK = Weight.STRONG, Weight.WEAK

_LEXEMES = re.compile(
    r"/\*.*?(?:\*/|\Z)|(?://|#(?!\[))[^\r\n]*?(?=\?>|[\r\n]|\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\Z)|'(?:[^'\\]|\\.)*(?:'|\Z)",
    re.DOTALL,
)
_VISITOR = re.compile(r"HTTP_USER_AGENT|HTTP_REFERER|getallheaders|apache_request_headers", re.IGNORECASE)
_ENGINE = re.compile(
    r"googlebot|bingbot|google-|inspectiontool|google\\?\.|google\b|\bbing\b|yahoo|yandex|slurp|crawler|spider|duckduck|ahrefs",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    r"curl_(?:init|exec)|file_get_contents|readfile|fopen|\b(?:include|require)(?:_once)?\b|\becho\b|\bprint\b"
    r"|header\s{0,3}\(|\bexit\b|\bdie\b",
    re.IGNORECASE,
)
_ENCODED = re.compile(
    r"\b(?:eval|assert)\s{0,5}\(\s{0,5}(?:@?\s{0,3}(?:base64_decode|gzinflate|gzuncompress|gzdecode|str_rot13|rawurldecode|urldecode"
    r"|hex2bin|strrev|file_get_contents|curl_exec|implode|join|stripslashes|trim)\b|[\"']\?>(?![\"']\s{0,5}\.\s{0,5}\$this\b)|\$_(?:GET|POST|REQUEST|COOKIE|SERVER))"
    r"|\$\w{1,60}\s{0,5}\(\s{0,5}\$_(?:GET|POST|REQUEST|COOKIE)\b"
    r"|\b(?:system|exec|shell_exec|passthru|popen|proc_open|assert|create_function)\s{0,5}\(\s{0,5}\$_(?:GET|POST|REQUEST|COOKIE)\b"
    r"|\b(?:include|require)(?:_once)?\s{0,5}\(?\s{0,5}(?:[\"'](?:https?:|data:|php://input)|\$_(?:GET|POST|REQUEST|COOKIE))"
    r"|preg_replace\s{0,5}\(\s{0,5}[\"']/\.\*/e",
    re.IGNORECASE,
)
_EVAL = re.compile(r"\beval\s{0,5}\(\s{0,5}(?!\)|[\"']return\b)", re.IGNORECASE)
_DECODES = re.compile(
    r"base64_decode|gzinflate|gzuncompress|str_rot13|hex2bin|\\x[0-9a-f]{2}\\x|chr\s{0,3}\(", re.IGNORECASE
)
_INPUT = re.compile(r"\$_(?:GET|POST|REQUEST|COOKIE)\b|\$HTTP_(?:POST|GET)_VARS|php://input", re.IGNORECASE)
_ACTS = (  # of back doors that take input; honest code has few of these, or of the habits that go with them
    r"(?<![>\w:$\\])(?:system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec)\s{0,3}\(",
    r"(?:file_put_contents|fwrite|fputs|fopen|unlink|chmod|rename|mkdir|rmdir)\s{0,3}\(\s{0,3}\$_(?:GET|POST|REQUEST)",
    r"\bchdir\s{0,3}\(",
)
_HABITS = (
    r"move_uploaded_file|\$_FILES",
    r"php_uname|uname -a|posix_get(?:pwuid|egid)|getmyuid|disk_free_space|safe_mode|disable_functions|open_basedir",
    r"error_reporting\s{0,3}\(\s{0,3}0|set_time_limit\s{0,3}\(\s{0,3}0|@ini_set"
    r"|display_errors['\"]\s{0,3},\s{0,3}['\"]?(?:0|off)",
)
_BACK_DOOR = tuple(re.compile(sign, re.IGNORECASE) for sign in (*_ACTS, *_HABITS))
_SOME_SIGNS, _MANY_SIGNS = 2, 3
_REMOTE = re.compile(r"(?:file_get_contents|curl_init|fopen|readfile)\s{0,5}\(\s{0,5}[\"']https?://", re.IGNORECASE)
_SHELL = re.compile(
    r"move_uploaded_file|\$_FILES|shell_exec|passthru|proc_open|\bsystem\s{0,3}\(|base64_decode", re.IGNORECASE
)
_GUARD = re.compile(
    r"\A<\?php\s{0,20}(?:\?>\s{0,20})?(?:(?:die|exit)\b|defined\b[^;]{0,80};?\s{0,20}(?:\?>)?\s{0,20}\Z|return\b)",
    re.IGNORECASE,
)

_ONLY_INSIDE = re.compile(r"\bdefined\s{0,3}\([^()]{1,60}\)\s{0,3}(?:or|\|\|)\s{0,3}(?:die|exit)\b", re.IGNORECASE)
_WORDPRESS = "wp-blog-header.php"
_WORDPRESS_BEFORE = re.compile(
    r"\s*<\?php\s*(?:define\s*\(\s*['\"]WP_USE_THEMES['\"]\s*,\s*true\s*\)\s*;\s*)?(?:require|include)(?:_once)?\s*\(?\s*"
    r"(?:(?:__DIR__|dirname\s*\(\s*__FILE__\s*\)|ABSPATH)\s*\.\s*)?['\"](?:[\w./-]{0,200}/)?\Z",
    re.IGNORECASE,
)
_WORDPRESS_AFTER = re.compile(r"['\"]\s*\)?\s*;?\s*(?:\?>)?\s*\Z")
_TAKES_OVER = re.compile(r"\binclude(?:_once)?\s{0,5}[(\"'$]|curl_|\$_GET")
_JOOMLA = re.compile(r"define\s*\(\s*['\"]_JEXEC['\"]")


def without_comments(code: str) -> str:
    """Given PHP, return it without comments; what stands in strings stays."""
    return _LEXEMES.sub(lambda match: match[0] if match[0][0] in "\"'" else " ", code)


def check_code(path: str, text: str) -> Iterator[Finding]:
    """Given a PHP file that every visit runs, find what sorts visitors, runs what it decodes, or is a back door."""
    code = _ONLY_INSIDE.sub("", without_comments(text))
    if (match := _VISITOR.search(code)) and _ENGINE.search(code) and _ANSWER.search(code):
        yield _find("agent_code", STRONG, path, text, match[0])
    match = _ENCODED.search(code) or (_EVAL.search(code) if _DECODES.search(code) else None)
    if match:
        yield _find("encoded_code", STRONG, path, text, match[0])
        return
    yield from _check_back_door(path, text, code)


def _check_back_door(path: str, text: str, code: str) -> Iterator[Finding]:
    acts, habits = (
        [match[0] for sign in signs if (match := sign.search(code))]
        for signs in (_BACK_DOOR[: len(_ACTS)], _BACK_DOOR[len(_ACTS) :])
    )
    signs = len(acts) + len(habits)
    if _INPUT.search(code) and signs >= _SOME_SIGNS and (acts or signs >= _MANY_SIGNS):
        yield _find("back_door", STRONG if signs >= _MANY_SIGNS else WEAK, path, text, (acts + habits)[0])


def check_entry(path: str, text: str) -> Iterator[Finding]:
    """Given a site's index.php, find code that stands before its CMS or behind it."""
    code = without_comments(text)
    if match := _REMOTE.search(code):
        yield _find("entry_code", STRONG, path, text, match[0])
        return
    before, marker, after = code.partition(_WORDPRESS)
    if marker and not (_WORDPRESS_BEFORE.match(before) and _WORDPRESS_AFTER.match(after)):
        shown = next((line for line in before.splitlines() if line.strip() not in ("", "<?php")), after)
        telling = _ANSWER.search(before.rpartition(";")[0]) or _VISITOR.search(code) or _DECODES.search(code)
        yield _find("entry_code", STRONG if telling else WEAK, path, text, shown.strip()[:200])
    elif match := _JOOMLA.search(code):
        early = code[: match.start()]
        if telling := (_VISITOR.search(early) or _DECODES.search(early) or _TAKES_OVER.search(early)):
            yield _find("entry_code", STRONG, path, text, telling[0])


def check_upload(path: str, text: str, *, soft: bool) -> Iterator[Finding]:
    """Given a PHP file where only uploads belong, tell it, unless it does nothing. In `soft` folders (a cache) PHP may
    be a program's own: there only what runs uploads or what it decodes is strong."""
    code = without_comments(text)
    start = code.find("<?")
    bare = re.sub(r"<\?(?:php|=)?|\?>|[\s;]", "", code[start:] if start >= 0 else code)
    if not bare or (start >= 0 and _GUARD.match(code[start:].strip())):
        return
    telling = _ENCODED.search(code) or _SHELL.search(code) or _VISITOR.search(code)
    weight = STRONG if telling or not soft else WEAK
    yield _find("upload_code", weight, path, text, telling[0] if telling else code[max(0, start) :].strip()[:120])


def _find(rule: str, weight: Weight, path: str, text: str, shown: str) -> Finding:
    at = text.find(shown)
    line = text.count("\n", 0, at) + 1 if at >= 0 else 0
    whole = text.splitlines()[line - 1] if line else shown
    return Finding(rule, weight, path, line, defang(whole.strip() or shown))


_CONDITION = re.compile(r"\s{0,40}RewriteCond\s{1,40}(\S{1,200})\s{1,40}(\S{1,2000})", re.IGNORECASE)
_RULE = re.compile(
    r"\s{0,40}RewriteRule\s{1,40}(\S{1,500})\s{1,40}(\S{1,2000})(?:\s{1,40}\[([^\]]{0,200})\])?", re.IGNORECASE
)
_SEARCHERS = re.compile(
    r"google|bing|yahoo|msn|yandex|baidu|duckduck|aol\b|ask\.|slurp|crawl|spider|bot\b|bot[|)]", re.IGNORECASE
)
_PHONES = re.compile(r"android|iphone|mobile|ipad|blackberry|opera mini", re.IGNORECASE)
_HANDLER = re.compile(
    r"\s{0,40}(?:AddHandler|AddType|SetHandler)\s{1,40}\S{0,60}php\S{0,40}([^\r\n]{0,300})", re.IGNORECASE
)
_EXTENSION = re.compile(r"\.(?!php\d{0,2}\b|phtml\b|phps\b|inc\b)\w{1,10}", re.IGNORECASE)
_PREPEND = re.compile(r"auto_(?:prepend|append)_file\s{0,20}[=\s]\s{0,20}[\"']?(\S{1,500})", re.IGNORECASE)
_VARIANTS = re.compile(r"FilesMatch\s[^\r\n]{0,2000}(?:PhP|pHp|phP|PHp)")


def check_server_rules(path: str, text: str, own_host: str) -> Iterator[Finding]:
    """Given an .htaccess or .user.ini, find rules that sort search engines or their visitors, run other files as PHP,
    or put code before every page."""
    sorting = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        if match := _CONDITION.match(line):
            sorting = sorting or _sorts(match[1], match[2])
        elif match := _RULE.match(line):
            if sorting and _leads(match[2], match[3] or "", sorting, own_host):
                yield Finding("server_rule", STRONG, path, number, defang(line))
            sorting = ""
        elif _runs_other_files(line):
            yield Finding("server_handler", STRONG, path, number, defang(line))
        elif _VARIANTS.search(line):
            yield Finding("server_handler", WEAK, path, number, defang(line))


def _runs_other_files(line: str) -> bool:
    """Whether a line has files without PHP's ending run as PHP, or code put before every page."""
    if match := _HANDLER.match(line):
        return bool(_EXTENSION.search(match[1]))
    match = _PREPEND.search(line)
    return match is not None and "wordfence-waf.php" not in line and match[1].lower() != "none"


def _sorts(variable: str, pattern: str) -> str:
    """Whom a condition picks out: "search", "phone", or ""."""
    if not re.search(r"HTTP_USER_AGENT|HTTP_REFERER|HTTP:User-Agent|HTTP:Referer", variable, re.IGNORECASE):
        return ""
    if pattern.startswith("!"):
        return ""
    return "search" if _SEARCHERS.search(pattern) else "phone" if _PHONES.search(pattern) else ""


def _leads(target: str, flags: str, sorting: str, own_host: str) -> bool:
    """Whether a rule shows those that it picks out another page. Turning robots away is no sign."""
    names = {flag.strip().upper().split("=")[0] for flag in flags.split(",")}
    if target == "-" or names & {"F", "G", "FORBIDDEN", "GONE"}:
        return False
    outside = target.startswith(("http://", "https://")) and (not own_host or own_host not in target)
    return outside or sorting == "search"
