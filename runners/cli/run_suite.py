"""The command line `run-suite`."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from runners.cli.arguments import cores, make_protocol, overrides, protocol_fields, seeds_of
from runners.cli.command import console, errors, script
from runners.cli.planned import Estimates, print_estimate, print_plan
from runners.cli.precision import warn_of_slow_precision
from runners.cli.progress import shown
from runners.cli.result import print_result
from runners.cli.sizes import measure_sizes
from runners.cluster import connected, is_from_without
from runners.options.commands import SuiteOptions
from runners.options.declared import as_configuration, shared
from runners.options.groups import (
    EVERY,
    FIRST_SYSTEMS,
    MIN_PATIENCE_STEPS,
    MIN_STEPS,
    SEEDS,
    SYNTHETIC_EPOCHS,
    SYNTHETIC_SEEDS,
    CarriedOutOptions,
)
from runners.remote.place import opened
from runners.remote.urls import is_url
from suite.errors import SuiteError

if TYPE_CHECKING:
    from runners.executors.base import Executor
    from runners.executors.ray_cluster import Cluster
    from runners.remote.place import OpenedOut
    from runners.suite import Request, Suite
    from suite.studies.study import Study


def _run_suite(options: SuiteOptions) -> None:
    """Train and measure systems under one protocol and write OUT/report.md.

    Without arguments: a few systems on the synthetic corpora; minutes on two cores, nothing
    downloaded. Runs that are complete are not run again; one that was cut off goes on.

    Ends with 0 where every run and measurement gave its figures, with 1 where one did not (the
    report says which, and why), with 2 for a mistake in the call, and with 130 when interrupted.

    \b
    run-suite                                            the synthetic corpora
    run-suite --dataset nyt11                            a public dataset, fetched if need be
    run-suite --dataset path/to/folder --system fastre   your own data
    run-suite --dataset nyt11 --system fastre --system mine.yaml   a variant beside it
    run-suite --study fastre-table5 --dataset nyt10      a paper's table, line by line
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    if options.list_:
        _print_lists()
        return
    if options.study is not None:
        from suite.studies.sizes import find_size_study  # noqa: PLC0415 - as the study's form

        sizes = find_size_study(options.study)
        if sizes is not None:
            measure_sizes(options, sizes)
            return
    from runners.suite import Suite  # noqa: PLC0415 - imports torch

    request = make_request(options)
    refuse_contradictions(options)
    with opened(options.out, dry=options.dry_run) as place, _cluster(options) as cluster:
        if cluster is not None:
            from runners.executors.nodes import device_of  # noqa: PLC0415

            request = replace(request, device=device_of(cluster.ray, request.device))
        suite = Suite(replace(request, out=place.folder))
        print_plan(suite, place.shown)
        if cluster is None and suite.left():
            warn_of_slow_precision(request.protocol.precision, request.device)
        estimated = _estimate(suite, options, cluster)
        if not options.dry_run:
            _carry_out(suite, place, cluster, estimated)


def refuse_contradictions(options: SuiteOptions) -> None:
    """Checks that what is asked for can be done at the place that is asked for.

    Raises:
        SuiteError: it cannot.
    """
    if options.memory is not None and not options.on_ray:
        raise SuiteError(
            "--memory is what a run asks a node of Ray for, and nothing limits a run without it",
            remedy="Give --ray, or leave out --memory.",
        )
    if options.workers > 1 and options.on_ray:
        raise SuiteError(
            "--workers are of this machine, and --ray has as many runs at a time as nodes hold",
            remedy="Leave one of them out.",
        )
    address = options.ray_address
    # The folder of a URL is of this machine, and nodes leave their files on one of the cluster.
    if is_url(options.out) and address is not None and is_from_without(address):
        raise SuiteError(
            "an --out that is a URL needs this command on a node of the cluster, and "
            f"--ray-address {address} reaches it from without",
            remedy="Give the command to a node, as by `ray job submit`, with --ray-address auto.",
        )


@contextmanager
def _cluster(options: SuiteOptions) -> Iterator[Cluster | None]:
    """The Ray cluster that is asked for; None where this machine carries the runs out."""
    if not options.on_ray:
        yield None
        return
    from runners.executors.ray_cluster import cluster_at  # noqa: PLC0415

    with connected(options.ray_address, cores()) as ray:
        yield cluster_at(ray, options.ray_address, options.memory)


