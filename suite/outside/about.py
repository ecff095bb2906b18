"""What a user states of a system that was not trained here, `NAME.yaml`."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from suite.errors import SuiteError, first_mistake
from suite.plain_yaml import read_yaml
from suite.records.outside import About

FORM = (
    "Such a file holds title, citation, encoder, parameters, training (minutes, machine), latency "
    "(a list of milliseconds, batch_size, machine) and notes, each of which may be missing."
)


def read_about(path: Path) -> About:
    """Reads what is stated of a system.

    Raises:
        SuiteError: the file cannot be read, or states something else.
    """
    content = read_yaml(path, FORM)
    if not isinstance(content, dict):
        raise SuiteError("does not hold fields by name", where=path, remedy=FORM)
    try:
        # As JSON, under whose rules a list may be a tuple.
        return About.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise SuiteError(first_mistake(error), where=path, remedy=FORM) from error
