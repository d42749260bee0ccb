"""From the journal to papers: each is made from records alone, so that the same journal gives the same paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from runner.calendar import Calendar
from runner.contract import FINISHED_WELL
from runner.errors import did_you_mean, refuse
from runner.inventory import Inventory
from runner.record import build_record
from runner.record.document import Record
from runner.record.period import Period, outcomes_in
from runner.record.problems import KnownProblem, problems
from runner.record.reader import JournalReader
from runner.reports.activities import pair_activities
from runner.reports.earlier import find_earlier
from runner.reports.history import gather_history
from runner.reports.history_page import build_history
from runner.reports.incident import build_incident
from runner.reports.latest import find_latest, outcomes_of
from runner.reports.letters import build_nota_dinas, build_surat, posts_of
from runner.reports.minutes import build_minutes
from runner.reports.office import Office, build_letterhead
from runner.reports.paper.model import Paper
from runner.reports.pen import take_pen
from runner.reports.periodic.gathering import gather
from runner.reports.periodic.it import Told, build_it
from runner.reports.periodic.tabel7 import build_tabel7, check_half_year
from runner.reports.periodic.terms import Term
from runner.reports.situation import build_situation, find_end, read_roles
from runner.reports.visits import gather_visits
from runner.reports.visits_page import WEEKS, build_visits

SEAL, MEDIA, DRILL = "backup.seal", "backup.media", "backup.drill"
INSTANT = timedelta(microseconds=1)
EARLIER = timedelta(weeks=WEEKS + 1)  # what visits are compared with
LATER = timedelta(days=1)  # the scan that sees the end of a period's last day


def office_of(inventory: Inventory) -> Office:
    """Given an inventory, return the office that stands on papers."""
    titles = {target.name: str(target.view().get("title") or target.name) for target in inventory.targets.values()}
    return Office(inventory.office, inventory.people, titles, inventory.knowledge)


def make_situation(journal: JournalReader, run: str, office: Office) -> Paper:
    """Given a run, return its situation report, with the problems that were there when it last said something."""
    record = build_record(journal.events(run))
    found, earlier = _problems_of(journal, record), find_earlier(journal, record)
    return build_situation(record, found, office, journal.printed_head(), earlier)


def tell_term(journal: JournalReader, term: Term, office: Office) -> Told:
    """Given a period, return all that the journal tells of it."""
    period = term.period(take_pen(office.settings).zone)
    return Told(
        term=term,
        found=gather(journal, period),
        problems=problems(journal, period),
        drill=find_latest(journal, DRILL, period.until),
        office=office,
        calendar=Calendar.from_office(office.settings),
        head=journal.printed_head(),
    )


def make_it(journal: JournalReader, term: Term, office: Office) -> Paper:
    """Given a period, return its Laporan Pengelolaan IT."""
    return build_it(tell_term(journal, term, office))


def make_tabel7(journal: JournalReader, term: Term, office: Office) -> Paper:
    """Given a half-year, return its Tabel 7. Raise Refused for any other period."""
    check_half_year(term)
    return build_tabel7(tell_term(journal, term, office))


def make_history(journal: JournalReader, term: Term, office: Office) -> Paper:
    """Given a period, return the history of the websites in pictures."""
    pen = take_pen(office.settings)
    period = term.period(pen.zone)
    found = gather_history(outcomes_in(journal, period), pen.zone)
    as_of = found.as_of or period.since
    slices = list(term.slices(as_of.date()))
    blocks = build_history(found, problems(journal, period), office.title_of, slices, pen)
    return Paper(
        name=f"pemantauan-{term.text.lower()}",
        title="LAPORAN PEMANTAUAN WEBSITE",
        subtitle=term.name,
        letterhead=build_letterhead(office.settings),
        blocks=list(blocks),
        as_of=as_of,
        head=journal.printed_head(),
    )


def make_visits(journal: JournalReader, term: Term, office: Office) -> Paper:
    """Given a period, return the log of visitors' activity: pictures, findings, and what could not be told."""
    pen = take_pen(office.settings)
    period = term.period(pen.zone)
    wide = Period(period.since - EARLIER, period.until + LATER)
    found = gather_visits(outcomes_of(journal, "logs.scan", wide), period)
    return Paper(
        name=f"pengunjung-{term.text.lower()}",
        title="LOG AKTIVITAS PENGUNJUNG",
        subtitle=term.name,
        letterhead=build_letterhead(office.settings),
        blocks=list(build_visits(found, term, office.title_of, pen)),
        as_of=found.as_of or period.since,
        head=journal.printed_head(),
    )


def make_nota_dinas(journal: JournalReader, run: str, office: Office, *, sender: str, receiver: str) -> Paper:
    """Given a run and the roles it goes from and to ("": by the procedure), return the memo that forwards its report.

    By the procedure the report goes from who checks it to who acknowledges it. Raise Refused for an unknown role.
    """
    record = build_record(journal.events(run))
    posts = posts_of(record)
    sender = _role(sender or (posts[-2:] or [""])[0], record, "--from")
    receiver = _role(receiver or (posts[-1:] or [""])[0], record, "--to")
    found = _problems_of(journal, record)
    return build_nota_dinas(record, found, office, journal.printed_head(), sender=sender, receiver=receiver)


def make_surat(journal: JournalReader, run: str, office: Office, *, sender: str, party: str) -> Paper:
    """Given a run, the role that signs ("": the last of the procedure) and the third party ("": whom it was handed
    to), return the letter. Raise Refused for an unknown role."""
    record = build_record(journal.events(run))
    sender = _role(sender or (posts_of(record)[-1:] or [""])[0], record, "--from")
    return build_surat(
        record, _problems_of(journal, record), office, journal.printed_head(), sender=sender, party=party
    )


def make_minutes(journal: JournalReader, run: str, office: Office) -> Paper:
    """Given a run, return the berita acara of its backups. Raise Refused where it sealed none."""
    record = build_record(journal.events(run))
    good = [event for event in journal.events(run) if event.data.get("status") in FINISHED_WELL]
    sets, media = ([event for event in good if event.data.get("action") == name] for name in (SEAL, MEDIA))
    media = [event for event in media if event.data["outputs"].get("recheck_due")]  # else nothing was copied
    end = find_end(record, pair_activities(record))
    drill = find_latest(journal, DRILL, end + INSTANT)
    return build_minutes(record, sets, media, drill, office, journal.printed_head(), posts=posts_of(record))


def make_incident(journal: JournalReader, problem: KnownProblem, office: Office) -> Paper:
    """Given a problem, return the draft of the incident's report."""
    record = build_record(journal.events(problem.run))
    roles = read_roles(record.started)
    posts = {role: roles.get(role, role) for role in posts_of(record)}
    as_of = max(problem.last_seen, problem.solved_at or problem.last_seen)
    return build_incident(problem, office, journal.printed_head(), as_of=as_of, posts=posts)


def _problems_of(journal: JournalReader, record: Record) -> Sequence[KnownProblem]:
    """The problems that were there at the last thing that a run says, whichever playbook found them."""
    until = find_end(record, pair_activities(record))
    return problems(journal, Period(until, until + INSTANT))


def _role(role: str, record: Record, option: str) -> str:
    roles: Mapping[str, str] = (record.started.get("procedure") or {}).get("roles") or {}
    if role and role not in roles:
        raise refuse(option, f"the procedure has no role '{role}'", did_you_mean(role, roles))
    return role
