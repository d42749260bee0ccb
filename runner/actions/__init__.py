"""All actions, by the name that a playbook writes. A new one is its file, a line here and its test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from runner.contract import Action

_FILES = {
    "website.available": "website_available",
    "website.updated": "website_updated",
    "website.integrity": "website_integrity",
    "website.maintenance": "website_maintenance",
    "website.content": "website_content",
    "tls.certificate": "tls_certificate",
    "backup.database": "backup_database",
    "backup.files": "backup_files",
    "backup.seal": "backup_seal",
    "backup.media": "backup_media",
    "backup.register": "backup_register",
    "backup.verify": "backup_verify",
    "backup.catalogue": "backup_catalogue",
    "backup.compare": "backup_compare",
    "backup.restore": "backup_restore",
    "backup.drill": "backup_drill",
    "backup.prune": "backup_prune",
    "logs.discover": "logs_discover",
    "logs.fetch": "logs_fetch",
    "logs.scan": "logs_scan",
    "evidence.purge": "evidence_purge",
    "domain.status": "domain_status",
    "service.due": "service_due",
    "service.renewed": "service_renewed",
    "service.calendar": "service_calendar",
    "problem.alternatives": "problem_alternatives",
    "record.backup": "record_backup",
    "report.situation": "report_situation",
    "logs.block": "logs_block",
    "notify.send": "notify_send",
    "person.sign": "person_sign",
    "person.do": "person_do",
    "command.run": "command_run",
}


class _Actions(Mapping[str, Action]):
    """Loads an action's file when it is first asked for: a run pays for those that its playbook names."""

    def __getitem__(self, name: str) -> Action:
        action: Action = import_module(f"runner.actions.{_FILES[name]}").ACTION
        return action

    def __iter__(self) -> Iterator[str]:
        return iter(_FILES)

    def __len__(self) -> int:
        return len(_FILES)

    def __contains__(self, name: object) -> bool:
        return name in _FILES


ACTIONS: Mapping[str, Action] = _Actions()
