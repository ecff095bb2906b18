"""The command line `build-report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runners.cli.command import console, errors, script
from runners.options.commands import ReportOptions
from suite.errors import SuiteError
from suite.records.evidence import is_evidence

if TYPE_CHECKING:
    from reports.prices import Prices


def _build_report(options: ReportOptions) -> None:
    """Write the report again in all its forms, from the records alone.

    With --out, the runs of several folders, or of files of evidence, are joined in a new one, whose
    report compares them; run-suite goes on with it as with any other.

    With --predictions, systems that were not trained here stand in the tables of scores, scored on
    the same test sets by the same rules. They stay in OUT/outside until their folder is deleted.

    \b
    build-report OUT
    build-report OUT1 OUT2 --out NEW
    build-report OUT1 EVIDENCE.json.gz --out NEW
    build-report OUT --predictions gpt=answers.jsonl --about gpt.yaml
    build-report OUT --predictions gpt@webnlg=answers.jsonl
    build-report OUT --prices prices.yaml
    build-report OUT --max-latency 5 --min-f1 80
    build-report OUT --evidence docs/results/NAME/evidence.json.gz
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    from reports.prices import read_prices  # noqa: PLC0415 - heavy

    folders = options.folder or [Path("runs")]
    prices = None if options.prices is None else read_prices(options.prices)
    if options.out is None:
        _refuse_alone(options, folders)
        _write(options, folders[0], prices)
        console.print(f"report: {folders[0] / 'report.md'}", markup=False)
        _write_evidence(options.evidence, folders[0])
        return
    from runners.joining.join import join  # noqa: PLC0415 - heavy

    same = join(
        folders,
        options.out,
        apart=options.apart,
        finish=lambda folder: _write(options, folder, prices),
    )
    if same:
        console.print(f"in several folders, and kept once: {len(same)}", markup=False)
    for line in same:
        console.print(f"  {line}", markup=False)
    console.print(f"report: {options.out / 'report.md'}", markup=False)
    _write_evidence(options.evidence, options.out)


def _refuse_alone(options: ReportOptions, folders: list[Path]) -> None:
    """Checks that nothing was asked for that needs --out.

    Raises:
        SuiteError: something was.
    """
    if len(folders) > 1:
        raise SuiteError(
            f"{len(folders)} folders are named, and none to join them in",
            remedy="Name a new folder with --out.",
        )
    if is_evidence(folders[0]):
        raise SuiteError(
            "is a file of evidence, whose report takes a folder",
            where=folders[0],
            remedy="Name a new folder with --out.",
        )
    if options.apart:
        raise SuiteError(
            "--apart is of several folders that are joined",
            remedy="Name them, and a new folder with --out.",
        )


def _write(options: ReportOptions, folder: Path, prices: Prices | None) -> None:
    """Brings predictions in, and writes the report."""
    from reports.answer import Limits  # noqa: PLC0415 - heavy
    from reports.report import write_report  # noqa: PLC0415 - likewise
    from reports.sections.outside import fit_lines  # noqa: PLC0415 - likewise
    from runners.outside import bring_in  # noqa: PLC0415 - likewise

    predictions, abouts = options.predictions or [], options.about or []
    for record in bring_in(folder, predictions, abouts, options.data_dir):
        title = f"{record.name} on {record.dataset.name}"
        console.print(f"{title}: {record.file} is read as {record.form}", markup=False)
        for line in fit_lines(record.brought):
            errors.print(f"{title}: {line}", markup=False)
    limits = Limits(options.max_latency, options.max_memory, options.min_f1)
    write_report(folder, prices, limits)


def _write_evidence(path: Path | None, folder: Path) -> None:
    """Writes what claims are judged by, where that was asked for."""
    if path is None:
        return
    from reports.claims.collect import collect  # noqa: PLC0415 - heavy
    from suite.records.evidence import write_evidence  # noqa: PLC0415 - likewise

    write_evidence(collect(folder), path)
    console.print(f"evidence: {path}", markup=False)


build_report = script(ReportOptions, _build_report)
