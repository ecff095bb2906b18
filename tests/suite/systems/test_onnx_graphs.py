"""Predictions by onnxruntime against torch's, and folders of graphs that are refused."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from baselines.casrel.system import CasRel
from suite.errors import SuiteError
from suite.fastre.system import FastRE
from suite.systems import onnx_graphs
from suite.systems.capabilities import Axis, Exports, Graph
from suite.systems.contract import System, predict
from suite.systems.onnx_graphs import OnnxEngine, check_exports, export_onnx
from suite.systems.registry import make_settings
from suite.tasks.examples import Sentence
from suite.tasks.items import Prediction
from tests.corpus import SCHEMA, SENTENCES, resources

SMALL = {"width": 16, "attention_heads": 2, "type_width": 4, "dilations": (1, 2)}
LONGEST = 30
"""Words of a sentence, as `tests.corpus.resources` has them."""
TOLERANCE = 1e-5
"""Of scores: the engines sum in another order."""
pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(p) is None for p in ("onnx", "onnxruntime", "onnxscript")),
    reason="the packages of the extra `onnx` are not installed",
)


def scattered(**settings: object) -> FastRE:
    """A FastRE whose weights are drawn so that it finds heads and tails everywhere."""
    torch.manual_seed(5)
    made = make_settings(FastRE, {**SMALL, **settings})
    system = FastRE.build(made, SCHEMA, resources(pretrained=False)).eval()
    with torch.no_grad():
        for scores in (system.head_scores, system.tail_scores):
            scores.weight.normal_(0, 1)
            scores.bias.uniform_(-1, 1)
    return system


def sentences(lengths: Sequence[int], seed: int = 0) -> list[Sentence]:
    """Words of the corpus in any order."""
    draw = random.Random(seed)
    words = sorted({word for s in SENTENCES for word in s.words})
    return [Sentence(str(i), tuple(draw.choices(words, k=n))) for i, n in enumerate(lengths)]


BATCHES = (
    *([n] for n in range(1, LONGEST + 1)),
    [1, 1],
    [2, 30, 1],
    [7] * 5,
    [random.Random(1).randint(1, LONGEST) for _ in range(128)],
)
"""Lengths of the sentences of batches: every length, padded or not, 1 to 128 sentences."""


def assert_same(
    ours: Sequence[Sequence[Prediction]], theirs: Sequence[Sequence[Prediction]]
) -> int:
    """Asserts that two engines find the same items with the same scores; how many."""
    for one, other in zip(ours, theirs, strict=True):
        assert {p.item: p.score for p in one} == pytest.approx(
            {p.item: p.score for p in other}, abs=TOLERANCE
        )
    return sum(map(len, ours))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"thresholds": "global", "gate": "highway", "mapping": False},
        {"gate": "none", "relations_of_types": False, "kernel": 5, "dilations": (1, 2, 4, 8, 16)},
        {
            "residual": False,
            "attention_heads": 1,
            "span_rule": "until next start",
            "tail_rule": "public code",
        },
    ],
    ids=str,
)
def test_onnx_predicts_what_torch_does(settings: dict[str, object], tmp_path: Path) -> None:
    system = scattered(**settings)
    export_onnx(system, tmp_path)
    engine = OnnxEngine(system, tmp_path)
    found = 0
    for seed, lengths in enumerate(BATCHES):
        batch = system.encode(sentences(lengths, seed))
        with torch.inference_mode():
            found += assert_same(engine.predict(batch), predict(system, batch))
    assert found > 100, "the test would not see a difference"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[FastRE, Path]:
    system, folder = scattered(), tmp_path_factory.mktemp("graphs")
    export_onnx(system, folder)
    return system, folder


def copied(folder: Path, to: Path) -> Path:
    for path in folder.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def test_a_batch_without_a_head_has_no_triples(exported: tuple[FastRE, Path]) -> None:
    system, folder = exported
    batch = system.encode(sentences([4, 2]))
    engine = OnnxEngine(system, folder)

    def without_heads(name: str, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        assert name == "sentences", "there are no tails to score"
        h, sentence_part, head_scores = engine.run(name, tensors)
        head_scores[..., -1] = 100
        return h, sentence_part, head_scores

    assert system.decode(batch, system.forward_by(without_heads, batch)) == [[], []]


def test_exporting_leaves_the_system_as_it_was(tmp_path: Path, slight: None) -> None:
    system = scattered().train()
    before = {name: tensor.clone() for name, tensor in system.state_dict().items()}
    export_onnx(system, tmp_path)
    assert system.training
    assert all(torch.equal(before[name], tensor) for name, tensor in system.state_dict().items())
    assert {path.name for path in tmp_path.iterdir()} == {
        "graphs.json",
        "sentences.onnx",
        "tails.onnx",
    }


@pytest.fixture
def slight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs are not written by torch, which takes seconds."""
    monkeypatch.setattr(onnx_graphs, "_onnx", lambda *_: b"not a graph")


