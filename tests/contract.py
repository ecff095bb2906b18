"""What every system must do; a system's test class derives from one of its classes."""

from __future__ import annotations

import copy
import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any, ClassVar

import pytest
import torch

from suite.modelling.batch import Batch
from suite.modelling.batching import evaluation_batches
from suite.systems.capabilities import Memorises, ScoresFacts
from suite.systems.contract import System, given, predict
from suite.systems.registry import make_settings
from suite.tasks.examples import (
    Document,
    DocumentEntity,
    Example,
    Fact,
    Mention,
    Sentence,
    Span,
    TaskName,
)
from suite.tasks.items import Item
from suite.tasks.registry import find_task
from suite.tasks.schema import Schema
from tests.corpus import CORPUS, resources

MANY = 6
"""Times that the test corpus stands in a batch that torch's threads share."""
Found = dict[str, dict[Item, float]]


class Contract(ABC):
    """Tests that every system inherits, by one of the two below.

    Attributes:
        system: its class.
        settings: of the tests, as differences to the defaults: small, and without dropout.
        task: of whose corpus the tests are; a system of several tasks has a class for each.
        pretrained: whether it needs a transformer.
        beyond: ids of examples that its equations cannot express, each with a test that says why.
        lost: ids of examples whose gold its targets, decoded, do not give back.
    """

    system: ClassVar[type[System]]
    settings: ClassVar[dict[str, Any]] = {}
    task: ClassVar[TaskName] = "triples"
    pretrained: ClassVar[bool] = False
    beyond: ClassVar[frozenset[str]] = frozenset()
    lost: ClassVar[frozenset[str]] = frozenset()
    _fitted: ClassVar[System]

    @property
    def schema(self) -> Schema:
        """Of the task's corpus."""
        return CORPUS[self.task][0]

    @property
    def examples(self) -> Sequence[Example]:
        """The task's corpus."""
        return CORPUS[self.task][1]

    def gold(self, example: Example) -> set[Item]:
        """The gold items, evidence left out, which no system predicts."""
        items = find_task(self.task).gold(example)
        return {item._replace(evidence=()) if isinstance(item, Fact) else item for item in items}

    def build(self, schema: Schema | None = None, **settings: Any) -> System:
        """A system of the tests' settings, from a fixed seed."""
        torch.manual_seed(1)
        made = make_settings(self.system, {**self.settings, **settings})
        return self.system.build(made, schema or self.schema, self._resources)

    @cached_property
    def _resources(self) -> Any:
        return resources(pretrained=self.pretrained, examples=self.examples)

    def fitted(self) -> System:
        """A copy of a system that should know the test corpus by heart."""
        if "_fitted" not in vars(type(self)):
            type(self)._fitted = self._fit()
        return copy.deepcopy(type(self)._fitted)

    @abstractmethod
    def _fit(self) -> System:
        """A system that knows the test corpus."""

    def test_does_the_task(self) -> None:
        assert self.task in self.system.tasks

    def test_says_who_it_is(self) -> None:
        system = self.system
        assert system.name == system.name.lower()
        assert system.title
        assert any(year in system.citation for year in map(str, range(2000, 2030)))
        assert system.departures
        assert all(d.endswith(".") for d in system.departures)

    def test_settings_are_documented_and_frozen(self) -> None:
        doc = "".join(part.__doc__ or "" for part in self.system.Settings.__mro__)
        missing = [f.name for f in fields(self.system.Settings) if f.name not in doc]
        assert not missing, f"undocumented settings: {missing}"
        assert self.system.Settings.__dataclass_params__.frozen

    def test_published_settings_exist(self) -> None:
        make_settings(self.system, self.system.published.settings)

    def test_perfect_scores_give_gold_back(self) -> None:
        """But for what the scheme loses, and that is no more than what is said."""
        system = self.build()
        best = system.ceiling(whole(system, self.examples))
        found = zip(self.examples, best, strict=True)
        wrong = {e.id for e, row in found if {p.item for p in row} != self.gold(e)}
        assert wrong == self.lost

    def test_predictions_do_not_depend_on_batch_size_padding_or_order(self) -> None:
        system = self.fitted()
        alone = predictions(system, self.examples, size=1)
        for found in (
            predictions(system, self.examples, size=len(self.examples)),
            predictions(system, self.examples[::-1], size=2),
        ):
            assert found.keys() == alone.keys()
            for name, row in alone.items():
                assert found[name] == pytest.approx(row, abs=1e-4), name

    def test_scores_are_probabilities_and_predictions_distinct(self) -> None:
        system = self.fitted()
        for row in predict(system, whole(system, self.examples)):
            assert all(0 < p.score <= 1 for p in row)
            assert len({p.item for p in row}) == len(row)

    def test_saves_and_loads(self) -> None:
        system = self.fitted()
        buffer = io.BytesIO()
        torch.save(system.state_dict(), buffer)
        buffer.seek(0)
        torch.manual_seed(99)
        other = self.system.build(system.settings, self.schema, self._resources).eval()
        other.load_state_dict(torch.load(buffer, weights_only=True))
        assert predictions(other, self.examples, size=3) == predictions(
            system, self.examples, size=3
        )

    def test_same_seed_same_weights(self) -> None:
        one, other = self.build().state_dict(), self.build().state_dict()
        assert all(torch.equal(one[name], other[name]) for name in one)

    def test_runs_on_cuda(self) -> None:
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here: that a system works on one is not checked")
        system = self.fitted().to("cuda")
        encoded = system.encode(self.examples).to("cuda")
        batch = encoded.select(torch.arange(len(self.examples), device="cuda"))
        assert system.loss(batch).total.device.type == "cuda"
        found = zip(self.examples, predict(system, batch), strict=True)
        wrong = {e.id for e, row in found if {p.item for p in row} != self.gold(e)}
        assert wrong <= self.beyond | self.lost

    def test_relations_and_types_that_train_lacks_are_no_target(self) -> None:
        whole_schema = self.schema
        known, types = whole_schema.relations[:1], whole_schema.entity_types
        if self.task == "ner":
            types = types[:1]
        heads = {r: whole_schema.head_types[r] for r in known if self.task == "triples"}
        system = self.build(Schema(self.task, known, types, heads))
        rows = system.ceiling(whole(system, self.examples))
        found = {p.item.type if self.task == "ner" else p.item.relation for r in rows for p in r}
        assert found == set(types if self.task == "ner" else known)

    def test_an_untrained_system_does_not_run_out_of_memory(self) -> None:
        system = self.build().eval()
        for p in system.parameters():
            torch.nn.init.uniform_(p, -0.5, 0.5)
        words = tuple(f"w{i}" for i in range(30))
        long: Example = Sentence("long", words)
        if self.task == "docre":
            mentions = [(Mention(Span(i, i + 1), 0),) for i in range(30)]
            entities = tuple(DocumentEntity(f"w{i}", "PER", m) for i, m in enumerate(mentions))
            long = Document("long", "long", words, (0,), entities)
        with torch.inference_mode():
            predict(system, whole(system, [long] * 8))

    def test_gold_is_no_part_of_what_is_given(self) -> None:
        """Predictions are the same whether or not gold was there to be encoded."""
        system = self.fitted()
        bare = [given(system, e) for e in self.examples]
        assert predictions(system, bare, size=3) == predictions(system, self.examples, size=3)

    def test_pretrained_parameters_are_the_systems_own(self) -> None:
        system = self.build()
        own = {id(p) for p in system.parameters()}
        assert {id(p) for p in system.pretrained_parameters()} <= own


