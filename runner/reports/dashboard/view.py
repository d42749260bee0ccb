"""What stands on the dashboard, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from runner.durations import render_duration
from runner.languages import translate
from runner.messages import MONTHS, render_moment, render_size
from runner.record.problems import KnownProblem
from runner.reports.dashboard.basis import Basis
from runner.reports.dashboard.compliance import Place, Tally, add
from runner.reports.dashboard.countdown import Countdown
from runner.reports.dashboard.sites import WORST_FIRST, Check, Site, State
from runner.reports.dashboard.waiting import Waiting
from runner.reports.pen import Pen
from runner.reports.values import shorten

LONGEST = 300
LONGEST_REASON = 140  # in the list of sites
SOON = 3600  # seconds of working time left
_UNITS = ((86400, "hari"), (3600, "jam"), (60, "menit"))
NONE = "–"
STATES: Mapping[State, tuple[str, str]] = {
    State.CRITICAL: ("✖", "Kritis"),
    State.MAJOR: ("▲", "Berat"),
    State.UNKNOWN: ("?", "Tidak diketahui"),
    State.MINOR: ("△", "Ringan"),
    State.OK: ("✔", "Baik"),
}


class Badge(NamedTuple):
    """A state as people see it: never by its colour alone."""

    kind: str
    sign: str
    word: str


class Fact(NamedTuple):
    """A text, what is said of it in small letters, and how it stands ("", "critical", "major", "unknown" or "ok")."""

    text: str
    small: str = ""
    kind: str = ""


class SiteRow(NamedTuple):
    """A site in the list."""

    name: str
    title: str
    url: str
    page: str
    badge: Badge
    why: tuple[str, ...]
    seen: Fact
    content: str
    backup: Fact
    drill: Fact
    nearest: Fact
    kept: Fact


class ProblemRow(NamedTuple):
    """An open problem."""

    badge: Badge
    where: str
    page: str
    message: str
    key: str
    since: Fact
    holder: Fact


class WaitingRow(NamedTuple):
    """An act that a person owes."""

    who: Fact
    step: str
    question: str
    procedure: str
    since: Fact
    left: Fact
    remark: str


class CheckRow(NamedTuple):
    """A task's last outcome on a site."""

    step: str
    task: str
    badge: Badge
    at: Fact
    message: str


class StepRow(NamedTuple):
    """How a step kept its norm and schedule this month."""

    activity: str
    procedure: str
    schedule: str
    tally: Tally
    share: Fact


def badge(state: State) -> Badge:
    """Given a state, return its sign and word."""
    return Badge(str(state), *STATES[state])


def share(tally: Tally) -> Fact:
    """Given a tally, return the share that was on time, and of how many."""
    if tally.percent is None:
        return Fact(NONE, "belum ada")
    kind = "ok" if tally.percent >= 95 else "major" if tally.percent >= 75 else "critical"
    return Fact(f"{tally.percent} %", f"{tally.on_time} dari {tally.expected} tepat waktu", kind)


