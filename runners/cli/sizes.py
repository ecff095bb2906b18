"""What `run-suite --study` does with a study of cost by size."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from runners.cli.arguments import cores, overrides
from runners.cli.command import console, errors
from runners.cli.precision import warn_of_slow_precision
from runners.options.commands import SuiteOptions
from runners.options.declared import as_configuration
from runners.remote.urls import is_url
from suite.errors import SuiteError

if TYPE_CHECKING:
    from runners.sizes.study import SizeSuite
    from suite.records.sizes import SizeRecord
    from suite.studies.sizes import SizeStudy

MEANT = frozenset(("study", "system", "set", "pretrained", "device", "threads", "precision", "out"))
"""Options that mean something to such a study: it makes its sentences, and trains nothing to its
end, so that there is nothing to track."""


def measure_sizes(options: SuiteOptions, study: SizeStudy) -> None:
    """Measures, and ends with 1 where a system failed for another reason than a limit.

    Raises:
        SuiteError: an option that means nothing here, or a name that nothing answers to.
    """
    for name in as_configuration(options):
        if name not in MEANT:
            raise SuiteError(
                f"--{name.replace('_', '-')} means nothing to the study {study.name!r}, which "
                "makes its own sentences and trains a few steps",
                remedy=f"Leave it out; what counts is --{', --'.join(sorted(MEANT))}.",
            )
    if is_url(options.out):
        raise SuiteError(
            f"the study {study.name!r} works in a folder, and --out {options.out} is a URL",
            remedy="Name a folder, and copy it there.",
        )
    from runners.sizes.study import SizeRequest, SizeSuite  # noqa: PLC0415 - imports torch
    from suite.modelling.pretrained import UNTRAINED  # noqa: PLC0415 - likewise

    suite = SizeSuite(
        SizeRequest(
            study=study,
            out=Path(options.out),
            systems=tuple(dict.fromkeys(options.system or ())),
            settings=overrides(options.set_ or []),
            pretrained=options.pretrained or UNTRAINED,
            device=options.device,
            threads=options.threads or cores(),
            precision=options.precision,
        )
    )
    _print_plan(suite)
    warn_of_slow_precision(options.precision, options.device)
    if options.dry_run:
        return
    total = len(suite.points)
    records: list[SizeRecord] = []

    def on_size(record: SizeRecord) -> None:
        records.append(record)
        console.print(f"[{len(records)} of {total}] {_line(record)}", markup=False, soft_wrap=True)

    # Whoever ends the study by SIGTERM gets what Ctrl-C gets: records and a report.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = suite.run(on_size)
    console.print(f"report: {report}", markup=False)
    mistakes = [r for r in records if any(m.reason == "mistake" for m in r.measured)]
    for record in mistakes:
        errors.print(_line(record), markup=False)
    if mistakes:
        raise typer.Exit(1)


def _print_plan(suite: SizeSuite) -> None:
    table = Table("system", "encoder", "sizes", "done before")
    for system in suite.systems:
        own = [point for point in suite.points if point.system == system]
        done = sum(suite.recorded(point) is not None for point in own)
        table.add_row(system.variant, system.encoder, str(len(own)), str(done))
    console.print(table)
    console.print(f"output: {suite.request.out}", markup=False)


def _line(record: SizeRecord) -> str:
    size = record.point.size
    parts = [
        f"{m.kind} {m.failure or ''}"
        if m.seconds is None
        else f"{m.kind} {1000 * m.seconds:.1f} ms"
        for m in record.measured
    ]
    name = record.point.system.variant
    return f"{name} · {size.words} words · {size.relations} relations: {', '.join(parts)}"