class SystemContract(Contract):
    """Tests of a system that is trained by steps.

    Attributes:
        steps, learning_rate: after which it must reproduce the test corpus.
    """

    steps: ClassVar[int] = 120
    learning_rate: ClassVar[float] = 3e-3

    def _fit(self) -> System:
        system = self.build()
        batch = whole(system, self.examples)
        optimiser = torch.optim.AdamW(system.parameters(), lr=self.learning_rate)
        system.train()
        for _ in range(self.steps):
            optimiser.zero_grad()
            system.loss(batch).total.backward()
            optimiser.step()
        system.eval()
        if isinstance(system, ScoresFacts) and self.task == "docre":
            system.decide_at(0.5)
        return system

    def test_loss_falls_until_the_examples_are_reproduced(self) -> None:
        fresh = self.build()
        before = fresh.loss(whole(fresh, self.examples)).total.item()
        system = self.fitted()
        after = system.loss(whole(system, self.examples)).total.item()
        assert after < before / 5
        found = predictions(system, self.examples, size=3)
        wrong = {s.id for s in self.examples if set(found[s.id]) != self.gold(s)}
        assert wrong <= self.beyond | self.lost

    def test_parts_sum_to_the_total(self) -> None:
        system = self.build()
        loss = system.loss(whole(system, self.examples))
        assert float(sum(loss.parts.values())) == pytest.approx(loss.total.item(), rel=1e-5)
        assert all(not part.requires_grad for part in loss.parts.values())

    def test_loss_is_a_mean_over_examples(self) -> None:
        """So that a batch that is accumulated in parts has the gradient of the whole one."""
        system = self.build().eval()
        together = system.loss(whole(system, self.examples)).total.item()
        alone = [system.loss(whole(system, [s])).total.item() for s in self.examples]
        assert together == pytest.approx(sum(alone) / len(alone), rel=1e-4)

    def test_losses_do_not_depend_on_padding_or_neighbours(self) -> None:
        """Of a fresh system: a fitted one is too sure of itself to show what leaks in."""
        system = self.build().eval()
        torch.manual_seed(0)
        together = system.loss(whole(system, self.examples)).total
        alone = [system.loss(whole(system, [e])).total for e in self.examples]
        torch.testing.assert_close(together, torch.stack(alone).mean(), rtol=1e-4, atol=1e-4)

    def test_the_same_seed_gives_the_same_digits_on_several_threads(self) -> None:
        """Of so large a batch that torch divides it among its threads."""
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            one, other = self._two_steps(), self._two_steps()
        finally:
            torch.set_num_threads(before)
        assert all(torch.equal(one[name], other[name]) for name in one)

    def _two_steps(self) -> dict[str, torch.Tensor]:
        system = self.build().train()
        batch = whole(system, [*self.examples] * MANY)
        optimiser = torch.optim.AdamW(system.parameters(), lr=1e-3)
        for _ in range(2):
            optimiser.zero_grad()
            system.loss(batch).total.backward()
            optimiser.step()
        return system.state_dict()

    def test_runs_under_autocast(self) -> None:
        system = self.fitted()
        with torch.autocast("cpu", torch.bfloat16):
            batch = whole(system, self.examples)
            loss = system.train().loss(batch).total
            loss.backward()
            rows = predict(system.eval(), batch)
        assert torch.isfinite(loss)
        found = {s.id: {p.item for p in row} for s, row in zip(self.examples, rows, strict=True)}
        same = sum(found[s.id] == self.gold(s) for s in self.examples)
        assert same >= len(self.examples) - len(self.beyond | self.lost) - 1

    def test_a_batch_without_gold_has_a_loss(self) -> None:
        system = self.build().train()
        bare = [given(system, e) for e in self.examples]
        loss = system.loss(whole(system, bare)).total
        loss.backward()
        assert torch.isfinite(loss)