class View:
    """Turns what was gathered into rows, by the office's clock."""

    def __init__(self, basis: Basis, now: datetime, pages: Mapping[str, str], names: Mapping[str, str]) -> None:
        self._basis = basis
        self._now = now
        self._pages = pages
        self._names = names
        self._pen = Pen(basis.calendar.office.zone)

    def time(self, moment: datetime) -> str:
        """A time in full."""
        return render_moment(moment.astimezone(self._basis.calendar.office.zone), "id")

    def short(self, moment: datetime) -> str:
        """A time in few letters: "24 Nov 2026 08.01"."""
        local = self._pen.local(moment)
        return f"{local.day} {MONTHS[local.month - 1].id[:3]} {local:%Y %H.%M}"

    def ago(self, moment: datetime) -> str:
        """How long ago something was, in its largest unit, rounded down."""
        seconds = (self._now - moment).total_seconds()
        size, unit = next((each for each in _UNITS if seconds >= each[0]), (60, ""))
        return f"{seconds // size:.0f} {unit} lalu" if unit else "baru saja"

    def at(self, moment: datetime | None, kind: str = "") -> Fact:
        """How long ago something was, and when."""
        return Fact(self.ago(moment), self.short(moment), kind) if moment else Fact("belum pernah", "", "unknown")

    def site(self, site: Site) -> SiteRow:
        """A site's row."""
        backup = self.at(site.backup.at if site.backup else None, "unknown" if site.backup_stale else "")
        if site.backup and isinstance(site.backup.outputs.get("total_bytes"), int):
            size = render_size(site.backup.outputs["total_bytes"], "id")
            backup = backup._replace(small=f"{backup.small}, {size}" + ("; data lama" if site.backup_stale else ""))
        return SiteRow(
            name=site.name,
            title=site.title,
            url=site.url,
            page=self._pages.get(site.name, ""),
            badge=badge(site.state),
            why=tuple(_first([*(shorten(p.message, LONGEST_REASON) for p in site.problems), *site.unknown], 3)),
            seen=self.at(site.seen, "unknown" if site.unknown else ""),
            content=self._day(site.newest),
            backup=backup,
            drill=self.at(site.drill.at if site.drill else None),
            nearest=self.countdown(site.countdowns[0]) if site.countdowns else Fact(NONE),
            kept=share(site.tally),
        )

    def countdown(self, countdown: Countdown) -> Fact:
        """How many days are left, and of what."""
        if countdown.days is None or countdown.expires is None:
            return Fact("tidak diketahui", countdown.what, "unknown")
        left = f"{countdown.days} hari lagi" if countdown.days > 0 else "hari ini"
        text = left if countdown.days >= 0 else f"lewat {-countdown.days} hari"
        return Fact(text, f"{countdown.what}, {self._day(countdown.expires.isoformat())}", countdown.level)

    def lapse(self, countdown: Countdown) -> tuple[str, str, str, Fact, Fact]:
        """A countdown's row: what, name, site, how long, as seen when."""
        site = self._names.get(countdown.site, countdown.site)
        return countdown.what, countdown.name, site, self.countdown(countdown), self.at(countdown.seen)

    def problem(self, problem: KnownProblem) -> ProblemRow:
        """A problem's row."""
        target = problem.target or ""
        return ProblemRow(
            badge=badge(State(str(problem.severity))),
            where=self._names.get(target, target) or "Kantor",
            page=self._pages.get(target, ""),
            message=shorten(problem.message, LONGEST),
            key=problem.key,
            since=self.at(problem.first_seen),
            holder=self._holder(problem),
        )

    def _holder(self, problem: KnownProblem) -> Fact:
        """Who has a problem in hand: the holders of the roles that its run waits for, or a machine."""
        if problem.holder is None:
            return Fact("belum ada", "", "major")
        procedure = self._basis.procedure(problem.playbook)
        names = [name for role in problem.holder.roles for name in self._basis.holders(role, self._now)]
        roles = ", ".join(procedure.role(role) if procedure else role for role in problem.holder.roles)
        return Fact(", ".join(names) or roles or "sedang dikerjakan sistem", roles if names else "")

    def waiting(self, waiting: Waiting) -> WaitingRow:
        """A row of what waits."""
        people = ", ".join(waiting.people) or "belum ada pejabat yang memegang peran ini"
        remarks = [f"ada pada pihak ketiga: {waiting.party}"] if waiting.party else []
        remarks += [f"sudah dieskalasi kepada {waiting.escalated}"] if waiting.escalated else []
        return WaitingRow(
            who=Fact(people, waiting.role, "" if waiting.people else "unknown"),
            step=waiting.activity,
            question=shorten(waiting.question, LONGEST),
            procedure=waiting.procedure,
            since=self.at(waiting.since),
            left=self._left(waiting),
            remark="; ".join(remarks),
        )

    def _left(self, waiting: Waiting) -> Fact:
        if waiting.left is None or waiting.due is None:
            return Fact("tanpa batas waktu")
        kind = "jam kerja" if waiting.pauses else "dihitung terus-menerus"
        until = f"{kind}; batas {self.short(waiting.due)}"
        if waiting.due < self._now:
            return Fact(f"terlambat {render_duration(-waiting.left, 'id', days=False)}", until, "critical")
        soon = "major" if waiting.left < SOON else "ok"
        return Fact(f"sisa {render_duration(waiting.left, 'id', days=False)}", until, soon)

    def checks(self, site: Site) -> list[CheckRow]:
        """The rows of a site's own page: each task's last outcome, in the procedure's order."""
        ordered = sorted(
            site.checks, key=lambda check: (check.procedure.name, self._place(check), check.last.last.task)
        )
        return [self._check(check) for check in ordered]

    def _place(self, check: Check) -> int:
        return check.procedure.number_of(check.last.last.step)

    def _check(self, check: Check) -> CheckRow:
        last = check.last.last
        shown = Badge("ok", "✔", self._pen.status(last.status))
        if last.severities:
            shown = badge(min((State(str(each)) for each in last.severities), key=WORST_FIRST.index))
        if not check.last.known:
            shown = Badge("unknown", "?", self._pen.status(last.status))
        elif check.stale:
            shown = Badge("unknown", "?", "data lama")
        message = shorten(translate(last.message, "id"), LONGEST)
        return CheckRow(shorten(check.procedure.activity(last.step), 80), last.task, shown, self.at(last.at), message)

    def steps(self, tallies: Mapping[Place, Tally]) -> Iterator[StepRow]:
        """The month's rows, step by step over all targets."""
        by_step: dict[tuple[str, str], list[Tally]] = {}
        for (playbook, step, _), tally in tallies.items():
            by_step.setdefault((playbook, step), []).append(tally)
        for procedure in self._basis.procedures:
            for step in (str(row["id"]) for row in procedure.steps):
                if found := by_step.get((procedure.name, step)):
                    tally = add(found)
                    schedule = procedure.schedule(step) or "menurut kebutuhan"
                    yield StepRow(procedure.activity(step), procedure.title, schedule, tally, share(tally))

    def _day(self, text: str) -> str:
        try:
            day = date.fromisoformat(text[:10])
        except ValueError:
            return shorten(text, 40) or NONE
        return f"{day.day} {MONTHS[day.month - 1].id[:3]} {day.year}"


def _first(texts: Sequence[str], most: int) -> list[str]:
    """The first texts, and how many there are besides."""
    left = len(texts) - most
    return [*texts[:most], *([f"dan {left} hal lain"] if left > 0 else [])]
