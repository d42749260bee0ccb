"""`sop completion`: the Tab key of bash, zsh and fish knows targets, steps and runs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runner.commands.completing import VARIABLE
from runner.errors import refuse
from runner.screen import show

SHELLS = ("bash", "zsh", "fish")
PLACES = {
    "bash": ".local/share/bash-completion/completions/sop",
    "zsh": ".local/share/zsh/site-functions/_sop",
    "fish": ".config/fish/completions/sop.fish",
}
ZSH_NEEDS = "fpath=(~/.local/share/zsh/site-functions $fpath); autoload -U compinit; compinit"


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--install", is_flag=True, help="Put it where the shell looks for it, in your home.")
def command(shell: str | None, install: bool) -> int:
    """Print what makes the Tab key of SHELL complete commands, targets, steps and runs.

    SHELL is bash, zsh or fish; without it, the one that you use.
    """
    name = shell or _own_shell()
    script = render_script(name)
    if not install:
        click.echo(script, nl=False)
        return 0
    path = Path.home() / PLACES[name]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
    except OSError as error:
        raise refuse(str(path), error.strerror or str(error), "make it writable") from None
    show(f"{path}: written. open a new terminal")
    if name == "zsh":
        show(f"if ~/.zshrc has no such line yet, add: {ZSH_NEEDS}")
    return 0


def render_script(shell: str) -> str:
    """Given a shell's name, return the script by which it asks `sop` what to offer."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    return found(click.Group("sop"), {}, "sop", VARIABLE).source() + "\n"


def _own_shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise refuse("SHELL", f"yours is {name or 'not known'}", "name bash, zsh or fish")
    return name
