"""Each form of claim on a case that can be worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from reports.claims.collect import collect
from reports.claims.judge import judge
from suite.records.run import OperatingCost, OperatingCurve, Parameters, RunRecord
from suite.tasks.scores import AnsweredExample, Scores
from tests.reports.claims.cases import (
    claim_of,
    evidence_of,
    finding,
    findings,
    paper_of,
    variant_run,
    write_folder,
)
from tests.runners.joining.outputs import configured, run_of

GATE = {"form": "F1 difference", "higher": "fastre", "than": ["fastre-no-gate"]}
FULL, LESS = (150, 200, 200, 140), (140, 200, 200, 120)


def pair(seeds: int = 3, **other: Any) -> list[RunRecord]:
    """The full model with F1 75 (70 under exact match), without the gate 70 (60)."""
    full = [variant_run("fastre", seed, FULL) for seed in range(seeds)]
    return full + [variant_run("fastre-no-gate", seed, LESS, **other) for seed in range(seeds)]


def test_a_difference_in_f1(tmp_path: Path) -> None:
    found = finding(claim_of(GATE), tmp_path / "out", *pair())
    (part,) = found.parts
    assert part.printed.value == pytest.approx(56.3 - 53.2)
    assert part.found is not None
    assert part.found.value == pytest.approx(5.0)
    assert part.found.low < 5.0 < part.found.high
    assert found.verdict == "holds"
    assert len(found.runs) == 6


def test_the_claimed_direction_reversed(tmp_path: Path) -> None:
    test = {"form": "F1 difference", "higher": "fastre-no-gate", "than": ["fastre"]}
    assert finding(claim_of(test), tmp_path / "out", *pair()).verdict == "does not hold"


def test_a_difference_that_is_smaller_than_stated(tmp_path: Path) -> None:
    claim = claim_of(GATE | {"points": 20.0})
    assert finding(claim, tmp_path / "out", *pair()).verdict == "holds in direction"


def test_a_bound_allows_a_loss(tmp_path: Path) -> None:
    test = {"form": "F1 difference", "higher": "fastre-no-gate", "than": ["fastre"]}
    for above, verdict in ((-20.0, "holds"), (-1.0, "does not hold")):
        claim = claim_of(test | {"above": above})
        assert finding(claim, tmp_path / f"{above}", *pair()).verdict == verdict


def test_what_would_tell_a_small_difference(tmp_path: Path) -> None:
    runs = [variant_run("fastre", s, FULL) for s in range(3)]
    runs += [variant_run("fastre-no-gate", s, (148, 200, 200, 140)) for s in range(3)]
    found = finding(claim_of(GATE), tmp_path / "out", *runs)
    assert found.verdict == "cannot be told here"
    why = found.parts[0].why
    assert why.startswith("the interval holds 0; a difference of this size takes ")
    assert "sentence" in why


def test_one_comparison_refutes_a_claim_of_several(tmp_path: Path) -> None:
    better = [variant_run("fastre-no-mapping", s, (180, 200, 200, 140)) for s in range(3)]
    several = GATE | {"than": ["fastre-no-gate", "fastre-no-mapping"]}
    found = finding(claim_of(several), tmp_path / "out", *pair(), *better)
    assert [part.verdict for part in found.parts] == ["holds", "does not hold"]
    assert found.verdict == "does not hold"


def test_the_rule_of_a_claim(tmp_path: Path) -> None:
    (part,) = finding(claim_of(GATE | {"match": "exact"}), tmp_path / "out", *pair()).parts
    assert part.found is not None
    assert part.found.value == pytest.approx(10.0)
    assert part.printed.value is None, "the table is of partial match"


def test_one_seed_is_no_evidence(tmp_path: Path) -> None:
    found = finding(claim_of(GATE), tmp_path / "out", *pair(1))
    assert found.verdict == "cannot be told here"
    (part,) = found.parts
    assert part.found is not None
    assert part.found.over == "examples"
    assert part.why.startswith("one seed")


def test_no_run_has_a_line_with_the_printed_figure() -> None:
    found = finding(claim_of(GATE), Path())
    assert found.verdict == "cannot be told here"
    (part,) = found.parts
    assert (part.why, part.found) == ("no run", None)
    assert part.printed.value == pytest.approx(3.1)


def test_a_dataset_of_which_nothing_is_claimed(tmp_path: Path) -> None:
    claim = claim_of(GATE, elsewhere=("webnlg-star",))
    assert [f.dataset for f in findings(claim, Path())] == ["nyt11"]
    runs = [variant_run("fastre", s, FULL, dataset="webnlg-star") for s in range(3)]
    runs += [variant_run("fastre-no-gate", s, LESS, dataset="webnlg-star") for s in range(3)]
    _, other = findings(claim, tmp_path / "out", *runs)
    assert other.verdict == "holds in direction"


def test_stand_ins_and_other_splits_confirm_a_direction_alone(tmp_path: Path) -> None:
    how: tuple[dict[str, Any], ...] = ({"stand_ins": ("vectors",)}, {"published": False})
    for number, changes in enumerate(how):
        runs = [variant_run("fastre", s, FULL, **changes) for s in range(3)]
        runs += [variant_run("fastre-no-gate", s, LESS, **changes) for s in range(3)]
        found = finding(claim_of(GATE), tmp_path / f"{number}", *runs)
        assert found.verdict == "holds in direction"
        needing = claim_of(GATE, needs=("vectors",))
        expected = "cannot be told here" if number == 0 else "holds in direction"
        assert finding(needing, tmp_path / f"{number} again", *runs).verdict == expected


def test_variants_that_differ_otherwise_too_are_not_compared(tmp_path: Path) -> None:
    runs = pair(settings={"residual": False})
    (part,) = finding(claim_of(GATE), tmp_path / "out", *runs).parts
    assert part.why == "`fastre` and `fastre-no-gate` differ in `residual` as well"
    assert part.found is None


def test_runs_of_other_commits_are_not_compared(tmp_path: Path) -> None:
    full, other = pair()[:3], pair()[3:]
    moved = [
        run.model_copy(
            update={"environment": run.environment.model_copy(update={"git": "fedcba9"})}
        )
        for run in other
    ]
    (part,) = finding(claim_of(GATE), tmp_path / "out", *full, *moved).parts
    why = "no run of `fastre-no-gate` on the same data, by the same versions and commit"
    assert part.why == why


def test_what_is_measured_of_a_claim_stands_while_the_rest_is_missing(tmp_path: Path) -> None:
    several = GATE | {"than": ["fastre-no-gate", "fastre-no-mapping"]}
    found = finding(claim_of(several), tmp_path / "out", *pair())
    assert [part.verdict for part in found.parts] == ["holds", "cannot be told here"]
    assert found.parts[1].why == "no run of `fastre-no-mapping`"
    assert found.verdict == "cannot be told here"


def test_a_run_in_two_places_counts_once(tmp_path: Path) -> None:
    one, two = evidence_of(tmp_path / "one", *pair()), evidence_of(tmp_path / "two", *pair(2))
    judged = judge([paper_of(claim_of(GATE))], {"one": one, "two": two})
    assert (judged.runs, judged.twice) == (6, 4)
    assert judged.findings[0].verdict == "holds"


def test_seeds_of_several_places_make_one_row(tmp_path: Path) -> None:
    one = evidence_of(tmp_path / "one", *pair(1))
    rest = [run for run in pair() if run.seed]
    two = evidence_of(tmp_path / "two", *rest)
    judged = judge([paper_of(claim_of(GATE))], {"one": one, "two": two})
    assert judged.findings[0].verdict == "holds"
    assert len(judged.findings[0].runs) == 6


def test_f1_alike(tmp_path: Path) -> None:
    test = {"form": "F1 alike", "variant": "fastre", "others": ["fastre-no-gate"]}
    for within, verdict in ((20.0, "holds"), (1.0, "does not hold")):
        found = finding(claim_of(test | {"within": within}), tmp_path / f"{within}", *pair())
        assert found.verdict == verdict


def test_a_level_of_f1(tmp_path: Path) -> None:
    test = {"form": "F1 level", "variant": "fastre"}
    (part,) = finding(claim_of(test), tmp_path / "out", *pair()).parts
    assert (part.printed.value, part.verdict) == (56.3, "holds")
    assert part.found is not None
    assert part.found.value == pytest.approx(75.0)
    low = [variant_run("fastre", s, (80, 200, 200, 70)) for s in range(3)]
    assert finding(claim_of(test), tmp_path / "low", *low).verdict == "does not hold"


def test_a_gain(tmp_path: Path) -> None:
    better = [variant_run("fastre-no-mapping", s, (149, 200, 200, 140)) for s in range(3)]
    larger, than = ["fastre", "fastre-no-gate"], ["fastre", "fastre-no-mapping"]
    test = {"form": "gain", "larger": larger, "than": than}
    (part,) = finding(claim_of(test), tmp_path / "out", *pair(), *better).parts
    assert part.found is not None
    assert part.found.value == pytest.approx(5.0 - 0.5)
    assert part.printed.value == pytest.approx((56.3 - 53.2) - (56.3 - 54.4))
    assert part.verdict == "holds"


RATIO = {
    "form": "cost ratio",
    "cost": "step_milliseconds",
    "more": ["fastre-no-gate"],
    "than": ["fastre"],
}


def timed(slownesses: dict[str, list[float]], **how: Any) -> list[RunRecord]:
    return [
        variant_run(name, seed, slowness=slow, **how)
        for name, slow_ones in slownesses.items()
        for seed, slow in enumerate(slow_ones)
    ]


def test_a_ratio_of_costs(tmp_path: Path) -> None:
    """Logarithms spread by one step on either side: Welch's interval has four degrees."""
    step = 1.1
    runs = timed(
        {"fastre": [1 / step, 1, step], "fastre-no-gate": [3 / step, 3, 3 * step]}, load=0.9
    )
    (part,) = finding(claim_of(RATIO | {"times": 2.0}), tmp_path / "out", *runs).parts
    assert part.found is not None
    assert part.found.value == pytest.approx(3.0)
    half = 2.7764 * math.log(step) * math.sqrt(2 / 3)
    assert math.log(part.found.high / 3) == pytest.approx(half, rel=1e-3)
    assert math.log(3 / part.found.low) == pytest.approx(half, rel=1e-3)
    assert part.verdict == "holds"
    (short,) = finding(claim_of(RATIO | {"times": 9.0}), tmp_path / "again", *runs).parts
    assert short.verdict == "holds in direction"


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"alone": False}, "a time was taken beside other runs"),
        ({"alone": None}, "a time was taken perhaps beside other runs"),
        ({"load": 3.5}, "other work ran on the machine while a time was taken"),
    ],
)
def test_a_disturbed_time_is_no_evidence(tmp_path: Path, how: dict[str, Any], why: str) -> None:
    runs = timed({"fastre": [1, 1.1, 1.2], "fastre-no-gate": [5, 5.1, 5.2]}, **how)
    found = finding(claim_of(RATIO), tmp_path / "out", *runs)
    assert found.verdict == "cannot be told here"
    assert why in found.parts[0].why


