"""What a plan will do, in sentences: what happens, when, by whom, and where it goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runner.contract import Effect
from runner.durations import Norm, render_duration, render_norm
from runner.messages import Language, Words
from runner.plan import Plan, PlannedStep, PlannedTask
from runner.playbook import Conduct, Decision, Route
from runner.playbook.order import order_steps
from runner.posts import name_either, split_roles
from runner.screen.tables import printable, wrap

MOST_NAMES = 6

_WORDS = {
    "intro": Words("{steps} kegiatan, {targets} objek.", "{steps} steps, {targets} targets."),
    "by_itself": Words("Berjalan sendiri {when}.", "It runs by itself {when}."),
    "problems": Words(
        "Dimulai hanya bila ada masalah yang masih terbuka.", "It begins only where a problem is still open."
    ),
    "after": Words("Dikerjakan sesudah kegiatan {steps}.", "It is done after step {steps}."),
    "at_once": Words("Dikerjakan sejak awal.", "It is done from the start."),
    "if": Words("Hanya bila {condition}.", "Only if {condition}."),
    "on": Words("Dikerjakan untuk {targets}.", "It is done for {targets}."),
    "once": Words("Dikerjakan satu kali, di komputer ini.", "It is done once, on this machine."),
    "nowhere": Words("Tidak ada objeknya saat ini.", "It has no target at present."),
    "actors": Words("Pelaksana: {actors}.", "Who acts: {actors}."),
    "limit": Words("Batas waktu: {limit}.", "Time limit: {limit}."),
    "reads": Words("{action}, hanya membaca", "{action}, only reads"),
    "changes": Words("{action}, mengubah sesuatu", "{action}, changes something"),
    "outside": Words("{action}, terlihat oleh pihak lain", "{action}, is seen by others"),
    "person": Words("menunggu {actors}: {question}", "waits for {actors}: {question}"),
    "at_most": Words(", paling lama {limit}", ", at most {limit}"),
    "each": Words(", untuk setiap {items}", ", for each of {items}"),
    "only_if": Words(", hanya bila {condition}", ", only if {condition}"),
    "retry": Words(", diulang sampai {count} kali bila gagal", ", tried again up to {count} times where it fails"),
    "always": Words(", juga sesudah kegagalan", ", also after a failure"),
    "as": Words(", sebagai pengguna {user}", ", as the user {user}"),
    "includes": Words(
        "Menjalankan SOP “{title}” ({steps} kegiatan).", "It carries out the SOP “{title}” ({steps} steps)."
    ),
    "results": Words("Hasil yang dicatat: {results}.", "What is recorded: {results}."),
    "fails": Words("Bila gagal, {route}.", "Where it fails, {route}."),
    "unreachable": Words("Bila tidak terjangkau, {route}.", "Where it cannot be reached, {route}."),
    "fails_both": Words("Bila gagal atau tidak terjangkau, {route}.", "Where it fails or cannot be reached, {route}."),
    "decision": Words("Keputusan: {question} {answers}.", "Decision: {question} {answers}."),
    "asked": Words("dijawab oleh {actors}", "answered by {actors}"),
    "computed": Words("dijawab dari hasil tugas", "answered from what the tasks found"),
    "stop": Words("objek itu tidak dilanjutkan", "that target goes no further"),
    "continue": Words("kegiatan lain tetap berjalan", "the other steps go on"),
    "next": Words("lanjut ke kegiatan berikutnya", "go on with the next step"),
    "end": Words("selesai", "the end"),
    "out": Words("keluar dari SOP ini", "out of this SOP"),
    "out_to": Words("lanjut ke SOP “{text}”", "go on with the SOP “{text}”"),
    "step": Words("ke kegiatan {step}", "to the step {step}"),
    "task": Words("ke tugas {task}", "to the task {task}"),
    "nobody": Words("siapa pun", "anyone"),
    "more": Words("dan {count} lainnya", "and {count} more"),
    "rehearsal": Words(
        "Uji coba dengan `sop plan` menjalankan {read} tugas yang hanya membaca dan meninjau {change} tugas yang "
        "mengubah sesuatu tanpa mengubahnya; {person} tugas menunggu orang.",
        "A dry run by `sop plan` does the {read} tasks that only read, and previews the {change} that change something "
        "without changing it; {person} tasks wait for people.",
    ),
    "not_chosen": Words("Tidak dipilih: {steps}.", "Not selected: {steps}."),
}
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_EFFECTS = {Effect.READ: "reads", Effect.CHANGE: "changes", Effect.OUTSIDE: "outside"}


class Telling(NamedTuple):
    """In which language, who holds a role today, and when a step runs by itself ("" where it does not)."""

    language: Language
    holders: Callable[[str], Sequence[str]]
    times: Mapping[str, str]


def explain_plan(plan: Plan, telling: Telling, width: int) -> str:
    """Given a plan, return what it will do, in sentences, at most `width` columns wide."""
    return "\n".join(
        line for text, indent in _Explanation(plan, telling).lines() for line in _wrap(text, indent, width)
    )


def _wrap(text: str, indent: str, width: int) -> list[str]:
    hanging = indent + "  " if text.startswith("- ") else indent
    return wrap(indent + printable(text), width, indent=hanging) if text else [""]


class _Explanation:
    def __init__(self, plan: Plan, telling: Telling) -> None:
        self._plan = plan
        self._telling = telling
        playbook = plan.playbook
        self._readings: Mapping[str, Any] = playbook.supplement.get("readings") or {}
        roles = playbook.procedure.get("roles") or {}
        self._roles = {role: self._reading(f"roles.{role}", str(label)) for role, label in roles.items()}
        self._numbers = {step.id: f"{number} ({step.id})" for number, step in enumerate(plan.steps, 1)}
        self._order = order_steps(playbook.steps)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Every sentence, with how far it is set in."""
        chosen = [step for step in self._plan.steps if step.selected]
        title = self._reading("title", self._plan.playbook.title)
        unit = self._plan.playbook.procedure.get("unit")
        yield f"{title}, {unit}" if unit else title, ""
        targets = {target.name for step in chosen for target in step.targets if target}
        yield self._say("intro", steps=len(chosen), targets=len(targets)), ""
        for number, step in enumerate(self._plan.steps, 1):
            if step.selected:
                yield "", ""
                yield f"{number}. {self._reading(f'steps.{step.id}.activity', step.step.activity)} ({step.id})", ""
                yield from ((sentence, " " * 3) for sentence in self._sentences(step))
                yield from ((f"- {task}", " " * 3) for task in map(self._task, step.tasks))
                yield from ((sentence, " " * 3) for sentence in self._ways(step))
        yield "", ""
        if left := [step.id for step in self._plan.steps if not step.selected]:
            yield self._say("not_chosen", steps=self._some(left)), ""
        yield self._rehearsal(chosen), ""

    def _say(self, key: str, **values: object) -> str:
        return str(getattr(_WORDS[key], self._telling.language)).format(**values)

    def _reading(self, place: str, text: str) -> str:
        """How the court reads what stands at a place of the form, on one line."""
        return " ".join(str(self._readings.get(place, text)).split())

    def _sentences(self, step: PlannedStep) -> Iterator[str]:
        """When, where, by whom, within what time."""
        yield self._begins(step)
        if step.step.conduct.when:
            yield self._say("if", condition=_bare(step.step.conduct.when))
        names = [target.name for target in step.targets if target]
        yield self._say("on", targets=self._some(names)) if names else self._say("once" if step.once else "nowhere")
        if step.actors:
            yield self._say("actors", actors=self._people(step.actors))
        yield self._say("limit", limit=self._norm(step.step.norm))
        if step.child:
            yield self._say("includes", title=step.child.playbook.title, steps=len(step.child.steps))

    def _begins(self, step: PlannedStep) -> str:
        before = [self._numbers[name] for name in self._order.before.get(step.id, ())]
        problems = self._plan.playbook.after_problems
        first = step.id in problems and not problems.intersection(self._order.before.get(step.id, ()))
        if (when := self._telling.times.get(step.id)) and (first or step.id not in problems):
            return " ".join([self._say("by_itself", when=when), *([self._say("problems")] if first else ())])
        if first:
            return self._say("problems")
        return self._say("after", steps=self._some(before)) if before else self._say("at_once")

    def _norm(self, norm: Norm) -> str:
        meaning = render_norm(norm, self._telling.language)
        return f"{norm.text} ({meaning})" if norm.text and norm.text != meaning else meaning

    def _task(self, task: PlannedTask) -> str:
        conduct = task.task.conduct
        question = " ".join(_EXPRESSION.sub("…", str(task.task.inputs.get("question", ""))).split())
        if task.action.person:
            told = self._say("person", actors=self._people(task.roles), question=question)
        else:
            limit = self._say("at_most", limit=render_duration(task.limit, self._telling.language))
            told = self._say(_EFFECTS[task.effect], action=task.action.name) + limit
        parts = [f"{task.id}: {told}", *self._conduct(conduct)]
        decision = task.task.decision
        return "".join(parts) + (f". {self._decision(decision, task.roles)}" if decision else "")

    def _conduct(self, conduct: Conduct) -> Iterator[str]:
        if conduct.when:
            yield self._say("only_if", condition=_bare(conduct.when))
        if conduct.for_each is not None:
            yield self._say("each", items=_bare(conduct.for_each))
        if conduct.retry.count:
            yield self._say("retry", count=conduct.retry.count)
        if conduct.always:
            yield self._say("always")
        if conduct.run_as:
            yield self._say("as", user=conduct.run_as)

    def _ways(self, step: PlannedStep) -> Iterator[str]:
        """What comes out, and where it goes on."""
        if step.step.outputs:
            texts = (self._reading(f"steps.{step.id}.outputs.{n}", o.text) for n, o in enumerate(step.step.outputs))
            yield self._say("results", results="; ".join(texts))
        yield from self._failures(step) if step.tasks else ()
        if step.decision:
            yield self._decision(step.decision, step.deciders)

    def _failures(self, step: PlannedStep) -> Iterator[str]:
        fails, lost = step.step.conduct.on_failure, step.step.conduct.on_unreachable
        if fails == lost:
            yield self._say("fails_both", route=self._route(fails))
        else:
            yield self._say("fails", route=self._route(fails))
            yield self._say("unreachable", route=self._route(lost))

    def _decision(self, decision: Decision, deciders: Sequence[str]) -> str:
        who = self._say("computed") if decision.value else self._say("asked", actors=self._people(deciders))
        answers = [f"“{label}”: {self._route(route)}" for label, route in decision.answers.items()]
        return self._say("decision", question=decision.question, answers=f"({who}) {'; '.join(answers)}")

    def _route(self, route: Route) -> str:
        words = {"step": self._numbers.get(route.step, ""), "task": route.task, "text": route.text}
        return self._say("out_to" if route.text else route.kind, **words)

    def _people(self, roles: Sequence[str]) -> str:
        told = []
        for role in roles:
            names = [name for each in split_roles(role) for name in self._telling.holders(each)]
            label = name_either(role, self._roles)
            told.append(f"{label} ({self._some(names)})" if names else label)
        return ", ".join(told) or self._say("nobody")

    def _some(self, names: Sequence[str]) -> str:
        shown = ", ".join(names[:MOST_NAMES])
        left = len(names) - MOST_NAMES
        return f"{shown} {self._say('more', count=left)}" if left > 0 else shown

    def _rehearsal(self, steps: Sequence[PlannedStep]) -> str:
        tasks = [task for step in steps for task in step.tasks]
        people = sum(task.action.person for task in tasks)
        reads = sum(task.effect is Effect.READ and not task.action.person for task in tasks)
        return self._say("rehearsal", read=reads, change=len(tasks) - people - reads, person=people)


def _bare(written: Any) -> str:
    """An expression without its braces; anything else as it is."""
    if isinstance(written, list):
        return ", ".join(map(str, written))
    return str(written).strip().removeprefix("{{").removesuffix("}}").strip()
