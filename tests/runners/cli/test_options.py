"""Options are declared once: on the command line, in a file, and in what a command leaves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from runners.cli.arguments import overrides, protocol_fields, seeds_of
from runners.options.commands import (
    ClaimsOptions,
    ExplainOptions,
    ExtractOptions,
    ReportOptions,
    SearchOptions,
    SuiteOptions,
)
from runners.options.declared import as_configuration, declared, spelt
from suite.errors import SuiteError
from tests import tiny

COMMANDS = [
    SuiteOptions,
    SearchOptions,
    ExplainOptions,
    ExtractOptions,
    ReportOptions,
    ClaimsOptions,
]


def dry(*arguments: str | Path, folder: Path) -> tiny.Ended:
    return tiny.command("run_suite", "--dry-run", *arguments, folder=folder)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.mark.parametrize("options", COMMANDS)
def test_every_option_has_a_name_of_its_own_and_a_sentence(options: type) -> None:
    known = declared(options)
    names = [spelt(name, how) for name, how in known.items()]
    assert len(set(names)) == len(names)
    assert all(how.text.endswith(".") for how in known.values())


@pytest.mark.parametrize(
    ("asked", "seeds"),
    [("3", (0, 1, 2)), ("1", (0,)), ("4,5,6", (4, 5, 6)), ("4,", (4,)), ("0, 7", (0, 7))],
)
def test_seeds(asked: str, seeds: tuple[int, ...]) -> None:
    assert seeds_of(asked) == seeds


@pytest.mark.parametrize("asked", ["0", "", ",", "three", "4,4", "-1", "-1,2", "1.5"])
def test_seeds_that_are_none(asked: str) -> None:
    with pytest.raises(SuiteError, match="neither a number of seeds nor a list"):
        seeds_of(asked)


def test_a_file_holds_a_whole_command(dataset: Path, tmp_path: Path) -> None:
    path = tmp_path / "command.yaml"
    path.write_text(
        f"dataset: {dataset}\nsystem: [fastre]\nseeds: [4, 5]\ntrain_share: 0.5\n"
        "set: {fastre: {dilations: [1, 2]}}\nprotocol: {batch_size: 8}\nepochs: 7\n"
    )
    ended = dry("--config", path, folder=tmp_path)
    assert ended.code == 0, ended.err
    (row,) = (line for line in ended.out.splitlines() if line.startswith("fastre "))
    assert re.split(" {2,}", row)[:4] == ["fastre", "tiny", "2", "7 (28 steps)"]
    again = dry("--config", path, "--epochs", "9", "--seeds", "1", folder=tmp_path)
    (row,) = (line for line in again.out.splitlines() if line.startswith("fastre "))
    assert re.split(" {2,}", row)[2:4] == ["1", "9 (36 steps)"], "the command line holds"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch: 3", "command.yaml: unknown option 'epoch'. Did you mean 'epochs'?"),
        ("epochs: many", "command.yaml: epochs: Input should be a valid integer"),
        ("epochs: 0", "command.yaml: epochs: Input should be greater than or equal to 1"),
        ("[1, 2]", "command.yaml: does not hold options by name. Such a file holds"),
        ("epochs: [", "command.yaml: is not YAML (while parsing"),
        ("config: other.yaml", "unknown option 'config'"),
        ("wandb: onlin", "unknown mode of W&B 'onlin'. Did you mean 'online'?"),
        ("wandb: 'off'", "--wandb off is no more. --tracker none tracks nothing."),
        ("tracker: tensorbord", "unknown tracker 'tensorbord'. Did you mean 'tensorboard'?"),
        ("set: {fastre: {gait: none}}", "unknown setting of fastre 'gait'. Did you mean 'gate'?"),
    ],
)
def test_a_mistake_in_the_file_is_answered(
    dataset: Path, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "command.yaml"
    path.write_text(text)
    ended = dry("--config", path, "--dataset", dataset, "--system", "fastre", folder=tmp_path)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert message in " ".join(ended.err.split()).replace(f"{tmp_path}/", "")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    ended = dry("--config", "nowhere.yaml", folder=tmp_path)
    assert ended.code == 2
    assert "nowhere.yaml: cannot be read: No such file or directory. Such a file holds" in ended.err


@pytest.mark.slow
def test_what_a_command_leaves_is_a_command(dataset: Path, tmp_path: Path) -> None:
    """`suite.json` given as the file trains nothing anew, into another folder the same."""
    out, other = tmp_path / "out", tmp_path / "other"
    options = ["--system", "fastre", "--set=fastre.width=16", "--set=fastre.attention_heads=2"]
    fixed = ["--epochs", "1", "--seeds", "4,", "--threads", "1", "--tracker", "none"]
    given = ["--dataset", dataset, *options, *fixed, "--out", out]
    first = tiny.forked(tiny.suite_without_measuring, given, folder=tmp_path)
    assert first.code == 0, first.err
    again = tiny.forked(
        tiny.suite_without_measuring, ["--config", out / "suite.json"], folder=tmp_path
    )
    assert again.code == 0, again.err
    assert "done before" in again.out
    more = ["--config", out / "suite.json", "--out", other]
    assert tiny.forked(tiny.suite_without_measuring, more, folder=tmp_path).code == 0
    records = [
        json.loads((folder / "runs/fastre/tiny/4/record.json").read_text())
        for folder in (out, other)
    ]
    assert records[0]["configuration"] == records[1]["configuration"]
    assert records[0]["test"] == records[1]["test"]


@pytest.mark.slow
def test_several_at_a_time_leave_what_one_at_a_time_leaves(dataset: Path, tmp_path: Path) -> None:
    """What is timed runs alone, and the records say so."""
    small = [f"--set=fastre.{field}" for field in ("width=16", "attention_heads=2")]
    common = ["--dataset", dataset, "--system", "fastre", *small]
    fixed = ["--epochs", "1", "--seeds", "2", "--threads", "1", "--tracker", "none"]
    for workers in ("1", "2"):
        given = [*common, *fixed, "--workers", workers, "--out", tmp_path / workers]
        ended = tiny.command("run_suite", *given, folder=tmp_path, seconds=240)
        assert ended.code == 0, ended.err
    for seed in ("0", "1"):
        one, two = (tmp_path / w / "runs/fastre/tiny" / seed for w in ("1", "2"))
        predictions = [(run / "predictions.jsonl").read_bytes() for run in (one, two)]
        assert predictions[0] == predictions[1]
        alone, beside = (json.loads((run / "record.json").read_text()) for run in (one, two))
        for part in ("configuration", "test", "dev", "system", "protocol", "ceiling"):
            assert alone.get(part) == beside.get(part), part
        assert alone["training"]["alone"] is True
        assert beside["training"]["alone"] is False
        assert all(cost["alone"] for cost in [*alone["inference"], *beside["inference"]])


def test_as_a_configuration_holds_what_differs_from_the_defaults() -> None:
    options = SuiteOptions(dataset=["a"], set_=["fastre.width=64"], dry_run=True, out="o")
    assert as_configuration(options) == {
        "dataset": ["a"],
        "set": ["fastre.width=64"],
        "out": "o",
    }


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_a_short_form(option: str, tmp_path: Path) -> None:
    ended = tiny.command("run_suite", option, folder=tmp_path)
    assert ended.code == 0
    assert "Usage: " in ended.out
    assert "--install-completion" in ended.out


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    import suite

    ended = tiny.command("run_suite", "--version", folder=tmp_path)
    assert ended.out.strip() == f"relation-suite {suite.__version__}"


@pytest.mark.parametrize(
    "value", ["[1", "[" * 50_000, "9" * 5000, "2020-12-24", "!!int x", "\udce9"]
)
def test_a_value_that_is_not_plain_is_said(value: str) -> None:
    for read, assignment in ((overrides, "fastre.width"), (protocol_fields, "epochs")):
        with pytest.raises(SuiteError, match="the value ") as caught:
            read([f"{assignment}={value}"])
        assert caught.value.remedy
        assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("asked", ["1001", "9" * 5000, "4294967296,", f"0,{10**30}"])
def test_more_seeds_than_can_be(asked: str) -> None:
    with pytest.raises(SuiteError, match="at most 1000 seeds, of 32 bits"):
        seeds_of(asked)
