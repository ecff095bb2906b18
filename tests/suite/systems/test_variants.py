"""Files of a system with settings of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from suite.errors import SuiteError
from suite.systems.variants import find_variant


def written(folder: Path, text: str, name: str = "shallow.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_system_is_a_variant_of_itself() -> None:
    variant = find_variant("fastre")
    assert (variant.name, variant.system, variant.title) == ("fastre", "fastre", None)
    assert not variant.settings


def test_a_file_is_called_by_its_name(tmp_path: Path) -> None:
    path = written(tmp_path, "system: fastre\nsettings: {dilations: [1, 2]}", "three blocks.yaml")
    variant = find_variant(path)
    assert variant.name == "three-blocks"
    assert variant.title == "FastRE, three-blocks"
    assert variant.settings == {"dilations": [1, 2]}


def test_a_file_may_name_itself(tmp_path: Path) -> None:
    variant = find_variant(written(tmp_path, "system: pmei\nname: mtl\ntitle: MTL"))
    assert (variant.name, variant.title) == ("mtl", "MTL")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("system: fastr", "unknown system 'fastr'. Did you mean 'fastre'?"),
        ("system: fastre\nsettings: {gait: none}", "'gait'. Did you mean 'gate'?"),
        ("system: fastre\nsettings: {gate: nun}", "fastre.gate: Input should be"),
        ("settings: {gate: none}", "system: Field required"),
        ("system: fastre\nsetings: {}", "setings: Extra inputs are not permitted"),
        ("system: fastre\nname: a/b", "name: String should match pattern"),
        ("system: pmei\nname: fastre", "is called as the system 'fastre' is"),
        ("system: [fastre", "is not YAML"),
        ("- fastre", "holds no table of fields"),
        ("", "holds no table of fields"),
    ],
)
def test_what_is_no_variant(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SuiteError) as caught:
        find_variant(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"best\.yaml: cannot be read: No such file"):
        find_variant(str(tmp_path / "best.yaml"))
