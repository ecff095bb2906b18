"""Devices by name, what they compute in, and waiting for them."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from suite.errors import SuiteError
from suite.protocol import Precision


def resolve_device(name: str) -> torch.device:
    """The device of that name: `cpu`, `cuda`, `cuda:<index>`, `mps`, or the best of them: `auto`.

    Raises:
        SuiteError: the name means nothing, or the machine has no such device.
    """
    present = present_devices()
    if name == "auto":
        return torch.device(next(iter(present[1:]), "cpu"))
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is not None and device.type == "cuda":
        device = torch.device("cuda", device.index or 0)
    if device is None or str(device) not in present:
        here = ", ".join(present)
        raise SuiteError(f"there is no device {name!r} here", remedy=f"There is: {here}.")
    return device


def synchronise(device: torch.device) -> None:
    """Waits until all that was asked of the device is done, so that clocks mean something."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def present_devices() -> list[str]:
    """Names of this machine's devices, the CPU first."""
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *cuda, *mps]


def device_title(device: torch.device) -> str:
    """What reports call it."""
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else device.type


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """A protocol's precision as a context."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def bfloat16_slowdown(device: torch.device) -> float:
    """How many times as long as in float32 a linear layer takes in bfloat16, timed for it.

    More than once where a processor has no instructions for bfloat16 and converts each number.
    """
    layer = torch.nn.Linear(384, 1536).to(device)
    inputs = torch.rand(256, 384, device=device)

    def seconds(precision: Precision) -> float:
        found = []
        for _ in range(6):
            started = time.perf_counter()
            with torch.inference_mode(), autocast(precision, device):
                layer(inputs)
            synchronise(device)
            found.append(time.perf_counter() - started)
        return min(found)

    return seconds("bfloat16") / seconds("float32")
