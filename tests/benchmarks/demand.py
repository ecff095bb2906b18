"""What training takes with an encoder of BERT-base's size: operations and memory, measured.

`python -m tests.benchmarks.demand DATA VECTORS PARSER` prints a table: the operations of a training
sentence, forward and backward, counted on sentences of NYT10 (of CoNLL-2003 for FastNER), and the
most memory that a step at batch 32 holds, each system in a process of its own. Weights are drawn,
which changes neither. Hours follow from operations and the rate of a machine.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import AutoModel, BertConfig

from reports.cells import add_row, markdown
from runners.runs.train import parameters
from runners.sizes.limits import held_bytes, most_bytes
from suite.datasets.catalogue.entries import CATALOGUE
from suite.modelling.pretrained import MINILM, find_pretrained
from suite.protocol import Protocol
from tests.benchmarks.floor import operations
from tests.benchmarks.trainers import CASES, Trainers, step
from tests.real import Resources

RATES = {"13.45 TFLOP/s": 0.4 * 13.45e12, "100 TFLOP/s": 0.4 * 100e12}
"""Operations a second: two fifths of what a card does at best, the first an RTX 2080 Ti, by its
maker, in float32."""


class Demand(NamedTuple):
    """What a system takes.

    Attributes:
        parameters: of the system, its word vectors included.
        operations: floating-point operations of a training sentence.
        memory: bytes that two steps hold at most, besides what was held before them.
    """

    parameters: int
    operations: float
    memory: int


def bert_base(folder: Path) -> None:
    """Leaves an encoder of BERT-base's size, its weights drawn, with MiniLM's subwords."""
    tokenizer = find_pretrained(MINILM, []).tokenizer
    tokenizer.save_pretrained(folder)
    AutoModel.from_config(BertConfig(vocab_size=len(tokenizer))).save_pretrained(folder)


def measure(name: str, resources: Resources) -> Demand:
    """What a system takes; of the memory, what this process held before is no part."""
    torch.manual_seed(0)
    cpu = torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainers(resources, Path(folder))[name]
        held = held_bytes(cpu)
        step(trainer)
        step(trainer)  # the optimiser's state is held since the first
        memory = most_bytes(cpu) - held
        examples = trainer.bench.examples(trainer.bench.dataset.train)
        work = operations(trainer.system, examples, backward=True) / len(examples)
    return Demand(parameters(trainer.system).total, work, memory)


def main() -> None:
    """Prints the table."""
    sentences = CATALOGUE["nyt10"].counts["train"][0].sentences
    epochs = Protocol().epochs
    table: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        bert_base(Path(folder))
        resources = Resources(*map(Path, sys.argv[1:4]), folder)
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawned, max_tasks_per_child=1) as processes:
            for name in CASES:
                found = processes.submit(measure, name, resources).result()
                total = sentences * epochs * found.operations
                cells = {
                    "system": name,
                    "parameters (M)": f"{found.parameters / 1e6:.3g}",
                    "GFLOP per training sentence": f"{found.operations / 1e9:.3g}",
                    "memory of a step (GB)": f"{found.memory / 1e9:.2f}",
                }
                for card, rate in RATES.items():
                    cells[f"hours at 40 % of {card}"] = f"{total / rate / 3600:.3g}"
                add_row(table, cells)
                print(*cells.values(), file=sys.stderr)
    print(markdown(table))


if __name__ == "__main__":
    main()