def test_parameters(tmp_path: Path) -> None:
    test = {"form": "parameters", "variant": "fastre"}
    for total, verdict in ((1_500_000, "holds"), (1_600_000, "does not hold")):
        counts = Parameters(total=total, word_vectors=400_000, trainable=total - 400_000)
        run = variant_run("fastre", 0).model_copy(update={"parameters": counts})
        found = finding(claim_of(test, study="fastre-table3"), tmp_path / f"{total}", run)
        assert found.verdict == verdict, "1,092 thousand are printed, and one seed is enough"


def test_early_exits(tmp_path: Path) -> None:
    scores = Scores(correct=90, predicted=100, gold=100)

    def at(rule: str, seconds: float) -> OperatingCost:
        return OperatingCost(
            rule=rule,
            value=0.5,
            batch_size=1,
            dev=scores,
            test=scores,
            layers=6,
            seconds=(seconds,) * 3,
        )

    test = {"form": "early exits", "variant": "fastre"}
    for alone, verdict in ((True, "holds"), (False, "cannot be told here")):
        runs = [
            variant_run("fastre", seed).model_copy(
                update={
                    "operating": OperatingCurve(
                        points=(at("", 2.0), at("entropy", 1.0 + seed / 100)), alone=alone
                    )
                }
            )
            for seed in range(3)
        ]
        found = finding(claim_of(test), tmp_path / f"{alone}", *runs)
        assert found.verdict == verdict
        if alone:
            figure = found.parts[0].found
            assert figure is not None
            assert figure.value == pytest.approx((2 / 1 + 2 / 1.01 + 2 / 1.02) / 3)


