"""What the process of a measurement does: trains on one batch, or predicts it.

Training steps fit the batch, and what they learned is predicted with: an untrained system finds no
heads to tag tails for, or far too many.
"""

from __future__ import annotations

import statistics
import time
import traceback
from pathlib import Path

import torch
from torch import nn

from runners.runs.failures import in_a_line, memory_ran_out
from runners.runs.inference import stage_seconds
from runners.runs.train import make_optimiser
from runners.sizes.limits import held_bytes, keep_to, most_bytes
from suite.datasets.synthetic.sizes import sentences_of_size
from suite.errors import SuiteError
from suite.files import read_model, write_atomically
from suite.modelling.device import autocast, resolve_device, synchronise
from suite.modelling.parsers import Chain
from suite.modelling.pretrained import UNTRAINED_FREQUENCY, find_pretrained
from suite.modelling.word_vectors import random_vectors
from suite.protocol import Protocol
from suite.records.sizes import Kind, Measurement, SizePoint, write_model
from suite.systems.contract import Resources, System, predict
from suite.systems.registry import find_system, make_settings
from suite.tasks.examples import Sentence
from suite.tasks.schema import Schema

POINT, WEIGHTS, PARAMETERS = "point.json", "weights.pt", "parameters.json"
LEARNING_RATE = 3e-3
"""At which a batch is learned by heart in few steps."""
FEWEST_PASSES, MOST_PASSES = 3, 50
"""Passes of inference, unless they take longer than the study's seconds."""
STEPS_BETWEEN = 5
"""Steps after which a system that is still being fitted is asked what it finds."""
FITTED = 2.0
"""A fitted system finds so many times the triples of the batch at most, and so small a part."""


def measured_file(folder: Path, kind: Kind) -> Path:
    """Where a process leaves its measurement."""
    return folder / f"{kind}.json"


def measure(folder: Path, _bench: None, kind: Kind) -> int:
    """Measures and leaves the figures, or the reason why there are none."""
    point = read_model(folder / POINT, SizePoint, "point", "Run the study again.")
    torch.set_num_threads(point.threads)

    def leave(found: Measurement) -> None:
        write_model(measured_file(folder, kind), found)

    def give_up(failure: str, memory: bool) -> None:
        leave(Measurement(kind=kind, failure=failure, reason="memory" if memory else "time"))

    keep_to(point.study.limit_seconds, point.study.limit_gigabytes * 1e9, give_up)
    try:
        leave((_train if kind == "training" else _infer)(folder, point))
    except SuiteError as error:
        leave(Measurement(kind=kind, failure=str(error), reason="mistake"))
    except Exception as error:  # a system's own mistake must not end the study
        if memory_ran_out(error):
            give_up("out of memory", True)
        else:
            traceback.print_exc()
            leave(Measurement(kind=kind, failure=in_a_line(error), reason="mistake"))
    return 0


def _build(point: SizePoint) -> tuple[System, list[Sentence], torch.device]:
    study, size = point.study, point.size
    schema, sentences = sentences_of_size(
        size.words, size.relations, study.sentences, triples=study.triples
    )
    torch.manual_seed(0)
    return _system(point, schema, sentences), sentences, resolve_device(point.device)


def _system(point: SizePoint, schema: Schema, sentences: list[Sentence]) -> System:
    # Often enough that every word is known to vectors and to the untrained encoder.
    words = [s.words for s in sentences] * UNTRAINED_FREQUENCY
    name = point.system.pretrained
    resources = Resources(
        random_vectors(words),
        None if name is None else find_pretrained(name, words),
        max(*point.study.words, point.study.where.words),
        Chain(),
    )
    system = find_system(point.system.name)
    built = system.build(make_settings(system, point.system.settings), schema, resources)
    return built.to(resolve_device(point.device))


def _protocol(point: SizePoint) -> Protocol:
    return Protocol(
        precision=point.precision,
        threads=point.threads,
        learning_rate=LEARNING_RATE,
        pretrained_learning_rate=LEARNING_RATE,
    )


