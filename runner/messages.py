"""What people read, in Indonesian and English: a table of words; dates, numbers and sizes as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, tzinfo
from typing import Literal, NamedTuple

Language = Literal["id", "en"]


class Words(NamedTuple):
    """One message in both languages; `{name}` is filled in by `say`."""

    id: str
    en: str


WEEKDAYS = (
    Words("Senin", "Monday"),
    Words("Selasa", "Tuesday"),
    Words("Rabu", "Wednesday"),
    Words("Kamis", "Thursday"),
    Words("Jumat", "Friday"),
    Words("Sabtu", "Saturday"),
    Words("Minggu", "Sunday"),
)

MONTHS = (
    Words("Januari", "January"),
    Words("Februari", "February"),
    Words("Maret", "March"),
    Words("April", "April"),
    Words("Mei", "May"),
    Words("Juni", "June"),
    Words("Juli", "July"),
    Words("Agustus", "August"),
    Words("September", "September"),
    Words("Oktober", "October"),
    Words("November", "November"),
    Words("Desember", "December"),
)

MESSAGES: dict[str, Words] = {
    "status.ok": Words("selesai", "done"),
    "status.changed": Words("selesai dengan perubahan", "changed"),
    "status.failed": Words("gagal", "failed"),
    "status.timed_out": Words("melewati batas waktu", "timed out"),
    "status.unreachable": Words("tidak terjangkau", "unreachable"),
    "status.waiting": Words("menunggu", "waiting"),
    "status.interrupted": Words("terhenti", "interrupted"),
    "status.skipped": Words("dilewati", "skipped"),
    "reason.condition": Words("syaratnya tidak terpenuhi", "its condition does not hold"),
    "reason.not_selected": Words("tidak dipilih", "not selected"),
    "reason.previewed": Words("hanya ditinjau", "previewed"),
    "reason.not_checked": Words("tidak dapat diperiksa sebelumnya", "cannot be checked beforehand"),
    "reason.blocked": Words("terhalang karena ada nilai yang belum tersedia", "blocked by a value that is not there"),
    "severity.minor": Words("ringan", "minor"),
    "severity.major": Words("berat", "major"),
    "severity.critical": Words("kritis", "critical"),
    "state.open": Words("terbuka", "open"),
    "state.handled": Words("ditangani", "handled"),
    "state.solved": Words("selesai", "solved"),
    "state.accepted": Words("diterima", "accepted"),
    "deviation.late": Words("terlambat; batas waktunya {detail}", "late: it was due {detail}"),
    "deviation.no_output": Words("output '{detail}' tidak tercatat", "no value for output '{detail}'"),
    "deviation.same_person": Words(
        "pelaksana, pemeriksa, dan yang menyetujui tidak terpisah: {detail}",
        "who performs, checks and approves was not kept apart: {detail}",
    ),
    "deviation.same_paper": Words(
        "pindaian yang sama sudah dipakai sebagai bukti tanda tangan kegiatan '{detail}'",
        "the same scan already proves the signature of step '{detail}'",
    ),
    "counted.working_time": Words(
        "Dihitung menurut jam kerja kantor: istirahat, malam, dan hari libur tidak ikut dihitung.",
        "Counted in the office's working hours: breaks, nights and holidays do not count.",
    ),
    "counted.days_by_close": Words(
        "Jatuh tempo pada jam tutup kantor di hari kerja ke-{detail} sesudah hari mulai.",
        "Due at the office's close on working day {detail} after the day it starts on.",
    ),
    "counted.days_by_hours": Words(
        "Jatuh tempo ketika jam kerja yang terpakai mencapai {detail} kali jam kerja hari berakhirnya.",
        "Due when the working time used is {detail} times the hours of the day on which it ends.",
    ),
    "counted.period": Words(
        "Jatuh tempo pada jam tutup kantor di hari kerja terakhir dalam jangka waktu itu.",
        "Due at the office's close on the last working day in that time.",
    ),
    "counted.clock": Words(
        "Dihitung terus-menerus, {detail} x 24 jam: tidak berhenti pada malam dan hari libur.",
        "Counted without a pause, {detail} x 24 hours: through nights and holidays.",
    ),
    "counted.elsewhere": Words(
        "Batas waktunya ditetapkan di luar SOP ini: diukur, tidak dinilai.",
        "Its limit is set elsewhere: measured, not judged.",
    ),
    "counted.continuous": Words(
        "Berlangsung terus-menerus: diukur, tidak dinilai.", "It goes on all the time: measured, not judged."
    ),
    "counted.none": Words("Tanpa batas waktu: diukur, tidak dinilai.", "Without a limit: measured, not judged."),
    "counted.late_bound": Words("Dari rentang itu batas akhirnya yang berlaku.", "Of the range its late bound counts."),
    "counted.estimated": Words(
        "{detail}, masih perkiraan: jatuh tempo dapat berubah.", "{detail}, is an estimate: the due time may move."
    ),
    "counted.leave_unknown": Words(
        "Cuti bersama sesudah {detail} belum ada dalam data: jatuh tempo dapat berubah.",
        "Collective leave after {detail} is not in the data yet: the due time may move.",
    ),
    "short": Words("{weekday} {day} {month} {hour}.{minute}", "{weekday} {day} {month} {hour}:{minute}"),
    "turn_title": Words("Bola di tangan siapa", "Whose turn it is"),
    "turn_run": Words("pelaksanaan", "run"),
    "turn_step": Words("kegiatan", "step"),
    "turn_whose": Words("di tangan", "waits for"),
    "turn_since": Words("sejak", "since"),
    "turn_time": Words("waktu kerja", "working time"),
    "turn_left": Words("sisa {time}", "{time} left"),
    "turn_overdue": Words("lewat {time}", "{time} overdue"),
    "turn_clock": Words("{time} (jam dinding)", "{time} (by the clock)"),
    "turn_unlimited": Words("tanpa batas", "no limit"),
    "turn_running": Words("sistem sedang bekerja", "the machine is at work"),
    "turn_goes_on": Words("sedang berjalan", "goes on"),
    "turn_can_go_on": Words("dapat dilanjutkan", "can go on"),
    "turn_anyone": Words("siapa pun yang mengetahuinya", "whoever knows"),
    "turn_outsider": Words("pihak luar: {role}", "outside: {role}"),
    "turn_nobody": Words("tanpa pemangku", "nobody holds it"),
    "turn_party": Words(
        "pada pihak ketiga {party} sejak {since}, {time} waktu kerja: {note}",
        "with {party}, a third party, since {since}, {time} of working time: {note}",
    ),
    "turn_outside": Words("pernah pada pihak ketiga: {time} waktu kerja", "was with third parties: {time}"),
    "turn_told": Words("sudah disampaikan kepada {persons}, {at}", "{persons} was told, {at}"),
    "turn_untold": Words("belum tersampaikan kepada {persons}, {at}", "{persons} could not be told, {at}"),
    "turn_note": Words(
        "--note '…' menambahkan catatan, alasan, atau apa yang dikerjakan",
        "--note '…' adds a remark, the reason, or what was done",
    ),
    "turn_read": Words("untuk membacanya lebih dahulu", "to read it first"),
    "turn_signed": Words("menandatangani", "to sign"),
    "turn_returned": Words("mengembalikan", "to send it back"),
    "turn_then": Words("kemudian", "then"),
    "moment": Words("{date} pukul {hour}.{minute} {zone}", "{date} at {hour}:{minute} {zone}"),
}

ZONES = {"UTC+07:00": "WIB", "UTC+08:00": "WITA", "UTC+09:00": "WIT"}  # a recorded time keeps its offset, not its zone
SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


def readable(text: str, instead: str = "?") -> str:
    """Given text from anywhere, return it with `instead` for each character that steers what shows it."""
    return "".join(character if character.isprintable() else instead for character in text)


def say(key: str, language: Language, **values: object) -> str:
    """Given a key of MESSAGES and the values it names, return the message. Raise KeyError for what is not there."""
    return str(getattr(MESSAGES[key], language)).format(**values)


def render_deviation(deviation: str, zone: tzinfo) -> str:
    """Given a deviation as recorded ("kind: detail"), return it in Indonesian, times by the clock of `zone`."""
    kind, _, detail = deviation.partition(": ")
    key = f"deviation.{kind}"
    if key not in MESSAGES:
        return deviation
    with suppress(ValueError):
        detail = render_moment(datetime.fromisoformat(detail).astimezone(zone), "id")
    return say(key, "id", detail=detail)


def render_counted(counted: str, language: Language) -> str:
    """Given how a due time is counted as recorded ("kind: detail"), return it as a sentence, days written out."""
    kind, _, detail = counted.partition(": ")
    if f"counted.{kind}" not in MESSAGES:
        return counted
    before, _, last = detail.rpartition(", ")
    with suppress(ValueError):
        detail = ", ".join(filter(None, (before, render_date(date.fromisoformat(last), language))))
    return say(f"counted.{kind}", language, detail=detail)


def render_date(day: date, language: Language) -> str:
    """Given a day, return it with its weekday: "Selasa, 24 Maret 2026"."""
    return f"{getattr(WEEKDAYS[day.weekday()], language)}, {render_day(day, language)}"


def render_day(day: date, language: Language) -> str:
    """Given a day, return it without its weekday, as papers are dated: "24 Maret 2026"."""
    return f"{day.day} {getattr(MONTHS[day.month - 1], language)} {day.year}"


def render_moment(moment: datetime, language: Language) -> str:
    """Given an aware time in the office's zone, return it in full: "Selasa, 24 Maret 2026 pukul 15.30 WIB"."""
    hour, minute, zone = f"{moment:%H}", f"{moment:%M}", moment.tzname() or ""
    date_ = render_date(moment, language)
    return say("moment", language, date=date_, hour=hour, minute=minute, zone=ZONES.get(zone, zone)).rstrip()


