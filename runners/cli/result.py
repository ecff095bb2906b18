"""What `run-suite` found, as the last that is seen of it."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from runners.cli.command import console


def print_result(report: Path, shown: str) -> None:
    """Systems by F1 with the verdict for each dataset, and where the report lies.

    Args:
        report: of the output folder.
        shown: what it is called.
    """
    from reports.verdict import verdicts  # noqa: PLC0415 - heavy

    for found in verdicts(report.parent):
        table = Table("system", box=None, pad_edge=False, title=found.title, title_justify="left")
        for heading in ("seeds", found.f1, "training (s)", "ms each"):
            table.add_column(heading, justify="right")
        for standing in found.standings:
            table.add_row(*standing)
        console.print(table)
        console.print(f"{found.sentence}\n", markup=False)
    console.print(f"report: {shown}", markup=False)
