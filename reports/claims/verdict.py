"""Verdicts on claims, from an interval and what is claimed, by the rules that are printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from reports.comparison import SHORTFALL
from suite.uncertainty.textbook import Difference

Verdict: TypeAlias = Literal["does not hold", "cannot be told here", "holds in direction", "holds"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""From the worst to the best of what can be said of a claim."""
Over: TypeAlias = Literal["seeds and examples", "seeds", "examples", "one run", "nothing varies"]
"""What an interval counts; `examples` alone and `one run` tell nothing of another seed."""


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval, in the unit of the claim.

    Attributes:
        value: the figure.
        low, high: the interval; the value itself of what does not vary, and of one run.
        over: what the interval counts.
    """

    value: float
    low: float
    high: float
    over: Over

    @property
    def counts_seeds(self) -> bool:
        """Whether the interval says how far another seed would lie, or no seed changes it."""
        return self.over not in {"examples", "one run"}


def over_seeds(found: Difference, figure: float = 0.0) -> Measured:
    """A t-test's interval, of a difference to `figure`, as one of the value itself."""
    value, low, high, _ = found
    return Measured(figure + value, figure + low, figure + high, "seeds")


@dataclass(frozen=True)
class Ground:
    """How far what was measured is what the paper measured.

    Attributes:
        unlike: conditions that are not the paper's, as phrases; none where all are.
        one_sided: whether a resource is a stand-in on one side of a comparison alone, so that
            a difference against the claim may be the stand-in's.
    """

    unlike: tuple[str, ...] = ()
    one_sided: bool = False


def judge_above(
    found: Measured, bound: float, printed: float | None, ground: Ground = Ground()
) -> Verdict:
    """Whether a figure lies above a bound, and is as large as the paper has it.

    Args:
        found: what was measured.
        bound: above which the claim is true in its direction.
        printed: the size in the paper; None where it states a direction alone.
        ground: under which conditions it was measured.
    """
    if not found.counts_seeds:
        return "cannot be told here"
    if found.low > bound:
        as_large = printed is None or found.high >= printed
        return "holds" if as_large and not ground.unlike else "holds in direction"
    if found.high < bound and not ground.one_sided:
        return "does not hold"
    return "cannot be told here"


def judge_alike(found: Measured, within: float, ground: Ground = Ground()) -> Verdict:
    """Whether two figures differ by no more than so much.

    Args:
        found: their difference.
        within: that they may differ by.
        ground: under which conditions it was measured.
    """
    if not found.counts_seeds:
        return "cannot be told here"
    if -within <= found.low and found.high <= within:
        return "holds in direction" if ground.unlike else "holds"
    if (found.low > within or found.high < -within) and not ground.one_sided:
        return "does not hold"
    return "cannot be told here"


def judge_level(found: Measured, printed: float, ground: Ground = Ground()) -> Verdict:
    """Whether a level is reached; one that was measured under other conditions says nothing of it.

    Args:
        found: the F1, in per cent.
        printed: the paper's.
        ground: under which conditions it was measured.
    """
    if not found.counts_seeds or ground.unlike:
        return "cannot be told here"
    if found.high < printed:
        return "does not hold"
    return "holds" if found.low >= printed - SHORTFALL else "cannot be told here"


def judge_count(found: float, printed: float) -> Verdict:
    """Whether a count that nothing varies is the printed one, but for one in a hundred."""
    return "holds" if abs(found - printed) <= printed / 100 else "does not hold"


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on a claim of several parts: all of them must hold, and one refutes it.

    Args:
        verdicts: of the parts, one at least.
    """
    return min(verdicts, key=VERDICTS.index)
