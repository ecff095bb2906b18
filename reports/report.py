"""Makes the report of an output folder: `results.csv`, `figures/` and `report.md`.

Reads records alone; no model is loaded, and torch is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reports import analysis, background, convergence, efficiency, figures, overview, results
from reports.cells import Pictures
from reports.frames import results_frame
from reports.load import Group, Results, load_results
from suite.files import write_atomically

FIGURES: Mapping[str, Callable[[Group, figures.Styles], bytes | None]] = {
    "convergence": figures.convergence,
    "iterations": figures.iterations,
    "slices": figures.slices,
    "trade-off": figures.trade_off,
}
"""What is drawn for each group, by the end of the file's name."""


def draw(loaded: Results) -> Pictures:
    """All figures that the records allow, by name."""
    styles = figures.make_styles(loaded)
    drawn = {
        f"{group.key}-{name}": draw_one(group, styles)
        for group in loaded.groups
        for name, draw_one in FIGURES.items()
    }
    return {name: png for name, png in drawn.items() if png is not None}


def compose(loaded: Results, pictures: Pictures) -> str:
    """The report's text."""
    groups = loaded.groups
    published = [results.published_section(groups), efficiency.published_section(groups)]
    sections = {
        "1. What to know first": overview.warnings(loaded),
        "2. Main results": results.section(groups),
        "3. Inference efficiency": efficiency.section(groups, pictures),
        "4. Convergence": convergence.section(groups, pictures),
        "5. Slices": analysis.slices_section(groups, pictures),
        "6. Significance": analysis.significance_section(groups),
        "7. Data": background.data_section(groups),
        "8. Protocol, environment, systems and sources": background.background_section(loaded),
        "9. Published figures": "\n".join(filter(None, published)),
    }
    body = "\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"{overview.heading(loaded)}\n{body}"


def write_report(out: Path) -> Path:
    """Writes the report of an output folder of `run-suite`, in place of an earlier one.

    All is made in memory first; the text is written last, so that what it refers to is there.

    Returns:
        The path of `report.md`.

    Raises:
        SuiteError: there are no records, one of them is broken, or the folder cannot be written.
    """
    loaded = load_results(out)
    pictures = draw(loaded)
    text = compose(loaded, pictures)
    table = results_frame(loaded).to_csv(index=False)
    for name, png in pictures.items():
        write_atomically(out / "figures" / f"{name}.png", png)
    write_atomically(out / "results.csv", table)
    write_atomically(out / "report.md", text)
    for path in (out / "figures").glob("*.png"):
        if path.stem not in pictures and path.stem.endswith(tuple(f"-{name}" for name in FIGURES)):
            path.unlink()  # of an earlier report, and of records that have since changed
    return out / "report.md"
