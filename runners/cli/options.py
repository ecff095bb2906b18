"""Options that several command lines take, with one meaning and one help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MatchRule = Annotated[
    str, typer.Option("--match", help="Match rule of triples that selects: partial or exact.")
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", help="SYSTEM.FIELD=VALUE; repeatable, as fastre.gate=none."),
]
ProtocolFields = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol",
        help="FIELD=VALUE of the protocol; repeatable, as pretrained_learning_rate=1e-4. The "
        "report prints all of it.",
    ),
]
Pretrained = Annotated[
    str | None,
    typer.Option(
        "--pretrained",
        help="Encoder of the systems that need one: a hub name, a folder, minilm, or untrained.",
        show_default="bert-base-cased; untrained for synthetic",
    ),
]
Parser = Annotated[
    str | None,
    typer.Option(
        "--parser",
        help="Dependency parser of the systems that need one: a spaCy pipeline by name or folder, "
        "or chain (none).",
        show_default="en_core_web_sm; chain for synthetic",
    ),
]
Vectors = Annotated[
    Path | None,
    typer.Option(
        "--vectors",
        help="Word vectors as GloVe's text, .gz or .zip.",
        show_default="random, trained",
    ),
]
TrainVectors = Annotated[
    bool, typer.Option("--train-vectors", help="Train the vectors of --vectors as well.")
]
TrainShare = Annotated[
    float,
    typer.Option(
        "--train-share",
        help="Part of the training examples, chosen by hash: 0.1 lies within 0.5.",
        min=0.0001,
        max=1.0,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", help="Folder that holds datasets by name.", show_default="$RE_DATA_DIR, cache"
    ),
]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, mps.")]
Precision = Annotated[str, typer.Option("--precision", help="float32 or bfloat16 (autocast).")]
Wandb = Annotated[str, typer.Option("--wandb", help="offline, online or off.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")]
