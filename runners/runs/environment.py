"""Where a run takes place: the machine, the device, the versions, and what they are loaded with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

import suite
from suite.modelling.device import device_title, resolve_device
from suite.records.run import Environment, Place

LIBRARIES = ("torch", "numpy", "transformers", "tokenizers", "wandb", "pydantic")
"""Whose versions a record keeps, where they are installed."""

SOURCES = ("suite", "baselines", "runners")
"""Folders of the checkout that decide a run's figures."""

MEMORY_STEP = 64 * 2**20
"""Machines of one kind differ by less, through what their kernels reserve."""


def environment(device: str, *, elsewhere: bool = False) -> Environment:
    """What is held equal between the runs of one table.

    Names of hosts, users and folders are not in it: two machines of one kind are one environment.

    Args:
        device: as `resolve_device` takes it.
        elsewhere: whether another machine computes, so that this one need not have the device.

    Raises:
        SuiteError: there is no such device.
    """
    resolved = torch.device(device) if elsewhere else resolve_device(device)
    return Environment(
        **dict(place(resolved, elsewhere=elsewhere)),
        python=platform.python_version(),
        versions=_versions(resolved),
        git=_git_state(Path(suite.__file__).resolve().parents[1]),
    )


def place(device: torch.device, *, elsewhere: bool = False) -> Place:
    """The kind of machine that this process runs on; of a device elsewhere, its type alone."""
    return Place(
        machine=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores=_cores(),
        memory_bytes=_memory_bytes(),
        device=device.type if elsewhere else device_title(device),
    )


def load_average() -> float:
    """The machine's load over the last minute; other users' work counts."""
    return float(psutil.getloadavg()[0])


def peak_memory_bytes(device: torch.device) -> int:
    """The most memory that was held at once since the process began.

    On CUDA it is what torch's allocator handed out on that device; elsewhere the resident memory
    of the process, interpreter and libraries included.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    status = Path("/proc/self/status")
    if status.is_file():
        # Linux's ru_maxrss starts at the peak of the process that started this one.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def _processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The first processor's name, with its family and model where it has them.

    Virtual machines give one name to processors that are years and half their speed apart.
    """
    if cpuinfo.is_file():
        found: dict[str, str] = {}
        for line in cpuinfo.read_text().splitlines():
            field, _, value = line.partition(":")
            found.setdefault(field.strip(), value.strip())
        name, family, model = (found.get(f) for f in ("model name", "cpu family", "model"))
        if name:
            return f"{name}, family {family}, model {model}" if family and model else name
    if platform.system() == "Darwin":
        brand = _output("sysctl", "-n", "machdep.cpu.brand_string")
        if brand:
            return brand
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Physical cores that the process may use, of its affinity and its container's quota."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits: list[int] = [usable or 1, psutil.cpu_count(logical=False) or usable or 1]
    for quota in _cgroup_values("cpu", "cpu.max"):
        share, period = quota.split()
        if share != "max":
            limits.append(max(1, int(share) // int(period)))
    return min(limits)


def _memory_bytes() -> int:
    """Memory that the process may use, to the nearest `MEMORY_STEP`."""
    limits: list[int] = [psutil.virtual_memory().total]
    for name in ("memory.max", "memory.limit_in_bytes"):
        values = _cgroup_values("memory", name)
        limits += [int(value) for value in values if value != "max"]
    return round(min(limits) / MEMORY_STEP) * MEMORY_STEP


def _cgroup_values(
    controller: str,
    name: str,
    *,
    root: Path = Path("/sys/fs/cgroup"),
    membership: Path = Path("/proc/self/cgroup"),
) -> Iterator[str]:
    """The values of a limit in the process's control group and all above it.

    `membership` has lines `id:controllers:path`; version 2 names no controllers there and has one
    tree, version 1 has a tree for each (Linux manual, cgroups(7)).
    """
    if not membership.is_file():
        return
    for line in membership.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        tree = root / controller if controllers else root
        group = tree / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(tree):
                break
            if (folder / name).is_file():
                yield (folder / name).read_text().strip()


def _versions(device: torch.device) -> dict[str, str]:
    versions = {"relation-suite": suite.__version__}
    for library in LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    if device.type == "cuda" and torch.version.cuda:
        versions["cuda"] = torch.version.cuda
    return versions


def _git_state(checkout: Path) -> str:
    """The checkout's commit, with `+changes` where the sources differ from it.

    An installed package has none, even where its folder lies within someone's repository.
    """
    top = _output("git", "-C", str(checkout), "rev-parse", "--show-toplevel")
    commit = _output("git", "-C", str(checkout), "rev-parse", "--verify", "HEAD")
    if not top or not commit or Path(top).resolve() != checkout:
        return f"no git, version {suite.__version__}"
    changes = _output("git", "-C", str(checkout), "status", "--porcelain", "--", *SOURCES)
    return commit if changes == "" else f"{commit}+changes"


def _output(*command: str) -> str | None:
    """What a command prints; None where it is missing, fails, or takes more than ten seconds."""
    # Set within git's hooks, where they name another repository.
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True, env=clean
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
