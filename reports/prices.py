"""What an hour of a machine costs, as a user states it: `--prices FILE`."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from suite.files import StrictModel
from suite.records.run import Place
from suite.systems.variants import read_fields, wrong_field

FORM = (
    "Such a file holds `currency`, a text, and `machines`, a list of processor and device (as "
    "reports name them), price_per_hour, source and date (in quotes, as '2026-11-01'), and cores "
    "where a price is of machines with so many alone."
)


class MachinePrice(StrictModel):
    """What an hour of a kind of machine costs.

    Attributes:
        processor, device: of the machines that it holds for, as records name them.
        cores: of those machines; None: however many.
        price_per_hour: in the file's currency, above 0.
        source: where the price is from.
        date: of the price.
    """

    processor: str = Field(min_length=1)
    device: str = Field(min_length=1)
    cores: int | None = Field(None, ge=1)
    price_per_hour: float = Field(gt=0, allow_inf_nan=False, strict=True)
    source: str = Field(min_length=1)
    date: datetime.date

    def holds_for(self, place: Place) -> bool:
        """Whether it is the price of such a machine."""
        own, other = (_words(p.processor, p.device) for p in (self, place))
        return own == other and self.cores in {None, place.cores}

    @property
    def title(self) -> str:
        """The machine in words."""
        cores = "" if self.cores is None else f" ({self.cores} cores)"
        return f"{self.processor}{cores}, device {self.device}"


class Prices(StrictModel):
    """A file of prices.

    Attributes:
        currency: as reports print it after a number.
        machines: each kind once.
    """

    currency: str = Field(min_length=1, max_length=20)
    machines: tuple[MachinePrice, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for first, second in combinations(self.machines, 2):
            alike = _words(first.processor, first.device) == _words(second.processor, second.device)
            if alike and (first.cores == second.cores or None in {first.cores, second.cores}):
                raise ValueError(f"two prices are of one machine, {second.title}")
        return self

    def of(self, place: Place) -> MachinePrice | None:
        """The price of a machine; None where the file has none."""
        return next((price for price in self.machines if price.holds_for(place)), None)

    def unused(self, places: Iterable[Place]) -> list[MachinePrice]:
        """Prices of machines that are none of these."""
        known = list(places)
        return [p for p in self.machines if not any(p.holds_for(place) for place in known)]


def _words(*names: str) -> list[list[str]]:
    """Names that differ in white space alone are one."""
    return [name.split() for name in names]


def read_prices(path: Path) -> Prices:
    """Reads a file of prices.

    Raises:
        SuiteError: the file cannot be read, is not YAML, or states something else.
    """
    content = read_fields(path, "--prices", FORM)
    try:
        # As JSON, under whose rules a list may be a tuple and a text a date.
        return Prices.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise wrong_field(error, path, FORM) from error
