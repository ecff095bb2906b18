"""Checkpoints that are damaged: dropped and said, never taken for what was written."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from runners.runs.checkpoint import Checkpoints, Progress
from suite.errors import SuiteError

CPU = torch.device("cpu")
SIZES = tuple(share / 10 for share in range(10))
"""Of the file, where it is cut off."""


def parts(seed: int) -> dict[str, Any]:
    torch.manual_seed(seed)
    system = nn.Linear(30, 20)
    return {"system": system, "optimiser": torch.optim.AdamW(system.parameters())}


def saved(folder: Path, *, epoch: int = 5, best_epoch: int = 3) -> Checkpoints:
    """The checkpoints of a run, the selected weights of an epoch and the last ones of another."""
    checkpoints = Checkpoints(folder, "this")
    checkpoints.save_best(parts(best_epoch)["system"])
    progress = Progress(epoch=epoch, best_epoch=best_epoch, best_f1=0.5)
    checkpoints.save_last(progress, parts(epoch))
    return checkpoints


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def cut(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])


def flipped(path: Path, seed: int) -> None:
    draw, content = random.Random(seed), bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


@pytest.mark.parametrize("share", SIZES)
def test_a_last_state_that_was_cut_off_is_dropped(
    tmp_path: Path, share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints, fresh = saved(tmp_path), parts(0)
    cut(checkpoints.last, share)
    assert checkpoints.resume(fresh, CPU) == Progress()
    assert same(fresh["system"], parts(0)["system"]), "half of it was loaded"
    said = capsys.readouterr().out
    assert f"{checkpoints.last} is damaged (" in said
    assert "the run is trained again from its first epoch" in said
    assert not checkpoints.last.exists()


@pytest.mark.parametrize("share", SIZES)
def test_selected_weights_that_were_cut_off_are_trained_again(
    tmp_path: Path, share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = saved(tmp_path)
    cut(checkpoints.best, share)
    with pytest.raises(SuiteError, match=r"best\.pt: is damaged \(.*The same command trains"):
        checkpoints.load_best(parts(0)["system"])
    assert checkpoints.damage()
    assert checkpoints.resume(parts(0), CPU) == Progress()
    assert "best.pt is damaged" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [], "the last state's selected weights are lost"


def test_selected_weights_of_the_last_epoch_are_made_of_its_state(tmp_path: Path) -> None:
    checkpoints, fresh = saved(tmp_path, best_epoch=5), parts(0)
    cut(checkpoints.best, 0.5)
    assert checkpoints.resume(fresh, CPU).epoch == 5
    assert checkpoints.load_best(fresh["system"])
    assert same(fresh["system"], parts(5)["system"])


@pytest.mark.parametrize("file", ["best", "last"])
@pytest.mark.parametrize("seed", range(25))
def test_a_flipped_bit_is_no_weight(tmp_path: Path, seed: int, file: str) -> None:
    """At a drawn place; where it matters to nothing, what was saved is loaded."""
    checkpoints, fresh = saved(tmp_path), parts(0)
    flipped(getattr(checkpoints, file), seed)
    progress = checkpoints.resume(fresh, CPU)
    assert progress.epoch in {0, 5}
    assert same(fresh["system"], parts(progress.epoch)["system"])
    if progress.epoch:
        assert checkpoints.load_best(fresh["system"])
        assert same(fresh["system"], parts(3)["system"])


def test_random_bytes_are_no_checkpoint(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path)
    for path in (checkpoints.best, checkpoints.last):
        path.write_bytes(random.Random(0).randbytes(5000))
    assert checkpoints.damage()
    assert checkpoints.resume(parts(0), CPU) == Progress()


def test_a_pipe_is_no_checkpoint(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "last.pt")
    assert Checkpoints(tmp_path, "this").resume(parts(0), CPU) == Progress()


def test_what_is_of_another_configuration_is_no_damage(tmp_path: Path) -> None:
    saved(tmp_path)
    other = Checkpoints(tmp_path, "other")
    assert other.damage() is None
    assert other.load_best(parts(0)["system"]) is False
    assert other.resume(parts(0), CPU) == Progress()
