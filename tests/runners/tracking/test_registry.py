"""Trackers by name, and what is refused before anything is trained."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from runners.options.groups import RunOptions
from runners.runs.plan import read_run_plan
from runners.tracking import registry
from runners.tracking.registry import NAMES, find_tracker, require_tracker
from suite.errors import SuiteError
from suite.files import TRACKED
from tests import tiny


def test_every_tracker_has_a_name_of_its_own() -> None:
    assert NAMES == ("mlflow", "none", "tensorboard", "wandb")
    assert {*NAMES} - {"none"} == TRACKED
    help_text = RunOptions.__dataclass_fields__["tracker"].metadata["declared"].text
    assert all(name in help_text for name in NAMES)


@pytest.mark.parametrize("name", ["mlflow", "tensorboard"])
def test_a_package_that_is_not_installed_is_said_first(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_tracker(name, online=False)
    monkeypatch.setattr(registry, "find_spec", lambda package: None)
    message = f"--tracker {name} needs {name}"
    with pytest.raises(SuiteError, match=message) as caught:
        require_tracker(name, online=False)
    assert f"pip install 'relation-suite[{find_tracker(name).extra}]'" in str(caught.value)


def suite_without_tensorboard(*arguments: str) -> None:
    """The command line where the package is not installed."""
    sys.modules["tensorboard"] = None  # type: ignore[assignment]
    tiny.suite_without_measuring(arguments)


def test_the_command_ends_before_it_trains(dataset: Path, tmp_path: Path) -> None:
    words = ("--dataset", str(dataset), "--tracker", "tensorboard", "--out", "out")
    ended = tiny.forked(suite_without_tensorboard, *words, folder=tmp_path)
    assert ended.code == 2
    message = "--tracker tensorboard needs tensorboard, which cannot be found. Install it: pip "
    assert message in " ".join(ended.err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("said", "tracker", "mode"),
    [
        ('"wandb":"off"', "none", "offline"),
        ('"wandb":"online"', "wandb", "online"),
        ('"wandb":"offline"', "wandb", "offline"),
    ],
)
def test_plans_of_earlier_versions_are_read(
    dataset: Path, tmp_path: Path, said: str, tracker: str, mode: str
) -> None:
    text = tiny.make_plan(dataset).model_dump_json()
    old, changes = re.subn(r'"tracker":"none","wandb":"offline"', said, text)
    assert changes == 1
    (tmp_path / "run.json").write_text(old)
    plan = read_run_plan(tmp_path)
    assert (plan.tracker, plan.wandb) == (tracker, mode)
