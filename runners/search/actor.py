"""A worker of a search as an actor on Ray."""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from optuna.storages import BaseStorage
from pydantic import TypeAdapter

import suite
from runners.cluster import leave_its_main_module
from runners.search.attributes import DRIVER
from runners.search.deaths import DRIVEN, this_worker
from runners.search.proxy import Address, lost, reached
from runners.search.request import SearchRequest
from runners.search.search import Search
from runners.search.storage import open_storage
from runners.search.worker import Worker
from suite.errors import SuiteError
from suite.records.run import Environment

T = TypeVar("T")


@dataclass(frozen=True)
class Start:
    """What a worker is started with.

    Attributes:
        request: of the command, as JSON.
        number: of the worker among those of the command.
        name: of the actor.
        command: what tells the command from others.
        folder: in which the command was given.
        storage: where the command serves its journal; None: the request names a database.
        version: of the suite.
    """

    request: bytes
    number: int
    name: str
    command: str
    folder: str
    storage: Address | None
    version: str = suite.__version__


@dataclass(frozen=True)
class Workplace:
    """Where a worker is.

    Attributes:
        node: Ray's id of it.
        address: of the node.
        environment: what trials there are measured in.
    """

    node: str
    address: str
    environment: Environment

    def __str__(self) -> str:
        return f"node {self.node[:8]} ({self.address})"


class SearchActor:
    """Does trials on a node. Mistakes are given back, not raised: Ray would wrap them.

    Args:
        start: what it is started with.
    """

    def __init__(self, start: Start) -> None:
        self._start, self._born = start, time.time()
        leave_its_main_module()
        self._search: Search | None = None

    def where(self) -> tuple[str, str]:
        """The node's id and address, before anything else is known of it."""
        ray: Any = importlib.import_module("ray")  # an extra
        found: tuple[str, str] = (
            ray.get_runtime_context().get_node_id(),
            ray.util.get_node_ip_address(),
        )
        return found

    def look(self) -> Environment | SuiteError:
        """Looks for all that its trials need; the environment that they would be measured in."""
        return _given_back(self._look)

    def work(self) -> SuiteError | None:
        """Both phases of trials."""
        return _given_back(self._work)

    def _look(self) -> Environment:
        start = self._start
        if start.version != suite.__version__:
            raise SuiteError(
                f"the suite is of version {suite.__version__} there, and {start.version} here",
                remedy="Install the same version on all nodes.",
            )
        if Path(start.folder).is_dir():
            os.chdir(start.folder)  # files are named from where the command was given
        request = TypeAdapter(SearchRequest).validate_python(json.loads(start.request))
        _refuse_unseen(request.suite.out, start.command)
        self._search = Search(request, self._storage(request), start.number)
        return self._search.planned.environment

    def _storage(self, request: SearchRequest) -> BaseStorage:
        if self._start.storage is None:
            return open_storage(request.storage, request.suite.out)
        return reached(self._start.storage)

    def _work(self) -> None:
        assert self._search is not None, "it has looked"
        me: dict[str, Any] = {
            **this_worker(),
            "born": self._born,
            DRIVER: self._start.command,
            "name": self._start.name,
        }
        # The command judges who is alive; Ray's own threads forbid to fork this process.
        Worker(self._search, lambda said: None, me=me, judge=lambda _: None, forks=False).work()


def _given_back(act: Callable[[], T]) -> T | SuiteError:
    try:
        return act()
    except SuiteError as error:
        return error
    except Exception as error:
        found = lost(error)
        if found is None:
            raise
        return found


def _refuse_unseen(out: Path, command: str) -> None:
    try:
        seen = (out / DRIVEN).read_text()
    except (OSError, ValueError):
        seen = ""
    if seen != command:
        raise SuiteError(
            "what the command writes is not seen there: an OUT that workers cannot see",
            where=out,
            remedy="Name an --out on a file system that all nodes share, at the same path.",
        )