class _Fitting:
    """Steps of training on one batch.

    Args:
        point: what is measured.
        system: freshly built.
        sentences: the batch.
        device: where the system is.
    """

    def __init__(
        self, point: SizePoint, system: System, sentences: list[Sentence], device: torch.device
    ) -> None:
        self.system, self.sentences, self.device = system, sentences, device
        self.protocol = _protocol(point)
        self.optimiser = make_optimiser(system, self.protocol)

    def step(self) -> float:
        """Makes a step and tells its seconds."""
        synchronise(self.device)
        started = time.perf_counter()
        batch = self.system.encode(self.sentences).to(self.device)
        self.optimiser.zero_grad()
        with autocast(self.protocol.precision, self.device):
            loss = self.system.loss(batch).total
        loss.backward()
        clip = self.protocol.max_gradient_norm or 1.0
        torch.nn.utils.clip_grad_norm_(self.system.parameters(), clip)
        self.optimiser.step()
        synchronise(self.device)
        return time.perf_counter() - started

    def finish(self, seconds: float) -> None:
        """Goes on until the system finds about what there is, or the seconds are over."""
        bare, gold = [sentence.bare() for sentence in self.sentences], _gold(self.sentences)
        until, steps = time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            if steps % STEPS_BETWEEN == 0:
                self.system.eval()
                if _fitted(_found(self.system, bare, self.protocol, self.device), gold):
                    break
                self.system.train()
            self.step()
            steps += 1


def _found(system: System, bare: list[Sentence], protocol: Protocol, device: torch.device) -> int:
    """How many triples a system finds."""
    with torch.inference_mode(), autocast(protocol.precision, device):
        return sum(map(len, predict(system, system.encode(bare).to(device))))


def _gold(sentences: list[Sentence]) -> int:
    return sum(len(sentence.triples) for sentence in sentences)


def _fitted(found: int, gold: int) -> bool:
    return gold / FITTED <= found <= gold * FITTED


def _train(folder: Path, point: SizePoint) -> Measurement:
    system, sentences, device = _build(point)
    write_atomically(folder / PARAMETERS, str(sum(p.numel() for p in system.parameters())))
    fitting = _Fitting(point, system, sentences, device)
    system.train()
    held = held_bytes(device)
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < point.study.steps:
        times.append(fitting.step())
        if len(times) > 1 and time.perf_counter() - begun > point.study.seconds:
            break
    most = most_bytes(device)
    fitting.finish(point.study.fit_seconds)
    torch.save(system.state_dict(), folder / WEIGHTS)
    return Measurement(
        kind="training",
        seconds=statistics.median(times[1:]),
        repeats=len(times) - 1,
        memory_bytes=max(0, most - held),
        held_bytes=held,
        gold=_gold(sentences),
    )


def _infer(folder: Path, point: SizePoint) -> Measurement:
    system, sentences, device = _build(point)
    trained = (folder / WEIGHTS).exists()
    if trained:
        system.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
    system.eval()
    bare = [sentence.bare() for sentence in sentences]
    held = held_bytes(device)
    times: list[float] = []
    decoding: list[float] = []
    protocol, clock = _protocol(point), EncoderClock(system, device)
    predicted, gold = _found(system, bare, protocol, device), _gold(sentences)
    with torch.inference_mode(), autocast(protocol.precision, device):
        begun = time.perf_counter()
        while len(times) < MOST_PASSES:
            clock.seconds = 0.0
            stages = stage_seconds(system, bare, device)
            times.append(stages["total"])
            decoding.append(stages["forward"] - clock.seconds + stages["decode"])
            late = time.perf_counter() - begun > point.study.seconds
            if late and len(times) >= FEWEST_PASSES:
                break
    return Measurement(
        kind="inference",
        seconds=statistics.median(times),
        decoding_seconds=statistics.median(decoding) if clock.found else None,
        repeats=len(times),
        memory_bytes=max(0, most_bytes(device) - held),
        held_bytes=held,
        gold=gold,
        predicted=predicted,
        fitted=trained and _fitted(predicted, gold),
    )


class EncoderClock:
    """Wall clock that a system's module `encoder` takes, summed over its calls.

    Attributes:
        found: whether the system has called such a module.
        seconds: so far; set to zero to begin again.
    """

    def __init__(self, system: nn.Module, device: torch.device) -> None:
        self.seconds, self.found, self.device = 0.0, False, device
        encoder = getattr(system, "encoder", None)
        if isinstance(encoder, nn.Module):
            encoder.register_forward_pre_hook(self._begin)
            encoder.register_forward_hook(self._end)

    def _begin(self, *_: object) -> None:
        synchronise(self.device)
        self.begun = time.perf_counter()

    def _end(self, *_: object) -> None:
        synchronise(self.device)
        self.seconds += time.perf_counter() - self.begun
        self.found = True
