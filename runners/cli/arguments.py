"""What command lines take: choices, settings and fields of the protocol, each refused by name."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ValidationError

from suite.errors import SuiteError, first_mistake, unknown
from suite.protocol import Protocol


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
    if not numbers or min(numbers) < (0 if several else 1) or len(set(numbers)) < len(numbers):
        raise SuiteError(
            f"--seeds {asked!r} is neither a number of seeds nor a list of different ones",
            remedy="As in --seeds 3 (seeds 0, 1, 2), --seeds 4,5,6, or --seeds 4, for one alone.",
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
                f"--set {assignment!r} is not of the form SYSTEM.FIELD=VALUE",
                remedy="As in --set fastre.dilations=[1,2,4].",
            )
        try:
            settings.setdefault(system, {})[setting] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise SuiteError(
                f"--set {assignment!r}: the value is not YAML ({' '.join(str(error).split())})",
                remedy="As in --set fastre.dilations=[1,2,4]; quote it from the shell.",
            ) from error
    return settings


def protocol_fields(assignments: list[str]) -> dict[str, Any]:
    """`batch_size=8` as {"batch_size": 8}; values are YAML."""
    found = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SuiteError(
                f"--protocol {assignment!r} is not of the form FIELD=VALUE",
                remedy="As in --protocol pretrained_learning_rate=1e-4.",
            )
        if name not in Protocol.model_fields:
            raise unknown("field of the protocol", name, Protocol.model_fields)
        found[name] = yaml.safe_load(value)
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
