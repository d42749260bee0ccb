"""The names under which registries write what is looked for, one form a line, in lower case with single spaces."""

from __future__ import annotations

import re


def _compile(forms: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(forms.strip().splitlines())})\Z")


NAME = _compile(r"""
domain(?: ?name)?
complete domain name
ascii name
nombre de dominio
dominio
query
dn
ドメイン名
""")
EXPIRY = _compile(r"""
registry expiry date
(?:record |domain |registration |registry )?expir\w*(?: ?(?:date|on|at|time))?(?: \(.*\))?
(?:record |domain )?expire-date
domain (?:expiration|expiry) date
exp date
record will expire on
paid[- ]till
(?:renewal|renew)(?: date)?
(?:registered|billed|valid) (?:until|till|to|thru)
validity
domain datebilleduntil
date to
data de expira.*
fecha de (?:expiraci[oó]n|vencimiento)
有効期限|到期时间|到期日期
tanggal kedaluwarsa
""")
LATE_EXPIRY = _compile("registrar registration expiration date")
CREATED = _compile(r"""
(?:record |domain |entry )?(?:created?|creation)[- ]?(?:date|on|at|time)?
(?:domain |original |first )?regist(?:ered|ration)[- ]?(?:date|on|time|since)?
reg date
activated?(?: on)?
domain record activated
domain name commencement date
domain dateregistered
assigned
登録年月日|注册时间
fecha de (?:creaci[oó]n|registro)
data de (?:registo|cria.*)
""")
REGISTRAR = _compile(r"""
(?:sponsoring |current )?regist(?:r?ar|er)(?: ?name| organi[sz]ation| handle|-name)?
ident-registrar
authori[sz]ed agency
registration service provider
registra[dt]or
""")
SERVERS = _compile(r"""
(?:domain )?name ?servers?(?: ?\(?\d*\)?| information| hostname| in (?:the )?listed order)?
domain servers(?: in listed order)?
nservers?
nssrv
ns ?\d*
ns name \d+
dns(?: ?servers?)?(?: \d)?
host ?names?
(?:primary|secondary) (?:name )?server
servidor.{0,6} de nombres?.*
ネームサーバ|域名服务器
""")
STATUS = _compile(r"""
(?:(?:domain|registration|registry) ?)?(?:status(?: of domain)?|state|statut)
epp ?status
domaintype
query status
状態
""")
DNSSEC = _compile(r"""
dnssec(?: status)?
dnssec-signed
secure ?dns
(?:domain |delegation )?signed
signing key
署名鍵
""")
DELEGATION_KEY = _compile(r"""
ds(?:[- ]?(?:record|rdata|data|list))?
ds key tag ?\d*
dnssec ds data
keyset
keytag
key\d*-tag
dnskey
""")
