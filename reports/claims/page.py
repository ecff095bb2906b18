"""`claims.md` and `claims.json`: what was found of each claim, for readers and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reports.cells import add_row, markdown, number
from reports.claims.forms import Part
from reports.claims.judge import Finding, Judged
from reports.claims.printed import Unit
from reports.claims.verdict import VERDICTS
from reports.comparison import SHORTFALL
from reports.judging import points
from reports.sections.caveats import MINIMUM_SEEDS
from reports.sections.overview import listed, plural
from suite.files import write_together
from suite.studies.claim import PaperClaims, WordClasses

RULES = f"""\
What was measured comes with a 95 % interval, by the code that makes those of reports
([how](statistics.md)): of F1, over seeds and test examples; of costs, of measures of a ranking and
of explained words, over seeds alone (by t-tests; of costs, on the logarithm of their ratio). A
claim of several comparisons holds where all of them hold, and one refutes it.

- **holds**: the whole interval lies on the claimed side, and holds the printed size or lies beyond
  it (where the paper states a size). A level holds where the interval reaches the printed F1 and
  begins no more than {SHORTFALL:g} points below it; "nearly the same", where the whole interval
  lies within the stated points; a count of parameters, where it is the printed one but for one in
  a hundred.
- **holds in direction**: the whole interval lies on the claimed side, but short of the printed
  size; or what was measured is not what the paper measured (other data, or a resource that stands
  in for the paper's), so that the size is not compared. Settings of training need not be the
  paper's, as those of all systems of a report are alike unless said otherwise; records keep them.
- **does not hold**: the whole interval lies on the other side.
- **cannot be told here**: all else. With one seed, nothing says how far another would lie, whatever
  the interval over examples is. A time counts only where it was taken alone, on a machine without
  other load, and all of one kind of machine. F1 of a system that still rose when training ended
  counts in no difference. Where a resource is a stand-in on one side alone, a difference against
  the claim may be the stand-in's, and does not refute it.

Each claim is judged by itself: of twenty intervals one misses its truth by chance.
"""


def write_claims(judged: Judged, path: Path, sources: Sequence[str]) -> None:
    """Writes the page, and beside it `.json` with the runs that each figure came from.

    Both are written, or neither.

    Args:
        judged: the findings.
        path: of the page, a `.md`.
        sources: the evidence, as a reader finds it.

    Raises:
        SuiteError: the folder cannot be written.
    """
    files = {path.name: compose(judged, sources), f"{path.stem}.json": as_json(judged, sources)}
    write_together(path.parent, files)


def compose(judged: Judged, sources: Sequence[str]) -> str:
    """The text of the page."""
    parts = "\n".join(_paper(paper, findings) for paper, findings in judged.papers)
    evidence = listed(f"`{source}`" for source in sources) or "none"
    return (
        "# Claims of the papers\n\n"
        "What the five papers claim, and what runs of this suite say of it. "
        "`judge-claims` writes this page from records of runs; [how to add "
        "some](reproducing.md#claims-and-evidence).\n\n"
        f"{_counts(judged)}\n"
        f"{plural(judged.runs, 'run')} of evidence: {evidence}. A claim counts once for each "
        "dataset.\n\n"
        f"## Verdicts\n\n{RULES}\n{parts}"
    )


def _counts(judged: Judged) -> str:
    table: dict[str, list[str]] = {}
    lines = [(paper.title, findings) for paper, findings in judged.papers]
    for title, findings in [*lines, ("all", tuple(judged.findings))]:
        counts = {v: sum(f.verdict == v for f in findings) for v in reversed(VERDICTS)}
        cells = {"Paper": title, "Claims": f"{len(findings)}"}
        add_row(table, cells | {verdict: f"{count}" for verdict, count in counts.items()})
    return markdown(table)


def _paper(paper: PaperClaims, findings: Sequence[Finding]) -> str:
    table: dict[str, list[str]] = {}
    for finding in findings:
        claim = finding.claim
        add_row(
            table,
            {
                "Claim": claim.says,
                "Place": claim.place,
                "Study": f"`{claim.study}`",
                "Dataset": f"`{finding.dataset}`",
                "Printed": _joined(finding, _printed),
                "Measured here": _joined(finding, _measured),
                "Verdict": _verdict(finding),
            },
        )
    notes = "".join(f"- {note.rstrip('.')}.\n" for note in paper.notes)
    return (
        f"## {paper.title}\n\n{paper.citation.rstrip('.')}.\n\n{notes}\n"
        f"{markdown(table)}{_takes(paper, findings)}"
    )


def _joined(finding: Finding, shown: Callable[[Part], str]) -> str:
    """A figure for each comparison; where there are several, with what tells them apart."""
    texts = [shown(part) for part in finding.parts]
    if len(texts) == 1 or set(texts) == {"-"}:
        return texts[0]
    sides = [part.printed for part in finding.parts]
    if len({side.of for side in sides}) == 1:
        labels = [f"to {side.to}" for side in sides]
    elif len({side.to for side in sides}) == 1:
        labels = [side.of for side in sides]
    else:
        labels = [side.label for side in sides]
    return "; ".join(f"{label}: {text}" for label, text in zip(labels, texts, strict=True))


def _printed(part: Part) -> str:
    value = part.printed.value
    return "-" if value is None else _figure(value, part.printed.unit)


def _measured(part: Part) -> str:
    found = part.found
    if found is None:
        return "-"
    unit = part.printed.unit
    text = _figure(found.value, unit)
    if found.over in {"seeds and examples", "seeds"}:
        text += f" ({_figure(found.low, unit)} to {_figure(found.high, unit)})"
    elif found.over == "examples":
        text += f" ({_figure(found.low, unit)} to {_figure(found.high, unit)}, test set alone)"
    return f"{text} {part.note}".rstrip()


def _figure(value: float, unit: Unit) -> str:
    if unit == "points":
        return points(value)
    if unit == "%":
        return f"{value:.1f}"
    if unit == "times":
        return f"{number(value)} x"
    return f"{value:,.0f}" if unit == "thousands" else f"{value:+.3g}"


def _verdict(finding: Finding) -> str:
    whys = dict.fromkeys(part.why for part in finding.parts if part.why)
    decided = finding.verdict == "does not hold"
    unlike = finding.chosen.ground().unlike if finding.chosen else ()
    reasons = [*(() if decided else whys), *unlike]
    text = f"**{finding.verdict}**"
    return f"{text}: {'; '.join(reasons)}" if reasons else text


def _takes(paper: PaperClaims, findings: Sequence[Finding]) -> str:
    """The commands that would tell what cannot be told."""
    open_ones = [f for f in findings if f.own and f.verdict == "cannot be told here"]
    commands: dict[str, dict[str, None]] = {}
    for finding in open_ones:
        commands.setdefault(finding.claim.study, {})[finding.dataset] = None
    if not commands:
        return ""
    lines = "".join(
        f"run-suite --study {study} {' '.join(f'--dataset {name}' for name in datasets)} "
        f"--seeds {MINIMUM_SEEDS} {paper.resources} --out runs/{study}\n"
        for study, datasets in commands.items()
    )
    explained = dict.fromkeys(
        f"runs/{finding.claim.study}/runs/{finding.claim.test.variant}"
        for finding in open_ones
        if isinstance(finding.claim.test, WordClasses)
    )
    lines += "".join(
        f'for run in {folder}/*/*; do explain-run "$run" --parser en_core_web_sm; done\n'
        for folder in explained
    )
    return (
        f"\nWhat would tell: [the data](data.md), {MINIMUM_SEEDS} seeds or more, and for times a "
        f"machine without other work.\n\n```sh\n{lines}```\n"
    )


def as_json(judged: Judged, sources: Sequence[str]) -> str:
    """The findings with their figures and the runs that these came from."""
    found = {
        "evidence": list(sources),
        "runs": judged.runs,
        "claims": [
            entry for paper, findings in judged.papers for entry in _entries(paper, findings)
        ],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _entries(paper: PaperClaims, findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    for finding in findings:
        yield {
            "paper": paper.name,
            "claim": finding.claim.name,
            "study": finding.claim.study,
            "dataset": finding.dataset,
            "verdict": finding.verdict,
            "unlike_the_paper": list(finding.chosen.ground().unlike) if finding.chosen else [],
            "comparisons": [_comparison(part) for part in finding.parts],
            "from": [
                {
                    "suite": run.record.suite,
                    "run": run.held.folder,
                    "record": run.held.digest,
                    "configuration": run.record.configuration,
                }
                for run in finding.runs
            ],
        }


def _comparison(part: Part) -> dict[str, Any]:
    found = part.found
    figures = (
        {}
        if found is None
        else {
            "value": _rounded(found.value),
            "low": _rounded(found.low),
            "high": _rounded(found.high),
            "interval_over": found.over,
        }
    )
    return {
        "comparison": part.printed.label.replace("`", ""),
        "unit": part.printed.unit,
        "printed": None if part.printed.value is None else _rounded(part.printed.value),
        **figures,
        "verdict": part.verdict,
        "why": part.why,
    }


def _rounded(value: float) -> float:
    """Six significant digits, which every machine gives alike."""
    return float(f"{value:.6g}")
