"""What one run is asked to do, `run.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from suite.files import StrictModel, read_model
from suite.modelling.keep_vectors import KeepVectors
from suite.privacy import PortableName, PortablePath
from suite.protocol import Protocol

WandbMode = Literal["offline", "online"]


class RunPlan(StrictModel):
    """Everything that a run's process needs to know.

    Attributes:
        suite: name of the suite, by which trackers group runs.
        dataset: a name or a folder.
        data_dir: where names are looked up first.
        words: how texts that their files do not split become words; None: at white space.
        system, settings: the system and its settings that differ from the defaults.
        variant, title: what these settings are called; None for the system's own.
        device: as `resolve_device` takes it; where the run takes place.
        vectors: file of word vectors; None: random ones.
        train_vectors: whether training changes the vectors of the file.
        keep_vectors: which of them its model keeps.
        pretrained: hub name, folder, `minilm` or `untrained`; None where the system needs none.
        parser: a spaCy pipeline by name or folder, or `chain`; None where the system needs none.
        tracker: is told of the run (`runners.tracking.registry`).
        wandb: mode of W&B, where that is the tracker.
        batch_sizes: at which inference is measured.
        train_share: part of the training examples that is trained on.
        test: whether test is scored and timed; without it, dev is timed.
        swap_names: `train` or a file, whence entities of test get other names besides.
    """

    suite: str
    dataset: PortableName
    data_dir: PortablePath | None
    words: str | None = None
    system: str
    settings: dict[str, Any]
    variant: str | None = None
    title: str | None = None
    protocol: Protocol
    seed: int
    device: str = "cpu"
    vectors: PortablePath | None
    train_vectors: bool
    keep_vectors: KeepVectors = "first"
    pretrained: PortableName | None
    parser: PortableName | None = None
    tracker: str = "wandb"
    wandb: WandbMode = "offline"
    batch_sizes: tuple[int, ...]
    train_share: float = 1.0
    test: bool = True
    swap_names: PortableName | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, values: Any) -> Any:
        """W&B, then the only tracker, could be switched off."""
        if isinstance(values, dict) and values.get("wandb") == "off" and "tracker" not in values:
            return {**values, "tracker": "none", "wandb": "offline"}
        return values


def read_run_plan(folder: Path) -> RunPlan:
    """The plan that the suite left in a run's folder.

    Raises:
        SuiteError: it cannot be read, or is of another version.
    """
    return read_model(
        folder / "run.json", RunPlan, "run's plan", remedy="Read it with the version that wrote it."
    )
