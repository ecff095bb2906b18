"""Checkpoints from which a run goes on as if it had not been cut off."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from torch import nn

from runners.runs.failures import in_a_line, memory_ran_out
from suite.errors import SuiteError
from suite.files import open_regular, remove_leftovers, write_atomically
from suite.records.energy import Energy


class Progress(BaseModel):
    """How far a run has come; part of every checkpoint.

    Attributes:
        epoch, step: finished so far.
        training_seconds, evaluation_seconds: wall clock so far.
        best_epoch, best_f1: the selected epoch and its dev F1; 0 and -1 before the first.
        seconds_to_best, steps_to_best: when it was reached; seconds with evaluation.
        seconds_to_target: dev F1 (as text) -> when it was first reached.
        resumed: how many checkpoints the run went on from.
        energy: of the finished epochs; None where it is not known of each of them.
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
    energy: Energy | None = None

    def add(self, energy: Energy) -> None:
        """Counts the energy of the epoch that just ended."""
        if self.epoch == 1:
            self.energy = energy
        elif self.energy is not None:
            self.energy += energy


class DamagedError(Exception):
    """A file is not what was written."""


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
        """Restores the last state into `parts`; a fresh start where none fits this run.

        What is damaged is dropped, and said: without the last state, or without the selected
        weights where they are of an epoch before it, the run is trained again.
        """
        remove_leftovers(self.last.parent)
        state = self._sound(self.last, "the run is trained again from its first epoch")
        if state is None:
            self.drop_last()
            return Progress()
        progress = Progress.model_validate(state["progress"])
        of_last = progress.best_epoch == progress.epoch
        healed = "they are those of its last epoch" if of_last else "the run is trained again"
        lost = progress.best_epoch > 0 and self._sound(self.best, healed) is None
        if lost and not of_last:
            self.drop_last()  # else weights of a new epoch would pass for those of an old one
            return Progress()
        for name, part in parts.items():
            part.load_state_dict(state["parts"][name])
        if lost:
            self.save_best(parts["system"])
        torch.set_rng_state(state["random"])
        if device.type == "cuda":
            torch.cuda.set_rng_state_all(state["random_cuda"])
        progress.resumed += 1
        return progress

    def load_best(self, system: nn.Module) -> bool:
        """Loads the selected weights; False where there are none of this run.

        Raises:
            SuiteError: they are damaged.
        """
        try:
            state = self._own(self.best, next(system.parameters()).device)
        except DamagedError as error:
            raise SuiteError(
                f"is damaged ({error})",
                where=self.best,
                remedy="The same command trains the run again.",
            ) from error
        if state is None:
            return False
        system.load_state_dict(state["system"])
        return True

    def damage(self) -> str | None:
        """What is wrong with the file of the selected weights; None where it is sound, or none."""
        try:
            _load(self.best, torch.device("cpu"))
        except DamagedError as error:
            return str(error)
        return None

    def _sound(self, path: Path, otherwise: str) -> dict[str, Any] | None:
        """What a file holds of this run; None where nothing, or where it is damaged, which is said.

        Args:
            path: of the file; dropped where it is damaged.
            otherwise: what becomes of the run then.
        """
        try:
            return self._own(path, torch.device("cpu"))
        except DamagedError as error:
            print(f"{path} is damaged ({error}) and dropped: {otherwise}", flush=True)
            path.unlink()
            return None

    def _own(self, path: Path, device: torch.device) -> dict[str, Any] | None:
        state = _load(path, device)
        fits = state is not None and state["configuration"] == self.configuration
        return state if fits else None

    def drop(self) -> None:
        """Deletes both files: the run has left its model."""
        self.drop_last()
        self.best.unlink(missing_ok=True)
        with suppress(OSError):  # what else somebody put there stays
            self.best.parent.rmdir()

    def drop_last(self) -> None:
        """Deletes what only a cut-off run needs."""
        self.last.unlink(missing_ok=True)


def _save(path: Path, state: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def _load(path: Path, device: torch.device) -> dict[str, Any] | None:
    """What a file holds; None where there is none.

    Raises:
        DamagedError: its content is not what was written.
    """
    try:
        # torch checks no sum as it loads, and would take a flipped bit for a weight.
        with open_regular(path) as file:
            with zipfile.ZipFile(file) as archive:
                broken = archive.testzip()
            if broken is not None:
                raise DamagedError(f"the check sum of {broken} is wrong")
            file.seek(0)
            loaded: dict[str, Any] = torch.load(file, map_location=device, weights_only=True)
    except FileNotFoundError:
        return None
    except DamagedError:
        raise
    except Exception as error:  # zipfile, pickle and torch raise whatever they hit
        if memory_ran_out(error) or isinstance(error, PermissionError):
            raise
        raise DamagedError(in_a_line(error)) from error
    return loaded
