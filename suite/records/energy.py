"""Energy that a machine's own counters told while something was measured."""

from __future__ import annotations

from pydantic import Field

from suite.files import StrictModel


class Energy(StrictModel):
    """Joules by counters that count a whole part of the machine, whoever made it work.

    What else ran on the machine is in them, and so is what the part draws when it is idle. Memory
    beside the processor, fans, disks and the power supply are in none.

    Attributes:
        package_joules: of all packages of the processor, by RAPL; None where that was not counted.
        gpu_joules: of the GPU that computed, by NVML; None where that was not counted.
        failure: why a part that took part was not counted, in the reader's words; None where all
            of them were.
    """

    package_joules: float | None = Field(None, ge=0, allow_inf_nan=False)
    gpu_joules: float | None = Field(None, ge=0, allow_inf_nan=False)
    failure: str | None = None

    @property
    def counted(self) -> bool:
        """Whether there is a figure of any part."""
        return self.package_joules is not None or self.gpu_joules is not None

    def __add__(self, other: Energy) -> Energy:
        """That of two stretches of time; a part that one of them has not is not in the sum."""
        return Energy(
            package_joules=_sum(self.package_joules, other.package_joules),
            gpu_joules=_sum(self.gpu_joules, other.gpu_joules),
            failure=self.failure or other.failure,
        )


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
