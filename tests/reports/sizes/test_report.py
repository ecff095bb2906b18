"""Exponents of costs, and what the report says of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.sizes.exponents import Axis, Grown, grown
from reports.sizes.report import _verdict, frame, write_size_report
from suite.errors import SuiteError
from suite.records.run import Environment
from suite.records.sizes import (
    KINDS,
    Measurement,
    SizePlan,
    SizePoint,
    SizeRecord,
    SizeSystem,
    folder_of,
    write_model,
)
from suite.studies.sizes import Complexity, SizeStudy, find_size_study

ENVIRONMENT = Environment(
    machine="Linux x86_64",
    processor="A processor",
    cores=2,
    memory_bytes=2**33,
    device="cpu",
    python="3.11.7",
    versions={"torch": "2.6"},
    git="abc",
)
SYSTEM = SizeSystem(
    name="grte",
    variant="grte",
    title="GRTE",
    settings={"rounds": 2},
    pretrained="untrained",
    encoder="untrained",
)


def study() -> SizeStudy:
    found = find_size_study("cost-by-size")
    assert found is not None
    return found


def left(out: Path, *, until: int = 256) -> list[SizeRecord]:
    """A system that takes n^2 k^0.5 of time, n k of it decoding, and n k of memory; to a length."""
    plan = SizePlan(
        version="0",
        created="now",
        command=("run-suite",),
        study=study(),
        systems=(SYSTEM,),
        environment=ENVIRONMENT,
        threads=1,
        precision="float32",
    )
    write_model(out / "sizes.json", plan)
    records = []
    for size in study().sizes:
        n, k = size.words, size.relations
        point = SizePoint(
            version="0",
            study=study(),
            system=SYSTEM,
            size=size,
            device="cpu",
            threads=1,
            precision="float32",
        )
        measured = tuple(
            Measurement(
                kind=kind,
                seconds=1e-4 * n**2 * k**0.5,
                decoding_seconds=1e-5 * n * k if kind == "inference" else None,
                memory_bytes=n * k * 1000,
            )
            if n <= until
            else Measurement(kind=kind, failure="takes more than 8 GB of memory", reason="memory")
            for kind in KINDS
        )
        record = SizeRecord(point=point, environment=ENVIRONMENT, parameters=7, measured=measured)
        write_model(folder_of(out, SYSTEM, size) / "record.json", record)
        records.append(record)
    return records


def test_powers_are_found() -> None:
    assert grown([(n, 3.0 * n**1.5) for n in (2, 5, 9)]) == pytest.approx(Grown(1.5, 1.5, 9))
    bent = grown([(n, 100 + n**2) for n in (1, 10, 1000, 2000)])
    assert bent is not None
    assert bent.overall < 1.7 < bent.last < 2
    assert grown([(1, 1.0)]) is None


@pytest.mark.parametrize(
    ("words", "relations", "expected"),
    [
        (2.2, 1.0, "yes"),
        (0.4, 0.1, "yes"),
        (2.4, 1.0, "no: above it in words"),
        (2.4, 1.4, "no: above it in words and relations"),
        (1.0, None, "not known in relations"),
    ],
)
def test_verdict(words: float, relations: float | None, expected: str) -> None:
    found: dict[Axis, Grown | None] = {
        "words": Grown(0.0, words, 256),
        "relations": None if relations is None else Grown(0.0, relations, 1000),
    }
    assert _verdict(Complexity(text="O(k n^2)", words=2, relations=1), found) == expected
    assert _verdict(None, found) == "-"


def test_the_report_has_exponents_a_figure_and_every_number(tmp_path: Path) -> None:
    records = left(tmp_path)
    text = write_size_report(tmp_path).read_text()
    assert "**Decoding grows within what is stated in 1 of 1 systems.**" in text
    assert "| GRTE | O(k n^2) | n^1.00 k^1.00 | n^2.00 k^0.50 | yes |" in text
    assert "| GRTE | 2.00 / 2.00 | 0.50 / 0.50 | 2.00 / 2.00 | 0.50 / 0.50 |" in text
    assert "| GRTE | 1.00 / 1.00 | 1.00 / 1.00 | 1.00 / 1.00 | 1.00 / 1.00 |" in text
    assert (tmp_path / "figures" / "cost-by-size.png").read_bytes().startswith(b"\x89PNG")
    assert len(frame(records)) == 2 * len(study().sizes)
    assert (tmp_path / "sizes.csv").read_text().count("\n") == 1 + 2 * len(study().sizes)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    records = left(tmp_path, until=64)
    (folder_of(tmp_path, SYSTEM, records[0].point.size) / "record.json").unlink()
    text = write_size_report(tmp_path).read_text()
    assert "**1 of 10 sizes are not measured yet.**" in text
    assert "GRTE, inference, 256 words, 50 relations: takes more than 8 GB of memory" in text
    assert "not measured yet |" in text
    assert "out of memory |" in text


def changed(out: Path, record: SizeRecord, **changes: object) -> None:
    write_model(
        folder_of(out, SYSTEM, record.point.size) / "record.json",
        record.model_copy(update=changes),
    )


def test_what_was_measured_otherwise_is_not_measured_yet(tmp_path: Path) -> None:
    """By a command before, of another plan or on another machine."""
    first, second, *_ = left(tmp_path)
    changed(tmp_path, first, point=first.point.model_copy(update={"threads": 2}))
    elsewhere = ENVIRONMENT.model_copy(update={"processor": "Another processor"})
    changed(tmp_path, second, environment=elsewhere)
    text = write_size_report(tmp_path).read_text()
    assert "**2 of 10 sizes are not measured yet.**" in text
    assert "Another processor" not in text


def test_inference_of_what_no_training_fitted_is_marked_and_of_no_exponent(tmp_path: Path) -> None:
    *_, last = (record for record in left(tmp_path) if record.point.size.relations == 50)
    assert last.point.size.words == 256
    inference = last.of("inference")
    failed = Measurement(kind="training", failure="takes more than 180 s", reason="time")
    odd = inference.model_copy(update={"seconds": 1e-3, "fitted": False})
    before = write_size_report(tmp_path).read_text()
    assert "unfitted" not in before
    changed(tmp_path, last, measured=(failed, odd))
    text = write_size_report(tmp_path).read_text()
    assert "such figures are marked *unfitted*" in text
    assert re.search(r"\| 1\.0+ \(12\) unfitted \|", text)
    assert "**Decoding grows within what is stated in 1 of 1 systems.**" in text
    assert "| GRTE | O(k n^2) | n^1.00 (to 128) k^1.00 | n^2.00 (to 128) k^0.50 | yes |" in text


def test_nothing_measured_is_no_report(tmp_path: Path) -> None:
    for record in left(tmp_path):
        (folder_of(tmp_path, SYSTEM, record.point.size) / "record.json").unlink()
    with pytest.raises(SuiteError, match="no measurement"):
        write_size_report(tmp_path)
