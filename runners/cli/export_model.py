"""The command line `export-model`."""

from __future__ import annotations

from runners.cli.command import console, script
from runners.options.commands import ExportOptions


def _export_model(options: ExportOptions) -> None:
    """Write a trained model's network in a form that another engine computes.

    \b
    export-model OUT/runs/fastre/nyt10/0
    extract-relations OUT/runs/fastre/nyt10/0 news.txt --engine onnx --out rows.jsonl
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    from suite.artifact.facts import ONNX  # noqa: PLC0415 - imports torch
    from suite.extraction.model import Model  # noqa: PLC0415
    from suite.systems.onnx_graphs import check_exports, export_onnx  # noqa: PLC0415

    model = Model.load(options.model, "cpu")
    check_exports(model.system)
    folder = model.artifact.folder / ONNX
    index = export_onnx(model.system, folder)
    console.print(f"{', '.join(index.graphs)}: {folder}", markup=False)


export_model = script(ExportOptions, _export_model)
