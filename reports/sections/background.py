"""What the figures rest on: data, ceilings, protocol, machine, settings, sources."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from reports.cells import add_row, by_reason, escape, markdown, number, per_cent, score_cells
from reports.comparison import describes
from reports.load import RESOURCES, Group, Results, Row
from reports.readings import NOT_LABELLED, labelled
from reports.sections.costs import why_no_energy
from reports.sections.outside import cited, described
from reports.sections.overview import listed, machine, published_word
from suite.protocol import Protocol
from suite.quoting import quoted
from suite.records.run import RunRecord
from suite.records.suite import SEEN_SHARE, SuitePlan
from suite.studies.published import studies_that_count
from suite.tasks.matching import Match
from suite.tasks.metric import PARTS
from suite.tasks.scores import Scores


def _flat(statistics: Mapping[str, JsonValue], prefix: str = "") -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for name, value in statistics.items():
        full = f"{prefix}{name}".replace("_", " ") if name != SEEN_SHARE else name
        if isinstance(value, dict):
            found |= _flat(value, f"{full}: ")
        else:
            found[full] = value
    return found


def _shown(value: JsonValue) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value, 0 if isinstance(value, int) else None)
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _absent(measure: str, statistics: Mapping[str, JsonValue]) -> JsonValue:
    """What is not named in a table of counts was met no times; anything else was not counted."""
    outer = measure.partition(": ")[0].replace(" ", "_")
    return 0 if isinstance(statistics.get(outer), dict) else None


def statistics_table(group: Group) -> str:
    """What was counted in each split, if `suite.json` tells of this very data."""
    if group.plan is None:
        return "`suite.json` does not name this dataset: nothing was counted.\n"
    if not describes(group):
        return (
            "`suite.json` tells of other data under this name (its fingerprints differ): what it "
            "counted is not shown here.\n"
        )
    splits = {name: _flat(counted) for name, counted in group.plan.statistics.items()}
    table: dict[str, list[str]] = {}
    for measure in dict.fromkeys(m for counted in splits.values() for m in counted):
        share = measure == SEEN_SHARE
        cells = {"Measure": group.task.statistic_names.get(measure, quoted(measure))}
        for split, counted in splits.items():
            value = counted.get(measure, _absent(measure, group.plan.statistics[split]))
            if share and isinstance(value, int | float):
                cells[split] = per_cent(value)
            else:
                cells[split] = _shown(value)
        add_row(table, cells)
    return markdown(table) if table else "`suite.json` holds no counts.\n"


def seen_sentence(group: Group) -> str:
    """The share of test items that stand in train, beside those that papers state."""
    name = group.dataset.name
    counted = [(study.source, study.counted[name]) for study in studies_that_count(name)]
    stated = [
        f"{found.seen_in_train} % in {source}"
        + (f" ({found.seen_where})" if found.seen_where else "")
        for source, found in counted
        if found.seen_in_train is not None
    ]
    if not stated or group.plan is None or not describes(group):
        return ""
    here = group.plan.statistics.get("test", {}).get(SEEN_SHARE)
    if not isinstance(here, int | float):
        return ""
    same = all(group.dataset.published.get(split) is True for split in ("train", "test"))
    what = f"Test {group.task.items} that stand in train"
    text = f"\n{what}: {100 * here:.2f} % here, {', '.join(stated)}."
    return text + ("\n" if same else " The splits are not the same, so the two may differ.\n")


def _data(group: Group) -> str:
    facts = group.dataset
    splits = markdown(
        {
            "Split": list(facts.fingerprints),
            "Published split": [
                published_word(facts.published.get(split)) for split in facts.fingerprints
            ],
            "SHA-256 of its examples": [f"`{value}`" for value in facts.fingerprints.values()],
        }
    )
    notes = f"{group.notes}\n\n" if facts.notes else ""
    if not labelled(group):
        notes += f"The test set is {NOT_LABELLED}: it has no scores here.\n\n"
    return f"{notes}{splits}\n{statistics_table(group)}{seen_sentence(group)}"


def data_section(groups: Sequence[Group]) -> str:
    """Counts, fingerprints and ceilings of each dataset."""
    parts = []
    shown: dict[str, str] = {}
    for group in groups:
        key = group.dataset.model_dump_json()
        text = f"The same data as {shown[key]}.\n" if key in shown else _data(group)
        shown.setdefault(key, group.title)
        parts.append(f"### {group.title}\n\n{text}\n{ceiling_table(group)}")
    return "\n".join(parts)


def ceiling_table(group: Group) -> str:
    """What each system's tagging scheme could reach at most."""
    table: dict[str, list[str]] = {}
    for row in group.rows:
        splits = dict.fromkeys(split for run in row.runs for split in run.record.ceiling)
        for split in splits:
            cells = {"System": row.label, "Split": split}
            for match in group.rules:
                name = f", {match}" if group.rule else ""
                parts = score_cells(_ceiling(row, split, match))
                cells |= {f"{p}{name} (%)": t for p, t in zip(PARTS.values(), parts, strict=True)}
            add_row(table, cells)
    heading = "#### Ceiling of each tagging scheme\n\n"
    if not table:
        return f"{heading}No ceilings were recorded.\n"
    return (
        f"{heading}Ceiling: what a system would score if its model scored every one of its own "
        f"targets perfectly; what is missing to 100 cannot be said in its tagging scheme:\n\n"
        f"{markdown(table)}"
    )


