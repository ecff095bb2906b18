"""Memory of a system's step on long sentences with many relations, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from suite.systems.contract import System

ROOT = Path(__file__).resolve().parents[1]
CODE = """
import json, sys, torch
from runners.runs.environment import peak_memory_bytes
from suite.modelling.word_vectors import random_vectors
from suite.systems.contract import Resources, predict
from suite.systems.registry import find_system, make_settings
from suite.tasks.examples import Sentence, Span, Triple
from suite.tasks.schema import ANY, Schema

torch.set_num_threads(1)
name, settings, relations, sentences, length = json.loads(sys.argv[1])
names = tuple(f"r{i}" for i in range(relations))
schema = Schema("triples", names, (ANY,), {name: frozenset({ANY}) for name in names})
words = tuple(f"w{i}" for i in range(length))
gold = tuple(Triple(Span(i, i + 1), names[i], Span(i + 1, i + 2)) for i in range(5))
kind = find_system(name)
resources = Resources(random_vectors([words] * 2), None, length)
system = kind.build(make_settings(kind, settings), schema, resources).train()
batch = system.encode([Sentence(str(i), words, gold) for i in range(sentences)])
cpu = torch.device("cpu")
before = peak_memory_bytes(cpu)
system.loss(batch).total.backward()
trained = peak_memory_bytes(cpu)
with torch.inference_mode():
    {then}
print((trained - before) // 2**20, (peak_memory_bytes(cpu) - before) // 2**20)
"""


def memory_of_a_step(
    system: type[System],
    settings: dict[str, Any],
    *,
    relations: int,
    sentences: int = 32,
    length: int = 100,
    then: str = "pass",
) -> tuple[int, int]:
    """Megabytes that a step on sentences of five triples takes beyond what was held before it.

    Args:
        system: of which one is built on random word vectors.
        settings: as differences to its defaults.
        relations: of the schema.
        sentences: of the batch.
        length: of each, in words.
        then: a line of code after the step, without gradients: `system` and `batch` are at hand.

    Returns:
        After the step, and after the line.
    """
    asked = json.dumps([system.name, settings, relations, sentences, length])
    command = [sys.executable, "-c", CODE.replace("{then}", then), asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    trained, after = map(int, done.stdout.split())
    return trained, after
