"""Systems with settings of their own under a name of their own, and the files that hold one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from suite.errors import SuiteError
from suite.system import System, find_system, make_settings, system_names

SUFFIXES = (".yaml", ".yml")


class Variant(BaseModel):
    """What a suite trains under one name.

    Attributes:
        name: names its runs' folders; the system's own name for the system as it is.
        system: the registry's key.
        title: as tables print it; None: the system's.
        settings: those that differ from the system's defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.+-]+$")
    system: str
    title: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)

    def find(self) -> type[System]:
        """The class of its system, the settings checked.

        Raises:
            SuiteError: no such system, or settings that it does not have or refuses.
        """
        system = find_system(self.system)
        make_settings(system, self.settings)
        return system


def find_variant(name: str) -> Variant:
    """A system by its name, or the variant that a YAML file holds.

    Raises:
        SuiteError: nothing answers to the name, or the file holds no variant.
    """
    if not name.endswith(SUFFIXES):
        find_system(name)
        return Variant(name=name, system=name)
    return read_variant(Path(name))


def read_variant(path: Path) -> Variant:
    """Reads a variant from YAML: `system`, `settings`, and a `title` if it is to have one.

    It is called by the file's name unless it says otherwise.

    Raises:
        SuiteError: the file cannot be read, is no YAML, or holds something else.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise SuiteError(
            f"cannot be read: {reason}", where=path, remedy="Name a YAML file with --system."
        ) from error
    except yaml.YAMLError as error:
        raise SuiteError(
            f"is no YAML ({' '.join(str(error).split())})", where=path, remedy=_FORM
        ) from error
    if not isinstance(content, dict):
        raise SuiteError("holds no table of fields", where=path, remedy=_FORM)
    stem = re.sub(r"[^\w.+-]+", "-", path.stem)
    try:
        variant = Variant.model_validate({"name": stem, **content})
        system = variant.find()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SuiteError(f"{field}: {first['msg']}", where=path, remedy=_FORM) from error
    except SuiteError as error:
        raise SuiteError(error.cause, where=path, remedy=error.remedy) from error
    if variant.name in system_names():
        raise SuiteError(
            f"is called as the system {variant.name!r} is",
            where=path,
            remedy="Rename the file, or give it a `name`: tables must tell the two apart.",
        )
    title = variant.title or f"{system.title}, {variant.name}"
    return variant.model_copy(update={"title": title})


_FORM = "Expected `system: fastre` and `settings:` with fields of that system below."
