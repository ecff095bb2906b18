"""Systems that were not trained here: how their files fit the test sets, and what is stated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from reports.cells import ABSENT, add_row, markdown, number, per_cent
from reports.load import Group, OutsideRow, Results
from reports.run_files import OutsideRun
from reports.sections.overview import listed
from suite.quoting import quoted
from suite.records.outside import NOT_TRAINED, BroughtIn


def brought_in(results: Results) -> list[str]:
    """A line for each file of predictions: what it is, and what of it does not fit the test set."""
    strays = [
        f"**not shown**: the predictions of {quoted(run.record.title)} on "
        f"{run.record.dataset.title}, `{_code(run.record.file)}`: they were scored on other data, "
        "or by another match rule, than the runs here. Bring them in again."
        for run in results.strays
    ]
    places: dict[Path, tuple[OutsideRow, OutsideRun, list[str]]] = {}
    for group in results.groups:
        for row in group.outside:
            for run in row.runs:
                places.setdefault(run.folder, (row, run, []))[2].append(group.title)
    return strays + [
        f"**{NOT_TRAINED}**: {quoted(row.label)} on {listed(titles)}, from "
        f"`{_code(run.record.file)}` ({run.record.form}), scored against {run.record.gold}. "
        + " ".join(f"{line}." for line in fit_lines(run.record.brought))
        for row, run, titles in places.values()
    ]


def fit_lines(brought: BroughtIn) -> Iterator[str]:
    """How a file's records fit the test examples, in sentences without a full stop."""
    yield _covered(brought)
    if brought.doubled:
        sample = _sample(brought, "doubled")
        yield f"{brought.doubled:,} are of an example that has one, and do not count{sample}"
    if brought.unknown:
        yield f"{brought.unknown:,} are of no test example{_sample(brought, 'unknown')}"
    if brought.other_gold:
        yield (
            f"In {brought.other_gold:,} records the file's own gold is not that of the test set, "
            "which is what counts"
        )
    yield from _odd_items(brought)


def _covered(brought: BroughtIn) -> str:
    if not brought.missing:
        return f"It has a record of each of the {brought.examples:,} test examples"
    what = (
        "are not in it, as documents without a fact are: they count as answered by none"
        if brought.silent
        else "have no record in it and count as answered by nothing, which costs recall"
    )
    sample = "" if brought.silent else _sample(brought, "missing")
    share = per_cent(brought.missing / brought.examples)
    return f"{brought.missing:,} of {brought.examples:,} test examples ({share} %) {what}{sample}"


def _sample(brought: BroughtIn, kind: str) -> str:
    return f" (the first: {quoted(brought.samples[kind])})" if kind in brought.samples else ""


def _odd_items(brought: BroughtIn) -> Iterator[str]:
    if brought.strange_items:
        named = ", ".join(f"{quoted(name)}: {n:,}" for name, n in brought.strange.items())
        yield (
            f"{brought.strange_items:,} of {brought.items:,} items are of a relation or type that "
            f"the dataset does not know, and are wrong ({named})"
        )
    if brought.unplaced:
        yield (
            f"{brought.unplaced:,} of {brought.items:,} items name words that are not in the text; "
            "they count as predicted"
        )
    if brought.ambiguous:
        by_words = brought.by_words
        said = (
            "" if by_words is None else f" (by their words, F1 would be {per_cent(by_words.f1)} %)"
        )
        yield (
            f"{brought.ambiguous:,} of {brought.items:,} items are given by words that stand in "
            "several places, of which the first is taken; spans are compared by their place here, "
            f"so that this may cost score{said}"
        )


def stated_costs(group: Group) -> str:
    """What is stated of costs, apart from what was measured; empty where nothing is."""
    rows = [row for row in group.outside if row.record.about.states_costs]
    if not rows:
        return ""
    table: dict[str, list[str]] = {}
    for row in rows:
        about = row.record.about
        first = {
            "System": row.label,
            "Parameters": ABSENT if about.parameters is None else number(about.parameters, 0),
            "Training (min)": ABSENT if about.training is None else number(about.training.minutes),
            "trained on": ABSENT if about.training is None else quoted(about.training.machine),
        }
        unit = f"ms per {group.unit}"
        none = {unit: ABSENT, "Batch": ABSENT, "measured on": ABSENT}
        latencies = [
            {
                unit: number(latency.milliseconds),
                "Batch": str(latency.batch_size),
                "measured on": quoted(latency.machine),
            }
            for latency in about.latency
        ]
        for latency in latencies or [none]:
            add_row(table, first | latency)
    return (
        "\n#### As stated, not measured here\n\nWhoever brought the predictions in states these "
        "figures; they stand apart from what was measured, on machines of their own.\n\n"
        f"{markdown(table)}"
    )


def described(groups: Sequence[Group]) -> list[str]:
    """What is known of each system, as a part of the report's last section."""
    rows: dict[str, tuple[OutsideRow, list[str]]] = {}
    for group in groups:
        for row in group.outside:
            rows.setdefault(row.label, (row, []))[1].append(group.title)
    return [_description(row, places) for row, places in rows.values()]


def _description(row: OutsideRow, places: Sequence[str]) -> str:
    about = row.record.about
    files = "".join(
        f"- `{_code(run.record.file)}`, {run.record.form}, SHA-256 `{run.record.sha256}`, scored "
        f"{run.record.scored} by version {run.record.version}\n"
        for run in row.runs
    )
    said = [quoted(about.citation).rstrip(".")] if about.citation else []
    said += [f"Encoder, as stated: {quoted(about.encoder).rstrip('.')}"] if about.encoder else []
    said += [quoted(note).rstrip(".") for note in about.notes]
    sentences = "".join(f"{sentence}. " for sentence in said)
    where = "; ".join(places)
    return f"#### {quoted(row.label)}\n\n{sentences}On {where}, {NOT_TRAINED}:\n\n{files}"


def cited(groups: Sequence[Group]) -> dict[str, str]:
    """Label of each system -> where it is from."""
    return {
        row.label: quoted(row.record.about.citation) or "not stated"
        for group in groups
        for row in group.outside
    }


def _code(text: str) -> str:
    """A name between backticks: one line, without any of its own."""
    return " ".join(text.split()).replace("`", "'")
