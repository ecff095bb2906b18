"""A complete run is never replaced unasked, and the plan says what an earlier command left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import tiny
from tests.runners.cli.test_run_suite import run_suite

pytestmark = pytest.mark.slow


@pytest.fixture
def held(dataset: Path, tmp_path: Path) -> list[str]:
    small = [f"--set=fastre.{field}" for field in ("width=16", "attention_heads=2")]
    place = ["--dataset", str(dataset), "--out", str(tmp_path / "out")]
    return [*place, "--system", "fastre", *small, "--tracker", "none", "--threads", "1"]


def carry_out(held: list[str], *more: str, folder: Path) -> tiny.Ended:
    return tiny.forked(tiny.suite_without_measuring, [*held, *more], folder=folder)


def test_another_length_does_not_replace_what_is_complete(held: list[str], tmp_path: Path) -> None:
    first = carry_out(held, "--epochs", "2", "--seeds", "1", folder=tmp_path)
    assert first.code == 0, first.err
    record = tmp_path / "out/runs/fastre/tiny/0/record.json"
    before = record.read_bytes()
    weights = (record.parent / "model" / "model.safetensors").read_bytes()
    plan = run_suite("--dry-run", *held, "--epochs", "1", "--seeds", "2", folder=tmp_path)
    assert "1 of 2 other settings" in " ".join(plan.out.split())
    refused = carry_out(held, "--epochs", "1", "--seeds", "2", folder=tmp_path)
    assert refused.code == 2
    said = " ".join(refused.err.split())
    assert "would replace 1 complete run of other settings" in said
    assert "fastre · tiny · seed 0 (epochs 2 there, 1 here)" in said
    assert "--replace" in said
    assert record.read_bytes() == before
    assert (record.parent / "model" / "model.safetensors").read_bytes() == weights
    assert not (tmp_path / "out/runs/fastre/tiny/1").exists()
    asked = carry_out(held, "--epochs", "1", "--seeds", "2", "--replace", folder=tmp_path)
    assert asked.code == 0, asked.err
    assert json.loads(record.read_text())["protocol"]["epochs"] == 1


def test_the_plan_names_what_is_gone_on_with(held: list[str], tmp_path: Path) -> None:
    carry_out(held, "--epochs", "2", "--seeds", "1", folder=tmp_path)
    folder = tmp_path / "out/runs/fastre/tiny/0"
    (folder / "record.json").unlink()
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "last.pt").write_bytes(b"as after an epoch")
    for epochs, state in (("2", "1 of 1 begun"), ("3", "to do")):
        plan = run_suite("--dry-run", *held, "--epochs", epochs, "--seeds", "1", folder=tmp_path)
        assert state in " ".join(plan.out.split())
