"""`report.situation`: the report that the record gives, as a document that can be printed and filed."""

from __future__ import annotations

from runner.actions.documents.kept import as_output, declare_document
from runner.contract import Action, Call, Effect, Outcome, Preview, Reach, Repeat, Status


def run(call: Call) -> Outcome:
    """Make the report of this run so far and keep it as evidence."""
    kept = call.keep("laporan-situasi.html", call.record.report("situation"), "text/html")
    return Outcome(Status.OK, outputs={"report": as_output(kept)}, evidence=(kept,))


def preview(call: Call) -> Preview:
    """Say what would be made."""
    return Preview("the situation report would be made from the record of this run", changes=False)


ACTION = Action(
    name="report.situation",
    description="Makes the situation report (HTML, ready to print) from the record of this run and the open problems.",
    inputs={},
    outputs={"report": declare_document("the kept document", "laporan-situasi.html")},
    effect=Effect.CHANGE,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2m",
    run=run,
    preview=preview,
    targets=("",),
    example="""\
- id: report
  action: report.situation
""",
)
