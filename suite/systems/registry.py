"""Systems by name: every package announces its own by an entry point, this project's too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import TypeAdapter, ValidationError

from suite.errors import SuiteError, first_mistake, unknown
from suite.systems.capabilities import Memorises, ScoresFacts
from suite.systems.contract import System
from suite.tasks.examples import TaskName
from suite.tasks.registry import find_task

GROUP = "relation_suite.systems"
DISTRIBUTION = "relation-suite"


def system_names() -> list[str]:
    """All known names: those of this project first, the suite's own before its baselines."""
    return list(dict.fromkeys(entry.name for entry in _announced()))


def learning(task: TaskName) -> list[str]:
    """Names of the systems that learn a task: no upper bound, and none that only remembers."""
    found = [(name, find_system(name)) for name in system_names()]
    return [
        name
        for name, system in found
        if task in system.tasks and system.upper_bound is None and not issubclass(system, Memorises)
    ]


def find_system(name: str) -> type[System]:
    """The class of a system by its name.

    Raises:
        SuiteError: nothing answers to the name, several packages do, or what answers does not
            import or is not a system.
    """
    entry = _entry(name)
    try:
        system = entry.load()
    except Exception as error:
        raise SuiteError(
            f"the plug-in system {name!r} ({entry.value}) does not import: {error!r}",
            remedy="Mend or uninstall its package.",
        ) from error
    if not (isinstance(system, type) and issubclass(system, System)):
        raise SuiteError(
            f"the plug-in {name!r} ({entry.value}) is not a suite.systems.contract.System",
            remedy="Derive its class from System.",
        )
    if system.name != name:
        raise SuiteError(
            f"the plug-in {name!r} ({entry.value}) calls itself {system.name!r}",
            remedy="Its entry point and its attribute `name` must agree.",
        )
    for task in sorted(system.tasks):
        if find_task(task).ranked and not issubclass(system, ScoresFacts):
            raise SuiteError(
                f"the plug-in {name!r} ({entry.value}) does the task {task}, whose measures go "
                "along a ranking, and scores no facts",
                remedy="Give it the methods of suite.systems.capabilities.ScoresFacts.",
            )
    return system


def _entry(name: str) -> EntryPoint:
    found = [entry for entry in _announced() if entry.name == name]
    if not found:
        raise unknown("system", name, system_names())
    if len(found) > 1:
        packages = " and ".join(_package(entry) for entry in found)
        raise SuiteError(
            f"{packages} both announce a system {name!r}", remedy="Uninstall one of them."
        )
    return found[0]


def _announced() -> list[EntryPoint]:
    found = sorted(entry_points(group=GROUP), key=_place)
    if not found or _package(found[0]) != DISTRIBUTION:
        raise SuiteError(
            f"the installed {DISTRIBUTION} announces no systems: it is older than its code",
            remedy="Install it again (`pip install -e .` in its folder), and delete "
            "relation_suite.egg-info where that folder holds one.",
        )
    return found


def _place(entry: EntryPoint) -> tuple[bool, bool, str]:
    return _package(entry) != DISTRIBUTION, not entry.module.startswith("suite."), entry.name


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else ""


def make_settings(system: type[System], values: Mapping[str, Any]) -> Any:
    """The system's settings with some fields changed.

    Raises:
        SuiteError: a field that the system does not have, or a value that it refuses.
    """
    assert is_dataclass(system.Settings)
    known = {f.name: f for f in fields(system.Settings)}
    for name in values:
        if name not in known:
            raise unknown(f"setting of {system.name}", name, known)
    try:
        return TypeAdapter(system.Settings).validate_python(dict(values))
    except ValidationError as error:
        raise SuiteError(
            first_mistake(error, system.name), remedy="See the fields' documentation."
        ) from error
