"""Systems with settings of their own under a name of their own, and the files that hold one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import Field, ValidationError

from suite.errors import SuiteError, first_mistake
from suite.files import StrictModel, write_atomically
from suite.names import FolderName, PlainTitle
from suite.plain_yaml import read_yaml

if TYPE_CHECKING:
    from suite.systems.contract import System

SUFFIXES = (".yaml", ".yml")


class Variant(StrictModel):
    """What a suite trains under one name.

    Attributes:
        name: names its runs' folders; the system's own name for the system as it is.
        system: the registry's key.
        title: as tables print it; None: the system's.
        settings: those that differ from the system's defaults.
    """

    name: FolderName = Field(pattern=r"^[\w.+-]+$")
    system: str
    title: PlainTitle | None = None
    settings: dict[str, Any] = Field(default_factory=dict)

    def find(self) -> type[System]:
        """The class of its system, the settings checked.

        Raises:
            SuiteError: no such system, or settings that it does not have or refuses.
        """
        # Reports read studies, whose variants these are, without loading torch.
        from suite.systems.registry import find_system, make_settings  # noqa: PLC0415

        system = find_system(self.system)
        make_settings(system, self.settings)
        return system


def find_variant(name: str) -> Variant:
    """A system by its name, or the variant that a YAML file holds.

    Raises:
        SuiteError: nothing answers to the name, or the file holds no variant.
    """
    from suite.systems.registry import find_system  # noqa: PLC0415

    if not name.endswith(SUFFIXES):
        find_system(name)
        return Variant(name=name, system=name)
    return read_variant(Path(name))


def read_variant(path: Path) -> Variant:
    """Reads a variant from YAML: `system`, `settings`, and a `title` if it is to have one.

    It is called by the file's name unless it says otherwise.

    Raises:
        SuiteError: the file cannot be read, is not YAML, or holds something else.
    """
    from suite.systems.registry import system_names  # noqa: PLC0415

    content = read_fields(path, "--system", _FORM)
    try:
        variant = Variant.model_validate({"name": stem(path), **content})
        system = variant.find()
    except ValidationError as error:
        raise wrong_field(error, path, _FORM) from error
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


def write_variant(variant: Variant, path: Path) -> None:
    """Writes a variant as `read_variant` reads it."""
    content = variant.model_dump(mode="json", include=set(Variant.model_fields), exclude_none=True)
    write_atomically(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def stem(path: Path) -> str:
    """The file's name, fit to name a folder."""
    return re.sub(r"[^\w.+-]+", "-", path.stem)


def read_fields(path: Path, option: str, form: str) -> dict[str, Any]:
    """The table of fields that a YAML file holds.

    Args:
        path: of the file.
        option: of the command line, that names such a file.
        form: what such a file looks like, as a sentence.

    Raises:
        SuiteError: the file cannot be read, is not YAML, or holds something else.
    """
    content = read_yaml(path, f"Name a YAML file with {option}. {form}")
    if not isinstance(content, dict):
        raise SuiteError("holds no table of fields", where=path, remedy=form)
    return content


def wrong_field(error: ValidationError, path: Path, form: str) -> SuiteError:
    """The first of the fields of a file that are not as they should be."""
    return SuiteError(first_mistake(error), where=path, remedy=form)


_FORM = "Expected `system: fastre` and `settings:` with fields of that system below."