def test_a_part_of_test(tmp_path: Path) -> None:
    """Sentences of two triples alone: half of the full model's are right, and none without gate."""
    out = tmp_path / "out"
    write_folder(out, *pair())
    for folder in sorted(out.glob("runs/*/nyt11/*")):
        full = folder.parts[-3] == "fastre"
        lines = [line(i, right=i % 4 < 2 if full else i % 4 == 0) for i in range(40)]
        (folder / "predictions.jsonl").write_text("".join(lines))
    judged = judge([paper_of(claim_of(GATE | {"part": "count: 2"}))], {"out": collect(out)})
    (part,) = judged.findings[0].parts
    assert part.found is not None
    assert part.found.value == pytest.approx(50.0)
    assert part.printed.value is None, "the paper prints whole test sets"
    assert part.verdict == "holds"
    for name, value in (("seen", 0.0), ("not seen", 50.0)):
        judged = judge([paper_of(claim_of(GATE | {"part": name}))], {"out": collect(out)})
        (part,) = judged.findings[0].parts
        assert part.found is not None
        assert part.found.value == pytest.approx(value), name


def line(number: int, *, right: bool) -> str:
    """Even sentences have one triple, which train knows and all find; odd ones two that it lacks.

    Of the two, both or neither are found.
    """
    words = [f"w{number}", "a", "b", "c"]
    ends = [(1, 2)] if number % 2 == 0 else [(1, 2), (2, 3)]
    gold = [["w", "r", words[e[0]], [0, 1], list(e)] for e in ends]
    found = gold if right or number % 2 == 0 else []
    scores = Scores(correct=len(found), predicted=len(gold), gold=len(gold))
    missed = [["w", "s", *row[2:]] for row in gold] if not found else []
    known = ["triple"] if number % 2 == 0 else ["neither entity"] * 2
    return (
        AnsweredExample(
            id=f"test-{number}",
            text=" ".join(words),
            gold=gold,
            predicted=[[*row, 0.9] for row in [*found, *missed]],
            correct={"partial": scores, "exact": scores},
            known_gold=known,
            known_predicted=known,
        ).model_dump_json()
        + "\n"
    )


