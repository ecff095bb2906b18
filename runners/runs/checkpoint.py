"""Checkpoints from which a run goes on as if it had not been cut off."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from torch import nn

from suite.files import remove_leftovers, write_atomically


class Progress(BaseModel):
    """How far a run has come; part of every checkpoint.

    Attributes:
        epoch, step: finished so far.
        training_seconds, evaluation_seconds: wall clock so far.
        best_epoch, best_f1: the selected epoch and its dev F1; 0 and -1 before the first.
        seconds_to_best, steps_to_best: when it was reached; seconds with evaluation.
        seconds_to_target: dev F1 (as text) -> when it was first reached.
        resumed: how many checkpoints the run went on from.
    """

    epoch: int = 0
    step: int = 0
    training_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    best_epoch: int = 0
    best_f1: float = -1.0
    seconds_to_best: float = 0.0
    steps_to_best: int = 0
    seconds_to_target: dict[str, float | None] = {}
    resumed: int = 0


class Checkpoints:
    """The two files of a run: the selected weights, and all that the next epoch starts from."""

    def __init__(self, folder: Path, configuration: str) -> None:
        self.best = folder / "best.pt"
        self.last = folder / "last.pt"
        self.configuration = configuration

    def save_best(self, system: nn.Module) -> None:
        """Keeps the weights of the best epoch so far."""
        _save(self.best, {"configuration": self.configuration, "system": system.state_dict()})

    def save_last(self, progress: Progress, parts: dict[str, Any]) -> None:
        """Keeps the state after an epoch; written after `save_best`, which it relies on."""
        state = {name: part.state_dict() for name, part in parts.items()}
        _save(
            self.last,
            {
                "configuration": self.configuration,
                "progress": progress.model_dump(),
                "parts": state,
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state_all(),
            },
        )

    def resume(self, parts: dict[str, Any], device: torch.device) -> Progress:
        """Restores the last state into `parts`; a fresh start where none fits this run."""
        remove_leftovers(self.last.parent)
        state = _load(self.last, torch.device("cpu"))
        if state is None or state["configuration"] != self.configuration:
            return Progress()
        for name, part in parts.items():
            part.load_state_dict(state["parts"][name])
        torch.set_rng_state(state["random"])
        if device.type == "cuda":
            torch.cuda.set_rng_state_all(state["random_cuda"])
        progress = Progress.model_validate(state["progress"])
        progress.resumed += 1
        return progress

    def load_best(self, system: nn.Module) -> bool:
        """Loads the selected weights; False where there are none of this run."""
        state = _load(self.best, next(system.parameters()).device)
        if state is None or state["configuration"] != self.configuration:
            return False
        system.load_state_dict(state["system"])
        return True

    def drop_last(self) -> None:
        """Deletes what only a cut-off run needs."""
        self.last.unlink(missing_ok=True)


def _save(path: Path, state: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def _load(path: Path, device: torch.device) -> dict[str, Any] | None:
    if not path.exists():
        return None
    loaded: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return loaded
