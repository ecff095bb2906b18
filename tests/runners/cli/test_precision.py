"""A precision that a machine is slow in is said to be."""

from __future__ import annotations

import pytest
import torch

from runners.cli.precision import warn_of_slow_precision
from suite.modelling import device


def test_bfloat16_that_is_slow_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device, "bfloat16_slowdown", lambda _: 5.43)
    warn_of_slow_precision("bfloat16", "cpu")
    said = " ".join(capsys.readouterr().err.split())
    assert "bfloat16 takes 5.4 times as long as float32" in said
    assert "--precision bfloat16" in said, "what to leave out"


def test_nothing_is_said_of_bfloat16_that_is_quick(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device, "bfloat16_slowdown", lambda _: 0.4)
    warn_of_slow_precision("bfloat16", "cpu")
    assert capsys.readouterr().err == ""


def test_nothing_is_timed_for_float32(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(device, "bfloat16_slowdown")
    warn_of_slow_precision("float32", "cpu")
    assert capsys.readouterr().err == ""


def test_the_slowdown_is_that_of_a_layer_as_systems_compute_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    forward = torch.nn.Linear.forward

    def timed(layer: torch.nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
        found = forward(layer, inputs)
        clock[0] += 5.0 if found.dtype == torch.bfloat16 else 2.0
        return found

    monkeypatch.setattr(torch.nn.Linear, "forward", timed)
    monkeypatch.setattr(device.time, "perf_counter", lambda: clock[0])
    assert device.bfloat16_slowdown(torch.device("cpu")) == pytest.approx(2.5)
