"""A dataset and runs so small that a process that trains on it takes seconds."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from runners.runs.plan import RunPlan
from suite.protocol import Protocol

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"train": 60, "dev": 15, "test": 15}
PERSONS = ("Ada", "Emmy Noether", "Alan", "Grace Hopper", "Kurt", "Sofia", "Carl Gauss", "Mary")
PLACES = ("Paris", "New York", "Vienna", "Oslo", "San Jose", "Turin", "Kyiv", "Lagos", "Lima")
WORDINGS = (
    ("lives in", "{person} lives in {place} , house {number} ."),
    ("born in", "{number} years ago {person} was born in {place} ."),
    ("works in", "Every day {person} goes to work in {place} , number {number} ."),
    (None, "{person} said nothing of {place} , page {number} ."),
    ("born in", "{place} is where {person} was born , as note {number} says ."),
)
FASTRE = {"width": 64, "type_width": 8, "dilations": [1, 2]}
"""Settings that make FastRE as small as its task; dropout is as ever."""

PROTOCOL = Protocol.model_fields.keys() - RunPlan.model_fields.keys()

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    ["pytest", "runners.cli.run_suite", "runners.suite", "reports.report"]
)


def sentences(split: str) -> list[dict[str, Any]]:
    """Records of `triple_list` JSON, learnt within a few epochs."""
    first = {"train": 0, "dev": SIZES["train"], "test": SIZES["train"] + SIZES["dev"]}[split]
    found = []
    for i in range(first, first + SIZES[split]):
        person, place = PERSONS[i % len(PERSONS)], PLACES[i * 7 // len(PERSONS) % len(PLACES)]
        relation, wording = WORDINGS[i % len(WORDINGS)]
        triples = [[person, relation, place]] if relation else []
        text = wording.format(person=person, place=place, number=i)
        found.append({"text": text, "triple_list": triples})
    return found


def write_dataset(folder: Path) -> Path:
    """A user's folder of `triple_list` JSON."""
    folder.mkdir(parents=True)
    for split in SIZES:
        (folder / f"{split}_triples.json").write_text(json.dumps(sentences(split), indent=1))
    return folder


def make_plan(dataset: Path, system: str = "fastre", **changes: Any) -> RunPlan:
    """The plan of a run of five epochs; `changes` are fields of the plan or of the protocol."""
    protocol = {
        "epochs": 5,
        "batch_size": 4,
        "learning_rate": 1e-2,
        **{name: changes.pop(name) for name in PROTOCOL & changes.keys()},
    }
    values = {
        "suite": "tiny",
        "dataset": str(dataset),
        "data_dir": None,
        "system": system,
        "settings": FASTRE if system == "fastre" else {},
        "protocol": Protocol.model_validate(protocol),
        "seed": 3,
        "vectors": None,
        "train_vectors": False,
        "pretrained": "untrained" if system == "casrel" else None,
        "tracker": "none",
        "batch_sizes": (1,),
        **changes,
    }
    return RunPlan.model_validate(values)


def write_plan(folder: Path, plan: RunPlan) -> Path:
    """A run's folder, ready for `train`."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(plan.model_dump_json())
    return folder


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process of the suite: one thread, no account, no data of the user's."""
    dropped = ("WANDB_", "HF_", "RE_DATA_DIR", "COLUMNS")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    return {**kept, "OMP_NUM_THREADS": "1", "WANDB_ERROR_REPORTING": "false", **changes}


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it said; the code of one that had to be killed is None."""

    code: int | None
    out: str
    err: str


def forked(
    target: Callable[..., object],
    *arguments: object,
    folder: Path,
    env: Mapping[str, str] | None = None,
    seconds: float = 180,
) -> Ended:
    """Calls a function in a process of its own, forked from one that has imported torch.

    Args:
        target: a function of a module; what it returns is the exit code.
        arguments: of it.
        folder: the current directory of the process.
        env: `environment()` where None.
        seconds: after which the process counts as hung.
    """
    said = [folder.with_name(f"{folder.name}.{stream}") for stream in ("out", "err")]
    held = (target, arguments, folder, dict(env or environment()), said)
    process = _forks.Process(target=_in_the_fork, args=held)
    process.start()
    process.join(seconds)
    code = process.exitcode
    if process.is_alive():
        process.kill()
        process.join()
    return Ended(code, *(path.read_text() for path in said))


def _in_the_fork(
    target: Callable[..., Any],
    arguments: Sequence[object],
    folder: Path,
    env: dict[str, str],
    said: Sequence[Path],
) -> None:
    os.environ.clear()
    os.environ.update(env)
    sys.path[:0] = filter(None, env.get("PYTHONPATH", "").split(os.pathsep))
    os.chdir(folder)
    for number, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.exit(target(*arguments))


def command(
    name: str,
    *arguments: str | Path,
    folder: Path,
    env: Mapping[str, str] | None = None,
    seconds: float = 180,
) -> Ended:
    """How a command line ends, by the name of its function; see `forked`."""
    return forked(_command, name, arguments, folder=folder, env=env, seconds=seconds)


def _command(name: str, arguments: Sequence[str | Path]) -> None:
    # Steps are timed where a test is about that: it takes longer than most tests.
    more = ["--no-estimate"] if name == "run_suite" else []
    sys.argv = [name.replace("_", "-"), *map(str, arguments), *more]
    getattr(importlib.import_module(f"runners.cli.{name}"), name)()


def suite_without_measuring(arguments: Sequence[str | Path]) -> None:
    """The command line `run-suite`, but for the measurements of inference: a process each."""
    from runners import suite as schedule
    from runners.cli import run_suite as cli

    schedule.Request = partial(schedule.Request, batch_sizes=())  # type: ignore[misc, assignment]
    sys.argv = ["run-suite", *map(str, arguments), "--no-estimate"]
    cli.run_suite()


def train(folder: Path) -> int:
    """What the process of a training does; for `forked`."""
    from runners.executors import work

    return work.train(folder, None)
