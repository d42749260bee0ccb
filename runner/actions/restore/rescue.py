"""The rescue set: what is live, sealed before a restore overwrites it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from runner.actions.backup.set_schema import BEFORE_RESTORE
from runner.actions.backup.sets import BackupSet, load_set
from runner.actions.restore.orders import Order
from runner.contract import Call
from runner.errors import Failed

LONGEST_AGE = timedelta(hours=24)
_SLACK = timedelta(minutes=5)
_CURE = (
    "back up what is live first: backup.database and backup.files with accept_smaller, then backup.seal with reason "
    f"{BEFORE_RESTORE}, and give its set as `rescue`"
)


def check_rescue(call: Call, order: Order, *, files: bool, database: bool) -> BackupSet | None:
    """Given what is live and would be overwritten, return the set that it can be brought back from; None where nothing
    is. Raise Failed without such a set."""
    if not files and not database:
        return None
    place = call.inputs.get("rescue")
    if not place:
        raise Failed(f"{order.target}: something is live there, and no rescue set is given. {_CURE}")
    found = load_set(Path(place).expanduser())
    if found.reason != BEFORE_RESTORE:
        raise Failed(f"{found.name}: it was not made before this restore, but for '{found.reason}'. {_CURE}")
    if not -_SLACK <= call.now - found.sealed <= LONGEST_AGE:
        raise Failed(f"{found.name}: it was not made today, so it does not hold what is live now. {_CURE}")
    if found.manifest["target"].get("name") != order.target:
        raise Failed(f"{found.name}: it is of another target. {_CURE}")
    sources = {part["source"] for part in found.parts}
    if files and not found.manifest.get("files"):  # files that are all as in its parent are in no part
        raise Failed(f"{found.name}: it holds no files, and the folder {order.root} is not empty. {_CURE}")
    if database and order.database not in sources:
        raise Failed(f"{found.name}: it does not hold {order.database}, which has tables. {_CURE}")
    return found
