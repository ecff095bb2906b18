"""Energy while something runs: RAPL for the processor's packages, NVML for an NVIDIA GPU.

RAPL counts microjoules of a package and begins again at 0 after `max_energy_range_uj` (Linux,
Documentation/power/powercap/powercap.rst); NVML counts millijoules of a GPU since its driver was
loaded (`nvmlDeviceGetTotalEnergyConsumption`, from Volta onwards).
"""

from __future__ import annotations

import importlib
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import torch

from suite.records.energy import Energy

POWERCAP = Path("/sys/class/powercap")
SAMPLE_SECONDS = 20.0
"""Between two readings: the smallest ranges of RAPL, of 65 kJ, last a minute at `MOST_WATTS`."""
MOST_WATTS = 1000.0
"""Twice the rating of the largest packages that are sold: no package draws more."""
NO_COUNTER = "no energy counter of the processor can be read on this machine"


class CounterError(Exception):
    """Why a counter tells nothing, as a phrase."""


class Counter(Protocol):
    """What counts the energy of a part of the machine."""

    def joules(self) -> float:
        """Since it was made.

        Raises:
            CounterError: that cannot be told, nor ever again.
        """


class RaplCounter:
    """The packages of the processor, all of them together.

    Of the zones in sysfs, those count that are a whole package: `intel-rapl:N` with a name that
    begins with `package`. The zone `psys` holds packages once more, a zone within a package is a
    part of it or is memory, and `intel-rapl-mmio` is another way to the same counter. AMD's
    processors are found under the same names.

    Args:
        folder: of sysfs.
        clock: seconds that never go back.

    Raises:
        CounterError: there is no package, or one of them cannot be read.
    """

    def __init__(
        self, folder: Path = POWERCAP, clock: Callable[[], float] = time.monotonic
    ) -> None:
        zones = [z for z in folder.glob("intel-rapl:*") if re.fullmatch(r".*:\d+", z.name)]
        packages = [zone for zone in zones if _text(zone / "name").startswith("package")]
        if not packages:
            raise CounterError(NO_COUNTER)
        self._packages = [_Package(zone, clock) for zone in packages]

    def joules(self) -> float:
        """As `Counter` has it."""
        return sum(package.joules() for package in self._packages)


class _Package:
    """One package since it was made; to be asked more often than its counter begins again."""

    def __init__(self, zone: Path, clock: Callable[[], float]) -> None:
        self._zone, self._clock = zone, clock
        self._range = _number(zone / "max_energy_range_uj")
        self._last, self._when = _number(zone / "energy_uj"), clock()
        self._microjoules = 0

    def joules(self) -> float:
        now, when = _number(self._zone / "energy_uj"), self._clock()
        seconds = when - self._when
        if 1e6 * MOST_WATTS * seconds >= self._range:
            raise CounterError("RAPL was not read for so long that its counter may have begun anew")
        passed = now - self._last if now >= self._last else self._range - self._last + now
        # A second more, as a counter moves on in steps and the clock does not.
        if not 0 <= passed <= 1e6 * MOST_WATTS * (seconds + 1):
            raise CounterError("RAPL's counter leapt, as it does where it is reset")
        self._microjoules += passed
        self._last, self._when = now, when
        return self._microjoules / 1e6


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no text"
        raise CounterError(f"RAPL's {path.name} cannot be read: {reason}") from error


def _number(path: Path) -> int:
    text = _text(path)
    if not re.fullmatch(r"\d{1,19}", text):
        raise CounterError(f"RAPL's {path.name} holds no number")
    return int(text)


class NvmlCounter:
    """An NVIDIA GPU, by the package nvidia-ml-py.

    Args:
        device: of CUDA.

    Raises:
        CounterError: the package or NVML is not there, or the GPU has no such counter.
    """

    def __init__(self, device: torch.device) -> None:
        try:
            self._nvml = importlib.import_module("pynvml")
        except ImportError as error:
            raise CounterError(
                "the GPU's counter is read by the package nvidia-ml-py, which is not installed"
            ) from error
        try:
            self._nvml.nvmlInit()
            # By what the GPU is: CUDA_VISIBLE_DEVICES numbers them otherwise than NVML does.
            identity = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
            self._handle = self._nvml.nvmlDeviceGetHandleByUUID(identity)
        except self._nvml.NVMLError as error:
            raise CounterError(f"NVML tells no energy of the GPU ({error})") from error
        self._first = self._last = self._millijoules()

    def joules(self) -> float:
        """As `Counter` has it."""
        now = self._millijoules()
        if now < self._last:
            raise CounterError("NVML's counter went back, as it does where the driver is reloaded")
        self._last = now
        return (now - self._first) / 1e3

    def _millijoules(self) -> int:
        try:
            return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))
        except self._nvml.NVMLError as error:
            raise CounterError(f"NVML tells no energy of the GPU ({error})") from error


def counters(device: torch.device) -> dict[str, Callable[[], Counter]]:
    """Field of an `Energy` -> how its counter is made, for the parts that compute on a device."""
    found: dict[str, Callable[[], Counter]] = {"package_joules": lambda: RaplCounter(POWERCAP)}
    if device.type == "cuda":
        found["gpu_joules"] = lambda: NvmlCounter(device)
    return found


class EnergyMeter:
    """Counts the energy of a `with` block; `energy` tells it afterwards.

    A counter that fails, before or within, gives no figure. A thread reads them meanwhile, since
    what begins again unseen cannot be told from what did not; where there is none, there is none.

    Args:
        device: that computes.
    """

    def __init__(self, device: torch.device) -> None:
        self.energy = Energy()
        self._kinds = counters(device)
        self._counters: dict[str, Counter] = {}
        self._joules: dict[str, float] = {}
        self._failures: dict[str, str] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="energy", daemon=True)

    def __enter__(self) -> Self:
        for field, make in self._kinds.items():
            try:
                self._counters[field] = make()
            except CounterError as error:
                self._failures[field] = str(error)
        if self._counters:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread.is_alive():
            self._ended.set()
            self._thread.join()
        self._read()
        failure = "; ".join(self._failures.values()) or None
        self.energy = Energy.model_validate({**self._joules, "failure": failure})

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._read()

    def _read(self) -> None:
        for field, counter in list(self._counters.items()):
            try:
                self._joules[field] = counter.joules()
            except CounterError as error:
                self._failures[field] = str(error)
                self._joules.pop(field, None)
                del self._counters[field]
