"""Makes the report of an output folder: its text, figures, tables and figures for programs.

Reads records alone; no model is loaded, and torch is not needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from reports import findings
from reports.answer import NO_LIMITS, Answer, Limits, find_answers
from reports.cells import Picture, Pictures
from reports.costs_csv import break_even_frame, costs_frame
from reports.figures import frontier
from reports.figures import operating as operating_figure
from reports.figures import predictions as prediction_figures
from reports.figures import training as figures
from reports.figures.style import Styles, make_styles
from reports.forms.write import ComposedReport, write_forms
from reports.load import Group, Results, load_results
from reports.prices import Prices
from reports.report_json import report_figures
from reports.sections import (
    analysis,
    answer,
    background,
    calibration,
    caveats,
    conventions,
    convergence,
    costs,
    differences,
    efficiency,
    generalisation,
    operating,
    overview,
    results,
    study,
)
from reports.sections import (
    published as beside,
)
from reports.sheets import csv
from reports.sizes.report import is_by_size, write_size_report
from reports.tables_csv import operating_frame, results_frame
from suite.errors import SuiteError

FIGURES: Mapping[str, Callable[[Group, Styles], Picture | None]] = {
    "convergence": figures.convergence,
    "iterations": figures.iterations,
    "slices": figures.slices,
    "operating": operating_figure.draw,
    "generalisation": prediction_figures.generalisation,
    "calibration": prediction_figures.calibration,
}
"""What is drawn for each group, by the end of the file's name."""
TABLES: Mapping[str, Callable[[Group], str]] = {
    "scores": results.main_table,
    "published": beside.beside_published,
    "efficiency": efficiency.summary_table,
    "stages": efficiency.stage_table,
    "operating": operating.points_table,
    "iterations": convergence.iteration_table,
    "targets": convergence.target_table,
}
"""What of each group stands in LaTeX as well, by the end of the file's name."""
WITHOUT_TIMES = frozenset({"slices", "scores", "published", "generalisation", "calibration"})
"""What of both joins the machines of a group; all else is of each machine."""
NAMED = (*FIGURES, *TABLES, "answer", "frontier", "differences", r"slices-\w+")
OURS = re.compile(rf"study|.+-({'|'.join(NAMED)})(-\d+)?")
"""Names of figures and tables of a suite's report."""
PAPER = "The paper's table"
"""Title of the section on a study."""

Answers = Mapping[str, Answer]
"""Key of each group -> its answer."""


def draw(loaded: Results, answers: Answers) -> Pictures:
    """All figures that the records allow, by name."""
    styles = make_styles(loaded)
    drawn = {
        f"{part.key}-{name}": draw_one(part, styles)
        for group in loaded.groups
        for name, draw_one in FIGURES.items()
        for part in ((group,) if name in WITHOUT_TIMES else group.machines)
    }
    drawn |= {
        f"{group.key}-frontier": frontier.draw(group, answers[group.key], styles)
        for group in loaded.groups
    }
    return {name: picture for name, picture in drawn.items() if picture is not None}


def main_tables(loaded: Results, answers: Answers, paper: str) -> dict[str, str]:
    """Name -> markdown of the tables that stand in LaTeX as well.

    Args:
        loaded: what is reported.
        answers: of its groups.
        paper: the section on a study, empty without one.
    """
    found = {
        f"{part.key}-{name}": write(part)
        for group in loaded.groups
        for name, write in TABLES.items()
        for part in ((group,) if name in WITHOUT_TIMES else group.machines)
    }
    for group in loaded.groups:
        found |= {
            f"{group.key}-slices-{family}": analysis.slice_table(group, family)
            for family in analysis.slice_families(group)
        }
        given = answers[group.key]
        found[f"{group.key}-answer"] = answer.table(group, given)
        found[f"{group.key}-differences"] = differences.pairs_table(group, given.differences)
    return {**found, "study": paper}


