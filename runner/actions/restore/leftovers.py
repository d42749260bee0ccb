"""What restores that broke leave aside, and when nobody claims that any more: a plan's ID ends its name.

A run in progress claims its own for a day after it was last changed; the next restore of the same place removes the
others. What was live before (`lama`) is never removed.
"""

from __future__ import annotations

import re

from runner.actions.restore.orders import LONGEST_ID

CLAIMED_MINUTES = 24 * 60
ID_GLOB = "[0-9a-f]" * LONGEST_ID
ID_PATTERN = f"[0-9a-f]{{{LONGEST_ID}}}"
# Removes what stands under the names $@, where that was not changed for $minutes; where find cannot tell, all stays.
SWEEP = """sweep() {
    for left; do
        [ -e "$left" ] && [ ! -L "$left" ] || continue
        [ -z "$(find "$left" -prune -cmin "+$minutes" 2>/dev/null)" ] || rm -rf -- "$left"
    done
}
"""


def pattern_of_others(new: str) -> str | None:
    """Given the name of a database that a restore loads ("joomla_pulih_3f2a91c07d15"), return the pattern of what other
    restores of it load; None for a name of another kind, such as a drill's."""
    found = re.fullmatch(f"(.*_pulih_){ID_PATTERN}", new)
    return f"^{re.escape(found[1])}{ID_PATTERN}$" if found else None
