"""Energy is that of the machine's own counters, or there is no figure."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from runners.runs import energy as module
from runners.runs.checkpoint import Progress
from runners.runs.energy import MOST_WATTS, NO_COUNTER, CounterError, EnergyMeter, RaplCounter
from suite.records.energy import Energy
from tests.runners.runs.powercap import RANGE, moved, zone

CPU = torch.device("cpu")
CUDA = torch.device("cuda", 0)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_joules_of_one_package(tmp_path: Path, clock: Clock) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    counter = RaplCounter(tmp_path, clock)
    assert counter.joules() == 0
    clock.now += 1
    moved(package, 8_500_000)
    assert counter.joules() == 3.5


def test_packages_are_summed_and_nothing_is_counted_twice(tmp_path: Path, clock: Clock) -> None:
    packages = [zone(tmp_path, f"intel-rapl:{n}", f"package-{n}", 10**6) for n in (0, 1)]
    others = [
        zone(tmp_path, "intel-rapl:0:0", "core", 10**6),
        zone(tmp_path, "intel-rapl:0:1", "dram", 10**6),
        zone(tmp_path, "intel-rapl:0/intel-rapl:0:0", "core", 10**6),
        zone(tmp_path, "intel-rapl:2", "psys", 10**6),
        zone(tmp_path, "intel-rapl-mmio:0", "package-0", 10**6),
    ]
    (tmp_path / "intel-rapl").mkdir()  # the kind of control, which counts nothing
    counter = RaplCounter(tmp_path, clock)
    clock.now += 1
    for place, passed in zip(packages, (2_000_000, 4_000_000), strict=True):
        moved(place, 10**6 + passed)
    for place in others:
        moved(place, 10**6 + 99_000_000)
    assert counter.joules() == 6.0


def test_dies_of_a_package_are_counters_of_their_own(tmp_path: Path, clock: Clock) -> None:
    dies = [zone(tmp_path, f"intel-rapl:{n}", f"package-0-die-{n}", 0) for n in (0, 1)]
    counter = RaplCounter(tmp_path, clock)
    clock.now += 1
    for die in dies:
        moved(die, 1_000_000)
    assert counter.joules() == 2.0


def test_a_counter_that_begins_anew_goes_on(tmp_path: Path, clock: Clock) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", RANGE - 3_000_000)
    counter = RaplCounter(tmp_path, clock)
    found = []
    for value in (RANGE - 1_000_000, 4_000_000, 9_000_000):
        clock.now += 20
        moved(package, value)
        found.append(counter.joules())
    assert found == [2.0, 7.0, 12.0]


def test_several_rounds_are_counted_where_each_is_seen(tmp_path: Path, clock: Clock) -> None:
    small = 65_532_610_987
    package = zone(tmp_path, "intel-rapl:0", "package-0", 0, most=small)
    counter = RaplCounter(tmp_path, clock)
    total = 0
    for _ in range(20):  # 300 W for 20 s each, in all 120 kJ: almost two rounds
        clock.now += 20
        total += 6_000_000_000
        moved(package, total % small)
        counter.joules()
    assert counter.joules() == pytest.approx(total / 1e6)


def test_a_round_that_nobody_saw_gives_no_figure(tmp_path: Path, clock: Clock) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    counter = RaplCounter(tmp_path, clock)
    clock.now += RANGE / 1e6 / MOST_WATTS + 1
    moved(package, 1_000_000)
    with pytest.raises(CounterError, match="not read for so long"):
        counter.joules()


def test_a_counter_that_is_reset_gives_no_figure(tmp_path: Path, clock: Clock) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", 100_000_000_000)
    counter = RaplCounter(tmp_path, clock)
    clock.now += 20
    moved(package, 0)
    with pytest.raises(CounterError, match="leapt"):
        counter.joules()


@pytest.mark.parametrize("text", ["", "x", "-5", "1.5", "9" * 25])
def test_what_is_no_number_gives_no_figure(tmp_path: Path, clock: Clock, text: str) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    counter = RaplCounter(tmp_path, clock)
    moved(package, text)
    with pytest.raises(CounterError, match="energy_uj holds no number"):
        counter.joules()


def test_no_package_is_no_counter(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(CounterError, match=NO_COUNTER):
        RaplCounter(tmp_path / "nowhere", clock)
    zone(tmp_path, "intel-rapl:0", "psys", 0)
    with pytest.raises(CounterError, match=NO_COUNTER):
        RaplCounter(tmp_path, clock)


def test_a_meter_tells_what_its_block_took(powercap: Path) -> None:
    package = zone(powercap, "intel-rapl:0", "package-0", 7_000_000)
    with EnergyMeter(CPU) as meter:
        moved(package, 7_250_000)
    moved(package, 7_900_000)
    assert meter.energy == Energy(package_joules=0.25)


def test_what_may_be_read_by_root_alone_is_said(
    powercap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (0, 1):
        zone(powercap, f"intel-rapl:{number}", f"package-{number}", 10**6)
    read = Path.read_text

    def refuse(path: Path) -> str:
        if path.name == "energy_uj" and path.parent.name.endswith("1"):
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_text", refuse)
    with EnergyMeter(CPU) as meter:
        pass
    # Not the energy of the one package that can be read, either.
    assert meter.energy == Energy(failure="RAPL's energy_uj cannot be read: Permission denied")


def test_a_counter_that_fails_within_the_block_gives_no_figure(
    powercap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = zone(powercap, "intel-rapl:0", "package-0", 10**6)
    monkeypatch.setattr(module, "SAMPLE_SECONDS", 0.01)
    with EnergyMeter(CPU) as meter:
        (package / "energy_uj").unlink()
        deadline = time.monotonic() + 30
        while meter._counters and time.monotonic() < deadline:
            time.sleep(0.01)
        moved(package, 2 * 10**6)  # back at the end, as if nothing had been
    assert meter.energy.package_joules is None
    assert meter.energy.failure == "RAPL's energy_uj cannot be read: No such file or directory"


def test_a_meter_reads_on_while_the_block_lasts(
    powercap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = zone(powercap, "intel-rapl:0", "package-0", 0)
    monkeypatch.setattr(module, "SAMPLE_SECONDS", 0.001)
    with EnergyMeter(CPU) as meter:
        moved(package, 4_000_000)
        deadline = time.monotonic() + 30
        while meter._joules.get("package_joules") != 4.0 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert meter._joules == {"package_joules": 4.0}


def test_a_block_that_fails_leaves_no_thread(powercap: Path) -> None:
    zone(powercap, "intel-rapl:0", "package-0", 0)
    meter = EnergyMeter(CPU)
    alive = []

    def fail() -> None:
        alive.append(meter._thread.is_alive())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), meter:
        fail()
    assert alive == [True]
    assert not meter._thread.is_alive()


class NVMLError(Exception):
    """As that of nvidia-ml-py."""


def nvml(read: Callable[[], int]) -> ModuleType:
    """A pretended `pynvml` that knows one GPU."""
    found = ModuleType("pynvml")

    def handle(identity: str) -> str:
        if identity != "GPU-0aa0":
            raise NVMLError("Not Found")
        return identity

    found.__dict__.update(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=handle,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: read(),
    )
    return found


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a GPU of that identity, whose counter shows these millijoules one after the other."""

    def make(*shown: int | NVMLError, identity: str = "0aa0") -> None:
        left = iter(shown)

        def read() -> int:
            value = next(left)
            if isinstance(value, NVMLError):
                raise value
            return value

        monkeypatch.setitem(sys.modules, "pynvml", nvml(read))
        properties = SimpleNamespace(uuid=identity)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)

    return make


