"""Habits brought from Ansible and from the forms: their words, and how the same is written here."""

from __future__ import annotations

from collections.abc import Mapping

ANSIBLE: Mapping[str, str] = {
    "hosts": "write targets:",
    "name": "write activity: on a step; a task has an id:",
    "become": "write run_as: root",
    "become_user": "write run_as:",
    "failed_when": "let the command exit with an error, and read its outputs in a later task",
    "changed_when": "write effect: read on a command that changes nothing",
    "ignore_errors": "write on_failure: continue",
    "ignore_unreachable": "write on_unreachable: continue",
    "delegate_to": "give the step other targets:, or none to run on this machine",
    "register": "outputs are kept by themselves: read {{ tasks.ID.OUTPUT }}",
    "loop": "write for_each:",
    "with_items": "write for_each:",
    "until": "write retry: {count: 3, pause: 10s}",
    "retries": "write retry: {count: 3, pause: 10s}",
    "delay": "write retry: {count: 3, pause: 10s}",
    "run_once": "leave out targets:, or write once: true",
    "timeout": "write time_limit:",
    "async": "write time_limit:",
    "poll": "write time_limit:",
    "block": "write the tasks one after another; on_failure: and always: stand on each",
    "rescue": "write on_failure: {step: …}",
    "notify": "write a later task with when:",
    "handlers": "write a later task with when:",
    "tags": "choose steps with --only",
    "roles": "write include: on a step",
    "import_playbook": "write include: on a step",
    "gather_facts": "leave it out: nothing is gathered",
    "environment": "write env: under with:",
    "args": "write them under with:",
    "no_log": "leave it out: secrets are masked by value",
    "check_mode": "leave it out: what only reads runs in a dry run",
    "serial": "use --forks",
    "shell": "write action: command.run, with: {command: …}",
    "command": "write action: command.run, with: {argv: […]}",
    "vars": "write vars: at the top, beside steps:",
    "pre_tasks": "write them as the first tasks",
    "post_tasks": "write them as the last tasks",
    "listen": "write a later task with when:",
    "connection": "write it on the server in the inventory",
    "vars_files": "use -e @file",
    "strategy": "leave it out: targets never wait for each other",
    "any_errors_fatal": "write a decide:, or read {{ steps.ID.each }} in a step that runs once",
    "max_fail_percentage": "read {{ steps.ID.each }} in a step that runs once",
}
FORM: Mapping[str, str] = {
    "prosedur": "procedure",
    "langkah": "steps",
    "tahapan": "steps",
    "tambahan": "supplement",
    "jadwal": "schedule",
    "peran": "roles",
    "peranan": "roles",
    "sasaran": "targets",
    "tugas": "tasks",
    "tindakan": "action",
    "batas_waktu": "time_limit",
    "masukan": "inputs",
    "nilai": "value",
    "teks": "text",
    "no": "number",
    "nomor": "number",
    "kegiatan": "activity",
    "aktivitas": "activity",
    "uraian": "activity",
    "pelaksana": "actor",
    "pelaku": "actor",
    "kelengkapan": "inputs",
    "persyaratan": "inputs",
    "waktu": "time_limit",
    "keluaran": "outputs",
    "hasil": "outputs",
    "keterangan": "remark",
    "catatan": "remark",
    "judul": "title",
    "nama": "title",
    "dasar_hukum": "legal_basis",
    "kualifikasi": "qualifications",
    "keterkaitan": "related",
    "peralatan": "equipment",
    "peringatan": "warning",
    "pencatatan": "records",
    "keputusan": "decide",
    "jawaban": "answers",
}
PLACES: Mapping[str, str] = {
    **dict.fromkeys(("schedule", "escalation", "readings", "actors", "outside"), "write it under supplement:"),
    **dict.fromkeys(("action", "effect"), "write it on a task of the step"),
    "targets": "write it on the step",
}
LEADS = "write next, end, out, {step: ID}, {task: ID} or {out: another SOP}"
PLAYS = ("a list of plays, as Ansible has them, stands here", "write procedure: and steps:; a play becomes a step")


def find_cure(key: str) -> str:
    """Given a key that is not known here, return how the same is written; "" where neither Ansible nor
    the forms have it."""
    collection, _, module = key.rpartition(".")
    if collection.startswith("ansible."):
        return ANSIBLE.get(module, "write action:; `sop actions` lists what there is")
    word = FORM.get(key.casefold().replace(" ", "_"))
    return f"write {word}:" if word else ANSIBLE.get(key) or PLACES.get(key, "")
