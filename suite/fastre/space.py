"""FastRE's space of structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any, Literal

from suite.systems.capabilities import Choices

DilationPattern = Literal["free", "rising", "rising then ones", "repeated"]
PATTERNS: tuple[DilationPattern, ...] = ("free", "rising", "rising then ones", "repeated")
RATES = (1, 2, 4, 8, 16, 32)
BLOCKS = (2, 12)
"""The fewest and the most blocks of FastRE's encoder."""


def dilations(pattern: DilationPattern, blocks: int, highest: int) -> tuple[int, ...]:
    """The dilation rates of as many blocks under a pattern.

    Args:
        pattern: `rising`: 1, 2, 4 and so on to `highest`, and then that rate; `rising then ones`:
            1 thereafter, as FastRE has it; `repeated`: again from 1.
        blocks: how many.
        highest: of `RATES`.
    """
    rising = RATES[: RATES.index(highest) + 1]
    rest: tuple[int, ...] = (highest,)
    if pattern == "repeated":
        rest = rising
    elif pattern == "rising then ones":
        rest = (1,)
    return (*rising[:blocks], *islice(cycle(rest), max(0, blocks - len(rising))))


def vary_fastre(choices: Choices) -> dict[str, Any]:
    """FastRE's settings in a trial."""
    pattern: DilationPattern = choices.suggest_categorical("pattern", PATTERNS)
    blocks = choices.suggest_int("blocks", *BLOCKS)
    if pattern == "free":
        rates = tuple(choices.suggest_categorical(f"rate_{i}", RATES) for i in range(1, blocks + 1))
    else:
        rates = dilations(pattern, blocks, choices.suggest_categorical("highest_rate", RATES[1:]))
    return {
        "dilations": rates,
        "kernel": choices.suggest_categorical("kernel", (3, 5, 7)),
        "width": choices.suggest_categorical("width", (64, 96, 128, 192, 256)),
        "gate": choices.suggest_categorical("gate", ("gated linear unit", "highway", "none")),
        "attention_heads": choices.suggest_categorical("attention_heads", (2, 4, 8, 16)),
        "dropout": choices.suggest_float("dropout", 0.0, 0.4, step=0.05),
        "heads_per_step": choices.suggest_categorical("heads_per_step", ("all", "one")),
    }


_PUBLISHED = {
    "kernel": 3,
    "width": 128,
    "gate": "gated linear unit",
    "attention_heads": 8,
    "dropout": 0.1,
    "heads_per_step": "all",
}


def _free(*rates: int) -> dict[str, Any]:
    named = {f"rate_{i}": rate for i, rate in enumerate(rates, start=1)}
    return {"pattern": "free", "blocks": len(rates), **named, **_PUBLISHED}


FASTRE_TABLE_4: Mapping[str, Mapping[str, Any]] = {
    "FastRE": {"pattern": "rising then ones", "blocks": 6, "highest_rate": 4, **_PUBLISHED},
    "3 blocks": {"pattern": "rising", "blocks": 3, "highest_rate": 4, **_PUBLISHED},
    "all rates 1": _free(1, 1, 1, 1, 1, 1),
    "rates to 32": {"pattern": "rising", "blocks": 6, "highest_rate": 32, **_PUBLISHED},
    "9 blocks": _free(1, 2, 4, 1, 2, 4, 1, 1, 1),
}
"""The choices that give the structures of FastRE's Table 4; its third row prints five rates for six
blocks."""


def receptive_field(rates: Sequence[int], kernel: int) -> int:
    """Words that a word's output depends on after blocks of these dilation rates."""
    return 1 + (kernel - 1) * sum(rates)
