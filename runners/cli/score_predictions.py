"""The command line `score-predictions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from runners.cli.command import console, errors, script
from runners.options.commands import ScoreOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runners.outside import ScoredFile


def _score_predictions(options: ScoreOptions) -> None:
    """Score a file of predictions on the test set of a dataset, by the rules of the reports.

    The file may be JSON lines, a run's predictions.jsonl, what CasRel's code writes, DocRED's
    result.json, or CoNLL's columns; docs/outside.md shows each.

    \b
    score-predictions conll04 answers.jsonl
    score-predictions path/to/folder answers.jsonl --json scores.json
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    from reports.sections.outside import fit_lines  # noqa: PLC0415 - heavy
    from runners.outside import score_file  # noqa: PLC0415 - likewise
    from suite.files import write_atomically  # noqa: PLC0415

    found = score_file(
        options.dataset,
        options.file,
        match=options.match,
        data_dir=options.data_dir,
        words=options.words,
    )
    console.print(f"{found.file} is read as {found.form}", markup=False)
    for line in fit_lines(found.brought):
        errors.print(line, markup=False)
    for table in _tables(found):
        console.print(table)
    if options.json_ is not None:
        write_atomically(options.json_, found.as_json())
        console.print(f"scores: {options.json_}", markup=False)


def _tables(found: ScoredFile) -> Iterator[Table]:
    """The scores of the whole test set, then those of each slice."""
    from rich.text import Text  # noqa: PLC0415

    whole = Table(title=f"{found.dataset.title}, test", title_justify="left")
    for heading in ("metric", "%", "95 % interval", "correct", "predicted", "gold"):
        whole.add_column(heading, justify="left" if heading == "metric" else "right")
    for row in found.rows():
        whole.add_row(*row)
    yield whole
    sliced = Table("slice", "", title="F1 by slice", title_justify="left")
    for heading in ("F1 (%)", "gold"):
        sliced.add_column(heading, justify="right")
    for family, named in found.test.slices.items():
        for name, scores in named.items():
            if scores.gold:
                f1 = f"{100 * scores.f1:.1f}"
                sliced.add_row(Text(family), Text(name), f1, f"{scores.gold:,}")
    if sliced.row_count:
        yield sliced


score_predictions = script(ScoreOptions, _score_predictions)
