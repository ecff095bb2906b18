"""The figures of explained sentences: gradient norms as bars, attention as heatmaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.cells import Picture, Pictures
from reports.figures.style import SMALL, rendered
from suite.explanation.record import GRADIENT_NORM, ExplainedSentence
from suite.explanation.word_classes import CLASSES, WordClass

COLOURS: Mapping[WordClass, str] = {
    "entity boundary": "#D55E00",
    "entity inside": "#E69F00",
    "predicate": "#0072B2",
    "function word": "#56B4E9",
    "punctuation": "#bbbbbb",
    "other": "#555555",
}
"""Those of Okabe and Ito (2008), and greys for classes that the paper says nothing of."""
_DPI = 110
_WORD = 0.2
"""Inches that a word takes along an axis: room for its letters at the size of `SMALL`."""
_LEAST_WORDS = 24
"""Words for which a figure has room at least: its legend needs the width."""
_LONGEST = 18
"""Letters of a word that are shown."""


def pictures_of(explained: ExplainedSentence, number: int, *, heads: bool) -> Pictures:
    """The figures of a sentence by name.

    Args:
        explained: with its maps.
        number: of the sentence in the report, from 1.
        heads: whether each head of an attention has a figure beside that of their mean.
    """
    start = f"sentence-{number}"
    pictures = {f"{start}-gradient": gradient_figure(explained)}
    for name, weights in explained.maps.items():
        file = f"{start}-{name.replace(' ', '-')}"
        mean = f"attention of the {name}, mean of {len(weights)} heads"
        pictures[file] = attention_figure(explained, weights.mean(0), mean)
        for head, own in enumerate(weights if heads else (), start=1):
            title = f"attention of the {name}, head {head} of {len(weights)}"
            pictures[f"{file}-{head}"] = attention_figure(explained, own, title)
    return pictures


def gradient_figure(explained: ExplainedSentence) -> Picture:
    """A bar for each word, as a multiple of the sentence's mean norm."""
    words = len(explained.sentence.words)
    values = np.nan_to_num(explained.measures()[GRADIENT_NORM])
    figure = _figure(_WORD * max(words, _LEAST_WORDS) + 1.0, 4.0)
    ax = figure.subplots()
    ax.bar(range(words), values, color=[COLOURS[kind] for kind in explained.classes])
    ax.axhline(1, color="#999999", linewidth=0.8, zorder=0)
    ax.set_xlim(-0.8, words - 0.2)
    ax.set_ylabel("gradient norm\n(1: the sentence's average word)", fontsize=SMALL)
    ax.spines[["top", "right"]].set_visible(False)
    _name_words(ax, ax.xaxis, explained)
    present = [kind for kind in CLASSES if kind in explained.classes]
    figure.legend(
        handles=[Patch(color=COLOURS[kind], label=kind) for kind in present],
        loc="outside upper center",
        ncols=len(present),
        fontsize=SMALL,
        frameon=False,
        columnspacing=1.2,
        handlelength=1.2,
    )
    return rendered(figure)


def attention_figure(explained: ExplainedSentence, weights: np.ndarray, title: str) -> Picture:
    """A heatmap of weights from the word of each row to the word of each column."""
    side = _WORD * max(len(weights), _LEAST_WORDS) + 1.6
    figure = _figure(side + 0.6, side)
    ax = figure.subplots()
    shown = ax.imshow(weights, cmap="Blues", vmin=0)
    ax.set_title(title, fontsize=SMALL + 1)
    ax.set_ylabel("the word that attends", fontsize=SMALL)
    ax.set_xlabel("the word that is attended to", fontsize=SMALL)
    for axis in (ax.xaxis, ax.yaxis):
        _name_words(ax, axis, explained)
    bar = figure.colorbar(shown, ax=ax, shrink=0.7, aspect=30, pad=0.02)
    bar.set_label("weight (a row sums to 1)", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL - 1)
    return rendered(figure)


def _name_words(ax: Axes, axis: Axis, explained: ExplainedSentence) -> None:
    """The words along an axis in the colours of their classes, entities in bold."""
    words = explained.sentence.words
    # Words are not formulas, even where they hold dollar signs.
    axis.set_ticks(range(len(words)), [_shown(word) for word in words], parse_math=False)
    upright = axis is ax.xaxis
    for label, kind in zip(axis.get_ticklabels(), explained.classes, strict=True):
        label.set(fontsize=SMALL - 1, color=_ink(kind), rotation=90 if upright else 0)
        label.set_fontweight("bold" if kind.startswith("entity") else "normal")
    axis.set_tick_params(length=2)


def _ink(kind: WordClass) -> str:
    """The class's colour where it is dark enough to be read as a letter's."""
    return COLOURS[kind] if kind in ("entity boundary", "entity inside", "predicate") else "black"


def _shown(word: str) -> str:
    return word if len(word) <= _LONGEST else f"{word[: _LONGEST - 1]}…"


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def all_pictures(drawn: Sequence[ExplainedSentence], *, heads: bool) -> Pictures:
    """The figures of all sentences that are drawn, by name."""
    return {
        name: picture
        for number, explained in enumerate(drawn, start=1)
        for name, picture in pictures_of(explained, number, heads=heads).items()
    }