def render_short(moment: datetime, language: Language) -> str:
    """Given an aware time in the office's zone, return it for a table: "Sel 24 Mar 15.30"."""
    weekday, month = (getattr(word, language)[:3] for word in (WEEKDAYS[moment.weekday()], MONTHS[moment.month - 1]))
    hour, minute = f"{moment:%H}", f"{moment:%M}"
    return say("short", language, weekday=weekday, day=moment.day, month=month, hour=hour, minute=minute)


def render_minute(moment: datetime) -> str:
    """Given an aware time, return it by this machine's clock, with its zone: "2026-11-23 17:44 WIB"."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


def render_number(value: float, language: Language, *, decimals: int = 0) -> str:
    """Given a number, return it with separators and that many decimals: 1.234.567,5 in Indonesian."""
    text = f"{value:,.{decimals}f}"
    if language == "en":
        return text
    return text.translate(str.maketrans(",.", ".,"))


def render_size(size: int, language: Language) -> str:
    """Given a size in bytes, return it in the unit that fits (a kB is 1000 bytes): "1,5 MB"."""
    amount, unit = float(size), 0
    while unit < len(SIZES) - 1 and round(amount, 1) >= 1000:
        amount, unit = amount / 1000, unit + 1
    decimals = 0 if unit == 0 or amount >= 100 else 1
    return f"{render_number(amount, language, decimals=decimals)} {SIZES[unit]}"


def render_money(amount: float, currency: str) -> str:
    """Given an amount and its currency's code, return it as written: "Rp1.250.000,00", "USD 12,50"."""
    sign = "Rp" if currency == "IDR" else f"{currency} "
    return f"{sign}{render_number(amount, 'id', decimals=2)}"