def test_threads_are_those_that_are_asked_for(
    exported: tuple[FastRE, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    options = onnx_graphs._options
    monkeypatch.setattr(onnx_graphs, "_options", lambda n: asked.append(n) or options(n))
    OnnxEngine(*exported, threads=2)
    OnnxEngine(*exported)
    assert asked == [2, torch.get_num_threads()]
    assert options(2).intra_op_num_threads == 2


def test_a_system_without_graphs_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    system = CasRel.build(CasRel.Settings(), SCHEMA, resources(pretrained=True))
    for refused in (
        lambda: export_onnx(system, tmp_path),
        lambda: OnnxEngine(system, tmp_path),
        lambda: check_exports(CasRel),
    ):
        with pytest.raises(SuiteError, match=r"CasRel \(casrel\) cannot be exported"):
            refused()
    assert not [*tmp_path.iterdir()]
    check_exports(FastRE)


class Unwritable(FastRE):
    """Asks for the value of a tensor, which no graph can hold."""

    def _sentence_graph(self, vectors: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        return super()._sentence_graph(vectors if lengths.sum() > 1 else -vectors, lengths)


class Fixed(FastRE):
    """Says of an axis that it varies, and computes with one length alone."""

    def _sentence_graph(self, vectors: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        return super()._sentence_graph(vectors + torch.ones(len(vectors), 1, 1), lengths)


@pytest.mark.parametrize("system", [Unwritable, Fixed])
def test_a_graph_that_torch_cannot_write_is_named(system: type[FastRE], tmp_path: Path) -> None:
    built = system.build(make_settings(FastRE, SMALL), SCHEMA, resources(pretrained=False))
    with pytest.raises(SuiteError, match="the graph 'sentences' of fastre cannot be exported"):
        export_onnx(built, tmp_path)
    assert not [*tmp_path.iterdir()], "nothing half-written"


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_named_with_its_remedy(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(package, monkeypatch)
    with pytest.raises(SuiteError, match=rf"{package}, .*pip install '\.\[onnx\]'"):
        export_onnx(scattered(), tmp_path)
    assert not [*tmp_path.iterdir()]


def test_without_onnxruntime_no_engine_is_made(
    exported: tuple[FastRE, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide("onnxruntime", monkeypatch)
    with pytest.raises(SuiteError, match=r"onnxruntime, .*pip install '\.\[onnx\]'"):
        OnnxEngine(*exported)


def hide(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.import_module

    def without(name: str, *arguments: Any) -> ModuleType:
        if name == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return found(name, *arguments)

    monkeypatch.setattr(onnx_graphs.importlib, "import_module", without)


def cut_off(folder: Path) -> None:
    path = folder / "tails.onnx"
    path.write_bytes(path.read_bytes()[:-100])


def altered(folder: Path) -> None:
    path = folder / "sentences.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "graphs.json"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "graphs.json").unlink(), r"graphs\.json: cannot be read: No such file"),
        (lambda f: (f / "tails.onnx").unlink(), r"tails\.onnx: cannot be read: No such file"),
        (cut_off, r"tails\.onnx: is damaged or was changed"),
        (altered, r"sentences\.onnx: is damaged or was changed"),
        (replaced('"format": 1', '"format": 2'), "of format 2, and this version reads format 1"),
        (replaced('"fastre"', '"pmei"'), "holds graphs of pmei, not of fastre"),
        (replaced('"weights"', '"weight"'), r"graphs\.json: not a list of graphs of this version"),
        (replaced('"tails"', '"../tails"'), r"graphs\.json: not a list of graphs of this version"),
    ],
)
def test_a_folder_that_is_not_as_it_was_written_is_refused(
    exported: tuple[FastRE, Path],
    tmp_path: Path,
    change: Callable[[Path], None],
    message: str,
) -> None:
    system, folder = exported
    change(copied(folder, tmp_path))
    with pytest.raises(SuiteError, match=message) as refused:
        OnnxEngine(system, tmp_path)
    assert refused.value.remedy == "Export the model again."


def test_graphs_of_other_weights_are_refused(exported: tuple[FastRE, Path]) -> None:
    other = scattered()
    with torch.no_grad():
        other.head_scores.bias[0] += 1e-6
    with pytest.raises(SuiteError, match="holds graphs of other weights than this fastre has"):
        OnnxEngine(other, exported[1])


def test_what_onnxruntime_refuses_is_said(
    exported: tuple[FastRE, Path], tmp_path: Path, slight: None
) -> None:
    """As of a file of operators that the installed version does not know."""
    export_onnx(exported[0], tmp_path)
    with pytest.raises(SuiteError, match=r"sentences\.onnx: onnxruntime .* refuses it"):
        OnnxEngine(exported[0], tmp_path)


class Doubling(torch.nn.Module):
    """The least that exports."""

    name = title = "doubling"

    def graphs(self) -> dict[str, Graph]:
        rows = Axis("rows")
        return {
            "twice": Graph(lambda x: (2 * x,), {"x": torch.ones(3)}, {"x": (rows,)}, ("twice",))
        }

    def forward_by(self, run: Any, batch: Tensor) -> Tensor:
        return run("twice", (batch,))[0]

    def decode(self, batch: Tensor, scored: Tensor) -> list[float]:
        return scored.tolist()


def test_any_system_with_graphs_can_be_run(tmp_path: Path) -> None:
    system = cast(System, Doubling())
    assert isinstance(system, Exports)
    export_onnx(system, tmp_path)
    assert OnnxEngine(system, tmp_path).predict(torch.tensor([1.0, 4.0])) == [2.0, 8.0]
