"""The command lines."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from runners.cli.arguments import choice, cores, make_protocol, overrides, protocol_fields
from runners.cli.command import console, errors, script, user_errors
from runners.cli.options import (
    Assignments,
    DataDir,
    Device,
    DryRun,
    MatchRule,
    Parser,
    Precision,
    Pretrained,
    ProtocolFields,
    TrainShare,
    TrainVectors,
    Vectors,
    Wandb,
)
from runners.cli.progress import shown
from suite.errors import SuiteError
from suite.tasks.matching import Match

if TYPE_CHECKING:
    from runners.executors.base import PlannedRun
    from runners.suite import Request, Suite
    from suite.studies.study import Study

SEEDS = 3
SYNTHETIC_EPOCHS, SYNTHETIC_SEEDS = 21, 1
"""Enough for its 2,000 sentences, so that the command without arguments takes minutes."""


def _run_suite(
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            help="Name or folder; repeatable. See --list.", show_default="all synthetic ones"
        ),
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            help="Name, or YAML file of a system and its settings; repeatable. See --list.",
            show_default="all",
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(help="A paper's table, by name (see --list) or YAML file: runs its variants."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Runs per system and dataset.",
            show_default=f"{SEEDS}; {SYNTHETIC_SEEDS} for synthetic",
            min=1,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Epochs at most.", show_default=f"60; {SYNTHETIC_EPOCHS} for synthetic", min=1
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Epochs without a better dev F1 before training stops.", show_default="10", min=1
        ),
    ] = None,
    match: MatchRule = "partial",
    settings: Annotated[
        str, typer.Option(help="identical: one protocol for all; published: each paper's own.")
    ] = "identical",
    set_: Assignments = None,
    protocol: ProtocolFields = None,
    pretrained: Pretrained = None,
    parser: Parser = None,
    vectors: Vectors = None,
    train_vectors: TrainVectors = False,
    train_share: TrainShare = 1.0,
    data_dir: DataDir = None,
    device: Device = "cpu",
    threads: Annotated[
        int | None, typer.Option(help="CPU threads.", show_default="one a core", min=1)
    ] = None,
    accumulate: Annotated[
        int, typer.Option(help="Parts of a step's batch, where memory is short.", min=1)
    ] = 1,
    precision: Precision = "float32",
    wandb: Wandb = "offline",
    out: Annotated[Path, typer.Option(help="Folder for records and report.")] = Path("runs"),
    remeasure: Annotated[
        bool,
        typer.Option(
            "--remeasure",
            help="Measure inference of complete runs again, as where other work ran beside it.",
        ),
    ] = False,
    dry_run: DryRun = False,
    list_: Annotated[
        bool, typer.Option("--list", help="Print systems and datasets and stop.")
    ] = False,
) -> None:
    """Train and measure systems under one protocol and write OUT/report.md.

    Without arguments: all systems on the synthetic corpora; minutes on two cores, nothing
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
    with user_errors():
        if list_:
            _print_lists()
            return
        from suite.datasets.catalogue.entries import SYNTHETICS  # noqa: PLC0415
        from suite.systems.registry import system_names  # noqa: PLC0415 - imports torch

        chosen = _chosen_study(study, system)
        datasets = tuple(dict.fromkeys(dataset or (chosen.datasets if chosen else SYNTHETICS)))
        short = set(datasets) <= set(SYNTHETICS)
        limits = {"epochs": epochs, "patience": patience}
        asked = {name: value for name, value in limits.items() if value is not None}
        asked |= protocol_fields(protocol or [])
        fields = {
            **({"epochs": SYNTHETIC_EPOCHS} if short else {}),
            "match": choice("match rule", match, Match),
            "accumulate": accumulate,
            "threads": threads or cores(),
            "precision": choice("precision", precision, Literal["float32", "bfloat16"]),
        }
        from runners.runs.plan import WandbMode  # noqa: PLC0415
        from runners.suite import Request, Suite  # noqa: PLC0415

        request = Request(
            datasets=datasets,
            systems=tuple(dict.fromkeys(system or system_names())),
            seeds=tuple(range(seeds or (SYNTHETIC_SEEDS if short else SEEDS))),
            protocol=make_protocol({**fields, **asked}),
            asked=asked,
            device=device,
            out=out,
            data_dir=data_dir,
            settings=overrides(set_ or []),
            vectors=vectors,
            train_vectors=train_vectors,
            train_share=train_share,
            remeasure=remeasure,
            study=chosen,
            dry_run=dry_run,
            pretrained=pretrained,
            parser=parser,
            published=choice("settings", settings, Literal["identical", "published"])
            == "published",
            wandb=choice("mode of W&B", wandb, WandbMode),
        )
        suite = Suite(request)
        _print_plan(suite, request)
        if not dry_run:
            _carry_out(suite)


def _build_report(
    folder: Annotated[Path, typer.Argument(help="What run-suite wrote.")] = Path("runs"),
) -> None:
    """Write tables, figures and report.md again, from the records alone."""
    from reports.report import write_report  # noqa: PLC0415 - heavy

    with user_errors():
        console.print(f"report: {write_report(folder)}", markup=False)


def _chosen_study(name: str | None, systems: list[str] | None) -> Study | None:
    from suite.studies.study import find_study  # noqa: PLC0415

    if name is None:
        return None
    if systems:
        raise SuiteError(
            "--study runs its own variants, and --system names others",
            remedy="Give one of the two.",
        )
    return find_study(name)


def _print_lists() -> None:
    from suite.datasets.catalogue.entries import CATALOGUE, SYNTHETICS  # noqa: PLC0415
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
    console.print(systems, datasets, studies)


def _print_plan(suite: Suite, request: Request) -> None:
    from suite.modelling.word_vectors import VectorsFile  # noqa: PLC0415 - imports torch

    table = Table("system", "dataset", "seeds", "epochs", "resources")
    table.add_column("state", no_wrap=True)
    groups: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in suite.runs:
        groups.setdefault((run.planned.system.key, run.planned.dataset.name), []).append(run)
    for (system, dataset), runs in groups.items():
        done = sum(run.done() is not None for run in runs)
        facts = runs[0].planned.system
        table.add_row(
            system,
            dataset,
            str(len(runs)),
            str(runs[0].plan.protocol.epochs),
            "; ".join(filter(None, (facts.pretrained, facts.vectors, facts.parser))),
            f"{done} of {len(runs)} done" if done else "to do",
        )
    console.print(table)
    if request.vectors is not None and VectorsFile(request.vectors).digest is None:
        console.print(
            f"{request.vectors}: not read yet; whether runs with these vectors are done, is not "
            "known before",
            markup=False,
        )
    for cannot in suite.cannot:
        console.print(f"not run: {cannot.reason} ({cannot.dataset})", markup=False)
    for loaded in suite.datasets:
        for note in loaded.notes:
            console.print(f"{loaded.name}: {note}", markup=False)
    console.print(f"output: {request.out}", markup=False)


def _carry_out(suite: Suite) -> None:
    from runners.executors.local import LocalExecutor  # noqa: PLC0415 - imports torch

    # Whoever ends the suite by SIGTERM gets what Ctrl-C gets: records and a report.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with shown(suite.runs, suite.left()) as on_event:
        report = suite.run(LocalExecutor(suite.request.workers), on_event)
    console.print(f"report: {report}", markup=False)
    missing = suite.missing()
    for line in missing:
        errors.print(line, markup=False)
    if missing:
        raise typer.Exit(1)


run_suite = script(_run_suite)
build_report = script(_build_report)
