"""Systems as ONNX: writes a system's graphs, and computes them by onnxruntime.

A folder of graphs belongs to one system with one state of its weights. It holds the network alone:
whoever runs it builds the system as well, for its words, vectors and decoding.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from suite.errors import SuiteError
from suite.files import StrictModel, read_model, read_regular, readable, write_atomically
from suite.systems.capabilities import Axis, Exports, Graph
from suite.systems.contract import System
from suite.tasks.items import Prediction

FORMAT: Literal[1] = 1
INDEX = "graphs.json"
OPSET = 20
"""Of ONNX's operators; torch writes it since 2.6 and onnxruntime reads it since 1.17."""
_INSTALL = "Install it: pip install '.[onnx]'."
_AGAIN = "Export the model again."

GraphName = Annotated[str, Field(pattern=r"^\w+$")]
"""Names a file as well."""


class GraphFile(StrictModel):
    """One graph in the folder.

    Attributes:
        digest: SHA-256 of its content.
        inputs, outputs: names, in the order of the system's.
    """

    digest: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class GraphIndex(StrictModel):
    """`graphs.json`.

    Attributes:
        format: of the folder.
        system: whose graphs they are, the registry's key.
        weights: SHA-256 of its state.
        graphs: by name; that of `tails` lies in `tails.onnx`.
        versions: of the packages that wrote them.
    """

    format: Literal[1] = FORMAT
    system: str
    weights: str
    graphs: dict[GraphName, GraphFile]
    versions: dict[str, str]


def export_onnx(system: System, folder: Path) -> GraphIndex:
    """Writes a system's graphs, in float32, with every axis that `graphs` says may vary.

    Args:
        system: trained; on the CPU.
        folder: is made where there is none; files of the same names are replaced.

    Raises:
        SuiteError: the system has no graphs, a package is missing, torch cannot write a graph, or
            the folder cannot be written.
    """
    check_exports(system)
    for package in ("onnx", "onnxscript"):
        _needed(package)
    training = system.training
    system.eval()
    try:
        with torch.no_grad():
            graphs = cast(Exports, system).graphs()
            written = {name: _onnx(system, name, graph) for name, graph in graphs.items()}
    finally:
        system.train(training)
    files = {
        name: _write(folder / f"{name}.onnx", written[name], graph)
        for name, graph in graphs.items()
    }
    index = GraphIndex(
        system=system.name,
        weights=_state_digest(system),
        graphs=files,
        versions={name: _version(name) for name in ("torch", "onnx", "onnxscript")},
    )
    write_atomically(folder / INDEX, index.model_dump_json(indent=1))
    return index


def check_exports(system: System | type[System]) -> None:
    """Refuses a system that has no graphs.

    Raises:
        SuiteError: it has none.
    """
    able = issubclass(system if isinstance(system, type) else type(system), Exports)
    if not able:
        raise SuiteError(
            f"{system.title} ({system.name}) cannot be exported: it gives no graphs of its network",
            remedy="Run it by torch, or give it the methods of suite.systems.capabilities.Exports.",
        )


