"""The command line `explain-run`."""

from __future__ import annotations

from runners.cli.command import console, script
from runners.options.commands import ExplainOptions


def _explain_run(options: ExplainOptions) -> None:
    """Show what a trained system looks at: gradient norms and attention.

    Writes explain.md with figures of some test sentences and with means over
    classes of words (entity boundaries, predicates, function words) of the
    whole test set, and the figures themselves as classes.csv and words.csv.

    \b
    explain-run runs/runs/fastre/nyt11/0 --parser en_core_web_sm
    explain-run runs/runs/fastre/nyt11/0 --sentence test-12 --heads
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    from runners.explain.explain import explain  # noqa: PLC0415 - imports torch

    console.print(f"explanation: {explain(options)}", markup=False)


explain_run = script(ExplainOptions, _explain_run)