class MemoryContract(Contract):
    """Tests of a system that keeps what train says, and has nothing to train."""

    def _fit(self) -> System:
        system = self.build()
        assert isinstance(system, Memorises)
        system.memorise(self.examples)
        if isinstance(system, ScoresFacts) and self.task == "docre":
            system.decide_at(0.5)
        return system.eval()

    def test_nothing_is_trained(self) -> None:
        system = self.fitted()
        assert not list(system.parameters())
        loss = system.loss(whole(system, self.examples))
        assert (loss.total, loss.parts) == (0, {})

    def test_what_train_says_is_said_of_it(self) -> None:
        """All of its gold, and more where train says more of the same names."""
        found = predictions(self.fitted(), self.examples, size=3)
        lacking = {e.id for e in self.examples if not self.gold(e) <= set(found[e.id])}
        assert lacking <= self.lost
        more = {e.id for e in self.examples if set(found[e.id]) - self.gold(e)}
        assert more - self.lost == self.beyond

    def test_a_fresh_one_says_nothing(self) -> None:
        found = predictions(self.build().eval(), self.examples, size=3)
        assert not any(found.values())

    def test_it_keeps_the_last_that_it_was_told(self) -> None:
        system = self.fitted()
        system.memorise(self.examples[:1])  # type: ignore[operator]
        once = self.build().eval()
        once.memorise(self.examples[:1])  # type: ignore[operator]
        for some in (system, once):
            if isinstance(some, ScoresFacts):
                some.decide_at(0.5)
        assert predictions(system, self.examples, 3) == predictions(once, self.examples, 3)


def whole(system: System, examples: Sequence[Example]) -> Batch:
    """All examples in one batch."""
    return system.encode(examples)


def predictions(system: System, examples: Sequence[Example], size: int) -> Found:
    """Predictions by example id, in batches of the given size."""
    encoded = system.encode(examples)
    found: Found = {}
    with torch.inference_mode():
        for rows in evaluation_batches(encoded.lengths, size):
            for i, row in zip(rows.tolist(), predict(system, encoded.select(rows)), strict=True):
                found[examples[i].id] = {p.item: p.score for p in row}
    return found
