"""What all command lines share: where they print, and how a user's mistake ends them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console

from suite.errors import SuiteError

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def user_errors() -> Iterator[None]:
    """Ends the command with the message, and no traceback, for what a user can mend."""
    try:
        yield
    except SuiteError as error:
        errors.print(f"error: {error}", markup=False)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        errors.print("interrupted: the same command goes on where it stopped")
        raise typer.Exit(130) from None


def script(command: Callable[..., None]) -> Callable[[], None]:
    """The command line of a function, as a script starts it."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)

    def run() -> None:
        app(prog_name=Path(sys.argv[0]).name)

    return run
