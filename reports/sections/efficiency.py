"""What inference costs, as FastRE's Table 3, and costs as multiples of a reference's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from reports.cells import (
    add_row,
    cell,
    markdown,
    seeds_cell,
    values,
)
from reports.load import Group, Row
from reports.readings import inference_mebibytes, parameter_count
from reports.sections.outside import stated_costs
from reports.sections.overview import caption, listed, on_each_machine, plural
from reports.times import (
    divided,
    latency,
    pass_time,
    ratio_cell,
    shared_note,
    time_cell,
    training_time,
)
from suite.studies.figures import MEASURES, Figure
from suite.studies.published import published_figures
from suite.studies.study import Study, all_studies

COST_CLAIMS = ("training", "inference", "parameters")
"""What a study's claims are called that are about cost."""
PUBLISHED = {
    "parameters_thousands": "Parameters (thousands)",
    **{name: unit for name, unit in MEASURES.items() if name.startswith("milliseconds_")},
}
"""Published measure of cost -> its column."""
STAGES = ("encode", "forward", "decode", "total")


def summary_table(group: Group) -> str:
    """Parameters, and milliseconds an example at each batch size."""
    table: dict[str, list[str]] = {}
    for row in group.rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        for heading, which in (
            ("Parameters", "total"),
            ("without word vectors", "without vectors"),
            ("trained", "trainable"),
        ):
            cells[heading] = cell(values(row, partial(parameter_count, which=which)), 0)
        for size in group.batch_sizes:
            for part, name in (("median", "median"), ("p95", "95th percentile")):
                heading = f"Batch {size}: ms per {group.unit}, {name}"
                cells[heading] = time_cell(row, latency(size, part=part))
        add_row(table, cells)
    return markdown(table)


def stage_table(group: Group) -> str:
    """Encode, forward and decode apart, the whole test set, and peak memory."""
    table: dict[str, list[str]] = {}
    for size in group.batch_sizes:
        for row in group.rows:
            cells = {"Batch": str(size), "System": row.label, "Seeds": seeds_cell(row)}
            for stage in STAGES:
                heading = f"{stage} (ms per {group.unit})"
                cells[heading] = time_cell(row, latency(size, stage))
            cells["whole test set (s)"] = time_cell(row, pass_time(size))
            cells["peak memory (MiB)"] = cell(
                values(row, partial(inference_mebibytes, batch_size=size)), 0
            )
            add_row(table, cells)
    return markdown(table)


def _ratio_cells(group: Group, row: Row, reference: Row) -> dict[str, str]:
    sizes = {
        "parameters": partial(parameter_count, which="total"),
        "parameters without word vectors": partial(parameter_count, which="without vectors"),
    }
    times = {
        "training and dev evaluation to chosen epoch": training_time("seconds_to_best"),
        "training in all": training_time("training_seconds"),
        **{f"ms per {group.unit} at batch {size}": latency(size) for size in group.batch_sizes},
    }
    return {
        "System": row.label,
        **{heading: divided(row, reference, read) for heading, read in sizes.items()},
        **{heading: ratio_cell(row, reference, timed) for heading, timed in times.items()},
    }


def ratios(group: Group) -> str:
    """Each system's cost as a multiple of a reference's, at the same batch size.

    References are the full models of the studies that make claims of cost on the group's task.
    """
    studies: dict[str, list[Study]] = {}
    for study in all_studies():
        claims_costs = study.claims.keys() >= set(COST_CLAIMS)
        if claims_costs and study.task == group.dataset.task and study.reference is not None:
            studies.setdefault(study.variant(study.reference).system, []).append(study)
    return "\n".join(_ratios_to(name, found, group) for name, found in studies.items())


def _ratios_to(reference: str, studies: Sequence[Study], group: Group) -> str:
    """The ratios to one system, and what the studies claim of it."""
    references = [row for row in group.systems if row.name == reference]
    others = [row for row in group.rows if row.name != reference]
    title = _title(studies[0])
    if not references:
        return f"No ratio to {title}: it is not among the systems of this table.\n"
    if not others:
        return f"No ratio to {title}: it is the only system of this table.\n"
    parts = []
    for row in references:
        table: dict[str, list[str]] = {}
        for other in others:
            add_row(table, _ratio_cells(group, other, row))
        parts.append(f"As a multiple of {row.label} (1 is equal):\n\n{markdown(table)}")
    claims = "".join(f"\n{_claim(study, group, others)}" for study in studies)
    return "\n".join(parts) + claims


