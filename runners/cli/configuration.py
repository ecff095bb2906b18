"""A command's options from a file, for `--config`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from suite.errors import SuiteError, unknown
from suite.plain_yaml import read_yaml
from suite.privacy import with_home

NOT_FROM_A_FILE = frozenset({"config", "version", "help", "install-completion", "show-completion"})
FORM = (
    "Such a file holds options by name, as `dataset: [conll04]`, `epochs: 8`, "
    "`set: {fastre: {width: 64}}`."
)


def read_configuration(
    path: Path, parameters: Iterable[Any], context: typer.Context
) -> dict[str, Any]:
    """Name of a parameter -> its value, each checked as the command line would check it.

    Args:
        path: YAML of options by name, or the `suite.json` that a command left.
        parameters: of the command.
        context: of the call.

    Raises:
        SuiteError: the file cannot be read, names an option that there is not, or gives one a value
            that it does not take.
    """
    by_name = {_spelling(parameter): parameter for parameter in parameters}
    known = {name: p for name, p in by_name.items() if name not in NOT_FROM_A_FILE}
    found: dict[str, Any] = {}
    for asked, value in _read(path).items():
        name = str(asked).replace("_", "-")
        if name not in known:
            error = unknown("option", str(asked), known)
            raise SuiteError(error.cause, where=path, remedy=error.remedy)
        parameter = known[name]
        given = _as_given(name, value, several=parameter.multiple or parameter.nargs == -1)
        try:
            parameter.process_value(context, given)
        except typer.BadParameter as error:
            raise SuiteError(f"{asked}: {error.message}", where=path, remedy=FORM) from error
        found[parameter.name] = given
    return found


def _spelling(parameter: Any) -> str:
    longest: str = max(parameter.opts, key=len)
    return longest.lstrip("-").replace("_", "-")


def _read(path: Path) -> Mapping[Any, Any]:
    content = read_yaml(path, FORM)  # JSON is YAML too
    if isinstance(content, dict) and "format" in content and "options" in content:
        if content.get("joined") and not content["options"]:
            raise SuiteError(
                "was joined from commands whose options differ",
                where=path,
                remedy="Give the suite.json of one of them, or the options that are meant.",
            )
        content = content["options"]
    if not isinstance(content, dict):
        raise SuiteError("does not hold options by name", where=path, remedy=FORM)
    return content


def _as_given(name: str, value: Any, *, several: bool) -> Any:
    """A value in the form in which the command line would give it."""
    if isinstance(value, dict):
        return list(_assignments(name, value))
    if several:
        return [with_home(str(item)) for item in (value if isinstance(value, list) else [value])]
    if isinstance(value, list):
        return ",".join(map(str, value))
    return with_home(value) if isinstance(value, str) else value


def _assignments(name: str, value: Mapping[Any, Any]) -> Iterable[str]:
    """`{fastre: {width: 64}}` as `fastre.width=64`, `{epochs: 8}` as `epochs=8`."""
    for key, inner in value.items():
        if name == "set" and isinstance(inner, dict):
            yield from (f"{key}.{field}={json.dumps(one)}" for field, one in inner.items())
        else:
            yield f"{key}={json.dumps(inner)}"
