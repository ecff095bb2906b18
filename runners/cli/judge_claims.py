"""The command line `judge-claims`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runners.cli.command import console, script
from runners.options.commands import ClaimsOptions
from suite.errors import SuiteError

if TYPE_CHECKING:
    from suite.records.evidence import Evidence

EVIDENCE = Path("docs/results")


def _judge_claims(options: ClaimsOptions) -> None:
    """Hold the papers' claims against records of runs, and write a verdict on each.

    Evidence is what build-report OUT --evidence FILE writes, without a word of the data. A folder
    is searched for such files; one that run-suite wrote is taken as it is.

    \b
    judge-claims
    judge-claims docs/results runs/more --out docs/claims.md
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    from reports.claims.judge import judge  # noqa: PLC0415 - heavy
    from reports.claims.page import write_claims  # noqa: PLC0415 - likewise
    from suite.studies.claim import all_claims  # noqa: PLC0415 - likewise

    if options.out.suffix != ".md":
        raise SuiteError("is no name for a page", where=options.out, remedy="Let it end in .md.")
    evidence: dict[str, Evidence] = {}
    for place in options.evidence or [EVIDENCE]:
        evidence |= _found(place)
    judged = judge(all_claims(), evidence)
    write_claims(judged, options.out, list(evidence))
    if judged.twice:
        console.print(f"in several places, and counted once: {judged.twice}", markup=False)
    console.print(f"claims: {options.out}", markup=False)


def _found(place: Path) -> dict[str, Evidence]:
    """Path -> the evidence there.

    Raises:
        SuiteError: there is nothing, or what is there cannot be read.
    """
    from reports.claims.collect import collect  # noqa: PLC0415 - heavy
    from suite.records.evidence import SUFFIX, read_evidence  # noqa: PLC0415 - likewise

    if (place / "suite.json").is_file():
        return {place.as_posix(): collect(place)}
    if place.is_dir():
        paths = sorted(place.rglob(f"evidence{SUFFIX}"))
        if paths:
            return {path.as_posix(): read_evidence(path) for path in paths}
    elif place.exists():
        return {place.as_posix(): read_evidence(place)}
    raise SuiteError(
        "holds no evidence" if place.exists() else "is not there",
        where=place,
        remedy="Name evidence, a folder that holds some, or an output folder of run-suite.",
    )


judge_claims = script(ClaimsOptions, _judge_claims)
