"""How an option is declared as a field of a dataclass, and what is made from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from suite.errors import SuiteError, unknown
from suite.privacy import without_credentials, without_home

DATA, SYSTEMS, TRAINING = "Data", "Systems", "Training"
SEARCH, RESOURCES = "Search", "Vectors, encoders, parsers"
MACHINE, OUTPUT = "Machine", "Output"
PANELS = (DATA, SYSTEMS, TRAINING, SEARCH, RESOURCES, MACHINE, OUTPUT)


@dataclass(frozen=True)
class Declared:
    """How a command line shows an option.

    Attributes:
        text: its help.
        name: on the command line; None: the field's, with dashes.
        shown: its default in the help, where the field's own says nothing.
        least, most: bounds of a number.
        panel: under which heading the help lists it.
        kind: what a refusal calls its value, where it is one of a `Literal`.
        former: values of such an option that earlier versions took -> what stands for each now.
        positional: whether it is an argument without a name.
        recorded: whether it is part of what a command can be given again by.
    """

    text: str
    name: str | None = None
    shown: str | None = None
    least: float | None = None
    most: float | None = None
    panel: str = OUTPUT
    positional: bool = False
    kind: str = "value"
    former: Mapping[str, str] = field(default_factory=dict)
    recorded: bool = True


def option(default: Any, text: str, **how: Any) -> Any:
    """A field that is an option; see `Declared`. Without a default it has to be given."""
    metadata = {"declared": Declared(text, **how)}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def declared(options: type) -> dict[str, Declared]:
    """The options of a dataclass by field; fields that are none are left out."""
    return {f.name: f.metadata["declared"] for f in fields(options) if f.metadata}


def spelt(name: str, how: Declared) -> str:
    """An option as the command line and configuration files spell it, without dashes before it."""
    return how.name or name.replace("_", "-")


def refuse_other_values(options: type, values: Mapping[str, Any]) -> None:
    """Checks the values of options that are one of a `Literal`.

    Args:
        options: the dataclass.
        values: of some of its fields.

    Raises:
        SuiteError: one is none of them, which is answered with the nearest, or was one once.
    """
    hints = get_type_hints(options)
    for name, how in declared(options).items():
        if name not in values or get_origin(hints[name]) is not Literal:
            continue
        value, choices = values[name], get_args(hints[name])
        if value in how.former:
            raise SuiteError(f"--{spelt(name, how)} {value} is no more", remedy=how.former[value])
        if value not in choices:
            raise unknown(how.kind, str(value), choices)


def as_configuration(options: Any) -> dict[str, Any]:
    """What was asked for beyond the defaults, as a configuration file holds it."""
    found: dict[str, Any] = {}
    known: Mapping[str, Declared] = declared(type(options))
    for each in fields(options):
        how, value = known.get(each.name), getattr(options, each.name)
        if how is not None and how.recorded and value != each.default:
            found[spelt(each.name, how)] = _kept(value)
    return found


def _kept(value: Any) -> Any:
    if isinstance(value, list):
        return [_kept(one) for one in value]
    return without_home(without_credentials(str(value))) if isinstance(value, Path | str) else value


def shared(options: Any, other: type) -> dict[str, Any]:
    """The values of the options that another dataclass has as well."""
    return {name: getattr(options, name) for name in declared(other)}
