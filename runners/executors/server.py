"""Processes forked from a server that has imported what takes long: torch, and for encoders more.

`transformers` takes longer to import than a small test set takes to be measured, and a run has four
processes and more. A system without an encoder has a server without it: its memory is not held by
a library that it does without.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver, popen_forkserver, reduction, spawn, util
from multiprocessing.context import ForkServerContext, ForkServerProcess, set_spawning_popen
from typing import Any

from runners.executors.processes import ProcessesOf

WAITING = {"GOMP_SPINCOUNT": "10000"}
"""How long torch's CPU threads spin before they sleep, unless the caller's environment tells.

By default it is thirty times as long, and where other work wants a core too, a spinning thread
keeps the one that it waits for from running: with both of two cores in use, a step took eight times
as long. On an idle machine this costs nothing; not to spin at all costs a quarter."""
ALL_NEED = ("runners.executors.work",)
"""What a server has imported for any system: torch, and no library that some do without."""
ENCODERS_NEED = (
    "transformers.modeling_utils",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
)
"""What a server has imported besides, for systems on an encoder of `transformers`."""


def served() -> ProcessesOf:
    """Processes of two servers, of which none gains by what another left in memory.

    The peak memory of each is its own. A server is started when its first process is.
    """
    return ProcessesOf(_Context(ALL_NEED), of_encoders=_Context(ALL_NEED + ENCODERS_NEED))


class _Context(ForkServerContext):
    """A way to start processes, by a server that has imported some modules.

    The standard library starts one server, for all processes of a program; this one's is its own.
    """

    def __init__(self, needs: tuple[str, ...]) -> None:
        self._needs = needs

    def Process(self, *args: Any, **options: Any) -> _Process:  # type: ignore[override]  # noqa: N802
        process = _Process(*args, **options)
        process.needs = self._needs
        return process


class _Process(ForkServerProcess):
    needs: tuple[str, ...]

    @staticmethod
    def _Popen(process: Any) -> Any:  # noqa: N802
        return _Popen(process)


class _Popen(popen_forkserver.Popen):
    """As its base, which asks the one server that the standard library knows."""

    _fds: list[int]

    def _launch(self, process: Any) -> None:
        passed = io.BytesIO()
        set_spawning_popen(self)  # so that descriptors among the arguments go along
        try:
            reduction.dump(spawn.get_preparation_data(process.name), passed)
            reduction.dump(process, passed)
        finally:
            set_spawning_popen(None)
        self.sentinel, pipe = _server(process.needs).connect_to_new_process(self._fds)
        alive = os.dup(pipe)  # for as long as the process is of use to us
        self.finalizer = util.Finalize(self, _close, (alive, self.sentinel))
        with os.fdopen(pipe, "wb") as beginning:
            beginning.write(passed.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


_SERVERS: dict[tuple[str, ...], forkserver.ForkServer] = {}
_STARTING = threading.Lock()


def _server(needs: tuple[str, ...]) -> forkserver.ForkServer:
    """The one that has imported what is needed, started where it is not running."""
    # Without the current directory on the path: it may hold a folder named as a package of ours.
    with _STARTING, _environment({**WAITING, "PYTHONSAFEPATH": "1"}):
        if needs not in _SERVERS:
            _SERVERS[needs] = forkserver.ForkServer()
            _SERVERS[needs].set_forkserver_preload(list(needs))
        _SERVERS[needs].ensure_running()
    return _SERVERS[needs]


@contextmanager
def _environment(defaults: Mapping[str, str]) -> Iterator[None]:
    """The process's environment with defaults, for a moment."""
    before = dict(os.environ)
    os.environ.update({**defaults, **before})
    try:
        yield
    finally:
        for name in defaults.keys() - before.keys():
            del os.environ[name]
