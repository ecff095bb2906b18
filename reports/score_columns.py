"""The columns of scores that each task's field prints, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from reports.cells import cell, score_cells, values
from reports.load import Group, Row
from reports.readings import Scored, evaluation, f1_of, measure
from suite.tasks.examples import Task
from suite.tasks.matching import Match
from suite.tasks.scores import Evaluation, Scores

PARTS = ("P", "R", "F1")


def rules(group: Group) -> Mapping[Match, str]:
    """The match rules that the task's tables show, the one that the field asks about first."""
    if group.dataset.task == "docre":
        return {"exact": ""}
    if group.dataset.task == "ner":
        return {"exact": "exact: type and span", "partial": "partial: type and first word"}
    matching = group.dataset.matching
    return {"partial": f"partial/{matching}", "exact": f"exact/{matching}"}


def scores_on_test(row: Row, match: Match) -> dict[int, Scores | str]:
    """Each planned seed's test scores, or why there are none."""
    found: dict[int, Scores | str] = dict(row.missing)
    for run in row.complete:
        test = evaluation(run.record, "test")
        found[run.record.seed] = (
            test.under(match) if isinstance(test, Evaluation) else test or "not recorded"
        )
    return {seed: found[seed] for seed in row.seeds}


def score_columns(group: Group, row: Row) -> dict[str, str]:
    """Heading -> cell: what the main table shows of a row's scores."""
    return _documents(row) if group.dataset.task == "docre" else _sentences(group, row)


def _sentences(group: Group, row: Row) -> dict[str, str]:
    return {
        f"{part}, {rule} (%)": text
        for match, rule in rules(group).items()
        for part, text in zip(PARTS, score_cells(scores_on_test(row, match)), strict=True)
    }


def _documents(row: Row) -> dict[str, str]:
    """Dev beside test, since papers report it; theta is dev's in both."""

    def measured(name: str, split: Scored) -> str:
        return cell(values(row, partial(measure, name=name, split=split)), 1)

    precision, recall, f1 = score_cells(scores_on_test(row, "exact"))
    dev_f1 = cell(values(row, partial(f1_of, match="exact", split="dev")), 1)
    theta = partial(measure, name="theta", split="dev", factor=1.0)
    return {
        "dev F1 (%)": dev_f1,
        "dev Ign F1 (%)": measured("ign_f1", "dev"),
        "dev AUC (%)": measured("auc", "dev"),
        "test P (%)": precision,
        "test R (%)": recall,
        "test F1 (%)": f1,
        "test Ign F1 (%)": measured("ign_f1", "test"),
        "test AUC (%)": measured("auc", "test"),
        "test Ign AUC (%)": measured("ign_auc", "test"),
        "theta (from dev)": cell(values(row, theta), 4),
    }


MEANINGS: Mapping[Task, str] = {
    "triples": (
        "Match: *partial*: relation and the first word of head and tail; *exact*: relation and "
        "both whole spans."
    ),
    "docre": (
        "P, R, F1: facts between given entities: relation, head and tail; the entities are not "
        "predicted. theta: the probability from which on a fact is predicted; it is fitted on dev, "
        "where it makes F1 best, and test takes it as it is. Ign F1: precision leaves out the "
        "facts that train has too; recall keeps them. AUC: the area under precision over recall "
        "along all scored facts; Ign AUC: likewise, with the precision of Ign F1. The columns of "
        "dev are there because the paper reports dev; epoch and theta were chosen on it, so that "
        "they flatter."
    ),
    "ner": (
        "Match: *exact*: type and whole span, as the field counts; *partial*: type and first word, "
        "which forgives a wrong end."
    ),
}
"""What the scores of a task's main table count."""