class OnnxEngine:
    """A system whose network onnxruntime computes, on the CPU and in float32.

    Encoding, decisions on the way and decoding are the system's own.

    Args:
        system: with the weights that were exported; on the CPU, in evaluation mode.
        folder: that `export_onnx` wrote.
        threads: of onnxruntime; None: as many as torch has.

    Raises:
        SuiteError: the package is missing, or the folder holds no graphs, damaged ones, another
            system's, or those of other weights.
    """

    def __init__(self, system: System, folder: Path, threads: int | None = None) -> None:
        check_exports(system)
        self.system, self._exports = system, cast(Exports, system)
        index = read_model(folder / INDEX, GraphIndex, "list of graphs", _AGAIN, FORMAT)
        _check_owner(index, system, folder)
        options = _options(threads or torch.get_num_threads())
        self._sessions = {
            name: _session(folder / f"{name}.onnx", graph, options)
            for name, graph in index.graphs.items()
        }
        self._graphs = index.graphs

    def predict(self, batch: Any) -> list[list[Prediction]]:
        """From an encoded batch to its predictions, as `suite.systems.contract.predict`."""
        with torch.no_grad():
            return self.system.decode(batch, self._exports.forward_by(self.run, batch))

    def run(self, name: str, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What a graph gives."""
        graph = self._graphs[name]
        given = {i: t.detach().numpy() for i, t in zip(graph.inputs, tensors, strict=True)}
        return tuple(map(torch.from_numpy, self._sessions[name].run(None, given)))


class _Network(nn.Module):
    """A graph as the module that torch exports."""

    def __init__(self, system: System, graph: Graph) -> None:
        super().__init__()
        self.system = system  # whose weights `compute` reads
        self.compute = graph.compute

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return self.compute(*tensors)


def _onnx(system: System, name: str, graph: Graph) -> bytes:
    """A graph in ONNX's form."""
    made: dict[Axis, Any] = {}
    axes = [
        {i: _dim(axis, made) for i, axis in enumerate(graph.axes[of]) if axis is not None}
        for of in graph.examples
    ]
    try:
        with _quiet():
            program = torch.onnx.export(
                _Network(system, graph).eval(),
                tuple(graph.examples.values()),
                dynamo=True,
                dynamic_shapes=(tuple(axes),),
                input_names=list(graph.examples),
                output_names=list(graph.outputs),
                opset_version=OPSET,
                verbose=False,
            )
    except Exception as error:  # torch's exporter raises whatever its parts do
        raise _not_written(system, name, f"{type(error).__name__}: {_first_line(error)}") from error
    assert program is not None, "given by dynamo"
    fixed = [
        f"{given.name}, axis {i}"
        for given, varied in zip(program.model_proto.graph.input, axes, strict=True)
        for i in varied
        if not given.type.tensor_type.shape.dim[i].dim_param
    ]
    if fixed:
        raise _not_written(system, name, f"fixed a length that varies ({fixed[0]})")
    return program.model_proto.SerializeToString()


def _not_written(system: System, name: str, cause: str) -> SuiteError:
    return SuiteError(
        f"the graph {name!r} of {system.name} cannot be exported by torch {torch.__version__}: "
        f"{cause}",
        remedy="Install the versions of constraints.txt.",
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "no reason given")


def _dim(axis: Axis, made: dict[Axis, Any]) -> Any:
    if axis not in made:
        made[axis] = torch.export.Dim(axis.name, max=axis.longest)
    return made[axis]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter says of packages that are not here and of names of axes."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _write(path: Path, content: bytes, graph: Graph) -> GraphFile:
    write_atomically(path, content)
    return GraphFile(
        digest=hashlib.sha256(content).hexdigest(),
        inputs=tuple(graph.examples),
        outputs=graph.outputs,
    )


def _check_owner(index: GraphIndex, system: System, folder: Path) -> None:
    if index.system != system.name:
        cause = f"holds graphs of {index.system}, not of {system.name}"
    elif index.weights != _state_digest(system):
        cause = f"holds graphs of other weights than this {system.name} has"
    else:
        return
    raise SuiteError(cause, where=folder, remedy=_AGAIN)


def _session(path: Path, graph: GraphFile, options: Any) -> Any:
    with readable(path, _AGAIN):
        content = read_regular(path)
    if hashlib.sha256(content).hexdigest() != graph.digest:
        raise SuiteError("is damaged or was changed", where=path, remedy=_AGAIN)
    runtime = _needed("onnxruntime")
    # From memory: no file that the content might name is read.
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no class but this
        cause = f"onnxruntime {runtime.__version__} refuses it: {_first_line(error)}"
        raise SuiteError(cause, where=path, remedy=_AGAIN) from error


def _options(threads: int) -> Any:
    options = _needed("onnxruntime").SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Between two graphs torch decodes, on the cores on which its threads would wait by turning.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _state_digest(system: System) -> str:
    """SHA-256 over names, shapes and contents of a system's state."""
    digest = hashlib.sha256()
    for name, tensor in sorted(system.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _needed(package: str) -> Any:
    """A package that only ONNX needs.

    Raises:
        SuiteError: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        cause = f"ONNX needs the package {package}, which is not installed ({error})"
        raise SuiteError(cause, remedy=_INSTALL) from error


def _version(package: str) -> str:
    return str(importlib.import_module(package).__version__)
