"""Makes the report of an output folder: `results.csv`, `operating.csv`, `figures/`, `report.md`.

Reads records alone; no model is loaded, and torch is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reports.cells import Pictures
from reports.figures import operating as operating_figure
from reports.figures import predictions as prediction_figures
from reports.figures import training as figures
from reports.figures.style import Styles, make_styles
from reports.load import Group, Results, load_results
from reports.sections import (
    analysis,
    background,
    calibration,
    caveats,
    conventions,
    convergence,
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
from suite.files import remove_leftovers, write_atomically

FIGURES: Mapping[str, Callable[[Group, Styles], bytes | None]] = {
    "convergence": figures.convergence,
    "iterations": figures.iterations,
    "slices": figures.slices,
    "trade-off": figures.trade_off,
    "operating": operating_figure.draw,
    "generalisation": prediction_figures.generalisation,
    "calibration": prediction_figures.calibration,
}
"""What is drawn for each group, by the end of the file's name."""
WITHOUT_TIMES = frozenset({"slices", "generalisation", "calibration"})
"""What of that joins the machines of a group; all else is drawn for each machine."""


def draw(loaded: Results) -> Pictures:
    """All figures that the records allow, by name."""
    styles = make_styles(loaded)
    drawn = {
        f"{part.key}-{name}": draw_one(part, styles)
        for group in loaded.groups
        for name, draw_one in FIGURES.items()
        for part in ((group,) if name in WITHOUT_TIMES else group.machines)
    }
    return {name: png for name, png in drawn.items() if png is not None}


def compose(loaded: Results, pictures: Pictures) -> str:
    """The report's text."""
    groups = loaded.groups
    published = [beside.published_section(groups), efficiency.published_section(groups)]
    sections = {
        "What to know first": caveats.warnings(loaded),
        "Main results": results.section(groups),
        "The paper's table": study.section(loaded),
        "Inference efficiency": efficiency.section(groups, pictures),
        "Accuracy against speed": operating.section(groups, pictures),
        "Convergence": convergence.section(groups, pictures),
        "Slices": analysis.slices_section(groups, pictures),
        "Significance": analysis.significance_section(groups),
        "Data": background.data_section(groups),
        "Protocol, environment, systems and sources": background.background_section(loaded),
        "Published figures": "\n".join(filter(None, published)),
        "Scoring conventions": conventions.section(groups),
        "Generalisation": generalisation.section(groups, pictures),
        "Scores and thresholds": calibration.section(groups, pictures),
    }
    present = [(title, text) for title, text in sections.items() if text]
    body = "\n".join(
        f"## {number}. {title}\n\n{text}" for number, (title, text) in enumerate(present, start=1)
    )
    return f"{overview.heading(loaded)}\n{body}"


def write_report(out: Path) -> Path:
    """Writes the report of an output folder of `run-suite`, in place of an earlier one.

    All is made in memory first; the text is written last, so that what it refers to is there.

    Returns:
        The path of `report.md`.

    Raises:
        SuiteError: there are no records, one of them is broken, or the folder cannot be written.
    """
    if is_by_size(out):
        return write_size_report(out)
    loaded = load_results(out)
    pictures = draw(loaded)
    text = compose(loaded, pictures)
    tables = {"results": results_frame(loaded), "operating": operating_frame(loaded)}
    remove_leftovers(out)
    for name, png in pictures.items():
        write_atomically(out / "figures" / f"{name}.png", png)
    for name, frame in tables.items():
        if len(frame):
            write_atomically(out / f"{name}.csv", csv(frame))
        else:
            (out / f"{name}.csv").unlink(missing_ok=True)  # of an earlier report
    write_atomically(out / "report.md", text)
    for path in (out / "figures").glob("*.png"):
        if path.stem not in pictures and path.stem.endswith(tuple(f"-{name}" for name in FIGURES)):
            path.unlink()  # of an earlier report, and of records that have since changed
    return out / "report.md"
