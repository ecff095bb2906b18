"""Extraction by a pool of actors on Ray, each of which holds the model.

Texts are read by a task of Ray Data, chunk by chunk as they are needed, answered by the actors, and
their rows come back in the order of the texts: what writes them is what writes those of one
process, and goes on after any end in the same way. An actor that dies is started again, and its
chunk is answered once more.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.cluster import INSTALL, connected
from suite.errors import SuiteError
from suite.extraction.extract import Answered
from suite.extraction.extractor import Extractor
from suite.extraction.inputs import Inputs

if TYPE_CHECKING:
    import numpy as np

TRIES = 5
"""How often a chunk is answered anew by other actors, whose own die over it."""
AHEAD = 2
"""Chunks that wait for an actor while it answers one."""
MakeExtractor = Callable[[], Extractor]


@dataclass(frozen=True)
class Pool:
    """Where the actors work.

    Attributes:
        address: of a cluster, as `ray.init` takes it; None: one on this machine, for this command.
        actors: that hold the model.
        threads: CPU threads of each.
        gpus: of each.
    """

    address: str | None
    actors: int
    threads: int
    gpus: float = 0.0


@contextmanager
def actors_of(pool: Pool, make: MakeExtractor) -> Iterator[Callable[..., Iterator[Answered]]]:
    """Starts Ray, gives what answers the texts of inputs, and leaves Ray again.

    Args:
        pool: which actors, and where.
        make: loads the model, in each actor.

    Raises:
        SuiteError: Ray is not installed, does not answer, or lacks the cores.
    """
    with connected(pool.address, pool.actors * pool.threads + 1) as ray:
        try:
            import ray.data  # noqa: PLC0415 - it comes with what else it needs
        except ImportError as error:
            raise SuiteError(
                f"--ray needs Ray Data, which cannot be imported ({error})", remedy=INSTALL
            ) from error
        _check_room(ray, pool)
        _kept_in_order(ray)
        yield lambda inputs, leave_out: _answered(ray, pool, make, inputs, leave_out)


def _kept_in_order(ray: Any) -> None:
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    # Each chunk is a block: Ray would join small ones, and one actor would be given them all.
    context.target_min_block_size = context.target_max_block_size = 1
    context.enable_progress_bars = False


def _check_room(ray: Any, pool: Pool) -> None:
    there = ray.cluster_resources()
    for name, needed in (
        ("CPU", pool.actors * pool.threads),
        ("GPU", pool.actors * pool.gpus),
    ):
        if needed > there.get(name, 0):
            raise SuiteError(
                f"{pool.actors} actors need {needed:g} {name}s, and the cluster has "
                f"{there.get(name, 0):g}",
                remedy="Ask for fewer --actors or --threads.",
            )


def _answered(
    ray: Any, pool: Pool, make: MakeExtractor, inputs: Inputs, leave_out: int
) -> Iterator[Answered]:
    chunks = ray.data.read_datasource(_source(ray, inputs, leave_out), override_num_blocks=1)
    answered = chunks.map_batches(
        _Actor,
        fn_constructor_args=(make, pool.threads, str(Path.cwd())),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=pool.actors, max_tasks_in_flight_per_actor=AHEAD),
        num_cpus=pool.threads,
        num_gpus=pool.gpus or None,
        ray_remote_args_fn=lambda: {"max_restarts": TRIES, "max_task_retries": TRIES},
    )
    try:
        for batch in answered.iter_batches(batch_size=1, prefetch_batches=0):
            found = pickle.loads(batch["answered"][0])
            if isinstance(found, SuiteError):
                raise found
            yield found
    except ray.exceptions.RayError as error:
        raise SuiteError(
            f"the actors failed: {(str(error).strip() or type(error).__name__).splitlines()[-1]}",
            remedy="What was answered is kept: the same command goes on where it stopped.",
        ) from error


def _source(ray: Any, inputs: Inputs, leave_out: int) -> Any:
    """The texts as a source of Ray Data: a block of one row for each chunk, made as it is read."""
    import pyarrow as pa  # noqa: PLC0415 - of ray's

    here = str(Path.cwd())

    def blocks() -> Iterator[Any]:
        os.chdir(here)  # files are named from where the command was given
        for chunk in inputs.chunks(leave_out=leave_out):
            packed = pickle.dumps((chunk, inputs.bytes_read))
            yield pa.table({"chunk": pa.array([packed], pa.large_binary())})

    class Chunks(ray.data.Datasource):  # type: ignore[misc]
        """One task reads all: reading takes a small part of what answering takes."""

        def estimate_inmemory_data_size(self) -> int | None:
            """Unknown; Ray then goes by what the blocks turn out to be."""
            return None

        def get_read_tasks(self, *_: Any, **__: Any) -> list[Any]:
            """The task."""
            metadata = ray.data.block.BlockMetadata(
                num_rows=None, size_bytes=None, exec_stats=None, input_files=None
            )
            return [ray.data.ReadTask(blocks, metadata)]

    return Chunks()


class _Actor:
    """Holds a model and answers chunks."""

    def __init__(self, make: MakeExtractor, threads: int, folder: str) -> None:
        import torch  # noqa: PLC0415 - in the actor alone

        os.chdir(folder)
        torch.set_num_threads(threads)
        self._extractor = make()

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[bytes]]:
        chunk, bytes_read = pickle.loads(batch["chunk"][0])
        try:
            found: object = Answered(self._extractor(chunk), bytes_read)
        except SuiteError as error:
            found = error  # another actor would meet it too
        return {"answered": [pickle.dumps(found)]}
