"""What all command lines share: how options become parameters, and how a mistake ends them."""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_origin, get_type_hints

import typer
from rich.console import Console

from runners.cli.configuration import read_configuration
from runners.cli.texts import refuse_what_cannot_be
from runners.options.declared import PANELS, Declared, declared, refuse_other_values, spelt
from suite.errors import SuiteError

O = TypeVar("O")  # noqa: E741 - the options of a command

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


def script(options: type[O], command: Callable[[O], None]) -> Callable[[], None]:
    """The command line of a function of options, as a script starts it.

    Args:
        options: the dataclass whose fields are options (`runners.options`).
        command: is called with one; its docstring is the help.
    """
    known = declared(options)

    def call(**values: Any) -> None:
        for name in ("config", "version"):
            del values[name]
        with user_errors():
            for name, value in values.items():
                refuse_what_cannot_be(_called(name, known[name]), value)
            refuse_other_values(options, values)
            command(options(**values))

    parameters = [*_parameters(options), _CONFIG, _VERSION]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    call.__doc__ = inspect.getdoc(command)
    app = typer.Typer(
        pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
    )
    app.command()(call)

    def run() -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # files may be called by any bytes
                stream.reconfigure(errors="backslashreplace")
        app(prog_name=Path(sys.argv[0]).name)

    return run


def _parameters(options: type) -> Iterator[inspect.Parameter]:
    """Arguments first, then options heading by heading."""
    hints, known = get_type_hints(options), declared(options)
    order = sorted(
        (field for field in fields(options) if field.name in known),
        key=lambda f: (not known[f.name].positional, PANELS.index(known[f.name].panel)),
    )
    for field in order:
        how = known[field.name]
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        kind = inspect.Parameter.KEYWORD_ONLY
        # A value that is not one of a literal's is refused with the nearest, which typer does not.
        hint = str if get_origin(hints[field.name]) is Literal else hints[field.name]
        annotation = Annotated[hint, _shown(field.name, how)]  # type: ignore[valid-type]
        yield inspect.Parameter(field.name, kind, default=default, annotation=annotation)


def _called(name: str, how: Declared) -> str:
    """An option, or an argument, as the help calls it."""
    name = spelt(name, how)
    return name.upper().replace("-", "_") if how.positional else f"--{name}"


def _shown(name: str, how: Declared) -> Any:
    default = True if how.shown is None else how.shown
    if how.positional:
        return typer.Argument(help=how.text, show_default=default, metavar=_called(name, how))
    return typer.Option(
        _called(name, how),
        help=how.text,
        show_default=default,
        min=how.least,
        max=how.most,
        rich_help_panel=how.panel,
    )


def _say_version(asked: bool) -> None:
    if asked:
        console.print(f"relation-suite {version('relation-suite')}", markup=False)
        raise typer.Exit


def _configure(context: typer.Context, path: Path | None) -> None:
    if path is not None:
        with user_errors():
            refuse_what_cannot_be("--config", path)
            context.default_map = read_configuration(path, context.command.params, context)


def _extra(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


_CONFIG = _extra(
    "config",
    Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="YAML file of options by name, or the suite.json of a run; options of the command "
            "line hold against it.",
            callback=_configure,
            is_eager=True,
        ),
    ],
    None,
)
_VERSION = _extra(
    "version",
    Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and stop.", callback=_say_version, is_eager=True
        ),
    ],
    False,
)