def _ceiling(row: Row, split: str, match: Match) -> dict[int, Scores | str]:
    """Each run's ceiling, or why there is none."""
    found: dict[int, Scores | str] = {}
    for run in row.runs:
        ceiling = run.record.ceiling.get(split)
        if ceiling is None:
            found[run.record.seed] = "not recorded"
        else:
            scores = ceiling.under(match)
            found[run.record.seed] = scores if scores.gold else NOT_LABELLED
    return found


def _side_by_side(first: str, columns: Mapping[str, Mapping[str, str]]) -> str:
    names = dict.fromkeys(name for column in columns.values() for name in column)
    table = {first: list(names)}
    for heading, column in columns.items():
        table[heading] = [column.get(name, "-") for name in names]
    return markdown(table)


def protocol_table(groups: Sequence[Group]) -> str:
    """Every protocol with all its fields, and the tables that it holds for."""
    described = {
        name: f"{name}: {info.description}" if info.description else name
        for name, info in Protocol.model_fields.items()
    }
    columns: dict[str, dict[str, str]] = {}
    for group in groups:
        protocol = group.first.protocol
        values = protocol.model_dump(mode="json")
        column = columns.setdefault(
            f"`{protocol.digest()}`",
            {"tables": "", **{described[name]: str(value) for name, value in values.items()}},
        )
        column["tables"] = "; ".join(filter(None, (column["tables"], group.title)))
    return _side_by_side("Protocol", columns)


def environment_table(groups: Sequence[Group]) -> str:
    """Every environment with all its fields, and the tables that it holds for."""
    columns: dict[str, dict[str, str]] = {}
    known: list[str] = []
    for part in [part for group in groups for part in group.machines]:
        text = part.environment.model_dump_json()
        if text not in known:
            known.append(text)
        column = columns.setdefault(f"Environment {known.index(text) + 1}", {"tables": ""})
        column["tables"] = "; ".join(filter(None, (column["tables"], part.title)))
        for name, value in part.environment.model_dump(mode="json").items():
            if isinstance(value, dict):
                column |= {f"version of {package}": version for package, version in value.items()}
            elif name == "memory_bytes":
                column["memory (GiB)"] = f"{value / 2**30:.1f}"
            else:
                column[name] = str(value)
    return _side_by_side("What", columns)


def nodes_table(groups: Sequence[Group]) -> str:
    """Which node of a cluster trained and measured each run; empty where no record names one."""
    table: dict[str, list[str]] = {}
    for group in groups:
        for row in group.rows:
            trained = {run.record.seed: run.record.node for run in row.runs}
            measured = {run.record.seed: _measured_on(run.record) for run in row.runs}
            if any(trained.values()) or any(node for names in measured.values() for node in names):
                cells = {
                    "System": row.label,
                    "Table": group.title,
                    "Trained on": by_reason({s: _node(node) for s, node in trained.items()}),
                    "Measured on": by_reason(
                        {s: listed(map(_node, names)) or "-" for s, names in measured.items()}
                    ),
                }
                add_row(table, cells)
    return f"\nNodes of the cluster, run by run:\n\n{markdown(table)}" if table else ""


