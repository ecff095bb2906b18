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
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import torch

from runners.runs.train import parameters
from runners.sizes.limits import held_bytes, most_bytes
from suite.modelling.pretrained import MINILM, find_pretrained
from tests.benchmarks.floor import operations
from tests.benchmarks.trainers import CASES, Trainers, step

SENTENCES, EPOCHS = 70_339, 60
"""Those of NYT10 as published, and the most epochs of the suite's protocol."""
RATES = {"RTX 2080 Ti": 0.4 * 13.45e12, "100 TFLOP/s": 0.4 * 100e12}
"""Operations a second: two fifths of what a card is said to do at best, in float32 the first."""


class Demand(NamedTuple):
    """What a system takes.

    Attributes:
        parameters: of the system, its word vectors included.
        operations: of a training sentence.
        held, most: bytes of the process before its first step, and at most within two.
    """

    parameters: int
    operations: float
    held: int
    most: int


def bert_base(folder: Path) -> None:
    """Leaves an encoder of BERT-base's size, its weights drawn, with MiniLM's subwords."""
    from transformers import AutoModel, BertConfig

    tokenizer = find_pretrained(MINILM, []).tokenizer
    tokenizer.save_pretrained(folder)
    AutoModel.from_config(BertConfig(vocab_size=len(tokenizer))).save_pretrained(folder)


def _measure(name: str, resources: tuple[Path, Path, Path], encoder: str, to: Connection) -> None:
    torch.manual_seed(0)
    cpu = torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainers(*resources, Path(folder), encoder)[name]
        held = held_bytes(cpu)
        step(trainer)
        step(trainer)  # the optimiser's state is held since the first
        most = most_bytes(cpu)
        examples = trainer.bench.examples(trainer.bench.dataset.train)
        work = operations(trainer.system, examples, backward=True) / len(examples)
    to.send(Demand(parameters(trainer.system).total, work, held, most))


def measured(name: str, resources: tuple[Path, Path, Path], encoder: str) -> Demand:
    """What a system takes, measured in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(name, resources, encoder, there))
    process.start()
    there.close()
    try:
        found: Demand = here.recv()
    except EOFError:
        raise SystemExit(f"{name}: its process ended without figures") from None
    finally:
        process.join()
    return found


def main() -> None:
    """Prints the table."""
    data, vectors, parser = map(Path, sys.argv[1:])
    hours = " | ".join(f"hours at 40 % of {card}" for card in RATES)
    print(
        "| system | parameters (M) | GFLOP a training sentence | step at batch 32 (GB) | "
        f"{hours} |\n| --- | ---: | ---: | ---: |{' ---: |' * len(RATES)}"
    )
    with tempfile.TemporaryDirectory() as folder:
        bert_base(Path(folder))
        for name in CASES:
            one = measured(name, (data, vectors, parser), folder)
            whole = [SENTENCES * EPOCHS * one.operations / rate / 3600 for rate in RATES.values()]
            print(
                f"| {name} | {one.parameters / 1e6:.3g} | {one.operations / 1e9:.3g} | "
                f"{(one.most - one.held) / 1e9:.2f} | "
                f"{' | '.join(f'{time:.3g}' for time in whole)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
