"""The command line `explain-run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runners.cli.command import console, script, user_errors


def _explain_run(
    run_folder: Annotated[
        Path, typer.Argument(help="OUT/runs/SYSTEM/DATASET/SEED of a complete run.")
    ],
    sentence: Annotated[
        list[str] | None,
        typer.Option(
            help="Id of a test sentence to draw, as in predictions.jsonl; repeatable.",
            show_default="the first that hold triples",
        ),
    ] = None,
    count: Annotated[int, typer.Option(help="Sentences to draw where none is named.", min=1)] = 4,
    max_length: Annotated[int, typer.Option(help="Their length at most, in words.", min=1)] = 30,
    heads: Annotated[
        bool, typer.Option("--heads", help="Draw each head of an attention, not their mean alone.")
    ] = False,
    parser: Annotated[
        str,
        typer.Option(
            help="Dependency parser that predicate words are found with: a spaCy pipeline by name "
            "or folder, or chain (none)."
        ),
    ] = "chain",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the files.", show_default="RUN_FOLDER/explain"),
    ] = None,
) -> None:
    """Show what a trained system looks at: gradient norms and attention.

    Writes explain.md with figures of some test sentences and with means over
    classes of words (entity boundaries, predicates, function words) of the
    whole test set, and the figures themselves as classes.csv and words.csv.

    \b
    explain-run runs/runs/fastre/nyt11/0 --parser en_core_web_sm
    explain-run runs/runs/fastre/nyt11/0 --sentence test-12 --heads
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    with user_errors():
        from runners.explain.explain import Request, explain  # noqa: PLC0415 - imports torch

        request = Request(
            folder=run_folder,
            sentences=tuple(sentence or ()),
            count=count,
            max_length=max_length,
            heads=heads,
            parser=parser,
            out=out,
        )
        console.print(f"explanation: {explain(request)}", markup=False)


explain_run = script(_explain_run)
