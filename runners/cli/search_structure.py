"""The command `search-structure`, and the workers that it starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import typer
from rich.table import Table

from runners.cli.arguments import cores, make_protocol, overrides, protocol_fields, seeds_of
from runners.cli.command import console, errors, script
from runners.cli.precision import warn_of_slow_precision
from runners.cli.progress import shown, shown_trials
from runners.options.commands import SearchOptions
from runners.options.declared import shared
from runners.options.groups import PATIENCE, RunOptions
from suite.errors import SuiteError
from suite.privacy import shown_command

if TYPE_CHECKING:
    from runners.executors.base import Executor
    from runners.search.request import SearchRequest
    from runners.search.search import Search
    from suite.records.search import SearchRecord

LOOK_SECONDS = 10.0
"""How long is waited for a worker before the bars are looked after: all trials are read for them,
which must not disturb what is measured."""
WORKER_GRACE_SECONDS = 40.0
"""How long a worker whose command has died may take to put its trial back into the queue."""


def _search_structure(options: SearchOptions) -> None:
    """Search a system's structure on a dataset and write OUT/report.md.

    First for dev F1, with pruning and under the limits; then for dev F1, latency and parameters at
    once; then the best of both and the system as it is are trained over seeds and scored on test,
    once. OUT/best.yaml is the best of them: run-suite --system OUT/best.yaml trains it. With
    --check, some structures are trained to the end before, to see whether short trials order them
    as long ones do.

    The same command again goes on where it stopped; with more --trials it adds to them. Started on
    other machines with the same --storage, it works on the same search; with --ray, its workers are
    on all nodes of a cluster.

    Ends with 1 where a published structure has no figure, a structure was given up, over which
    worker after worker died, or no structure keeps to the limits.

    \b
    search-structure --dataset nyt10 --trials 50 --max-latency 3
    search-structure --dataset nyt10 --storage postgresql://me@host/searches --workers 4
    search-structure --dataset nyt10 --ray-address auto --workers 16 --threads 64
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    from runners.search.search import Search  # noqa: PLC0415 - imports torch
    from runners.search.storage import open_storage  # noqa: PLC0415

    request = _request(options)
    storage = open_storage(options.storage, options.out, dry=options.dry_run)
    search = Search(request, storage, here=not options.on_ray)
    _print_plan(search, options.workers)
    if not options.on_ray:
        warn_of_slow_precision(request.suite.protocol.precision, request.suite.device)
    if options.dry_run:
        return
    if options.on_ray:
        from runners.search.on_ray import work_on_ray  # noqa: PLC0415

        threads = request.suite.protocol.threads
        work_on_ray(search, options.ray_address, threads, lambda said: print(said, flush=True))
    else:
        search.begin()  # refuses a search that was begun under other conditions
        total = request.trials + request.trade_offs + request.check
        with shown_trials(total, lambda: _tried(search)) as look:
            _run_workers(request, options.workers, look)
    with _executor_of_finals(search, options) as executor:
        _conclude(search, executor)


@contextmanager
def _executor_of_finals(search: Search, options: SearchOptions) -> Iterator[Executor]:
    """What carries out the finals: what did the trials."""
    from runners.executors.local import LocalExecutor  # noqa: PLC0415 - imports torch

    if not options.on_ray:
        yield LocalExecutor(options.workers)
        return
    from runners.cluster import connected  # noqa: PLC0415 - Ray is no part of the suite
    from runners.executors.nodes import device_of  # noqa: PLC0415
    from runners.executors.ray_cluster import RayExecutor, cluster_at  # noqa: PLC0415

    with connected(options.ray_address, cores()) as ray:
        device = device_of(ray, options.device)
        suite = replace(search.request.suite, ray=True, device=device)
        search.request = replace(search.request, suite=suite)
        yield RayExecutor(cluster_at(ray, options.ray_address), search.out / "finals")


