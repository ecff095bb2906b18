"""GRTE against its contract and a slow re-statement of its equations."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.grte import system as grte
from baselines.grte.labels import label_cells
from baselines.grte.mining import Attention, AttentionMining, GRUMining
from baselines.grte.system import GRTE
from suite.errors import SuiteError
from suite.modelling import room
from suite.modelling.word_tables import Layout
from suite.systems.contract import System, predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Sentence
from suite.tasks.schema import ANY, Schema
from tests.contract import SystemContract, whole
from tests.corpus import SCHEMA, SENTENCES, sentence
from tests.memory import memory_of_a_step

ABLATIONS: dict[str, dict[str, Any]] = {
    "GRTE": {},
    "w/o mining": {"mining": "none"},
    "GRU": {"mining": "gru"},
    "one head": {"heads": 1},
    "parameters of a round's own": {"own_rounds": True},
    "public code": {"activation": "elu", "outer_norm": False, "reverse": False},
    "wider": {"activation": "gelu", "width": 24, "feed_forward": 2},
}
EXPECTED = {"relu": functional.relu, "elu": functional.elu, "gelu": functional.gelu}


class TestGRTE(SystemContract):
    system = GRTE
    settings = {"dropout": 0.0, "rounds": 2, "feed_forward": 1}
    pretrained = True
    steps = 50
    learning_rate = 3e-3


class TestGRTEOnLSTM(SystemContract):
    system = GRTE
    settings = {
        "encoder": "bilstm",
        "lstm_width": 64,
        "dropout": 0.0,
        "rounds": 2,
        "feed_forward": 1,
    }
    steps = 150
    learning_rate = 5e-3

    def build(self, schema: Schema | None = None, **settings: Any) -> System:
        """As ever, but for the words that training makes unknown, which chance decides."""
        system: Any = super().build(schema, **settings)
        system.encoder.words.unknown_rate = 0.0
        return system


def small(**settings: Any) -> Any:
    return (
        TestGRTEOnLSTM()
        .build(**{"lstm_width": 12, "heads": 3, "feed_forward": 4, **settings})
        .eval()
    )


def slow_attention(layer: Attention, x: Tensor, source: Tensor) -> Tensor:
    """Of words x to words of the source, head by head; then the sum is normalised."""
    query, key, value = layer.query(x), layer.key(source), layer.value(source)
    size = query.shape[1] // layer.heads
    heads = []
    for h in range(layer.heads):
        own = slice(h * size, (h + 1) * size)
        weights = (query[:, own] @ key[:, own].t() / math.sqrt(size)).softmax(1)
        heads.append(weights @ value[:, own])
    return layer.norm(x + layer.out(torch.cat(heads, 1)))


def slow_mining(
    mining: AttentionMining | GRUMining, features: Tensor, vectors: Tensor, h: Tensor
) -> Tensor:
    """The next round's vectors of a sentence's words."""
    if isinstance(mining, GRUMining):
        return torch.stack([mining.cell(f, v) for f, v in zip(features, vectors, strict=True)])
    x = slow_attention(mining.among_themselves, features, features)
    x = slow_attention(mining.to_words, x, h)
    first, _, second, _ = mining.feed_forward
    x = mining.norm(x + second(functional.gelu(first(x))))
    return mining.outer_norm(vectors + x)


def slow_table(system: GRTE, h: Tensor) -> Tensor:
    """The last round's scores of one sentence's words: subjects, objects, labels, relations."""
    subjects, objects = system.subjects(h), system.objects(h)
    rounds = 1 if system.settings.mining == "none" else system.settings.rounds
    for number in range(rounds):
        own = number if system.settings.own_rounds else 0
        table: Any = system.tables[own]
        rows = []
        for s in subjects:
            products = torch.stack([s * o for o in objects])
            rows.append(table.scores(EXPECTED[system.settings.activation](products)))
        scores = torch.stack(rows)
        if number < rounds - 1:
            here: Any = system.rounds[own]
            free = scores if table.scores.bias is None else scores - table.scores.bias
            tops = [here.subjects(free.amax(1)), here.objects(free.amax(0))]
            subjects = slow_mining(here.mining, tops[0], subjects, h)
            objects = slow_mining(here.mining, tops[1], objects, h)
    return scores.unflatten(2, (8, -1))


def slow_loss(system: GRTE, sentence: Sentence, h: Tensor) -> Tensor:
    scores = slow_table(system, h)
    total = -scores.log_softmax(2)[:, :, 0].sum()
    for i, j, r, label in label_cells(sentence.triples, SCHEMA.relation_ids):
        total = total + scores[i, j, 0, r] - scores[i, j, label, r]
    return total


@pytest.mark.parametrize("settings", ABLATIONS.values(), ids=ABLATIONS)
def test_loss_and_gradients_are_those_of_the_equations(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks of a few pairs, padded, against each sentence whole and by itself."""
    system = small(**settings).double()
    width = system.table(0).scores.in_features + system.table(0).scores.out_features
    monkeypatch.setattr(room, "NUMBERS_IN_CACHE", 20 * width)
    for p in system.parameters():
        if p.dim() == 1:
            nn.init.normal_(p)
    loss = system.loss(whole(system, SENTENCES)).total
    each = [slow_loss(system, s, system.encoder(whole(system, [s]).text)[0]) for s in SENTENCES]
    expected = torch.stack(each).mean()
    torch.testing.assert_close(loss, expected)
    weights = [p for p in system.parameters() if p.requires_grad]
    assert len(weights) > 10
    found, slow = (torch.autograd.grad(x, weights) for x in (loss, expected))
    for own, other in zip(found, slow, strict=True):
        torch.testing.assert_close(own, other)