def sections(
    loaded: Results,
    pictures: Pictures,
    answers: Answers,
    prices: Prices | None = None,
    limits: Limits = NO_LIMITS,
) -> dict[str, str]:
    """Title -> text of the report's sections, of those that have something to say."""
    groups = loaded.groups
    published = [beside.published_section(groups), efficiency.published_section(groups)]
    compared = {key: found.differences for key, found in answers.items()}

    def begun(find: Callable[[Group], str], text: str) -> str:
        return text and f"{overview.findings(groups, find)}{text}"

    texts = {
        "The answer": answer.section(groups, answers, pictures, limits),
        "What to know first": caveats.warnings(loaded),
        "Main results": begun(findings.scores, results.section(groups)),
        PAPER: study.section(loaded),
        "Inference efficiency": begun(findings.efficiency, efficiency.section(groups)),
        "Accuracy against speed": begun(findings.operating, operating.section(groups, pictures)),
        "Cost": costs.section(groups, prices),
        "Convergence": convergence.section(groups, pictures),
        "Slices": begun(findings.slices, analysis.slices_section(groups, pictures)),
        "Differences": differences.section(groups, compared),
        "Scoring conventions": conventions.section(groups),
        "Generalisation": generalisation.section(groups, pictures),
        "Scores and thresholds": calibration.section(groups, pictures),
        "Data": background.data_section(groups),
        "Protocol, environment, systems and sources": findings.protocol(groups)
        + background.background_section(loaded),
        "Published figures": begun(findings.published, "\n".join(filter(None, published))),
    }
    return {title: text for title, text in texts.items() if text}


def compose(loaded: Results, parts: Mapping[str, str]) -> str:
    """The report's text, of its sections."""
    body = "\n".join(
        f"## {number}. {title}\n\n{text}" for number, (title, text) in enumerate(parts.items(), 1)
    )
    return f"{overview.heading(loaded)}\n{body}"


def write_report(out: Path, prices: Prices | None = None, limits: Limits = NO_LIMITS) -> Path:
    """Writes the report of an output folder of `run-suite`, in place of an earlier one.

    Args:
        out: the folder.
        prices: of machines; None: the report tells no money.
        limits: within which it names a choice.

    Returns:
        The path of `report.md`.

    Raises:
        SuiteError: there are no records, one of them is broken, the folder cannot be written, or
            its report has neither money nor a choice and is asked for one; an earlier report
            stays.
    """
    if is_by_size(out):
        _refuse_for_sizes(out, prices, limits)
        return write_size_report(out)
    loaded = load_results(out)
    answers = find_answers(loaded.groups)
    pictures = draw(loaded, answers)
    parts = sections(loaded, pictures, answers, prices, limits)
    frames = {
        "results": results_frame(loaded),
        "operating": operating_frame(loaded),
        "costs": costs_frame(loaded, prices),
        "break-even": break_even_frame(loaded, prices),
    }
    sheets = {f"{name}.csv": csv(f) if len(f) else None for name, f in frames.items()}
    compared = {key: found.differences for key, found in answers.items()}
    told = report_figures(loaded, compared).model_dump_json(indent=1)
    return write_forms(
        out,
        ComposedReport(
            name="report",
            text=compose(loaded, parts),
            pictures=pictures,
            ours=OURS,
            tables=main_tables(loaded, answers, parts.get(PAPER, "")),
            sheets={**sheets, "report.json": f"{told}\n"},
        ),
    )


def _refuse_for_sizes(out: Path, prices: Prices | None, limits: Limits) -> None:
    for given, what, options in (
        (prices is not None, "tells no money", "--prices"),
        (limits.any, "has no choice to make", "--max-latency, --max-memory and --min-f1"),
    ):
        if given:
            raise SuiteError(
                f"holds a study of cost by size, whose report {what}",
                where=out,
                remedy=f"Leave out {options}.",
            )