def make_request(options: SuiteOptions) -> Request:
    """What a command of these options asks for.

    Raises:
        SuiteError: an option has a value that means nothing.
    """
    from reports.prices import read_prices  # noqa: PLC0415 - heavy
    from runners.suite import Request  # noqa: PLC0415 - imports torch
    from suite.datasets.catalogue.entries import SYNTHETICS  # noqa: PLC0415
    from suite.systems.registry import system_names  # noqa: PLC0415

    study = _chosen_study(options)
    datasets = tuple(dict.fromkeys(options.dataset or (study.datasets if study else SYNTHETICS)))
    short = set(datasets) <= set(SYNTHETICS)
    limits = {"epochs": options.epochs, "patience": options.patience}
    asked = {name: value for name, value in limits.items() if value is not None}
    asked |= protocol_fields(options.protocol or [])
    fields = {
        **({"epochs": SYNTHETIC_EPOCHS} if short else {}),
        # A length that is asked for is meant; the default one is for datasets of any size.
        "min_steps": 0 if short or options.epochs is not None else MIN_STEPS,
        "min_patience_steps": 0 if short or options.patience is not None else MIN_PATIENCE_STEPS,
        "match": options.match,
        "accumulate": options.accumulate,
        "threads": options.threads or cores(),
        "precision": options.precision,
    }
    return Request(
        **shared(options, CarriedOutOptions),
        datasets=datasets,
        systems=_chosen_systems(options.system, system_names(), short=short),
        only=FIRST_SYSTEMS if short and not options.system else {},
        seeds=seeds_of(options.seeds or str(SYNTHETIC_SEEDS if short else SEEDS)),
        protocol=make_protocol({**fields, **asked}),
        asked=asked,
        out=Path(options.out),
        settings=overrides(options.set_ or []),
        study=study,
        published=options.settings == "published",
        options=as_configuration(options),
        prices=None if options.prices is None else read_prices(options.prices),
    )


def _chosen_systems(
    asked: list[str] | None, known: Sequence[str], *, short: bool
) -> tuple[str, ...]:
    """Those that are asked for; else a few for the synthetic corpora, and all for other data."""
    named = asked or ([*FIRST_SYSTEMS] if short else [EVERY])
    found = (name for one in named for name in (known if one == EVERY else [one]))
    return tuple(dict.fromkeys(found))


def _chosen_study(options: SuiteOptions) -> Study | None:
    from suite.studies.study import find_study  # noqa: PLC0415

    if options.study is None:
        return None
    if options.system:
        raise SuiteError(
            "--study runs its own variants, and --system names others",
            remedy="Give one of the two.",
        )
    return find_study(options.study)


def _print_lists() -> None:
    from suite.datasets.catalogue.entries import CATALOGUE, SYNTHETICS  # noqa: PLC0415
    from suite.studies.sizes import find_size_study, size_study_names  # noqa: PLC0415
    from suite.studies.study import find_study, study_names  # noqa: PLC0415
    from suite.systems.registry import find_system, system_names  # noqa: PLC0415

    systems = Table("system", "tasks", "citation", title="Systems", title_justify="left")
    for name in system_names():
        found = find_system(name)
        systems.add_row(name, ", ".join(sorted(found.tasks)), found.citation)
    datasets = Table("dataset", "task", "title", title="Datasets", title_justify="left")
    for name, task in SYNTHETICS.items():
        datasets.add_row(name, task, "made by the suite")
    for entry in CATALOGUE.values():
        datasets.add_row(entry.name, entry.task, entry.title)
    studies = Table("study", "task", "asks", title="Studies", title_justify="left")
    for name in study_names():
        study = find_study(name)
        studies.add_row(name, study.task, study.question)
    for name in size_study_names():
        by_size = find_size_study(name)
        assert by_size is not None
        studies.add_row(name, "triples", by_size.question)
    console.print(systems, datasets, studies)


def _estimate(suite: Suite, options: SuiteOptions, cluster: Cluster | None) -> Estimates:
    """What each system's runs would take here; nothing where nobody is to be told."""
    if options.no_estimate or not suite.left():
        return {}
    if cluster is not None:
        console.print("time: not known, as nodes carry the runs out")
        return {}
    if not suite.request.replace and any(run.state == "other settings" for run in suite.runs):
        return {}  # which is refused before anything is run
    from runners.executors.estimate import estimates  # noqa: PLC0415 - imports torch
    from runners.executors.server import served  # noqa: PLC0415

    # Twice a second: the steps are timed beside it.
    with console.status("timing some steps", refresh_per_second=2) as status:
        found = estimates(
            suite.left(),
            served(),
            lambda run: status.update(f"timing some steps: {run.title}"),
        )
    print_estimate(suite, found)
    return found


def _executor(suite: Suite, cluster: Cluster | None) -> Executor:
    if cluster is None:
        from runners.executors.local import LocalExecutor  # noqa: PLC0415 - imports torch

        return LocalExecutor(suite.request.workers)
    from runners.executors.ray_cluster import RayExecutor  # noqa: PLC0415

    return RayExecutor(cluster, suite.request.out)


def _carry_out(
    suite: Suite, place: OpenedOut, cluster: Cluster | None, estimated: Estimates
) -> None:
    # Whoever ends the suite by SIGTERM gets what Ctrl-C gets: records and a report.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with shown(suite.runs, suite.left(), estimated) as on_event:
        report = suite.run(_executor(suite, cluster), place.hearing(on_event))
    place.send()
    for line in suite.doubts():
        errors.print(line.replace("**", ""), markup=False)
    missing = suite.missing()
    for line in missing:
        errors.print(line, markup=False)
    print_result(report, f"{place.shown}/{report.name}")
    if missing:
        raise typer.Exit(1)


run_suite = script(SuiteOptions, _run_suite)
