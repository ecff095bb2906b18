"""FastRE's space of structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any, Literal

from suite.systems.capabilities import Choices

DilationPattern = Literal["free", "rising", "rising then ones", "repeated"]
PATTERNS: tuple[DilationPattern, ...] = ("free", "rising", "rising then ones", "repeated")
RATES = (1, 2, 4, 8, 16, 32)
WIDTHS, KERNELS = (64, 96, 128, 192, 256), (3, 5, 7)
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
        **_kernels(choices, blocks),
        **_widths(choices, blocks),
        "gate": choices.suggest_categorical("gate", ("gated linear unit", "highway", "none")),
        "attention_heads": choices.suggest_categorical("attention_heads", (2, 4, 8, 16)),
        "dropout": choices.suggest_float("dropout", 0.0, 0.4, step=0.05),
        "heads_per_step": choices.suggest_categorical("heads_per_step", ("all", "one")),
        "tagger_convolutions": choices.suggest_categorical(
            "tagger_convolutions", ("separate", "shared")
        ),
        # To two digits: rates closer than that are one rate, and one structure.
        "learning_rate_factor": float(
            f"{choices.suggest_float('learning_rate_factor', 0.25, 4.0, log=True):.2g}"
        ),
    }


def _kernels(choices: Choices, blocks: int) -> dict[str, Any]:
    """The kernel of all blocks, or of the first one and then one for each.

    Every trial chooses `kernel`, so that its importance can be told; equal ones are one.
    """
    first = choices.suggest_categorical("kernel", KERNELS)
    if choices.suggest_categorical("kernel_pattern", ("one", "free")) == "one":
        return {"kernel": first}
    rest = (choices.suggest_categorical(f"kernel_{i}", KERNELS) for i in range(2, blocks + 1))
    kernels = (first, *rest)
    return {"kernel": first, "kernels": kernels if len(set(kernels)) > 1 else None}


def _widths(choices: Choices, blocks: int) -> dict[str, Any]:
    """The width of all blocks, or of the last one and then of those before it.

    Every trial chooses `width`, that of the taggers. Under `half first` the first half of the
    blocks is half as wide.
    """
    last = choices.suggest_categorical("width", WIDTHS)
    pattern = choices.suggest_categorical("width_pattern", ("one", "half first", "free"))
    if pattern == "one":
        return {"width": last}
    if pattern == "half first":
        narrow = blocks // 2
        return {"width": last, "widths": (last // 2,) * narrow + (last,) * (blocks - narrow)}
    before = (choices.suggest_categorical(f"width_{i}", WIDTHS) for i in range(1, blocks))
    widths = (*before, last)
    return {"width": last, "widths": widths if len(set(widths)) > 1 else None}


_PUBLISHED = {
    "kernel": 3,
    "kernel_pattern": "one",
    "width": 128,
    "width_pattern": "one",
    "gate": "gated linear unit",
    "attention_heads": 8,
    "dropout": 0.1,
    "heads_per_step": "all",
    "tagger_convolutions": "separate",
    "learning_rate_factor": 1.0,
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


def receptive_field(rates: Sequence[int], kernels: Sequence[int]) -> int:
    """Words that a word's output depends on after blocks of these dilation rates and kernels."""
    return 1 + sum((kernel - 1) * rate for kernel, rate in zip(kernels, rates, strict=True))
