"""The model card of an artifact: a `README.md` in Hugging Face's form."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from suite.artifact.facts import ModelFacts
from suite.quoting import quoted
from suite.tasks.matching import Match
from suite.tasks.registry import find_task
from suite.tasks.schema import ANY
from suite.tasks.scores import Evaluation

SHOWN = 40
"""Relations or types that a card names."""


def model_card(facts: ModelFacts) -> str:
    """The card: metadata for the hub, then what it is, how good, for what, and its limits."""
    sections = (_scores, _use, _limits, _origin)
    text = "\n\n".join("\n".join(section(facts)) for section in sections)
    head = yaml.safe_dump(_metadata(facts), sort_keys=False, allow_unicode=True)
    title = f"# {quoted(facts.system.title)} on {quoted(facts.dataset.title)}"
    return f"---\n{head}---\n\n{title}\n\n{text}\n"


def _metadata(facts: ModelFacts) -> dict[str, object]:
    task = find_task(facts.task)
    metrics = []
    for match in _rules(facts):
        if facts.test is not None:
            value = round(facts.test.under(match).f1, 4)
            name = f"F1{f' ({match} match)' if task.rules else ''}"
            metrics.append({"type": "f1", "name": name, "value": value})
    dataset = {"name": facts.dataset.title, "type": facts.dataset.name, "split": "test"}
    kind = "token-classification"
    result = {"task": {"type": kind}, "dataset": dataset, "metrics": metrics}
    return {
        "library_name": "relation-suite",
        "pipeline_tag": kind,
        "tags": [task.tag, facts.system.name],
        "datasets": [facts.dataset.name],
        "license": "other",
        "license_name": facts.licence or "unknown",
        "model-index": [{"name": facts.system.title, "results": [result] if metrics else []}],
    }


def _scores(facts: ModelFacts) -> Iterator[str]:
    task = find_task(facts.task)
    rules, matching = _rules(facts), facts.dataset.matching
    named = [f"F1, {task.rules[match]}" if task.rules else "F1" for match in rules]
    named = [name.format(matching=matching) for name in named]
    yield "## Scores"
    yield ""
    if facts.dataset.synthetic:
        yield "**The data are synthetic: these figures say nothing about real text.**"
        yield ""
    yield f"| split | {' | '.join(f'{name} (%)' for name in named)} | gold {task.items} |"
    yield f"| --- |{' ---: |' * (len(named) + 1)}"
    splits: tuple[tuple[str, Evaluation | None], ...] = (("dev", facts.dev), ("test", facts.test))
    for name, found in splits:
        if found is not None:
            cells = [f"{100 * found.under(match).f1:.1f}" for match in rules]
            yield f"| {name} | {' | '.join(cells)} | {found.under(rules[0]).gold} |"
    yield ""
    compared = task.compared.format(matching=matching)
    yield f"{compared[0].upper()}{compared[1:]}. Seed {facts.seed}; the epoch was chosen on dev."


def _rules(facts: ModelFacts) -> tuple[Match, ...]:
    """Those that tables of its task show."""
    task = find_task(facts.task)
    return tuple(task.rules) or (task.selection_match(facts.protocol.match),)


def _use(facts: ModelFacts) -> Iterator[str]:
    task = find_task(facts.task)
    yield "## Use"
    yield ""
    relations, types = facts.data.relations, [t for t in facts.data.entity_types if t != ANY]
    counts = [f"{len(relations)} relations"] if relations else []
    counts += [f"{len(types)} entity types"] if types else []
    yield f"It finds {task.items} in a {task.unit}: {' and '.join(counts)}."
    yield ""
    yield "```sh"
    yield "pip install relation-suite"
    yield "extract-relations FOLDER texts.txt --out found.jsonl"
    yield "```"


def _limits(facts: ModelFacts) -> Iterator[str]:
    yield "## Limits"
    yield ""
    names = facts.data.relations or facts.data.entity_types
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    yield f"- It finds nothing but: {', '.join(map(quoted, names[:SHOWN]))}{more}."
    if not find_task(facts.task).entities_given:  # documents are read whole
        yield f"- Sentences of more than {facts.protocol.max_words} words are read in pieces."
    yield "- Its scores are of text like its test set; on other text they will be lower."
    if facts.vectors is not None:
        known = facts.vectors.words + facts.vectors.others
        yield f"- It has vectors of {known:,} words at most; all other words look alike to it."
    for note in facts.dataset.notes:
        yield f"- {quoted(note)}"


def _origin(facts: ModelFacts) -> Iterator[str]:
    yield "## Where it is from"
    yield ""
    yield f"- System: {quoted(facts.system.citation)}"
    yield f"- Data: {quoted(facts.dataset.title)}; licence: {quoted(facts.licence or 'not known')}"
    for kind, source in (
        ("Word vectors", facts.system.vectors),
        ("Encoder", facts.system.pretrained),
        ("Parser", facts.system.parser),
    ):
        if source is not None:
            yield f"- {kind}: {quoted(source)}"
    yield f"- Versions: {', '.join(f'{k} {v}' for k, v in sorted(facts.versions.items()))}"
    yield f"- Written by relation-suite {facts.version}; settings and protocol: `config.json`."
