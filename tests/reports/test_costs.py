"""Costs are times by prices, checked by hand, and what cannot be compared is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.answer import find_answers
from reports.costs import BreakEven, Expense, break_even, pays_off
from reports.costs_csv import break_even_frame, costs_frame
from reports.load import load_results
from reports.prices import MachinePrice, Prices
from reports.report import compose, sections, write_report
from reports.sections import costs
from reports.times import ONE_SHARED, OTHER_MACHINE
from suite.errors import SuiteError
from suite.records.energy import Energy
from suite.records.run import RunRecord
from tests.reports.folder import ENVIRONMENT, plan, record, stopped, write_run
from tests.reports.markdown import rows, section, tables
from tests.reports.test_machines import moved
from tests.reports.test_times import ELSEWHERE, group_of, measured, trained_beside

PER_HOUR = 3.6
"""A thousandth of it a second."""
ONE_TRAINING, AT_1, AT_128 = (
    "One training (EUR)",
    "A million sentences at batch 1 (EUR)",
    "A million sentences at batch 128 (EUR)",
)
VOLUME = "Pays off after, at batch {} (million sentences)"


def price(**changes: object) -> MachinePrice:
    fields = {
        "processor": ENVIRONMENT.processor,
        "device": "cpu",
        "price_per_hour": PER_HOUR,
        "source": "a list of prices",
        "date": "2026-11-01",
    }
    return MachinePrice.model_validate(fields | changes)


PRICES = Prices(currency="EUR", machines=(price(),))


def slow_to_train(
    name: str, seed: int = 0, training: float = 8.0, running: float = 0.5
) -> RunRecord:
    """A run that takes 264 s by `training` to train, and 10 and 2 ms a sentence by `running`."""
    return record(name, "nyt11", seed, (160, 180, 200, 150), slowness=running).model_copy(
        update={"training": record(name, "nyt11", seed, slowness=training).training}
    )


def counted(run: RunRecord, joules: float | None, failure: str | None = None) -> RunRecord:
    """The run with so many joules for its training, and a tenth for each measurement."""
    assert run.training is not None

    def energy(part: float) -> Energy:
        value = None if joules is None else joules * part
        return Energy(package_joules=value, failure=failure)

    training = run.training.model_copy(update={"energy": energy(1.0)})
    return measured(run, energy=energy(0.1)).model_copy(update={"training": training})


def told(*runs: RunRecord, prices: Prices | None = PRICES) -> str:
    """The section on these runs alone."""
    return costs.section([group_of(*runs)], prices)


def finding(text: str) -> str:
    return text.partition("\n")[0]


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """FastRE, cheap to train; CasRel, cheap to run; Graphs, dear in both. With its report."""
    out = tmp_path_factory.mktemp("priced")
    plan(datasets=("nyt11",), systems=("fastre", "casrel", "graphs"), seeds=(0,)).write(out)
    dear = record("graphs", "nyt11", 0, (100, 190, 200, 80), slowness=9)
    for run in (record("fastre", "nyt11", 0), slow_to_train("casrel"), dear):
        write_run(out, counted(run, 7200.0), [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.report.draw", lambda *_: {})  # takes longest, and has no costs
        return out, write_report(out, PRICES).read_text()


def test_costs_by_hand(priced: tuple[Path, str]) -> None:
    """240 s and 24 s of training; 50 sentences in 0.5 s at batch 1 and 0.1 s at batch 128."""
    found = {row["System"]: row for row in rows(section(priced[1], "Cost"), ONE_TRAINING)}
    assert {
        name: [row[c] for c in (ONE_TRAINING, AT_1, AT_128)] for name, row in found.items()
    } == {
        "FastRE": ["0.264", "10.0", "2.00"],
        "CasRel": ["2.11", "5.00", "1.00"],
        "Graphs": ["2.38", "90.0", "18.0"],
    }
    assert "A million sentences at batch 8 (EUR)" not in found["FastRE"]
    # 160 of 180 and of 200: P 0.889, R 0.8.
    assert found["CasRel"]["test F1, partial match (%)"] == "84.2"


def test_break_even_by_hand(priced: tuple[Path, str]) -> None:
    """CasRel costs 1.848 more to train, and a million 1 less at batch 128 and 5 less at 1."""
    found = {
        (row["Dearer to train"], row["Cheaper to train"]): row
        for row in rows(section(priced[1], "Cost"), VOLUME.format(128))
    }
    pair = found["CasRel", "FastRE"]
    assert pair["By, for one training (EUR)"] == "1.85"
    assert pair[VOLUME.format(128)] == "1.85"
    assert pair[VOLUME.format(1)] == "0.370"
    for cheaper in ("FastRE", "CasRel"):
        assert found["Graphs", cheaper][VOLUME.format(128)] == "never"
    assert len(found) == 3


def test_the_section_begins_with_its_finding(priced: tuple[Path, str]) -> None:
    assert section(priced[1], "Cost").split("\n\n")[1] == (
        "On NYT11, CasRel takes least to run of 3 systems: 1.00 EUR for a million sentences at "
        "batch 128, and none of them has a higher test F1 (84.2 %)."
    )


@pytest.mark.parametrize(("correct", "f1"), [(100, "52.6"), (0, "0.0")])
def test_the_finding_names_the_best_where_it_is_another(correct: int, f1: str) -> None:
    """Of 180 that were predicted and 200 that there are."""
    run = record("fastre", "nyt11", 0, (correct, 180, 200, 0))
    text = told(run, slow_to_train("casrel", running=5.0))
    assert finding(text) == (
        "On NYT11, FastRE takes least to run of 2 systems: 2.00 EUR for a million sentences at "
        f"batch 128, and CasRel, whose test F1 is the highest (84.2 % against {f1} %), takes 5.00 "
        "times as much."
    )


def test_the_section_stands_before_convergence(priced: tuple[Path, str]) -> None:
    titles = [line for line in priced[1].splitlines() if line.startswith("## ")]
    names = [line.partition(". ")[2] for line in titles]
    assert names.index("Cost") + 1 == names.index("Convergence")


def test_where_a_price_is_from(priced: tuple[Path, str]) -> None:
    line = "Example CPU @ 2.0 GHz, device cpu: 3.6 EUR an hour (a list of prices, 2026-11-01)."
    assert f"- {line}" in section(priced[1], "Cost")


def test_csv(priced: tuple[Path, str]) -> None:
    results = load_results(priced[0])
    frame = costs_frame(results, PRICES).set_index("system")
    assert frame.loc["fastre", "cost_training"] == pytest.approx(0.264)
    assert frame.loc["casrel", "cost_million_batch128"] == pytest.approx(1.0)
    assert set(frame["currency"]) == {"EUR"}
    assert set(frame["price_date"]) == {"2026-11-01"}
    even = break_even_frame(results, PRICES)
    pair = even[(even.dearer_to_train == "CasRel") & (even.batch_size == 128)].iloc[0]
    assert pair.million_examples == pytest.approx(1.848)
    assert set(even[even.dearer_to_train == "Graphs"].reason) == {"never"}
    assert (priced[0] / "costs.csv").is_file()
    assert (priced[0] / "break-even.csv").is_file()


def test_a_report_without_prices_or_energy_has_no_such_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.report.draw", lambda *_: {})
    plan(datasets=("nyt11",), systems=("fastre",), seeds=(0,)).write(tmp_path)
    write_run(tmp_path, record("fastre", "nyt11", 0), [])
    (tmp_path / "costs.csv").write_text("")
    text = write_report(tmp_path).read_text()
    assert ". Cost\n" not in text
    assert not (tmp_path / "costs.csv").exists(), "left of an earlier report"
    assert "Energy was not counted" not in text, "the record is of a version that did not"


def test_a_machine_without_a_price_has_no_cost() -> None:
    other = Prices(currency="EUR", machines=(price(processor="Another CPU"), price(cores=8)))
    text = told(record("fastre", "nyt11", 0), prices=other)
    assert finding(text) == "No inference was measured on a machine whose price is given."
    assert (
        "- No price is given for Example CPU @ 2.0 GHz (4 cores), device cpu: its runs have no "
        "cost here." in text
    )
    for name in ("Another CPU", "Example CPU @ 2.0 GHz (8 cores)"):
        assert (
            f"- Not used, since nothing here ran on such a machine: {name}, device cpu: 3.6 EUR an "
            "hour." in text
        )
    assert not tables(text)


def test_machines_have_their_own_price_and_no_break_even_across() -> None:
    there = price(processor="Another CPU", device="cuda", price_per_hour=36)
    both = Prices(currency="EUR", machines=(price(), there))
    text = told(record("fastre", "nyt11", 0), moved(slow_to_train("casrel")), prices=both)
    here, elsewhere = text.split("**Machine ")[1:]
    assert [row["System"] for row in rows(here, AT_128)] == ["FastRE"]
    assert [(row["System"], row[AT_128]) for row in rows(elsewhere, AT_128)] == [("CasRel", "10.0")]
    assert "Pays off" not in text


def test_no_break_even_of_training_here_and_inference_elsewhere() -> None:
    """Were both in one group, which the parts by machine are made to prevent."""
    runs = [
        measured(r, place=ELSEWHERE)
        for r in (record("fastre", "nyt11", 0), slow_to_train("casrel"))
    ]
    found = break_even(*group_of(*runs).rows, 128, PER_HOUR)
    assert isinstance(found, BreakEven)
    assert found.millions == OTHER_MACHINE


def test_times_of_a_shared_machine_are_marked() -> None:
    runs = [trained_beside(record("fastre", "nyt11", 0)), trained_beside(slow_to_train("casrel"))]
    text = told(*runs)
    found = {row["System"]: row for row in rows(text, ONE_TRAINING)}
    assert found["FastRE"][ONE_TRAINING] == "0.264 (shared)"
    assert found["FastRE"][AT_128] == "2.00"
    (pair,) = rows(text, VOLUME.format(128))
    assert pair["By, for one training (EUR)"] == "1.85 (shared)"
    assert pair[VOLUME.format(128)] == "1.85 (2 of 4 shared)"
    assert "Times marked *shared* were taken while" in text


def test_shared_and_alone_are_not_compared() -> None:
    text = told(trained_beside(record("fastre", "nyt11", 0)), slow_to_train("casrel"))
    assert f"- FastRE and CasRel: {ONE_SHARED}." in text
    assert "Dearer to train" not in text


def test_inference_that_was_shared_by_one_alone_is_not_ranked() -> None:
    text = told(measured(record("fastre", "nyt11", 0), alone=False), slow_to_train("casrel"))
    assert finding(text) == (
        f"On NYT11, systems are not ranked by what they take to run ({ONE_SHARED})."
    )
    (pair,) = rows(text, VOLUME.format(128))
    assert pair[VOLUME.format(128)] == ONE_SHARED


def test_a_missing_seed_and_a_missing_measurement_are_named() -> None:
    text = told(
        record("fastre", "nyt11", 0),
        record("fastre", "nyt11", 1),
        record("casrel", "nyt11", 0, slowness=8, out_of_memory_at=128),
        record("casrel", "nyt11", 1, slowness=8, out_of_memory_at=128),
        record("graphs", "nyt11", 0, slowness=9),
        stopped(record("graphs", "nyt11", 1), "diverged", "the loss is NaN"),
    )
    found = {row["System"]: row for row in rows(text, ONE_TRAINING)}
    assert found["CasRel"][AT_128] == "out of memory"
    assert found["Graphs"][ONE_TRAINING] == "2.38 (1 of 2 seeds)"
    (pair,) = rows(text, VOLUME.format(128))
    assert pair[VOLUME.format(128)] == "CasRel: out of memory"
    assert pair[VOLUME.format(1)] == "never"
    assert "- FastRE and Graphs: Graphs: diverged." in text
    assert "On NYT11, FastRE takes 2.00 ± 0.00 EUR" not in text
    assert finding(text).startswith("On NYT11, FastRE takes 2.00 EUR for a million")


amounts = st.floats(0.001, 1e6)


@given(amounts, amounts, amounts, amounts)
def test_both_totals_are_equal_at_the_break_even(a: float, b: float, c: float, d: float) -> None:
    first, second = sorted((Expense(a, b), Expense(c, d)), key=lambda e: -e.training)
    volume = pays_off(first, second)
    if volume is None:
        assert first.per_million >= second.per_million
        assert first.total(1e9) >= second.total(1e9) * (1 - 1e-9)
        return
    assert volume >= 0
    assert first.total(volume) == pytest.approx(second.total(volume), rel=1e-6)
    assert first.total(volume * 2 + 1) <= second.total(volume * 2 + 1) * (1 + 1e-9)
    assert first.total(volume / 2) >= second.total(volume / 2) * (1 - 1e-9)


def test_energy_by_hand(priced: tuple[Path, str]) -> None:
    """7,200 J are 2 Wh; 720 J over 5 passes of 50 sentences are 2,880 J for a thousand."""
    (fastre, *_) = rows(section(priced[1], "Cost"), "One training, processor packages (Wh)")
    assert fastre["One training, processor packages (Wh)"] == "2.00"
    assert fastre["1,000 sentences at batch 128, processor packages (J)"] == "2,880"
    assert "One training, GPU (Wh)" not in fastre
    csv = (priced[0] / "results.csv").read_text()
    assert "training_package_joules" in csv
    assert "inference_batch128_package_joules" in csv


def test_energy_without_prices() -> None:
    runs = [
        counted(trained_beside(record("fastre", "nyt11", 0)), 7200.0),
        counted(trained_beside(slow_to_train("casrel")), 3600.0),
    ]
    text = told(*runs, prices=None)
    assert finding(text) == (
        "On NYT11, CasRel takes least to run of 2 systems: 1,440 J for 1,000 sentences at batch "
        "128 (processor packages), and none of them has a higher test F1 (84.2 %)."
    )
    fastre, casrel = rows(text, "One training, processor packages (Wh)")
    assert fastre["One training, processor packages (Wh)"] == "2.00 (shared)"
    assert casrel["One training, processor packages (Wh)"] == "1.00 (shared)"
    assert "EUR" not in text


def test_a_run_that_was_not_counted_says_why() -> None:
    text = told(
        counted(record("fastre", "nyt11", 0), 7200.0),
        counted(slow_to_train("casrel"), None, "RAPL's counter leapt"),
        record("graphs", "nyt11", 0),
        prices=None,
    )
    found = rows(text, "One training, processor packages (Wh)")
    assert [row["One training, processor packages (Wh)"] for row in found] == [
        "2.00",
        "RAPL's counter leapt",
        "not recorded",
    ]


@pytest.mark.parametrize("prices", [None, PRICES])
def test_why_nothing_was_counted_is_one_line(tmp_path: Path, prices: Prices | None) -> None:
    why = "no energy counter of the processor can be read on this machine"
    plan(datasets=("nyt11",), systems=("fastre",), seeds=(0,)).write(tmp_path)
    write_run(tmp_path, counted(record("fastre", "nyt11", 0), None, why), [])
    loaded = load_results(tmp_path)
    text = compose(loaded, sections(loaded, {}, find_answers(loaded.groups), prices))
    line = f"\nEnergy was not counted: {why}.\n"
    assert line in section(text, "Protocol, environment, systems and sources")
    assert (". Cost\n" in text) == (prices is not None)
    if prices is not None:
        assert line in section(text, "Cost")


def test_a_study_of_cost_by_size_tells_no_money(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.report.is_by_size", lambda out: True)
    with pytest.raises(SuiteError, match="whose report tells no money"):
        write_report(tmp_path, PRICES)


def test_a_record_without_energy_is_read() -> None:
    """As those of versions that did not count it."""
    run = counted(record("fastre", "nyt11", 0), 7200.0)
    old = run.model_dump(mode="json")
    for cost in (old["training"], *old["inference"]):
        del cost["energy"]
    read = RunRecord.model_validate(old)
    assert read.training is not None
    assert read.training.energy is None
    assert read == record("fastre", "nyt11", 0)