@pytest.mark.parametrize("settings", ABLATIONS.values(), ids=ABLATIONS)
def test_predictions_are_the_largest_scores_of_the_equations(settings: dict[str, Any]) -> None:
    system = small(**settings)
    nn.init.normal_(system.tables[-1].scores.bias)
    one = SENTENCES[1]
    batch = whole(system, [one])
    with torch.no_grad():
        scores = slow_table(system, system.encoder(batch.text)[0]).softmax(2)
        cells = system(batch).cells
    top, label = scores.max(2)
    expected = {
        (i, j, r, label[i, j, r].item()): top[i, j, r].item()
        for i, j, r in label.nonzero().tolist()
    }
    keys = torch.stack(cells[1:-1], 1).tolist()
    assert dict(zip(map(tuple, keys), cells.scores.tolist(), strict=True)) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("mining", ["attention", "gru"])
def test_mining_that_is_done_again_has_the_same_gradient(
    mining: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same dropout, where tables take most of the work: here, or always."""
    found = []
    for cheap in (10**9, 0):
        monkeypatch.setattr(grte, "CHEAP", cheap)
        system = small(mining=mining, dropout=0.3).train()
        assert system._mined_again(9) is (cheap == 0)
        torch.manual_seed(3)
        loss = system.loss(whole(system, SENTENCES)).total
        found.append([loss, *torch.autograd.grad(loss, list(system.parameters()))])
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)
    monkeypatch.undo()
    assert not small()._mined_again(100)
    assert small(width=1)._mined_again(200)


def test_public_codes_parameters_are_counted() -> None:
    """119,387,328 in all at 24 relations, of which 108,310,272 are BERT-base-cased's."""
    width, relations = 768, 24
    mining = AttentionMining(width, width, 12, 4, 0.1, outer_norm=False)
    assert sum(p.numel() for p in mining.parameters()) == 9_451_776
    operands = 2 * (width * width + width)
    table = (width + 1) * 8 * relations + 2 * (8 * relations + 1) * width
    assert 108_310_272 + 9_451_776 + operands + table == 119_387_328
    own = small()
    d, r = 12, len(SCHEMA.relations)
    counted = sum(p.numel() for name, p in own.named_parameters() if "encoder" not in name)
    layer = 2 * (4 * (d * d + d) + 2 * d) + 8 * d * d + 5 * d + 2 * d
    expected = layer + 2 * (d * d + d) + (d + 1) * 8 * r + 2 * (8 * r + 1) * d + 2 * d
    assert counted == expected


def test_rounds_share_their_parameters_or_have_their_own() -> None:
    shared, own = small(rounds=4), small(rounds=4, own_rounds=True)
    assert (len(shared.tables), len(shared.rounds)) == (1, 1)
    assert (len(own.tables), len(own.rounds)) == (4, 3)
    assert not len(small(mining="none", rounds=4).rounds)
    assert not len(small(rounds=1).rounds)


def test_what_padding_holds_reaches_no_word() -> None:
    """Not by a maximum, not by attention: a far longer neighbour changes nothing."""
    system = small().double()
    long = sentence("long", " ".join(f"w{i}" for i in range(29)))
    short = SENTENCES[0]
    with torch.no_grad():
        for text in (whole(system, [short]), whole(system, [long, short])):
            layout = Layout.of(text)
            subjects, objects, _ = system._last_operands(text, layout)
            of_short = layout.owners == 0
            found = torch.cat([subjects[of_short], objects[of_short]], 1)
            if len(text) == 1:
                alone = found
    torch.testing.assert_close(found, alone)


def test_reverse_search_is_a_matter_of_decoding() -> None:
    nested = sentence(
        "nested",
        "New York City , America",
        ("New York", "part of", "America"),
        ("New York City", "part of", "America"),
    )
    gold = set(nested.triples)
    for reverse in (True, False):
        system = small(reverse=reverse)
        best = {p.item for p in system.ceiling(whole(system, [nested]))[0]}
        assert best == (gold if reverse else {nested.triples[0]})


@pytest.mark.parametrize(
    ("text", "relations"), [("Why", 1), ("Leeds", 4), ("one two", 1)], ids=["word", "many", "two"]
)
def test_a_word_and_a_relation_are_enough(text: str, relations: int) -> None:
    names = SCHEMA.relations[:relations]
    schema = Schema("triples", names, (ANY,), dict.fromkeys(names, frozenset({ANY})))
    system = TestGRTEOnLSTM().build(schema, lstm_width=12, heads=3)
    batch = whole(system, [sentence("only", text)])
    loss = system.loss(batch).total
    loss.backward()
    assert torch.isfinite(loss)
    predict(system.eval(), batch)


@pytest.mark.parametrize(
    "wrong",
    [{"rounds": 0}, {"heads": 0}, {"feed_forward": 0}, {"width": 0}, {"lstm_width": 33},
     {"dropout": 1.0}, {"activation": "tanh"}],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SuiteError):
        make_settings(GRTE, wrong)


def test_a_search_varies_what_the_page_names() -> None:
    class First:
        def suggest_categorical(self, name: str, choices: Any) -> Any:
            return choices[-1]

        def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
            return high

        def suggest_float(self, name: str, low: float, high: float, **_: Any) -> float:
            return high

    for encoder in ("pretrained", "bilstm"):
        settings = make_settings(GRTE, {"encoder": encoder})
        found = GRTE.vary(settings, First())
        varied = make_settings(GRTE, {"encoder": encoder, **found})
        assert {name for name in asdict(settings) if name not in found} == (
            {"encoder"} if encoder == "bilstm" else {"encoder", "lstm_width"}
        )
        assert varied.rounds == 5


def test_memory_of_a_step_is_far_below_that_of_its_tables() -> None:
    """Six tables of 60 words and 240 relations are 158 MB a round: three rounds take less than two.

    Whole ones would be held three times over, as scores, as probabilities and as their slopes. With
    fewer relations, what a process takes for its first step would be most of what is measured.
    """
    settings = {"encoder": "bilstm", "lstm_width": 48, "rounds": 3}
    trained, _ = memory_of_a_step(GRTE, settings, relations=240, sentences=6, length=60)
    assert trained < 2 * 6 * 60 * 60 * 8 * 240 * 4 / 2**20
