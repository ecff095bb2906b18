"""The tasks by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from suite.tasks.documents import Documents
from suite.tasks.entities import Entities
from suite.tasks.examples import TaskName
from suite.tasks.task import Task
from suite.tasks.triples import Triples

TASKS: Mapping[TaskName, Task[Any, Any]] = {
    task.name: task for task in (Triples(), Documents(), Entities())
}


def find_task(name: TaskName) -> Task[Any, Any]:
    """The task of a name."""
    return TASKS[name]
