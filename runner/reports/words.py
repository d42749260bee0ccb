"""The words of the form's supplement, in Indonesian and English; one place for both, so that neither falls behind."""

from __future__ import annotations

from collections.abc import Mapping

from runner.messages import Language

Words = Mapping[str, str]

_ID = {
    "no": "No",
    "activity": "Aktivitas",
    "performer": "Pelaksana",
    "remarks": "Keterangan",
    "inputs": "Kelengkapan",
    "time": "Waktu",
    "outputs": "Output",
    "notes": "Keterangan",
    "supplement": "PELENGKAP PELAKSANAAN",
    "supplement_use": "Ditetapkan untuk menjalankan SOP; bukan bagian dari naskah SOP.",
    "readings": "Pembacaan bagian yang kurang terbaca",
    "place": "Tempat",
    "form_title": "Judul",
    "written": "Tertulis",
    "read": "Dibaca",
    "actors": "Pelaksana yang tidak ternyata dari naskah",
    "schedule": "Jadwal",
    "steps": "Kegiatan",
    "cron": "Waktu (cron)",
    "after_problems": "Dimulai oleh permasalahan terbuka: kegiatan",
    "outside": "Pihak di luar satuan kerja",
    "escalation": "Eskalasi",
    "overdue": "Terlambat",
    "told": "Diberitahukan kepada",
}
_EN = {
    "no": "No",
    "activity": "Activity",
    "performer": "Performer",
    "remarks": "Remarks",
    "inputs": "Inputs",
    "time": "Time",
    "outputs": "Output",
    "notes": "Notes",
    "supplement": "SUPPLEMENT",
    "supplement_use": "Added in order to carry the procedure out; no part of its text.",
    "readings": "Readings of places that are hard to read",
    "place": "Place",
    "form_title": "Title",
    "written": "Written",
    "read": "Read as",
    "actors": "Performers that the text does not show",
    "schedule": "Schedule",
    "steps": "Steps",
    "cron": "Time (cron)",
    "after_problems": "Started by open problems: steps",
    "outside": "People outside the office",
    "escalation": "Escalation",
    "overdue": "Overdue by",
    "told": "Told to",
}
WORDS: Mapping[Language, Words] = {"id": _ID, "en": _EN}
