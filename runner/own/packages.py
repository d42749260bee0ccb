"""Actions of installed packages: entry points of the group `sop.actions`, `office.space = office_actions:SPACE`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from runner.contract import Action
from runner.errors import Mistake, Refused
from runner.own.declaration import check_own

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "sop.actions"


class Packaged(NamedTuple):
    """An action that a package offers; `rivals` are other packages that offer one of the same name."""

    name: str
    package: str
    entry: EntryPoint
    rivals: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """The package with its version, for the record."""
        return f"package {self.package} {self.entry.dist.version if self.entry.dist else ''}".rstrip()

    @property
    def place(self) -> str:
        """How messages name it."""
        return f"package {self.package}: {self.entry.value}"

    def taken(self) -> Mistake:
        """The mistake of a name that `sop` itself has; the built-in action is the one that runs."""
        return Mistake(self.place, 0, 0, f"there is an action '{self.name}' already, of sop itself", "rename it there")


def find_packaged() -> Mapping[str, Packaged]:
    """Return what the installed packages offer, by name. Nothing of theirs is loaded."""
    from importlib.metadata import entry_points  # loads email and zipfile: only where a name is not known

    found: dict[str, Packaged] = {}
    for entry in entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else "unknown"
        before = found.get(entry.name)
        if before is None:
            found[entry.name] = Packaged(entry.name, package, entry)
        elif package not in (before.package, *before.rivals):
            found[entry.name] = before._replace(rivals=(*before.rivals, package))
    return found


def load_packaged(packaged: Packaged) -> Action:
    """Load a package's action. Raise Refused where that fails, where its declaration is not whole, or where another
    package offers the same name."""
    if packaged.rivals:
        others = ", ".join(packaged.rivals)
        message = f"'{packaged.name}' is offered by {others} too"
        raise Refused(Mistake(packaged.place, 0, 0, message, "uninstall all but one"))
    try:
        action = packaged.entry.load()
    except Exception as error:  # noqa: BLE001  # whatever a package raises is told with its name
        message = f"it does not load: {type(error).__name__}: {error}"
        raise Refused(Mistake(packaged.place, 0, 0, message, "mend or uninstall it")) from None
    if wrong := [*check_own(action, packaged.name)]:
        raise Refused(*(Mistake(packaged.place, 0, 0, each.message, each.cure) for each in wrong))
    loaded: Action = action
    return loaded
