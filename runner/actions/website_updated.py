"""website.updated: when did the content of the court's website, or of each of its sections, really change last?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from runner.actions.web.inputs import build_fetcher, own_hosts, site_url, visit_deadline
from runner.actions.web.updated_keys import INPUTS, OUTPUTS
from runner.contract import Action, Call, Effect, Outcome, Problem, Reach, Repeat, Severity, Status
from runner.errors import Failed
from runner.messages import render_date

if TYPE_CHECKING:  # the web helpers are loaded when a site is visited, not at every start
    from runner.actions.web.sections import Limit
    from runner.actions.web.survey import Survey

WHOLE = "situs"


def run(call: Call) -> Outcome:
    """Look for the newest change and judge its age. What cannot be determined is its own answer."""
    from runner.actions.web.freshness import Moment
    from runner.actions.web.survey import Survey
    from runner.calendar import Calendar

    url = site_url(call)
    wanted = [(section, age_limit(section)) for section in wanted_sections(call)]
    calendar = Calendar.from_office(call.office)
    moment = Moment(call.now, call.zone)
    cms = str((call.target or {}).get("cms") or "")
    survey = Survey(url, own_hosts(call, url), moment, visit_deadline(call), build_fetcher(call), cms)
    rows, kept = look_at_all(call, survey, wanted, calendar)
    outputs = build_outputs(rows, kept, survey)
    return Outcome(Status.OK, outputs=outputs, problems=tuple(find_problems(outputs, url)))


def wanted_sections(call: Call) -> list[Mapping[str, Any]]:
    """Given a call, return the sections to look at, each whole; without any, the site as one."""
    inputs = call.inputs
    if inputs["sections"]:
        return [{"max_age": inputs["max_age"], **each} for each in inputs["sections"]]
    return [{"name": WHOLE, **{name: inputs[name] for name in ("max_age", "pages", "feeds", "sitemaps", "apis")}}]


def age_limit(section: Mapping[str, Any]) -> Limit:
    """Given a section, return how old it may be. Raise Failed when that is no age."""
    from runner.actions.web.sections import parse_age

    try:
        return parse_age(section["max_age"])
    except ValueError as error:
        raise Failed(f"max_age: {error}") from None


def look_at_all(
    call: Call, survey: Survey, wanted: Sequence[tuple[Mapping[str, Any], Limit]], calendar: Any
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Given sections with their limits, return each one's verdict, and what is remembered of them."""
    from runner.actions.web.sections import judge_section, remember
    from runner.actions.web.survey import Places

    earlier = (call.record.latest() or {}).get("fingerprints") or {}
    rows, kept_all = [], {}
    for section, limit in wanted:
        name = section["name"]
        places = Places(*(section.get(each, ()) for each in ("pages", "feeds", "sitemaps", "apis")))
        days, fingerprint = survey.look(places, main=not call.inputs["sections"])
        kept = remember(earlier.get(name), fingerprint, survey.moment.today)
        rows.append(judge_section(name, days, kept, limit, survey.moment, calendar))
        if kept:
            kept_all[name] = kept.as_json()
    return rows, kept_all


def build_outputs(rows: Sequence[dict[str, Any]], kept: Mapping[str, Any], survey: Survey) -> dict[str, Any]:
    """Given each section's verdict, return the outputs as declared; what the whole tells is the newest section's."""
    verdicts = {row["updated"] for row in rows}
    newest = max(rows, key=lambda row: row["newest"] or "")
    first = ("newest", "age_days", "source", "sources", "agreement", "articles")
    return {
        "updated": False if False in verdicts else None if None in verdicts else True,
        **{name: newest[name] for name in first},
        "sections": list(rows),
        "fingerprints": dict(kept),
        "visited": list(survey.visited),
        "faults": list(survey.faults),
    }


def find_problems(outputs: Mapping[str, Any], url: str) -> Iterator[Problem]:
    """Given outputs, yield a problem for each section that is old, or of which nothing can be said."""
    for row in outputs["sections"]:
        whole = row["section"] == WHOLE
        place = url if whole else f"bagian {row['section']} pada {url}"
        suffix = "" if whole else f":{row['section']}"
        if row["updated"] is None:
            why = f" ({outputs['faults'][0]})" if outputs["faults"] else ""
            message = f"Pembaruan isi {place} tidak dapat ditentukan{why}."
            yield Problem(f"website.update_unknown{suffix}", Severity.MAJOR, message)
        elif row["updated"] is False:
            yield Problem(f"website.not_updated{suffix}", Severity.MAJOR, _tell_old(row, place))


def _tell_old(row: Mapping[str, Any], place: str) -> str:
    if row["newest"] is None:
        since = render_date(date.fromisoformat(row["unchanged_since"]), "id")
        return f"Isi {place} tidak berubah sejak {since}; batasnya {row['limit']}."
    newest = render_date(date.fromisoformat(row["newest"]), "id")
    message = f"Isi {place} terakhir diperbarui {newest}, {row['age_days']} hari lalu; batasnya {row['limit']}."
    if row["agreement"] == "disagree":
        return message + " Sumber lain pada situs itu menunjukkan tanggal yang lebih baru."
    return message + (" Hanya satu sumber yang menyebut tanggal." if row["agreement"] == "single" else "")


ACTION = Action(
    name="website.updated",
    description="Finds the newest real change of the website's content and compares its age with what is allowed.",
    inputs=INPUTS,
    outputs=OUTPUTS,
    effect=Effect.READ,
    repeat=Repeat.SAFE,
    reach=Reach.CONTROLLER,
    limit="2m",
    run=run,
    targets=("website", ""),
    example="""\
- id: updated
  action: website.updated
  with: {max_age: 5 hari kerja, pages: [/, /berita]}
""",
)
