"""All actions, by the name that a playbook writes. A new one is its file, a line here and its test."""

from __future__ import annotations

from runner.actions import (
    backup_database,
    backup_files,
    backup_seal,
    command_run,
    logs_scan,
    person_do,
    person_sign,
    report_situation,
    service_due,
    website_available,
    website_updated,
)
from runner.contract import Action

ACTIONS: dict[str, Action] = {
    "website.available": website_available.ACTION,
    "website.updated": website_updated.ACTION,
    "backup.database": backup_database.ACTION,
    "backup.files": backup_files.ACTION,
    "backup.seal": backup_seal.ACTION,
    "logs.scan": logs_scan.ACTION,
    "service.due": service_due.ACTION,
    "report.situation": report_situation.ACTION,
    "person.sign": person_sign.ACTION,
    "person.do": person_do.ACTION,
    "command.run": command_run.ACTION,
}
