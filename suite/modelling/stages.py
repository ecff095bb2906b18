"""Marks the stages of an inference pass, so that they can be timed from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Stage = Literal["encode", "forward", "decode"]

Enter = Callable[[Stage, bool], None]
_listener: ContextVar[Enter | None] = ContextVar("listener", default=None)


@contextmanager
def stage(name: Stage) -> Iterator[None]:
    """Says that the enclosed work belongs to `name`; free of cost where nobody listens."""
    listener = _listener.get()
    if listener is None:
        yield
        return
    listener(name, True)
    try:
        yield
    finally:
        listener(name, False)


@contextmanager
def listening(listener: Enter) -> Iterator[None]:
    """Calls `listener(stage, entered)` at both ends of every stage within."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