CLASSES = {
    "form": "word classes",
    "variant": "fastre",
    "measure": "gradient norm",
    "higher": "predicate",
    "than": ["function word"],
}


def test_classes_of_words(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, *(variant_run("fastre", seed) for seed in range(3)))
    for seed, above in enumerate((1.0, 1.1, 1.2)):
        folder = out / "runs" / "fastre" / "nyt11" / f"{seed}" / "explain"
        folder.mkdir()
        (folder / "classes.csv").write_text(
            "measure,class,mean,low,high,words,sentences\n"
            f"gradient norm,predicate,{0.5 + above},1,2,10,5\n"
            "gradient norm,function word,0.5,0,1,9,4\n"
            "gradient norm,entity inside,,,,0,0\n"
        )
        judged = judge([paper_of(claim_of(CLASSES))], {"out": collect(out)})
        (part,) = judged.findings[0].parts
        assert part.verdict == ("holds" if seed == 2 else "cannot be told here")
    assert part.found is not None
    assert part.found.value == pytest.approx(1.1)
    half = 4.3027 * 0.1 / math.sqrt(3)
    assert part.found.high == pytest.approx(1.1 + half, rel=1e-3)


def test_a_measure_of_dev_over_seeds(tmp_path: Path) -> None:
    """Theta of two batch sizes: Welch's interval, as no interval counts a ranking's documents."""
    runs = [
        batch_run(size, seed, theta)
        for size, thetas in ((8, (0.4, 0.5, 0.6)), (16, (0.7, 0.8, 0.9)))
        for seed, theta in enumerate(thetas)
    ]
    test = {
        "form": "measure difference",
        "measure": "theta",
        "higher": "bert_docred-batch-16",
        "than": ["bert_docred-batch-8"],
    }
    claim = claim_of(test, study="bert-docred-table1", datasets=("docred",))
    (part,) = finding(claim, tmp_path / "out", *runs).parts
    assert part.found is not None
    assert part.found.value == pytest.approx(0.3)
    assert part.printed.value == pytest.approx(0.5817 - 0.3779)
    assert part.found.high - 0.3 == pytest.approx(2.7764 * 0.1 * math.sqrt(2 / 3), rel=1e-3)
    assert part.verdict == "holds"


def batch_run(size: int, seed: int, theta: float) -> RunRecord:
    run = run_of(seed, "casrel", "docred")
    assert run.dev is not None
    facts = run.system.model_copy(
        update={"name": "bert_docred", "variant": f"bert_docred-batch-{size}", "stand_ins": ()}
    )
    return configured(
        run.model_copy(
            update={
                "system": facts,
                "protocol": run.protocol.model_copy(update={"document_batch_size": size}),
                "dev": run.dev.model_copy(update={"measures": {"theta": theta}}),
            }
        )
    )
