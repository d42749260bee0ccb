"""The keys of a service in the inventory: the register of what must not lapse.

A service has one running period (its own keys), earlier ones under `history`, and under `renewal` the one that is
being arranged. When a renewal has taken effect, the running period moves to `history` and the renewal takes its place.
"""

from __future__ import annotations

from runner.inventory.register import DEFAULT_CURRENCY, KINDS
from runner.shapes.describe import SECRET_VALUE, VARS, Schema, amount, day, flag, keys, text, texts, word

SPAN = r"^[1-9][0-9]{0,2} (hari|minggu|bulan|tahun)$"
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$"

_MOST = 1e15
_CURRENCY = text("The currency, by its ISO 4217 code", DEFAULT_CURRENCY, pattern="^[A-Z]{3}$")
_FILE: Schema = {
    "file": text("The scan or document, seen from the working folder", "berkas/invoice-domain-2026.pdf"),
    "sha256": text(
        "The SHA-256 of that file when it was filed",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        pattern="^[0-9a-f]{64}$",
    ),
}
INVOICE = keys(
    "The provider's invoice",
    {
        "number": text("Its number, as the provider wrote it", "INV-118/2026"),
        "date": day("Its date", "2026-11-02"),
        "received": day("The day it arrived", "2026-11-04"),
        "due": day("The day it must be paid by", "2026-11-30"),
        "amount": {**amount("What is to be paid, with tax", 1665000), "maximum": _MOST},
        "currency": _CURRENCY,
        **_FILE,
    },
    ("number", "date", "amount"),
    examples=[{"number": "INV-118/2026", "date": "2026-11-02", "amount": 1665000}],
)
PAYMENT = keys(
    "The proof of payment",
    {
        "number": text("The number of the SPM, SP2D or transfer", "SP2D-00412"),
        "date": day("The day it was paid", "2026-11-10"),
        "amount": {**amount("What was paid, with tax", 1665000), "maximum": _MOST},
        "currency": _CURRENCY,
        **_FILE,
    },
    ("date", "amount"),
    examples=[{"number": "SP2D-00412", "date": "2026-11-10", "amount": 1665000}],
)
HANDOVER = keys(
    "The handover note (BAST)",
    {"number": text("Its number", "BAST-7/2026"), "date": day("Its date", "2026-11-12"), **_FILE},
    ("date",),
    examples=[{"number": "BAST-7/2026", "date": "2026-11-12"}],
)
_TERMS: Schema = {
    "contract": text("The number of the contract or SPK", "SPK-12/2026"),
    "price": {**amount("The price of a period, without tax", 1500000), "maximum": _MOST},
    "tax": {**amount("Tax in percent", 11), "maximum": 100},
    "currency": _CURRENCY,
    "invoice": INVOICE,
    "payment": PAYMENT,
    "handover": HANDOVER,
}
WORK = keys(
    "A time during which somebody worked on it",
    {
        "from": text("When it began, by the office's clock", "2026-11-03 09:00", pattern=MOMENT),
        "until": text("When it ended", "2026-11-03 09:40", pattern=MOMENT),
    },
    ("from", "until"),
)
HISTORY = keys(
    "An earlier period and its papers",
    {"started": day("Its first day", "2025-01-01"), "expires": day("Its last day", "2025-12-31"), **_TERMS},
    ("started", "expires"),
)
RENEWAL = keys(
    "The renewal that is being arranged",
    {
        "started": day("The first day of the next period; left out: the day after the running one", "2027-01-01"),
        "expires": day("The last day it will be paid for", "2027-12-31"),
        "requested": day("The day the provider was asked for it", "2026-10-20"),
        "work": {
            "type": "array",
            "items": WORK,
            "description": "When somebody worked on it; waiting for the provider is not work",
            "examples": [[{"from": "2026-11-03 09:00", "until": "2026-11-03 09:40"}]],
        },
        **_TERMS,
    },
    ("expires",),
    examples=[{"expires": "2027-12-31", "requested": "2026-10-20"}],
)
BUDGET = keys(
    "Where the money comes from",
    {
        "dipa": text("The number of the DIPA", "SP DIPA-005.01.2.000000/2026"),
        "mak": text("The budget line (MAK)", "005.01.WA.1066.EBA.994.002.521811"),
        "officer": text("The commitment officer (PPK), by the name under 'people'", "sari"),
    },
    minProperties=1,
    examples=[{"dipa": "SP DIPA-005.01.2.000000/2026", "mak": "005.01.WA.1066.EBA.994.002.521811"}],
)
SERVICE = keys(
    "A service that must not lapse",
    {
        "kind": word("What it is; read as {{ target.service }}", *KINDS),
        "name": text("What it is called outside: the domain, the package; read as {{ target.title }}", "pn-tais.go.id"),
        "provider": text("Who provides it", "PANDI"),
        "url": text("The page where it is managed", "https://panel.example.id"),
        "address": text("Where it can be observed: a host, or host:port", "pn-tais.go.id:443"),
        "login": text("The account at the provider", "pn-tais"),
        "password": SECRET_VALUE,
        "customer": text("The customer number at the provider", "C-10277"),
        "started": day("The first day of the running period", "2026-01-01"),
        "expires": day("The last day it is paid for", "2026-12-31"),
        "observed": day("The last day as somebody saw it at the provider", "2026-12-31"),
        "period": text("How long a renewal lasts: hari, minggu, bulan or tahun", "1 tahun", pattern=SPAN),
        "notice": text("How long before the end the provider needs notice", "90 hari", pattern=SPAN),
        "automatic": flag("Whether the provider renews it without being asked", False),
        "budget": BUDGET,
        "responsible": texts("People in charge, by their names under 'people'", "budi", ["budi", "sari"]),
        **_TERMS,
        "renewal": RENEWAL,
        "history": {
            "type": "array",
            "items": HISTORY,
            "description": "Earlier periods",
            "examples": [[{"started": "2025-01-01", "expires": "2025-12-31"}]],
        },
        "vars": VARS,
    },
    ("kind",),
)