def _measured_on(record: RunRecord) -> list[str | None]:
    """The nodes that measured inference and operating points, each once."""
    named = [cost.node for cost in record.inference if cost.failure is None]
    if record.operating is not None and not record.operating.failure:
        named.append(record.operating.node)
    return list(dict.fromkeys(named))


def _node(name: str | None) -> str:
    return "the command's machine" if name is None else quoted(name)


def _systems(groups: Sequence[Group]) -> list[tuple[Row, list[str]]]:
    """Each system under each of its settings once, with where it ran."""
    found: dict[str, tuple[Row, list[str]]] = {}
    for group in groups:
        for row in group.rows:
            kept = {"name", "settings", *RESOURCES, "departures"}
            key = row.label + row.facts.model_dump_json(include=kept)
            coverage = row.facts.vector_coverage
            place = group.title
            if coverage is not None:
                place += f" (vectors for {per_cent(coverage)} % of the training tokens)"
            found.setdefault(key, (row, []))[1].append(place)
    return list(found.values())


def systems_text(groups: Sequence[Group]) -> str:
    """Settings, resources and departures of each system."""
    parts = []
    for row, places in _systems(groups):
        facts = row.facts
        table = markdown({"Setting": list(row.choices), "Value": list(row.choices.values())})
        departures = "".join(f"- {' '.join(text.split())}\n" for text in facts.departures)
        parts.append(
            f"#### {row.label}\n\n{facts.citation.rstrip('.')}. On {'; '.join(places)}.\n\n"
            f"{table}\nDepartures from its paper:\n\n{departures or 'None named.' + chr(10)}"
        )
    return "\n".join([*parts, *described(groups)])


def citations(results: Results) -> str:
    """Where systems and data are from, and on what terms."""
    systems = {
        row.facts.title: row.facts.citation for group in results.groups for row in group.rows
    }
    groups = results.groups
    names = {group.dataset.name for group in groups}
    rows = [
        *((title, citation, "-") for title, citation in systems.items()),
        *((title, citation, "-") for title, citation in cited(groups).items()),
        *(
            (dataset.facts.title, dataset.citation, dataset.licence)
            for dataset in results.plan.datasets
            if dataset.facts.name in names
        ),
    ]
    return markdown(
        {
            "What": [row[0] for row in rows],
            "Source": [row[1] for row in rows],
            "Licence of the data": [row[2] for row in rows],
        }
    )


def _commands(plan: SuitePlan) -> str:
    """The command of a plan, and of each that it was joined from, below its name and date."""
    lines = [shlex.join(plan.command)]
    for part in plan.joined:
        told = f"# {' '.join(part.name.split())} of {part.created}"
        if part.command:
            lines += [told, shlex.join(part.command)]
        else:
            lines.append(f"{told}, as evidence, which keeps no command")
    return "\n".join(lines).replace("`", "'")


def background_section(results: Results) -> str:
    """Protocol, environment, systems, command and sources."""
    groups = results.groups
    parts = [part for group in groups for part in group.machines]
    machines = dict.fromkeys(machine(part.environment) for part in parts)
    heading = "Commands" if results.plan.joined else "Command"
    return (
        f"### Protocol\n\n{protocol_table(groups)}\n"
        f"### Environment\n\n{escape('; '.join(machines))}.\n\n{environment_table(groups)}"
        f"{nodes_table(groups)}{why_no_energy(groups)}\n"
        f"### Systems\n\n{systems_text(groups)}\n"
        f"### {heading}\n\n```\n{_commands(results.plan)}\n```\n\n"
        f"The suite's version is {results.plan.version}. This report can be made again from the "
        "records with `build-report`.\n\n"
        f"### Sources\n\n{citations(results)}"
    )
