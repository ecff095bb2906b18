"""The protocol's optimiser and schedule, and the energy of a training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from runners.runs.evaluate import Evaluator
from runners.runs.train import Trainer, make_optimiser, make_schedule
from runners.runs.workbench import Workbench
from suite.fastre.settings import FastRESettings
from suite.fastre.system import FastRE
from suite.protocol import Protocol
from suite.records.energy import Energy
from tests import tiny
from tests.corpus import SCHEMA, resources
from tests.runners.runs.powercap import moved, zone


def decay_of(protocol: Protocol) -> dict[str, float]:
    system = FastRE.build(FastRESettings(), SCHEMA, resources(pretrained=False))
    groups = make_optimiser(system, protocol).param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert len(decays) == len(list(system.parameters())), "each stands in one group"
    return {name: decays[id(p)] for name, p in system.named_parameters()}


def test_biases_do_not_decay_unless_the_protocol_says_so() -> None:
    spared = decay_of(Protocol(weight_decay=0.02))
    assert {d for name, d in spared.items() if name.endswith("bias")} == {0.0}
    assert {d for name, d in spared.items() if not name.endswith("bias")} == {0.02}
    assert set(decay_of(Protocol(weight_decay=0.02, decay_biases=True)).values()) == {0.02}


def test_a_system_may_multiply_the_learning_rate_of_fresh_parameters() -> None:
    found = {}
    for factor in (1.0, 2.5):
        settings = FastRESettings(learning_rate_factor=factor)
        system = FastRE.build(settings, SCHEMA, resources(pretrained=False))
        groups = make_optimiser(system, Protocol(learning_rate=2e-3)).param_groups
        found[factor] = {group["lr"] for group in groups}
    assert found == {1.0: {2e-3}, 2.5: {5e-3}}


def rates(protocol: Protocol, steps: int) -> list[float]:
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make_schedule(optimiser, protocol, steps)
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    return found


def test_warm_up_and_decay_by_shares_of_all_steps() -> None:
    found = rates(Protocol(warmup=0.1), 20)
    assert found[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert found[-1] == pytest.approx(1 / 18)


def test_warm_up_and_decay_by_numbers_of_steps() -> None:
    found = rates(Protocol(warmup_steps=4, decay_steps=40), 20)
    assert found[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert found[-1] == pytest.approx((40 - 19) / 36)
    assert rates(Protocol(warmup_steps=0, decay_steps=40), 3)[0] == 1.0


def test_energy_is_that_of_training_and_dev_evaluation(
    dataset: Path, tmp_path: Path, powercap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch's steps draw 2 joules and its evaluation 3; what is between epochs draws 7."""
    package = zone(powercap, "intel-rapl:0", "package-0", 0)
    drawn = 0

    def draw(joules: int) -> None:
        nonlocal drawn
        drawn += joules
        moved(package, 10**6 * drawn)

    def drawing(call: Callable[..., Any], joules: int) -> Callable[..., Any]:
        def drawn_by(*arguments: Any) -> Any:
            draw(joules)
            return call(*arguments)

        return drawn_by

    monkeypatch.setattr(Trainer, "train_epoch", drawing(Trainer.train_epoch, 2))
    monkeypatch.setattr(Evaluator, "on_dev", drawing(Evaluator.on_dev, 3))
    bench = Workbench(tiny.make_plan(dataset))
    trainer = Trainer(bench, tmp_path, "energy")
    trainer.fit(SimpleNamespace(log=lambda line: draw(7)))  # type: ignore[arg-type]
    cost = trainer.cost(0.0)
    assert cost.energy == Energy(package_joules=5.0 * cost.epochs)
    assert cost.epochs > 1
    # A run that is cut off here goes on with what its epochs took.
    assert Trainer(bench, tmp_path, "energy").progress.energy == cost.energy
