"""FastRE against its contract, its published size and a slow re-statement of its equations."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from suite.fastre.encoder import Block
from suite.fastre.settings import FastRESettings
from suite.fastre.system import FastRE
from suite.modelling.cascade import batch_targets
from suite.modelling.word_vectors import WordVectors
from suite.systems.contract import Resources, predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Entity, Sentence, Span, Triple
from suite.tasks.schema import ANY, Schema
from tests.contract import SystemContract, whole
from tests.corpus import NESTED_HEADS, SCHEMA, SENTENCES, reference, resources

SMALL = {"width": 32, "attention_heads": 4, "type_width": 8, "dropout": 0.0, "input_dropout": 0.0}

UNEVEN = {"dilations": (1, 2, 1), "widths": (16, 24, 32), "kernels": (5, 3, 3)}


class TestFastRE(SystemContract):
    system = FastRE
    settings = SMALL
    lost = NESTED_HEADS


class TestUnevenBlocks(SystemContract):
    system = FastRE
    settings = {**SMALL, **UNEVEN, "tagger_convolutions": "shared"}
    lost = NESTED_HEADS


class TestGlobalThreshold(SystemContract):
    system = FastRE
    settings = {**SMALL, "thresholds": "global"}
    steps = 250
    lost = NESTED_HEADS

    def test_threshold_is_fitted_on_what_it_is_given(self) -> None:
        system = self.fitted()
        batches = [whole(system, SENTENCES)]
        system.calibrate(batches, reference(SENTENCES))
        fitted = float(system.threshold)
        assert any(fitted == pytest.approx(t / 10) for t in range(1, 10))
        system.calibrate(batches, reference([s.bare() for s in SENTENCES]))
        assert float(system.threshold) == pytest.approx(0.9), "nothing is gold: tag least"


@pytest.mark.parametrize(
    "ablation",
    [
        {"dilations": (1, 1, 1, 1, 1, 1)},
        {"gate": "none"},
        {"gate": "highway"},
        {"residual": False},
        {"mapping": False},
        {"heads_per_step": "one"},
        {"span_rule": "until next start"},
        {"kernel": 5, "dilations": (1, 2)},
        UNEVEN,
        {**UNEVEN, "gate": "highway"},
        {"tagger_convolutions": "shared"},
    ],
    ids=str,
)
def test_every_variant_learns(ablation: dict[str, object]) -> None:
    class Variant(TestFastRE):
        settings = {**SMALL, **ablation}
        steps, learning_rate = 300, 2e-3
        lost = frozenset() if "span_rule" in ablation else NESTED_HEADS

    Variant().test_loss_falls_until_the_examples_are_reproduced()


@pytest.mark.parametrize(
    ("relations", "types", "published"), [(29, 4, 1096), (12, 3, 1092), (24, 4, 1095)]
)
def test_size_is_the_published_one(relations: int, types: int, published: int) -> None:
    """Table 3, in thousands, without word vectors: NYT10, NYT11, NYT24."""
    names = tuple(f"relation {i}" for i in range(relations))
    kinds = tuple(f"type {i}" for i in range(types))
    schema = Schema("triples", names, kinds, {r: frozenset(kinds) for r in names})
    vectors = WordVectors({"a": 2}, torch.zeros(3, 300), 300, "glove", 1.0, trained=False)
    system = FastRE.build(FastRESettings(), schema, Resources(vectors, None, max_words=100))
    assert round(sum(p.numel() for p in system.parameters()) / 1000) == published


def test_untyped_datasets_have_one_type() -> None:
    schema = Schema("triples", ("r",), (ANY,), {"r": frozenset({ANY})})
    system = TestFastRE().build(schema)
    assert system.head_scores.out_features == 2 * (1 + 1)


def small(**settings: object) -> FastRE:
    system = TestFastRE().build(**settings).eval()
    assert isinstance(system, FastRE)
    return system


def test_encoder_is_that_of_equations_1_to_4() -> None:
    system = small()
    sentence = SENTENCES[3]
    encoder = system.encoder
    ids = encoder.words.vectors.look_up(sentence.words)
    x = [
        encoder.project(encoder.words.table[id_]) + encoder.positions[i]
        for i, id_ in enumerate(ids)
    ]
    for block, rate in zip(encoder.blocks, system.settings.dilations, strict=True):
        weight, bias = block.convolutions.weight, block.convolutions.bias
        x = [gated(x, i, rate, weight, bias) for i in range(len(x))]
    h = encoder(whole(system, SENTENCES).text)[3]
    torch.testing.assert_close(h[: len(x)], torch.stack(x), rtol=1e-4, atol=1e-5)
    assert not h[len(x) :].any(), "padding stays zero"


def gated(x: list[Tensor], i: int, rate: int, weight: Tensor, bias: Tensor) -> Tensor:
    """Y_a * sigmoid(Y_b) + X at word i, the two convolutions apart."""
    width = len(x[i])
    y = []
    for part in (slice(0, width), slice(width, 2 * width)):
        value = bias[part]
        for tap in range(3):
            j = i + (tap - 1) * rate
            if 0 <= j < len(x):
                value = value + weight[part, :, tap] @ x[j]
        y.append(value)
    return y[0] * torch.sigmoid(y[1]) + x[i]


def attended(system: FastRE, layer: str, h: Tensor) -> Tensor:
    """Equations 5 to 8, head by head, word by word."""
    attention = getattr(system, layer)
    query, key, value = attention.project(h).chunk(3, dim=1)
    size = h.shape[1] // attention.heads
    rows = []
    for i in range(len(h)):
        parts = []
        for head in range(attention.heads):
            of = slice(head * size, (head + 1) * size)
            scores = torch.stack([query[i, of] @ k[of] / math.sqrt(size) for k in key])
            weights = torch.softmax(scores, 0)
            parts.append(sum(w * v[of] for w, v in zip(weights, value, strict=True)))
        rows.append(torch.cat(parts))
    return torch.stack(rows)


def convolved(layer: torch.nn.Conv1d, rows: list[Tensor], i: int) -> Tensor:
    total = torch.zeros(layer.out_channels)
    for tap in range(3):
        if 0 <= i + tap - 1 < len(rows):
            total = total + layer.weight[:, :, tap] @ rows[i + tap - 1]
    return total if layer.bias is None else total + layer.bias


def test_loss_is_that_of_equations_9_to_15() -> None:
    system = small()
    batch = whole(system, SENTENCES)
    encoded = system.encoder(batch.text)
    total = torch.zeros(())
    for row, sentence in enumerate(SENTENCES):
        h = encoded[row, : len(sentence.words)]
        total = total + head_loss(system, h, sentence) + tail_losses(system, h, sentence)
    expected = total.item() / len(SENTENCES)
    assert system.loss(batch).total.item() == pytest.approx(expected, rel=1e-4)


def head_loss(system: FastRE, h: Tensor, sentence: object) -> Tensor:
    joined = list(torch.cat([h, attended(system, "head_attention", h)], 1))
    total = torch.zeros(())
    for i in range(len(h)):
        scores = system.head_scores(convolved(system.head_hidden, joined, i).relu()).view(2, -1)
        for side in (0, 1):
            tagged = {
                SCHEMA.type_ids[next(iter(SCHEMA.head_types[t.relation]))]
                for t in sentence.triples
                if (t.head.start, t.head.end - 1)[side] == i
            }
            total = total + equation_11(scores[side], tagged, {0, 1})
    return total


def tail_losses(system: FastRE, h: Tensor, sentence: object) -> Tensor:
    joined = list(torch.cat([h, attended(system, "tail_attention", h)], 1))
    total = torch.zeros(())
    heads = {(t.head, next(iter(SCHEMA.head_types[t.relation]))) for t in sentence.triples}
    for span, kind in heads:
        own = [t for t in sentence.triples if t.head == span and kind in SCHEMA.head_types[t[1]]]
        scored = {SCHEMA.relation_ids[r] for r in SCHEMA.relations if kind in SCHEMA.head_types[r]}
        features = head_features(system, h, span.start, span.end - 1, SCHEMA.type_ids[kind])
        for i in range(len(h)):
            hidden = convolved(system.tail_hidden_sentence, joined, i)
            hidden = (hidden + convolved(system.tail_hidden_head, features, i)).relu()
            scores = system.tail_scores(hidden).view(2, -1)
            for side in (0, 1):
                tagged = {
                    SCHEMA.relation_ids[t.relation]
                    for t in own
                    if (t.tail.start, t.tail.end - 1)[side] == i
                }
                total = total + equation_11(scores[side], tagged, scored)
    return total


def head_features(system: FastRE, h: Tensor, a: int, b: int, kind: int) -> list[Tensor]:
    """w^h of section 2.3 beside each word."""
    return [
        torch.cat(
            [
                h[a] + system.start_distance.weight[abs(i - a)],
                h[b] + system.end_distance.weight[abs(i - b)],
                system.type_embedding.weight[kind],
            ]
        )
        for i in range(len(h))
    ]


def equation_11(scores: Tensor, tagged: set[int], scored: set[int]) -> Tensor:
    """One position's term; the last score is AT's."""
    threshold = scores[-1]
    total = torch.zeros(())
    positives = sum((torch.exp(scores[p]) for p in tagged), torch.exp(threshold))
    for p in tagged:
        total = total - torch.log(torch.exp(scores[p]) / positives)
    negatives = sum((torch.exp(scores[n]) for n in scored - tagged), torch.exp(threshold))
    return total - torch.log(torch.exp(threshold) / negatives)


def test_relations_that_a_type_cannot_head_are_never_predicted() -> None:
    system = small().eval()
    torch.nn.init.constant_(system.tail_scores.bias, 5.0)
    with torch.no_grad():
        system.tail_scores.bias.view(2, -1)[:, -1] = -5.0  # every relation above its threshold
        system.head_scores.bias.view(2, -1)[:] = torch.tensor([5.0, -5.0, 0.0])  # only LOC heads
        system.head_scores.weight.zero_()
        system.tail_scores.weight.zero_()
    found = {p.item.relation for row in predict(system, whole(system, SENTENCES)) for p in row}
    assert found == {r for r in SCHEMA.relations if "LOC" in SCHEMA.head_types[r]}


def test_settings_refuse_what_cannot_be_built() -> None:
    for wrong in (
        *({"width": 100}, {"kernel": 4}, {"dilations": ()}, {"dilations": (0,)}),
        *({"widths": ()}, {"widths": (128,)}, {"widths": (64,) * 6}, {"widths": (0, *[128] * 5)}),
        *({"kernels": ()}, {"kernels": (3,)}, {"kernels": (3, 3, 3, 3, 3, 4)}),
        *({"learning_rate_factor": 0.0}, {"learning_rate_factor": math.nan}),
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            FastRESettings(**wrong)


PARTS = (
    "encoder.positions encoder.project.weight encoder.project.bias "
    "{blocks} head_attention.project.weight head_attention.project.bias "
    "tail_attention.project.weight tail_attention.project.bias head_hidden.weight "
    "head_hidden.bias head_scores.weight head_scores.bias tail_hidden_sentence.weight "
    "tail_hidden_sentence.bias tail_hidden_head.weight tail_scores.weight tail_scores.bias "
    "type_embedding.weight start_distance.weight end_distance.weight threshold"
)


def test_the_published_structure_has_the_parts_that_it_always_had() -> None:
    """Models that were kept load still; the first numbers of a seed are those of before."""
    torch.manual_seed(0)
    system = FastRE.build(FastRESettings(), SCHEMA, resources(pretrained=False))
    blocks = " ".join(
        f"encoder.blocks.{i}.convolutions.{part}" for i in range(6) for part in ("weight", "bias")
    )
    parts = {name for name in system.state_dict() if not name.startswith("encoder.words.")}
    assert parts == set(PARTS.format(blocks=blocks).split())
    total = sum(float(p.detach().double().abs().sum()) for p in system.parameters())
    assert total == pytest.approx(50048.151462751775, rel=1e-9), "of the version before `widths`"
    with torch.no_grad():
        loss = system.eval().loss(whole(system, SENTENCES)).total
    assert float(loss) == pytest.approx(52.164573669433594, rel=1e-5)


def test_one_width_and_kernel_for_each_block_are_those_for_all() -> None:
    """Equal numbers however they are stated: equal weights and an equal loss."""
    losses = []
    for stated in ({}, {"widths": (32,) * 6, "kernels": (3,) * 6}):
        torch.manual_seed(1)
        system = small(**stated)
        losses.append(float(system.loss(whole(system, SENTENCES)).total.detach()))
    assert losses[0] == losses[1]


@pytest.mark.parametrize("gate", ["gated linear unit", "highway", "none"])
def test_blocks_of_two_widths_project_what_they_add(gate: str) -> None:
    """Equation 4 with a projected X, word by word."""
    torch.manual_seed(2)
    block = Block(3, 4, 3, 2, gate, residual=True).eval()
    x = torch.randn(1, 3, 7)
    assert block.carry is not None
    carried = torch.einsum("oi,bin->bon", block.carry.weight[:, :, 0], x)
    a, b = block.convolutions(x).split(4, dim=1) if gate != "none" else (block.convolutions(x), x)
    expected = {
        "gated linear unit": lambda: a * b.sigmoid() + carried,
        "highway": lambda: b.sigmoid() * carried + (1 - b.sigmoid()) * a,
        "none": lambda: a + carried,
    }[gate]()
    torch.testing.assert_close(block(x), expected)
    assert Block(3, 4, 3, 2, "none", residual=False).carry is None, "nothing is added"


def test_shared_tagger_convolutions_are_one_layer() -> None:
    apart, shared = small(), small(tagger_convolutions="shared")
    fewer = sum(p.numel() for p in apart.parameters()) - sum(p.numel() for p in shared.parameters())
    assert fewer == 2 * 32 * 32 * 3 + 32, "a kernel of 3 over [H; H_t], and its bias"
    shared.loss(whole(shared, SENTENCES)).total.backward()
    assert shared.head_hidden.weight.grad is not None


def test_targets_number_heads_through_the_batch() -> None:
    system = small()
    targets = batch_targets(whole(system, SENTENCES))
    rebuilt = {
        (int(targets.head_rows[h]), targets.heads[h, 0].item(), SCHEMA.relations[r], a)
        for h, a, _, r in targets.tails.tolist()
    }
    assert rebuilt == {
        (i, t.head.start, t.relation, t.tail.start)
        for i, s in enumerate(SENTENCES)
        for t in s.triples
    }


@pytest.mark.parametrize(
    "ablation",
    [
        {},
        {"dilations": (1, 1, 1, 1, 1, 1)},
        {"gate": "none"},
        {"residual": False},
        {"gate": "none", "residual": False},
        {"gate": "highway"},
        {"mapping": False},
        {"thresholds": "global"},
        {"widths": (64, 64, 96, 128, 192, 128)},
        {"widths": (64, 64, 96, 128, 192, 128), "gate": "highway"},
    ],
    ids=str,
)
def test_the_start_keeps_the_spread_of_what_is_read(ablation: dict[str, object]) -> None:
    """Within a factor of ten after all blocks: an ablation that cannot learn measures its start."""
    torch.manual_seed(0)
    settings = make_settings(FastRE, ablation)
    system = FastRE.build(settings, SCHEMA, resources(pretrained=False)).eval()
    seen: list[torch.Tensor] = []
    blocks = system.encoder.blocks
    blocks[0].register_forward_hook(lambda _m, inputs, _y: seen.append(inputs[0]))
    blocks[-1].register_forward_hook(lambda _m, _inputs, y: seen.append(y))
    with torch.no_grad():
        system(whole(system, SENTENCES))
    before, after = (float(x.std()) for x in seen)
    assert 0.1 < after / before < 10


def test_public_code_ends_no_tail_on_the_last_word_nor_after_21() -> None:
    schema = Schema("triples", ("r",), ("ANY",), {"r": frozenset({"ANY"})})
    words = tuple(f"w{i}" for i in range(30))
    tails = [Span(2, 23), Span(2, 24), Span(29, 30), Span(5, 6)]
    kept = [True, False, False, True]
    for tail, possible in zip(tails, kept, strict=True):
        sentence = Sentence("x", words, (Triple(Span(0, 1), "r", tail),))
        for rule, expected in (("nearest", True), ("public code", possible)):
            made = make_settings(FastRE, {**SMALL, "tail_rule": rule})
            system = FastRE.build(made, schema, resources(pretrained=False)).eval()
            (row,) = system.ceiling(whole(system, [sentence]))
            assert [p.item for p in row] == ([*sentence.triples] if expected else []), (rule, tail)


def test_tails_under_public_codes_rule_are_those_of_a_slow_search() -> None:
    """The first end at or after a start that is not the last word, at most 20 words on."""
    torch.manual_seed(3)
    system = FastRE.build(
        make_settings(FastRE, {**SMALL, "tail_rule": "public code"}),
        SCHEMA,
        resources(pretrained=False),
    ).eval()
    with torch.no_grad():
        for p in system.parameters():
            p.uniform_(-0.5, 0.5)
        rows = predict(system, whole(system, SENTENCES))
    for sentence, row in zip(SENTENCES, rows, strict=True):
        assert all(p.item.tail.end < len(sentence.words) for p in row)
    assert any(rows)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_one_seed_gives_one_set_of_digits_on_any_number_of_threads(threads: int) -> None:
    """Heads of one sentence share its vectors: their gradients are summed, in one order."""
    words = tuple(f"w{i}" for i in range(30))
    heads = [Triple(Span(i, i + 1), SCHEMA.relations[0], Span(29, 30)) for i in range(28)]
    kinds = tuple(Entity(t.head, next(iter(SCHEMA.head_types[t.relation]))) for t in heads)
    batch_of = [Sentence(str(i), words, tuple(heads), kinds) for i in range(24)]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = []
        for _ in range(4):
            torch.manual_seed(0)
            made = make_settings(FastRE, {})
            system = FastRE.build(made, SCHEMA, resources(pretrained=False)).train()
            system.loss(whole(system, batch_of)).total.backward()
            found.append([p.grad for p in system.parameters() if p.grad is not None])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))
