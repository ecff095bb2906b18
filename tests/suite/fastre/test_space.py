"""The spaces that searches vary systems in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.fastre.settings import FastRESettings
from suite.fastre.space import BLOCKS, PATTERNS, RATES, dilations, receptive_field
from suite.systems.contract import predict
from suite.systems.registry import find_system, make_settings, system_names
from tests.corpus import CORPUS, resources

SEARCHED = pytest.mark.parametrize(
    "name", [n for n in system_names() if n not in ("bert_docred_gold", "retention")]
)


class Drawn:
    """Makes choices at random, and keeps the range of each name."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.ranges: dict[str, object] = {}

    def _note(self, name: str, held: object) -> None:
        assert self.ranges.setdefault(name, held) == held, f"{name} has two ranges"

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        self._note(name, tuple(choices))
        return self.draw.choice(list(choices))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        self._note(name, (low, high, step))
        return self.draw.randrange(low, high + 1, step)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        self._note(name, (low, high, step, log))
        return self.draw.uniform(low, high)


class Given(Drawn):
    """Makes the choices that it is given, and none besides."""

    def __init__(self, choices: dict[str, Any]) -> None:
        super().__init__(0)
        self.choices = choices
        self.left = set(choices)

    def _given(self, name: str) -> Any:
        self.left.discard(name)
        return self.choices[name]

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        assert self.choices[name] in choices
        return self._given(name)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        assert low <= self.choices[name] <= high
        return self._given(name)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        assert low <= self.choices[name] <= high
        return self._given(name)


@SEARCHED
def test_every_choice_is_one_that_the_system_takes(name: str) -> None:
    system = find_system(name)
    base = system.Settings()
    seen, ranges = set(), Drawn(0)
    for seed in range(40):
        ranges.draw = random.Random(seed)
        settings = make_settings(system, system.vary(base, ranges))
        seen.add(str(settings))
    assert len(seen) > 20, "the space is hardly one"


@SEARCHED
def test_what_is_drawn_trains_and_predicts_under_autocast(name: str) -> None:
    system = find_system(name)
    schema, examples = CORPUS[min(system.tasks)]
    made = resources(pretrained=True, examples=examples)
    for seed in range(8):
        choices = make_settings(system, system.vary(system.Settings(), Drawn(seed)))
        torch.manual_seed(seed)
        built = system.build(choices, schema, made)
        batch = built.encode(examples)
        with torch.autocast("cpu", torch.bfloat16):
            loss = built.train().loss(batch).total
            loss.backward()
            rows = predict(built.eval(), batch)
        assert torch.isfinite(loss), choices
        assert len(rows) == len(examples)


@pytest.mark.parametrize("name", [n for n in system_names() if n != "retention"])
def test_published_choices_are_of_the_space(name: str) -> None:
    system = find_system(name)
    for number, choices in enumerate(system.tried_first().values()):
        made = Given(dict(choices))
        settings = make_settings(system, system.vary(system.Settings(), made))
        assert not made.left, "choices that nothing asks for"
        assert number or settings == system.Settings(), "the first is the system as published"


def test_fastre_searches_the_structures_of_table_4_first() -> None:
    system = find_system("fastre")
    found = {
        label: make_settings(system, system.vary(system.Settings(), Given(dict(choices))))
        for label, choices in system.tried_first().items()
    }
    assert [s.dilations for s in found.values()] == [
        (1, 2, 4, 1, 1, 1),
        (1, 2, 4),
        (1, 1, 1, 1, 1, 1),
        (1, 2, 4, 8, 16, 32),
        (1, 2, 4, 1, 2, 4, 1, 1, 1),
    ]
    plain = asdict(system.Settings())
    for settings in found.values():
        assert {k for k, v in asdict(settings).items() if v != plain[k]} <= {"dilations"}


@given(st.sampled_from(PATTERNS[1:]), st.integers(*BLOCKS), st.sampled_from(RATES[1:]))
def test_patterns_rise_to_the_highest_rate(pattern: Any, blocks: int, highest: int) -> None:
    rates = dilations(pattern, blocks, highest)
    rise = RATES.index(highest) + 1
    assert len(rates) == blocks
    assert rates[:rise] == RATES[: min(rise, blocks)]
    for i, rate in enumerate(rates[rise:], start=rise):
        expected = {"rising": highest, "rising then ones": 1, "repeated": RATES[i % rise]}
        assert rate == expected[pattern]


def test_receptive_field_by_walking_back() -> None:
    """Words that one output depends on, found by following every tap of every block."""
    rates, kernels = (1, 2, 4, 1), (5, 3, 5, 7)
    words = {0}
    for rate, kernel in reversed(list(zip(rates, kernels, strict=True))):
        taps = range(-(kernel // 2), kernel // 2 + 1)
        words = {word + rate * tap for word in words for tap in taps}
    assert max(words) - min(words) + 1 == receptive_field(rates, kernels)


def chosen(**changes: Any) -> FastRESettings:
    """FastRE's settings under the published choices with some changed."""
    system = find_system("fastre")
    made = Given({**system.tried_first()["FastRE"], **changes})
    settings = make_settings(system, system.vary(system.Settings(), made))
    assert not made.left, "choices that nothing asks for"
    assert isinstance(settings, FastRESettings)
    return settings


def test_blocks_have_widths_and_kernels_of_their_own() -> None:
    assert chosen(width_pattern="half first").widths == (64, 64, 64, 128, 128, 128)
    free = {f"width_{i}": w for i, w in enumerate((64, 256, 96, 192, 64), start=1)}
    assert chosen(width_pattern="free", **free).widths == (64, 256, 96, 192, 64, 128)
    kernels = {f"kernel_{i}": k for i, k in enumerate((5, 7, 3, 3, 5), start=2)}
    found = chosen(kernel_pattern="free", **kernels)
    assert found.kernels == (3, 5, 7, 3, 3, 5)
    assert find_system("fastre").structure(found)["Kernel"] == "3, 5, 7, 3, 3, 5"


def test_equal_blocks_are_one_structure_however_they_were_chosen() -> None:
    plain = chosen()
    assert chosen(kernel_pattern="free", **{f"kernel_{i}": 3 for i in range(2, 7)}) == plain
    assert chosen(width_pattern="free", **{f"width_{i}": 128 for i in range(1, 6)}) == plain
    assert chosen(learning_rate_factor=1.003) == plain


def test_every_trial_makes_the_choices_whose_importance_is_told() -> None:
    """Of conditional choices only some trials know; what each stands under is asked of all."""
    system, asked = find_system("fastre"), []
    for seed in range(60):
        drawn = Drawn(seed)
        system.vary(system.Settings(), drawn)
        asked.append(set(drawn.ranges))
    assert set.intersection(*asked) == {
        "pattern", "blocks", "kernel", "kernel_pattern", "width", "width_pattern", "gate",
        "attention_heads", "dropout", "heads_per_step", "tagger_convolutions",
        "learning_rate_factor",
    }  # fmt: skip