def _request(options: SearchOptions) -> SearchRequest:
    from runners.search.request import SearchRequest  # noqa: PLC0415 - imports torch
    from runners.suite import Request  # noqa: PLC0415
    from suite.records.search import Limits  # noqa: PLC0415

    fields = {
        "epochs": options.epochs,
        "patience": options.patience or PATIENCE,
        "match": options.match,
        "threads": max(1, (options.threads or cores()) // options.workers),
        "precision": options.precision,
        **protocol_fields(options.protocol or []),
    }
    return SearchRequest(
        suite=Request(
            **shared(options, RunOptions),
            datasets=(options.dataset,),
            systems=(options.system,),
            seeds=seeds_of(options.seeds),
            protocol=make_protocol(fields),
            out=options.out,
            settings=overrides(options.set_ or []),
        ),
        trials=options.trials,
        trade_offs=options.trials // 2 if options.trade_offs is None else options.trade_offs,
        finalists=options.finalists,
        limits=Limits(
            latency_ms=options.max_latency,
            latency_batch=options.latency_batch,
            memory_mb=options.max_memory,
        ),
        name=options.name or f"{Path(options.system).stem}-{Path(options.dataset).name}",
        storage=options.storage,
        sampler_seed=options.sampler_seed,
        command=shown_command(sys.argv),
        workers=options.workers,
        pruner=options.pruner,
        check=options.check,
        check_epochs=options.check_epochs,
        warm_start=options.warm_start,
    )


def _print_plan(search: Search, workers: int) -> None:
    request, facts = search.request, search.planned.system
    resources = "; ".join(filter(None, (facts.pretrained, facts.vectors, facts.parser)))
    table = Table("system", "dataset", "trials", "epochs", "finals", "workers", "resources")
    table.add_row(
        facts.key,
        search.planned.dataset.name,
        f"{request.trials} + {request.trade_offs}"
        + (f" + {request.check} of {request.check_epochs} epochs" if request.check else ""),
        str(search.base.protocol.epochs),
        f"{1 + request.finalists} x {len(request.suite.seeds)} seeds",
        str(workers),
        resources,
    )
    console.print(table)
    done = _tried(search)
    if done:
        console.print(f"{done} structures were tried before")
    console.print(f"output: {search.out}", markup=False)


def _tried(search: Search) -> int:
    """How many structures were tried."""
    return sum(t.duplicate_of is None for t in search.ended())


def _run_workers(request: SearchRequest, count: int, look: Callable[[], None]) -> None:
    """Starts the workers and waits for them; one may die, and the others do its work.

    Args:
        request: of the search.
        count: of workers.
        look: is called now and then meanwhile.

    Raises:
        SuiteError: all of them died.
    """
    from pydantic import TypeAdapter  # noqa: PLC0415

    from runners.executors.server import WAITING  # noqa: PLC0415
    from runners.search.request import SearchRequest  # noqa: PLC0415

    # By standard input, which ends when this process does, and shows no password to anyone.
    line = TypeAdapter(SearchRequest).dump_json(request) + b"\n"
    children = []
    try:
        for number in range(count):
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", "runners.cli.search_structure", str(number)],
                stdin=subprocess.PIPE,
                # What they say would break the bars, which the console keeps below it.
                stdout=subprocess.PIPE if console.is_terminal else None,
                env={**WAITING, **os.environ},
            )
            assert child.stdin is not None
            child.stdin.write(line)
            child.stdin.flush()
            children.append(child)
            if child.stdout is not None:
                threading.Thread(target=_pass_on, args=(child.stdout,), daemon=True).start()
        while alive := [child for child in children if child.poll() is None]:
            look()
            with suppress(subprocess.TimeoutExpired):
                alive[0].wait(LOOK_SECONDS)
        codes = [child.wait() for child in children]
    except BaseException:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()
        raise
    finally:
        for child in children:
            assert child.stdin is not None
            child.stdin.close()
    if 0 not in codes:
        said = ", ".join(str(code) for code in codes)
        raise SuiteError(
            f"no worker came to the end of the search (exit codes {said})",
            remedy="Their messages stand above; the same command goes on.",
        )
    for code in codes:
        if code:
            errors.print(f"a worker ended with {code}; the others did its work")


def _pass_on(said: IO[bytes]) -> None:
    """Prints what a worker says."""
    for line in said:
        console.print(line.decode(errors="replace").rstrip("\n"), markup=False)


def _conclude(search: Search, executor: Executor) -> None:
    """Runs the finals, writes what the search leaves behind, and says what is to be said."""
    from reports.search.report import write_search_report  # noqa: PLC0415 - heavy
    from runners.search.conclude import conclude  # noqa: PLC0415
    from runners.search.finals import Finals, choose  # noqa: PLC0415
    from runners.tracking.registry import gather  # noqa: PLC0415

    # Whoever ends the search by SIGTERM gets what Ctrl-C gets.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    finals = Finals(search, choose(search))
    with shown(finals.suite.runs, finals.suite.left()) as on_event:
        finals.run(executor, on_event)
    record, best = conclude(search, finals)
    gather(search.request.suite.tracker, search.out, lambda said: errors.print(said, markup=False))
    console.print(f"report: {write_search_report(search.out)}", markup=False)
    console.print(f"best structure: {best}", markup=False)
    if not _all_is_there(search, record):
        raise typer.Exit(1)


def _all_is_there(search: Search, record: SearchRecord) -> bool:
    """Whether every structure came to its end, and some structure keeps to the limits.

    Every published one has its figure then, and none was given up.
    """
    missing = search.without_figure()
    for label, reason in missing.items():
        said = f"the published structure {label!r} has no figure: {reason}"
        errors.print(f"{said}; the same command tries it again", markup=False)
    ended = (*record.trials, *(record.check.trials if record.check else ()))
    given_up = [t for t in ended if t.given_up and t.duplicate_of is None]
    for trial in given_up:
        said = f"{trial.name} was given up: {trial.failure}"
        errors.print(f"{said}; the same command tries it again", markup=False)
    kept = [t for t in record.trials if t.state == "complete" and not t.broken]
    if not kept:
        errors.print("no structure keeps to the limits; see the report for the nearest ones")
    return bool(kept) and not missing and not given_up


def _work(number: int) -> int:
    """The process of one of a command's workers: 0 where the search has come to its end."""
    from pydantic import TypeAdapter  # noqa: PLC0415

    from runners.executors.starter import end_with_the_starter  # noqa: PLC0415

    line = sys.stdin.buffer.readline()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Longer than its trainings have; not by sys.stdin, whose lock no fork could ever have.
    end_with_the_starter(0, grace=WORKER_GRACE_SECONDS)
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)  # trainings are forked from here: no pool may be running
    from runners.search.request import SearchRequest  # noqa: PLC0415
    from runners.search.search import Search  # noqa: PLC0415
    from runners.search.storage import open_storage  # noqa: PLC0415
    from runners.search.worker import Worker  # noqa: PLC0415

    try:
        request = TypeAdapter(SearchRequest).validate_python(json.loads(line))
        search = Search(request, open_storage(request.storage, request.suite.out), number)
        Worker(search, lambda said: print(said, flush=True)).work()
    except SuiteError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


search_structure = script(SearchOptions, _search_structure)

if __name__ == "__main__":
    sys.exit(_work(int(sys.argv[1])))
