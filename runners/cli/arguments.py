"""What command lines take: choices, settings and fields of the protocol, each refused by name."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from suite.errors import SuiteError, first_mistake, unknown
from suite.plain_yaml import NotPlainError, parse_yaml
from suite.protocol import Protocol

MOST_SHOWN = 200
MOST_SEEDS, LARGEST_SEED = 1000, 2**32 - 1


def seeds_of(asked: str) -> tuple[int, ...]:
    """`3` as seeds 0, 1 and 2; `4,5,6` as themselves.

    Raises:
        SuiteError: it is neither, or a seed stands twice.
    """
    try:
        numbers = [int(part) for part in asked.split(",") if part.strip()]
    except ValueError:
        numbers = []
    several = "," in asked
    least, most = (0, LARGEST_SEED) if several else (1, MOST_SEEDS)
    fits = numbers and min(numbers) >= least and max(numbers) <= most
    if not fits or len(set(numbers)) < len(numbers):
        raise SuiteError(
            f"--seeds {_short(asked)} is neither a number of seeds nor a list of different ones",
            remedy="As in --seeds 3 (seeds 0, 1, 2), --seeds 4,5,6, or --seeds 4, for one alone; "
            f"at most {MOST_SEEDS} seeds, of 32 bits.",
        )
    return tuple(numbers) if several else tuple(range(numbers[0]))


def cores() -> int:
    """Of the machine, each counted once."""
    import psutil  # noqa: PLC0415

    return psutil.cpu_count(logical=False) or 1


def overrides(assignments: list[str]) -> dict[str, dict[str, Any]]:
    """`fastre.gate=none` as {"fastre": {"gate": "none"}}; values are YAML."""
    settings: dict[str, dict[str, Any]] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        system, dot, setting = name.partition(".")
        if not (equals and dot and system and setting):
            raise SuiteError(
                f"--set {_short(assignment)} is not of the form SYSTEM.FIELD=VALUE",
                remedy="As in --set fastre.dilations=[1,2,4].",
            )
        remedy = "As in --set fastre.dilations=[1,2,4]; quote it from the shell."
        settings.setdefault(system, {})[setting] = _value("set", assignment, value, remedy)
    return settings


def _value(option: str, assignment: str, value: str, remedy: str) -> Any:
    try:
        return parse_yaml(value)
    except NotPlainError as error:
        cause = f"--{option} {_short(assignment)}: the value {error}"
        raise SuiteError(cause, remedy=remedy) from error


def _short(text: str) -> str:
    """A text as an error shows it."""
    return repr(text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}...")


def protocol_fields(assignments: list[str]) -> dict[str, Any]:
    """`batch_size=8` as {"batch_size": 8}; values are YAML."""
    found = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        remedy = "As in --protocol pretrained_learning_rate=1e-4."
        if not equals:
            raise SuiteError(
                f"--protocol {_short(assignment)} is not of the form FIELD=VALUE", remedy=remedy
            )
        if name not in Protocol.model_fields:
            raise unknown("field of the protocol", name, Protocol.model_fields)
        found[name] = _value("protocol", assignment, value, remedy)
    return found


def make_protocol(fields: dict[str, Any]) -> Protocol:
    """The protocol of these fields, the others at their defaults."""
    try:
        return Protocol.model_validate(fields)
    except ValidationError as error:
        raise SuiteError(
            f"the protocol's {first_mistake(error)}",
            remedy="docs/protocol.md tells what the protocol holds.",
        ) from error
