"""The words in which registries say "too many questions", "not now" and "no such domain", one phrase a line.

An ordinary answer comes with terms of use that speak of limits too, so SURE holds phrases of what happened, not of what
may happen. LIKELY and CLOSED count only in a short answer without data. {limit}, {asked}, {seeker}, {punished}: below.
"""

from __future__ import annotations

import re

_WORDS = {
    "limit": r"(?:limits?|limitation|quota|rate|maximum|threshold|number|allowance|volume)",
    "asked": r"(?:quer(?:y|ies|ing)|requests?|connections?|look-?ups?|search(?:es)?|usage|use|access(?:es)?"
    r"|hits|attempts)",
    "seeker": r"(?:ips?|address(?:es)?|you|client|host|network|subnet|access|request|query|connection|block|range)",
    "punished": r"(?:rate-?limited|throttled|blocked|banned|denied|restricted|black-?listed|suspended"
    r"|refused|rejected|disabled|barred)",
    "some": r"[^.;]{0,80}",
    "few": r"[^.;]{0,40}",
}
_NAMED = re.compile(r"\{([a-z]+)\}")

_SURE = r"""
\b{limit}\b{some}\b(?:exceed(?!ing)|reached\b|exhausted\b|used up\b)
\breached\b{few}\b(?:{limit}|{asked})\b
\bexceed(?:ed|s)\b{some}\b(?:{limit}|{asked}|allowed|allowable|permitted)\b
\b(?:you|client|host|ip)\b{few}\bexceed(?:ed|ing)\b
\btoo man?y\b{few}\b(?:{asked}|sessions|clients|users|times)\b
\btoo (?:fast|frequent(?:ly)?|often)\b
\b(?:interval|rate)\b{few}\btoo (?:short|high)\b
\bslow down\b
\bexcessive(?:ly)? {asked}\b[,:]?\s*(?:grace|wait|detected|$)
\bdue to (?:the )?excessive\b
\bgrace period\b{few}\bwait\b
\b(?:maintain|keep|minimum|at least)\b{few}\b\d+[ -]?(?:sec|min)\w*\b{few}\b(?:before|between|interval)\b
\bstill in grace period\b
\bgrace period of \d
\b(?:go away|back off)\b
\b{seeker}\b{some}\b(?:has|have) (?:now )?(?:been )?(?:\w+ly )?{punished}\b
\b{asked} (?:of|from) (?:this|your) (?:client|ip|host|address|network)\b{few}\bnot\b
\blist of ip addresses that may have failed\b
\bquery limitation is\b
\blarge (?:amount|number|volume) of (?:requests|queries|accesses)\b
\b{limit}\b{some}\bwill be (?:replenished|reset|restored)\b
\blookup quota may be\b
\b(?:201|429)\b\W{1,4}(?:access denied|too many)
\baccess control limit\b
\bl[ií]mite\b{some}\b(?:excedid|superad|alcan[zç]ad|dépassé|atteint)
\b(?:excedi|superou|superado|dépassé)\b{few}\bl[ií]mite
\btrop de requ[eê]tes\b
\bzu viele (?:an|ab)fragen\b
\btroppe richieste\b
превы(?:шен|сил)
слишком (?:много|часто)
(?:过于|過於|太)(?:频繁|頻繁|多)
(?:超过|超過).{0,12}(?:限制|次数|次數|上限)
\b(?:batas|kuota|jumlah)\b{some}\b(?:terlampaui|habis|melebihi)\b
\bterlalu (?:banyak|sering)\b
\bmelebihi batas\b
"""
_LIKELY = r"""
\b{limit}\b{some}\bexceed
\bexceed{some}\b{limit}\b
\brate[ -]?limit
\bquota\b
\bthrottl
\b(?:try|connect|retry|query|come back|ask)\b{few}\b(?:later|in a (?:few|moment|while)|tomorrow|(?:after|in) \d+)\b
\b{seeker}\b{some}\b(?:is|are|was|were|been)\b{few}\b{punished}\b
\b{punished}\b{few}\b(?:ip|address|client)\b
\bwait\b{few}\b(?:\d+|second|minute|hour|moment|while)
\bblack-?list
\bexcessive\b
\babus(?:e|ive)\b
\bblocked\b
\blimited to \d
\b(?:{limit}|{asked}|sessions|times)\b{few}\b(?:per|every|each|in) (?:(?:\d+|one) )?(?:(?:sec|min)\w*|hour|day)
\bmax(?:imum)?\b{few}\b{asked}\b
\b\d+ {asked}\b{few}\b(?:today|a day|an hour|a minute|(?:second|minute|hour|day)s?)\b
\b(?:{limit}|{asked})\b{few}\b(?:exceed|hit\b|crossed|passed|limited|restricted|over|above)
\b(?:exceeds?|exceed(?:ed|ing)|hit|over|above|out of|no more)\b{few}\b(?:{limit}|{asked})\b
\b(?:query|request|access|usage|look-?up|whois|daily|hourly) (?:limits?|denied|refused|rejected)\b
\btoo (?:much|high|frequent|many)\b
\bfrequen(?:cy|t|tly)\b
\b(?:abnormal|unusual|suspicious|flood(?:ing|ed)?|captcha|banned)\b
\b(?:deny|block|ban)[ -]?list
\bretry[- ]after\b
\b429\b
\b(?:überschritten|dépassée?s?|super(?:ad|at)[oa]s?|exced(?:id|ut)[oa]s?|alcan[zç]ad[oa]s?|atingid[oa])\b
\b(?:zbyt wiele|przekroczon\w*|překročen\w*|prekročen\w*|túllép\w*|overskred\w*|överskrid\w*|ylit\w*|aşıld\w*)
\b(?:for mange|för många|liian mont\w+|çok fazla|demasiad[oa]s|muitas|troppe|quá nhiều)\b
\b(?:terlalu|melebihi|diblokir|dibatasi)\b
исчерпан|заблокирован|ограничен
频率|頻率|频繁|頻繁|次数|次數|过多|過多|超限|受限|稍[后後]
制限|上限|しばらく|초과|너무 많|제한|เกิน
"""
_CLOSED = r"""
\b(?:denied|refused|rejected|not allowed|resets?)\b
\b(?:bad gateway|exception|server not found|acce(?:ss)?o negato|aces?so negado|acceso denegado|akses ditolak)\b
доступ запрещ
\bnot (?:authori[sz]ed|permitted|allowed) to\b
\bonly be enabled for\b
\bunauthori[sz]ed\b
\brestricted to\b
\breserved (?:domain )?name\b
\b(?:is|name) reserved\b
\btemporar(?:y|ily)\b
\b(?:un|not )available\b
\bmaintenance\b
\boverload
\bbusy\b
\btimed? ?out\b
\bdown for\b
\berror\b
\bcould not be (?:performed|processed|completed)\b
\bcannot process\b
\bunable to\b
\bfailed?\b
\b(?:invalid|incorrect|syntax|malformed|improper|unimplemented)\b
\bnot (?:a valid|managed)\b
"""
_ABSENT = r"""
(?:^|[:-]\s?)no[ -]?(?:match(?:es|ing)?|entr(?:y|ies)|objects?|records?|found)\b
^(?:there is )?no such (?:domain|name|object|record|entry|data|\S+\.\w+)\b
^no such\W*$
\bno (?:match|entries|data) found\b
\bno entry for\b
\b(?:do|does) not have an entry\b
^no (?:data|information|results?|domains?|whois)\b{some}\b(?:found|available|exists?|match|for|in)\b
\b(?:not|never|no[nt]) (?:been )?(?:yet )?(?:found|register?ed|exist(?:s|ing)?)\b
\bdoes(?:n't| not) exist\b
\b(?:can ?not|could not) be found\b
\bhas no whois record\b
\bnot a registered\b
\b(?:is un|isn't )registered\b
^registered\W+no\W*$
\bnot in (?:our |the )?database\b
\bunassigned\b
^nothing found\b
^unknown domain\b(?! (?:suffix|extension|ending|type))
^domain (?:unknown|free)\W*$
^\d{3} available\W*$
^\S+\.\S+(?::| -) (?:available|free)\W*$
^domain \S+\.\S+ - (?:available|free)\W*$
^[\w. ]{0,30}stat(?:us|e)\b[\s.]*:?\s*(?:\d{3} )?(?:free|available|no ?object ?found|unregistered|vacant)\W*$
^(?:available(?::\s*yes)?|free)\W*$
^(?:sorry,? )?(?:(?:the |this )?domain\b.*|\S+\.\S+) (?:is|appears to be) (?:still )?(?:available|free)\W*$
\bavailable for (?:registration|purchase|sale|application|order)\b
\bnot known in\b
\bnincs tal[aá]lat
\bno (?:existe|encontrad|registrad|se (?:encuentra registrad|encontr))
\b(?:no hay registros|aucun résultat|domaine inconnu|non (?:trouvé|trovat|registrat))
\bn'existe pas
\bnão (?:encontrad|registrad|existe)
\b(?:nicht (?:gefunden|registriert|vergeben)|existiert nicht)
\bintrouvable
\b(?:nie (?:znaleziono|istnieje)|nebyla? nalezena?|nem található)\b
未注册|未註冊|未登記|找不到|未找到|無此|不存在
登録されていません|該当する.{0,9}ありません|見つかりません|등록되어 있지 않|존재하지 않
не (?:найден|зарегистрирован)|домен свободен
\b(?:belum terdaftar|tiada rekod)\b
\btidak (?:ditemukan|terdaftar)
^error:10[13]\b
"""
_TERMS = r"""
\b(?:availability|whether|may not|you (?:agree|may|must|are not)|reserve|failure to|terms|page|only|conditions)\b
\b(?:servers? (?:not|does|is)|trademark|warrant|not available|unavailable|cannot be registered)\b
\b(?:whois database|handle|contact)\b
\b(?:ip|ips|user|account|command|file|directory|page|table|column|relation|class|function|method|element|template)\b
\b(?:access|whitelist|profile|licen[cs]e|query type|suffix|tld)\b
\b(?:host|server|service|request|ns record|nameserver|database) (?:(?:is|was|does|could) )?(?:not|never)\b
\byour (?!query|search|request|domain|criteria|selection|look)\w+
\b(?:internal|server|system|database) error\b
\b(?:(?:timed? ?out|exception|later|maintenance|denied|refused|blocked)\b|due to\b)
\bat th(?:is|e) (?:moment|time)\b
"""
_CONDITION = r"""
\b(?:if|reserves?|agree|shall|should|in the event|in case|in order to|intended|so as to|to prevent|to avoid)\b
\b(?:unless|when(?:ever)?|(?:those|users?|clients|anyone) (?:who|that|which|whose))\b
"""


def _compile(phrases: str) -> re.Pattern[str]:
    lines = (_NAMED.sub(lambda name: _WORDS[name[1]], line) for line in phrases.strip().splitlines())
    return re.compile("|".join(lines), re.IGNORECASE)


SURE, LIKELY, CLOSED, ABSENT = map(_compile, (_SURE, _LIKELY, _CLOSED, _ABSENT))
ABSENT_WHOLE = _compile("does not have any data for\nreturned 0 objects")
TERMS = _compile(_TERMS)  # what makes a line one of the terms of use, or about something else than the domain
CONDITION = _compile(_CONDITION)  # what makes a sentence about limits a rule, not news
