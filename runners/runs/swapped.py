"""How a trained run does on test sentences whose entities have other names.

Its weights, thresholds and theta are those that the run chose; nothing is fitted anew.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from runners.runs.evaluate import EncodedSplit, Evaluator
from runners.runs.inference import load_system
from runners.runs.workbench import Workbench
from suite.datasets.swapping import SEED, source_of, swap_entities
from suite.errors import SuiteError
from suite.files import read_lines, write_atomically, write_lines
from suite.privacy import without_home
from suite.records.run import PREDICTIONS, SWAPPED_PREDICTIONS, SwappedTest, read_record
from suite.tasks.scores import AnsweredExample, Evaluation
from suite.tasks.scoring import total


def swapped_file(folder: Path) -> Path:
    """Where the process leaves its scores."""
    return folder / "swapped.json"


def leave_swapped(folder: Path, names: str, make_bench: Callable[[], Workbench]) -> None:
    """Leaves the scores of a trained run in its folder, or the reason why there are none.

    Args:
        folder: of the run.
        names: whence they are, as `swap_entities` takes it.
        make_bench: of the run.
    """
    try:
        found = _score(folder, names, make_bench())
    except SuiteError as error:
        found = SwappedTest(names=Path(names).name, failure=without_home(str(error)))
    write_atomically(swapped_file(folder), found.model_dump_json())


def _score(folder: Path, names: str, bench: Workbench) -> SwappedTest:
    swapped = swap_entities(bench.dataset, names)
    record = read_record(folder / "record.json")
    if not swapped.split.examples:
        why = "; ".join(f"{reason}: {count}" for reason, count in swapped.left.items())
        raise SuiteError(
            f"no example of the test set of {bench.dataset.name} could be swapped ({why})",
            remedy="Name a file with other names for its kinds of entities.",
        )
    evaluator = Evaluator(load_system(folder, bench), bench, bench.device)
    split = EncodedSplit(evaluator.system, bench, swapped.split, bench.device)
    theta = None if record.dev is None else record.dev.measures.get("theta")
    tested = evaluator.on_test(split, theta)
    write_lines(folder / SWAPPED_PREDICTIONS, tested.outcomes)
    return SwappedTest(
        names=source_of(names),
        seed=SEED,
        by_part=swapped.by_part,
        examples=len(bench.dataset.test.examples),
        swapped=len(swapped.split.examples),
        entities=swapped.entities,
        left=dict(swapped.left),
        before=_before(folder, {e.id for e in swapped.split.examples}),
        after=tested.evaluation and tested.evaluation.model_copy(update={"slices": {}}),
    )


def _before(folder: Path, ids: AbstractSet[str]) -> Evaluation:
    """The scores that the run has on some test examples as they are."""
    lines = read_lines(folder / PREDICTIONS, AnsweredExample, "an answered example")
    kept = [line.correct for line in lines if line.id in ids]
    return Evaluation(
        partial=total(scores["partial"] for scores in kept),
        exact=total(scores["exact"] for scores in kept),
    )
