"""Systems as other packages would bring them: installed in a folder, found by entry point."""

from __future__ import annotations

import os
from pathlib import Path

from tests import tiny

GAZETTEER = '''
from dataclasses import dataclass

import torch
from torch import nn

from suite.modelling.cascade import batch_targets, encode_targets
from suite.modelling.cascade import CascadeBatch
from suite.modelling.encoders import WordEmbedding
from suite.tasks.examples import Span, Triple
from suite.tasks.items import Prediction
from suite.systems.contract import Loss, System


@dataclass(frozen=True)
class Settings:
    """Attributes: score: of every prediction."""

    score: float = 0.9


class Gazetteer(System):
    """Any word that began a head, with any that began its relation's tail, in training."""

    name, title, citation = "gazetteer", "Gazetteer", "Nobody: A list of names. Nowhere 2001."
    tasks, departures, Settings = frozenset({"triples"}), ("It has no paper.",), Settings

    def __init__(self, settings, schema, resources):
        super().__init__()
        self.schema, self.score = schema, settings.score
        self.embedding = WordEmbedding(resources.vectors)
        self.weight = nn.Parameter(torch.zeros(()))
        size = (2, len(schema.relations), resources.vectors.rows)
        self.register_buffer("known", torch.zeros(size, dtype=torch.bool))

    @classmethod
    def build(cls, settings, schema, resources):
        return cls(settings, schema, resources)

    def encode(self, examples):
        text = self.embedding.encode(s.words for s in examples)
        return CascadeBatch(text, encode_targets(examples, self.schema))

    def loss(self, batch):
        words, targets = batch.text.words.padded(), batch_targets(batch)
        for head, first, _, relation in targets.tails.tolist():
            row, start, _ = int(targets.head_rows[head]), *targets.heads[head, :2].tolist()
            self.known[0, relation, words[row, start]] = True
            self.known[1, relation, words[row, first]] = True
        total = (self.weight - 1) ** 2
        return Loss(total, {"weight": total.detach()})

    def forward(self, batch):
        found = []
        for i in range(len(batch)):
            words = batch.text.words.select(torch.tensor([i])).values
            heads, tails = self.known[:, :, words]
            found.append((heads[:, :, None] & tails[:, None, :]).nonzero().tolist())
        return found

    def decode(self, batch, scored):
        return [[self.say(*pair) for pair in pairs if pair[1] != pair[2]] for pairs in scored]

    def say(self, relation, head, tail):
        spans = Span(head, head + 1), Span(tail, tail + 1)
        return Prediction(Triple(spans[0], self.schema.relations[relation], spans[1]), self.score)

    def ceiling(self, batch):
        return self.decode(batch, self(batch))
'''

MISBEHAVING = '''
import os
import signal
import time

import torch
from gazetteer import Gazetteer
from suite.records.run import RunRecord
from suite.tasks.items import Prediction


class Late(Gazetteer):
    """Misbehaves at the third step of a process: in its second epoch, of two steps each."""

    steps = 0

    def loss(self, batch):
        self.steps += 1
        loss = super().loss(batch)
        return self.misbehave(loss) or loss if self.steps == 3 else loss


class Nan(Late):
    name = "nan"

    def misbehave(self, loss):
        return loss._replace(total=loss.total * float("nan"))


class NoMemory(Late):
    name = "no-memory"

    def misbehave(self, loss):
        raise MemoryError


class NoDeviceMemory(Late):
    name = "no-device-memory"

    def misbehave(self, loss):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


class Huge(Late):
    name = "huge"

    def misbehave(self, loss):
        torch.empty(2**60, dtype=torch.uint8)


class Wrong(Late):
    name = "wrong"

    def misbehave(self, loss):
        return {}["no such key"]


class Silent(Late):
    name = "silent"

    def misbehave(self, loss):
        raise RuntimeError


class Stopped(Late):
    name = "stopped"

    def misbehave(self, loss):
        os.kill(os.getpid(), signal.SIGTERM)


class StoppedTwice(Late):
    """The second time while its record is written."""

    name = "stopped-twice"

    def misbehave(self, loss):
        write = RunRecord.write

        def write_under_fire(record, folder):
            os.kill(os.getpid(), signal.SIGTERM)
            write(record, folder)

        RunRecord.write = write_under_fire
        os.kill(os.getpid(), signal.SIGINT)


class Killed(Late):
    name = "killed"

    def misbehave(self, loss):
        os.kill(os.getpid(), signal.SIGKILL)


class Slow(Gazetteer):
    name = "slow"

    def loss(self, batch):
        print({"said": "by a system"})
        time.sleep(float(os.environ.get("SLOW", 0)))
        return super().loss(batch)


class Unmeasurable(Gazetteer):
    """Learns and is tested, in batches larger than these."""

    name = "unmeasurable"

    def forward(self, batch):
        if len(batch) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if len(batch) == 8:
            raise ValueError("eight is too many")
        return super().forward(batch)


class Misnamed(Gazetteer):
    name = "another"


no_system = "a string"
'''

ENTRY_POINTS = {
    "gazetteer": "gazetteer:Gazetteer",
    "nan": "misbehaving:Nan",
    "no-memory": "misbehaving:NoMemory",
    "no-device-memory": "misbehaving:NoDeviceMemory",
    "huge": "misbehaving:Huge",
    "wrong": "misbehaving:Wrong",
    "silent": "misbehaving:Silent",
    "stopped": "misbehaving:Stopped",
    "stopped-twice": "misbehaving:StoppedTwice",
    "killed": "misbehaving:Killed",
    "slow": "misbehaving:Slow",
    "unmeasurable": "misbehaving:Unmeasurable",
    "misnamed": "misbehaving:Misnamed",
    "no-system": "misbehaving:no_system",
    "no-module": "there_is_no_such_module:System",
}


def install(folder: Path) -> dict[str, str]:
    """Installs the packages in a folder; returns an environment with it first on the path."""
    folder.mkdir(parents=True)
    (folder / "gazetteer.py").write_text(GAZETTEER)
    (folder / "misbehaving.py").write_text(MISBEHAVING)
    info = folder / "gazetteer-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gazetteer\nVersion: 0.1\n")
    lines = [f"{name} = {target}" for name, target in ENTRY_POINTS.items()]
    (info / "entry_points.txt").write_text("\n".join(["[relation_suite.systems]", *lines, ""]))
    path = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return tiny.environment(PYTHONPATH=os.pathsep.join(path))
