"""What a system may be able to do beyond the contract; each capability is a protocol of its own.

Whoever asks for one asks `issubclass(system, Searches)`, or `isinstance` of a built system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from suite.modelling.gradients import Explanation
from suite.tasks.examples import Example


@runtime_checkable
class Memorises(Protocol):
    """Keeps what train says, once, and has no parameters: no epoch and no step trains it.

    What it keeps is part of its state, as weights are; its `loss` is 0.
    """

    def memorise(self, examples: Sequence[Example]) -> None:
        """Keeps what examples say, in place of what was kept; called before any is encoded.

        Args:
            examples: train, as the system sees it, with its gold.
        """


@runtime_checkable
class ScoresFacts(Protocol):
    """Scores all facts that a document might hold, along which measures are taken.

    Every system of a task whose items are ranked has it (`suite.tasks.task.Task.ranked`).
    """

    def fact_scores(self, batch: Any) -> list[Float[Tensor, "_ _ relations"]]:
        """For each document the probability that head, tail and relation are a fact."""

    def decide_at(self, theta: float) -> None:
        """Sets the probability from which upwards a fact is predicted.

        Args:
            theta: where F1 over dev is best; whoever evaluates fits it, from `fact_scores`.
        """


class OperatingPoint(NamedTuple):
    """A trade of accuracy for speed that a trained system can be set to.

    Attributes:
        rule: by which it stops early; empty for full depth.
        value: of the rule's threshold.
    """

    rule: str
    value: float


@runtime_checkable
class ExitsEarly(Protocol):
    """Can stop before its last layer."""

    @classmethod
    def operating_points(cls, settings: Any) -> tuple[OperatingPoint, ...]:
        """The trades of accuracy for speed that are measured after training; full depth first."""

    def operate_at(self, point: OperatingPoint) -> None:
        """Sets the trade for the predictions to come."""

    def layers_used(self) -> float:
        """Mean number of encoder layers that the sentences predicted since `operate_at` took."""


@runtime_checkable
class Explains(Protocol):
    """Can say what its loss depends on."""

    def explain(self, batch: Any) -> Explanation:
        """What each sentence's loss depends on, over all its gold targets; in evaluation mode."""


class Axis(NamedTuple):
    """An axis of tensors whose length differs from one call of a graph to the next.

    Attributes:
        name: the same wherever the length is.
        longest: its greatest length; None: any.
    """

    name: str
    longest: int | None = None


class Graph(NamedTuple):
    """A part of what a system computes that takes tensors and gives tensors.

    Attributes:
        compute: takes as many tensors as there are examples, gives as many as `outputs`; nothing in
            it depends on the values of a tensor but through tensors.
        examples: of what it takes, by name and in order. Axes that differ have different lengths,
            of at least two, where they may be so long.
        axes: by the name of what it takes, of each dimension; None where its length is fixed.
        outputs: names of what it gives.
    """

    compute: Callable[..., tuple[Tensor, ...]]
    examples: Mapping[str, Tensor]
    axes: Mapping[str, tuple[Axis | None, ...]]
    outputs: tuple[str, ...]


RunGraph = Callable[[str, tuple[Tensor, ...]], tuple[Tensor, ...]]
"""Computes the graph of a name."""


@runtime_checkable
class Exports(Protocol):
    """Can have its network computed by another engine than torch, from graphs of it.

    What a network decides on its way, and decoding, stay with the system, so that they are the
    same for every engine.
    """

    def graphs(self) -> Mapping[str, Graph]:
        """The parts of its network; in evaluation mode, on the CPU, without gradients."""

    def forward_by(self, run: RunGraph, batch: Any) -> Any:
        """What the system's `forward` gives of a batch, to within rounding.

        Args:
            run: computes its graphs.
            batch: encoded, on the CPU.
        """


@runtime_checkable
class Choices(Protocol):
    """Makes choices by name; an Optuna trial does. A name's range is the same in every trial."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of `choices`."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        """A whole number from `low` to `high`."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number from `low` to `high`."""


@runtime_checkable
class Searches(Protocol):
    """Has a space of settings that a structure search goes through."""

    @classmethod
    def vary(cls, settings: Any, choices: Choices) -> dict[str, Any]:
        """The settings of a trial that differ from `settings`.

        Args:
            settings: the system's, with all that the search holds fixed.
            choices: makes the trial's choices.
        """
        ...

    @classmethod
    def tried_first(cls) -> Mapping[str, Mapping[str, Any]]:
        """Choices of `vary` that are tried before any others, by what reports call them."""
        return {}

    @classmethod
    def structure(cls, settings: Any) -> dict[str, str]:
        """What a search's report says of a structure: heading -> cell."""
        return {}
