"""The command line `build-report`."""

from __future__ import annotations

from runners.cli.command import console, errors, script
from runners.options import ReportOptions


def _build_report(options: ReportOptions) -> None:
    """Write tables, figures and report.md again, from the records alone.

    With --predictions, systems that were not trained here stand in the tables of scores, scored on
    the same test sets by the same rules. They stay in OUT/outside until their folder is deleted.

    \b
    build-report OUT
    build-report OUT --predictions gpt=answers.jsonl --about gpt.yaml
    build-report OUT --predictions gpt@webnlg=answers.jsonl
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    from reports.report import write_report  # noqa: PLC0415 - heavy
    from reports.sections.outside import fit_lines  # noqa: PLC0415 - likewise
    from runners.outside import bring_in  # noqa: PLC0415 - likewise

    records = bring_in(
        options.folder, options.predictions or [], options.about or [], options.data_dir
    )
    for record in records:
        title = f"{record.name} on {record.dataset.name}"
        console.print(f"{title}: {record.file} is read as {record.form}", markup=False)
        for line in fit_lines(record.brought):
            errors.print(f"{title}: {line}", markup=False)
    console.print(f"report: {write_report(options.folder)}", markup=False)


build_report = script(ReportOptions, _build_report)
