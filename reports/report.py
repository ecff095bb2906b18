"""Makes the report of an output folder: its text, figures, tables and figures for programs.

Reads records alone; no model is loaded, and torch is not needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from reports.cells import Picture, Pictures
from reports.figures import operating as operating_figure
from reports.figures import predictions as prediction_figures
from reports.figures import training as figures
from reports.figures.style import Styles, make_styles
from reports.forms.write import ComposedReport, write_forms
from reports.load import Group, Results, load_results
from reports.report_json import report_figures
from reports.sections import (
    analysis,
    background,
    calibration,
    caveats,
    conventions,
    convergence,
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
OURS = re.compile(rf"study|.+-({'|'.join([*FIGURES, *TABLES])}|answer|frontier|differences|slices-\w+)(-\d+)?")
"""Names of figures and tables of a suite's report."""


def draw(loaded: Results) -> Pictures:
    """All figures that the records allow, by name."""
    styles = make_styles(loaded)
    drawn = {
        f"{part.key}-{name}": draw_one(part, styles)
        for group in loaded.groups
        for name, draw_one in FIGURES.items()
        for part in ((group,) if name in WITHOUT_TIMES else group.machines)
    }
    return {name: picture for name, picture in drawn.items() if picture is not None}


PAPER = "The paper's table"
"""Title of the section on a study."""


def main_tables(
    loaded: Results, answers: Mapping[str, Answer], paper: str
) -> dict[str, str]:
    """Name -> markdown of the tables that stand in LaTeX as well.

    Args:
        loaded: what is reported.
        answers: key of each group -> its answer.
        paper: the section on a study, empty without one.
    """
    found = {
        f"{part.key}-{name}": write(part)
        for group in loaded.groups
        for name, write in TABLES.items()
        for part in ((group,) if name in WITHOUT_TIMES else group.machines)
    }
    found |= {
        f"{group.key}-slices-{family}": analysis.slice_table(group, family)
        for group in loaded.groups
        for family in analysis.slice_families(group)
    }
    for group in loaded.groups:
        found[f"{group.key}-answer"] = answer.table(group, answers[group.key])
        pairs = differences.pairs_table(group, answers[group.key].differences)
        found[f"{group.key}-differences"] = pairs
    return {**found, "study": paper}


def sections(
    loaded: Results, pictures: Pictures, answers: Mapping[str, Answer]
) -> dict[str, str]:
    """Title -> text of the report's sections, of those that have something to say."""
    groups = loaded.groups
    published = [beside.published_section(groups), efficiency.published_section(groups)]
    texts = {
        "What to know first": caveats.warnings(loaded),
        "Main results": results.section(groups),
        PAPER: study.section(loaded),
        "Inference efficiency": efficiency.section(groups, pictures),
        "Accuracy against speed": operating.section(groups, pictures),
        "Convergence": convergence.section(groups, pictures),
        "Slices": analysis.slices_section(groups, pictures),
        "Differences": differences.section(groups, compared),
        "Data": background.data_section(groups),
        "Protocol, environment, systems and sources": background.background_section(loaded),
        "Published figures": "\n".join(filter(None, published)),
        "Scoring conventions": conventions.section(groups),
        "Generalisation": generalisation.section(groups, pictures),
        "Scores and thresholds": calibration.section(groups, pictures),
    }
    return {title: text for title, text in texts.items() if text}


def compose(loaded: Results, parts: Mapping[str, str]) -> str:
    """The report's text, of its sections."""
    body = "\n".join(
        f"## {number}. {title}\n\n{text}" for number, (title, text) in enumerate(parts.items(), 1)
    )
    return f"{overview.heading(loaded)}\n{body}"


def write_report(out: Path) -> Path:
    """Writes the report of an output folder of `run-suite`, in place of an earlier one.

    Returns:
        The path of `report.md`.

    Raises:
        SuiteError: there are no records, one of them is broken, or the folder cannot be written;
            an earlier report stays.
    """
    if is_by_size(out):
        return write_size_report(out)
    loaded = load_results(out)
    pictures, compared = draw(loaded), analysis.compare_groups(loaded.groups)
    parts = sections(loaded, pictures, compared)
    frames = {"results": results_frame(loaded), "operating": operating_frame(loaded)}
    sheets = {f"{name}.csv": csv(f) if len(f) else None for name, f in frames.items()}
    figures = report_figures(loaded, compared)
    return write_forms(
        out,
        ComposedReport(
            name="report",
            text=compose(loaded, parts),
            pictures=pictures,
            ours=OURS,
            tables=main_tables(loaded, compared, parts.get(PAPER, "")),
            sheets={**sheets, "report.json": f"{figures.model_dump_json(indent=1)}\n"},
        ),
    )
