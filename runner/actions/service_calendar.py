"""service.calendar: the services' dates for the office's calendar, their money by month, the memo that asks for it."""

from __future__ import annotations

from runner.actions.documents.kept import as_output, declare_document
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status

DOCUMENTS = {
    "overview": ("services", "daftar-layanan.html", "text/html"),
    "calendar": ("services.ics", "layanan.ics", "text/calendar"),
    "cash": ("services.csv", "kebutuhan-dana.csv", "text/csv"),
    "memo": ("services.memo", "konsep-nota-dinas.html", "text/html"),
}


def run(call: Call) -> Outcome:
    """Make the four documents from the register and the record, and keep them as evidence."""
    outputs, evidence = {}, []
    for output, (kind, name, media_type) in DOCUMENTS.items():
        content = call.record.report(kind)
        kept = call.keep(name, content, media_type) if content else None
        outputs[output] = as_output(kept) if kept else None
        evidence += [kept] if kept else []
    return Outcome(Status.OK, outputs=outputs, evidence=tuple(evidence))


def preview(call: Call) -> Preview:
    """Say what would be made."""
    return Preview("calendar, cash view, list and memo of the services would be made", changes=False)


ACTION = Action(
    name="service.calendar",
    description=(
        "Makes a calendar (.ics) of all services, what they cost in the next twelve months by budget line (CSV), "
        "the list of them (HTML), and a draft of the memo that asks for the money."
    ),
    inputs={},
    outputs={
        "overview": declare_document("The list: dates, money and responsibility", "daftar-layanan.html", or_null=True),
        "calendar": declare_document("The dates for the office's calendar", "layanan.ics", or_null=True),
        "cash": declare_document("Payments of twelve months, for a spreadsheet", "kebutuhan-dana.csv", or_null=True),
        "memo": declare_document(
            "The draft of the memo; null where nothing is to be paid soon", "konsep-nota-dinas.html", or_null=True
        ),
    },
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2m",
    run=run,
    preview=preview,
    targets=("",),
    example="""\
- id: services
  action: service.calendar
""",
)
