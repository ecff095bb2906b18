"""Everything that is held equal between the systems of one comparison."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Literal

from pydantic import Field

from suite.files import StrictModel
from suite.tasks.examples import TaskName
from suite.tasks.matching import Match
from suite.tasks.registry import find_task

Precision = Literal["float32", "bfloat16"]
"""What is computed in; bfloat16 by autocast."""


class Protocol(StrictModel):
    """One training and evaluation protocol; printed in every report, hashed into every record."""

    settings: Literal["identical", "published"] = Field(
        "identical", description="one protocol for all systems, or each paper's own"
    )
    max_words: int = Field(100, ge=1, description="words of a sentence that a system sees")
    batch_size: int = Field(32, ge=1, description="sentences per step")
    accumulate: int = Field(
        1, ge=1, description="parts into which a step's batch is cut where memory is short"
    )
    document_batch_size: int = Field(4, ge=1, description="documents per step")
    epochs: int = Field(60, ge=1, description="epochs at most, and the length of the decay")
    patience: int = Field(10, ge=1, description="epochs without a better dev F1 before the stop")
    min_steps: int = Field(
        0, ge=0, description="steps at least: where `epochs` give fewer, there are more epochs"
    )
    min_patience_steps: int = Field(
        0, ge=0, description="likewise, steps that patience spans at least"
    )
    optimiser: Literal["adamw", "adam"] = "adamw"
    schedule: Literal["linear", "constant"] = Field(
        "linear", description="after the warm-up: decay to 0, or none"
    )
    learning_rate: float = Field(1e-3, gt=0, description="of freshly initialised parameters")
    pretrained_learning_rate: float = Field(5e-5, gt=0, description="of pretrained parameters")
    weight_decay: float = Field(0.01, ge=0)
    decay_biases: bool = Field(
        False, description="whether biases and the scales of norms decay too, not weights alone"
    )
    warmup: float = Field(0.06, ge=0, le=1, description="share of all steps")
    warmup_steps: int | None = Field(None, ge=0, description="number of steps, in place of a share")
    decay_steps: int | None = Field(
        None, ge=1, description="steps from 1 to rate 0, in place of those of all epochs"
    )
    max_gradient_norm: float | None = Field(1.0, gt=0, description="None: not clipped")
    match: Match = Field(
        "partial",
        description="the rule under which dev F1 selects the epoch, for triples; entities are "
        "matched whole, facts by their entities",
    )
    target_f1: tuple[float, ...] = Field(
        (0.5, 0.6, 0.7, 0.8, 0.9), description="dev F1 whose first reaching is timed"
    )
    precision: Precision = "float32"
    threads: int = Field(1, ge=1, description="of torch's CPU pool, in training and measuring")

    def examples_per_step(self, task: TaskName) -> int:
        """Sentences or documents per training step."""
        size: int = getattr(self, find_task(task).batch_field)
        return size

    def length(self, steps_per_epoch: int) -> int:
        """Epochs at most, of so many steps each."""
        return max(self.epochs, math.ceil(self.min_steps / steps_per_epoch))

    def patience_of(self, steps_per_epoch: int) -> int:
        """Epochs, of so many steps each, without a better dev F1 before the stop."""
        return max(self.patience, math.ceil(self.min_patience_steps / steps_per_epoch))

    def digest(self) -> str:
        """Twelve hexadecimal digits that differ where any field does."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
