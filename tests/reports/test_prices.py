"""A file of prices: what it holds for, and a sentence for each mistake in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.prices import FORM, Prices, read_prices
from suite.errors import SuiteError
from tests.reports.folder import ENVIRONMENT

FILE = """\
currency: EUR
machines:
  - processor: Example CPU @ 2.0 GHz
    device: cpu
    cores: 4
    price_per_hour: 0.19
    source: list price, on demand, Frankfurt
    date: '2026-11-01'
  - {processor: Another CPU, device: NVIDIA A100, price_per_hour: 3, source: mine,
     date: '2026-10-01'}
"""


def read(tmp_path: Path, text: str) -> Prices:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    return read_prices(path)


def test_a_file_is_read(tmp_path: Path) -> None:
    prices = read(tmp_path, FILE)
    first, second = prices.machines
    assert (prices.currency, first.price_per_hour, second.price_per_hour) == ("EUR", 0.19, 3.0)
    assert first.date.isoformat() == "2026-11-01"
    assert (first.cores, second.cores) == (4, None)


def test_a_price_holds_for_the_machine_that_it_names(tmp_path: Path) -> None:
    prices = read(tmp_path, FILE)
    here = ENVIRONMENT.place
    assert prices.of(here) == prices.machines[0]
    assert prices.unused([here]) == [prices.machines[1]]
    for other in ({"processor": "Example CPU @ 2.1 GHz"}, {"device": "cuda"}, {"cores": 8}):
        assert prices.of(here.model_copy(update=other)) is None
    # Records have the processor's name as the kernel prints it.
    spaced = here.model_copy(update={"processor": "Example  CPU @ 2.0 GHz"})
    assert prices.of(spaced) == prices.machines[0]


def test_a_price_without_cores_holds_for_any_number(tmp_path: Path) -> None:
    prices = read(tmp_path, FILE)
    place = ENVIRONMENT.place.model_copy(
        update={"processor": "Another CPU", "device": "NVIDIA A100", "cores": 96}
    )
    assert prices.of(place) == prices.machines[1]


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("price_per_hour: 0.19", "price: 0.19", "machines.0.price_per_hour: Field required"),
        ("cores: 4", "core: 4", "machines.0.core: Extra inputs are not permitted"),
        ("currency", "money", "currency: Field required"),
        ("0.19", "-0.19", "machines.0.price_per_hour: Input should be greater than 0"),
        ("0.19", "0", "machines.0.price_per_hour: Input should be greater than 0"),
        ("0.19", ".nan", "machines.0.price_per_hour: Input should be"),
        ("0.19", "true", "machines.0.price_per_hour: Input should be a valid number"),
        ("0.19", "cheap", "machines.0.price_per_hour: Input should be a valid number"),
        ("'2026-11-01'", "soon", "machines.0.date: Input should be a valid date"),
        ("'2026-11-01'", "2026-11-01", "holds a date, where a text would stand in quotes"),
        ("cores: 4", "cores: 0", "machines.0.cores: Input should be greater than or equal to 1"),
        ("machines:", "machines: [", "is not YAML"),
        (FILE, "- EUR", "holds no table of fields"),
        (FILE, "{currency: EUR, machines: []}", "machines: Tuple should have at least 1 item"),
        (
            "Another CPU, device: NVIDIA A100",
            "'Example CPU  @ 2.0 GHz', device: cpu",
            "two prices are of one machine, Example CPU  @ 2.0 GHz, device cpu",
        ),
    ],
)
def test_a_mistake_is_answered(tmp_path: Path, old: str, new: str, cause: str) -> None:
    assert old in FILE
    with pytest.raises(SuiteError) as refused:
        read(tmp_path, FILE.replace(old, new))
    assert cause in refused.value.cause
    assert refused.value.where == str(tmp_path / "prices.yaml")
    assert FORM in str(refused.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"none\.yaml: cannot be read: No such file"):
        read_prices(tmp_path / "none.yaml")