def test_a_gpu_is_counted_beside_the_processor(powercap: Path, gpu: Callable[..., None]) -> None:
    package = zone(powercap, "intel-rapl:0", "package-0", 0)
    gpu(1_000_500, 1_004_000)
    with EnergyMeter(CUDA) as meter:
        moved(package, 2_000_000)
    assert meter.energy == Energy(package_joules=2.0, gpu_joules=3.5)


def test_a_gpu_is_counted_without_the_processor(powercap: Path, gpu: Callable[..., None]) -> None:
    gpu(0, 4_000)
    with EnergyMeter(CUDA) as meter:
        pass
    assert meter.energy == Energy(gpu_joules=4.0, failure=NO_COUNTER)


@pytest.mark.parametrize(
    ("shown", "identity", "failure"),
    [
        ((5, 4), "0aa0", "NVML's counter went back, as it does where the driver is reloaded"),
        (
            (NVMLError("Not Supported"),),
            "0aa0",
            "NVML tells no energy of the GPU (Not Supported)",
        ),
        (
            (5, NVMLError("GPU is lost")),
            "0aa0",
            "NVML tells no energy of the GPU (GPU is lost)",
        ),
        ((5, 6), "0bb0", "NVML tells no energy of the GPU (Not Found)"),
    ],
)
def test_what_a_gpu_does_not_tell_is_said(
    powercap: Path,
    gpu: Callable[..., None],
    shown: tuple[int | NVMLError, ...],
    identity: str,
    failure: str,
) -> None:
    zone(powercap, "intel-rapl:0", "package-0", 0)
    gpu(*shown, identity=identity)
    with EnergyMeter(CUDA) as meter:
        pass
    assert meter.energy == Energy(package_joules=0.0, failure=failure)


def test_a_gpu_without_the_package_is_said(powercap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as if it were not installed
    with EnergyMeter(CUDA) as meter:
        pass
    assert meter.energy.failure == (
        f"{NO_COUNTER}; the GPU's counter is read by the package nvidia-ml-py, which is not "
        "installed"
    )


def test_a_sum_has_no_part_that_one_of_both_has_not() -> None:
    both = Energy(package_joules=2.0, gpu_joules=3.0)
    assert both + both == Energy(package_joules=4.0, gpu_joules=6.0)
    assert both + Energy(gpu_joules=1.0, failure="why") == Energy(gpu_joules=4.0, failure="why")


def test_a_run_is_the_sum_of_its_epochs() -> None:
    progress = Progress()
    for epoch in (1, 2, 3):
        progress.epoch = epoch
        progress.add(Energy(package_joules=10.0))
    assert progress.energy == Energy(package_joules=30.0)
    assert Progress.model_validate(progress.model_dump()) == progress


def test_a_run_whose_first_epochs_were_not_counted_has_no_energy() -> None:
    """Its checkpoint is of a version that did not count."""
    progress = Progress.model_validate({"epoch": 2, "step": 20})
    progress.epoch = 3
    progress.add(Energy(package_joules=10.0))
    assert progress.energy is None
