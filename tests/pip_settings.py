"""Where pip finds packages on this machine, for tests that install some: they have a home of their own."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def pip_settings() -> dict[str, str]:
    """The settings that let pip read the configuration of whoever runs the tests; nothing where there is none."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    files = [path for path in (home / ".config/pip/pip.conf", home / ".pip/pip.conf") if path.is_file()]
    return {"PIP_CONFIG_FILE": str(files[0])} if files and "PIP_CONFIG_FILE" not in os.environ else {}