def _title(study: Study) -> str:
    """What the study calls its full model."""
    assert study.reference is not None
    variant = study.variant(study.reference)
    return variant.title or variant.system


def _claim(study: Study, group: Group, others: Sequence[Row]) -> str:
    """What the paper claims of its costs, and why the ratios here need not agree."""
    encoder = "" if any(row.facts.pretrained for row in others) else " (no system here has one)"
    training_, inference_, parameters = (study.claims[name] for name in COST_CLAIMS)
    return (
        f"{study.source} claims {training_}, {inference_} and {parameters} of systems on a "
        f"pretrained BERT{encoder}. Those figures are from a device of its own "
        f"({study.device or 'not stated'}) and compare each system at its own batch size; these "
        f"are from {group.environment.processor} (device {group.environment.device}) and compare "
        "at one batch size. Ratios differ between devices; agreement is not to be expected.\n"
    )


def section(groups: Sequence[Group]) -> str:
    """Inference efficiency of each dataset, each machine apart."""
    return "\n".join(
        f"### {group.title}\n\n{caption(group)}\n"
        + on_each_machine(group, _costs)
        + shared_note(group.runs)
        + stated_costs(group)
        for group in groups
    )


def _costs(part: Group) -> str:
    """Costs and their ratios on one machine."""
    passes = sorted({c.passes for r in part.runs for c in r.record.inference if not c.failure})
    text = f"{summary_table(part)}\n"
    if part.batch_sizes:
        text += (
            f"From words to predictions in a fresh process with the chosen checkpoint, "
            f"{listed(passes) or 'no'} pass(es) over the test set after a warm-up; median and "
            "95th percentile are over batches. Forward holds all that the network computes, with "
            "what it decodes on its way (a cascade tags the tails of the heads that it found); "
            "decode makes items of it. Where the time goes:\n\n"
            f"{stage_table(part)}"
        )
    else:
        text += "Inference was not measured.\n"
    text += _beside_others(part)
    multiples = ratios(part)
    text += f"\n{multiples}" if multiples else ""
    return text


def _beside_others(part: Group) -> str:
    """How many runs were not trained alone, where that was recorded."""
    known = [run.record.training.alone for run in part.runs if run.record.training]
    busy = known.count(False)
    if not busy:
        return ""
    return (
        f"\n{busy} of {plural(len(part.runs), 'run')} trained beside other runs of the suite: "
        "times of training are longer than alone, and no ratio is taken between them and those of "
        "runs that trained alone.\n"
    )


def published_section(groups: Sequence[Group]) -> str:
    """Published parameters and times on these datasets, apart from what was measured."""
    names = {group.dataset.name for group in groups}
    figures = [
        figure
        for figure in published_figures()
        if figure.dataset in names and PUBLISHED.keys() & figure.numbers.keys()
    ]
    if not figures:
        return ""
    sources = {(figure.source, table) for figure in figures for table in figure.tables}
    notes = "".join(
        f"- {study.source}, {study.table}: {note}\n"
        for study in all_studies()
        if (study.source, study.table) in sources
        for note in study.notes
    )
    return (
        "### Inference, as published\n\nEach row with its source and its device.\n\n"
        f"{published_costs(figures)}\n{notes}"
    )


def published_costs(figures: Sequence[Figure]) -> str:
    """Published rows of parameters and of time per instance."""
    table = {
        "Published row": [f.row for f in figures],
        "Source": [f"{f.source}, {f.table}" for f in figures],
        "Dataset": [f.dataset for f in figures],
    }
    for name, heading in PUBLISHED.items():
        if any(name in f.numbers for f in figures):
            table[heading] = [
                f"{f.numbers[name]:,.6g}" if name in f.numbers else "-" for f in figures
            ]
    table["Device"] = [f.device or "-" for f in figures]
    return markdown(table)
