"""What a run's system looks at: its text, figures, means and words.

FastRE's discussion (section 3.7) says of its attention and of its gradients where they point, and
gives no figure; here they are measured on a whole test set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from reports.cells import Pictures, add_row, escape, image, markdown, number
from reports.explain.figures import all_pictures
from reports.forms.write import ComposedReport, write_forms
from reports.sections.overview import plural
from reports.sheets import csv
from suite.explanation.record import (
    CLASS_MEANS,
    GRADIENT_NORM,
    ClassMean,
    ExplainedRun,
    ExplainedSentence,
    class_means,
)
from suite.explanation.word_classes import CLASSES, FUNCTION_WORDS, WordClass
from suite.quoting import quoted
from suite.tasks.examples import Sentence, Triple

NO_PREDICATES = (
    "not given: they take a dependency parser (`--parser` with a spaCy pipeline), without which "
    "they count as other words"
)


def write_explanation(run: ExplainedRun, out: Path, *, heads: bool) -> Path:
    """Writes an explanation in place of an earlier one.

    Args:
        run: what was computed.
        out: the folder.
        heads: whether each head of an attention has its figure.

    Returns:
        The path of `explain.md`.

    Raises:
        SuiteError: the folder cannot be written.
    """
    means = class_means(run.with_triples)
    pictures = all_pictures(run.drawn, heads=heads)
    classes = classes_frame(means).to_csv(index=False, float_format="%.6g")
    return write_forms(
        out,
        ComposedReport(
            name="explain",
            text=compose(run, means, pictures),
            pictures=pictures,
            ours=re.compile("sentence-.+|classes"),
            tables={"classes": _table(run, means)},
            sheets={"words.csv": csv(words_frame(run.sentences)), CLASS_MEANS: classes},
        ),
    )


def words_frame(sentences: Sequence[ExplainedSentence]) -> pd.DataFrame:
    """One row per word of the test set, to six digits.

    Columns: sentence (its id), triples (gold ones of the sentence), index, word, class, norm (as
    computed), and each of `ExplainedSentence.measures`.
    """
    columns: dict[str, list[object]] = {}
    for explained in sentences:
        sentence, size = explained.sentence, len(explained.sentence.words)
        measures = {"norm": explained.norms, **explained.measures()}
        cells: dict[str, Iterable[object]] = {
            "sentence": [sentence.id] * size,
            "triples": [len(sentence.triples)] * size,
            "index": range(size),
            "word": map(_printable, sentence.words),
            "class": explained.classes,
            **{m.replace(" ", "_"): [f"{x:.6g}" for x in v] for m, v in measures.items()},
        }
        for name, values in cells.items():
            columns.setdefault(name, []).extend(values)
    return pd.DataFrame(columns)


def classes_frame(means: Sequence[ClassMean]) -> pd.DataFrame:
    """One row per measure and class: mean, ends of its interval, words and sentences."""
    frame = pd.DataFrame(means, columns=list(ClassMean._fields))
    return frame.rename(columns={"word_class": "class"})


def compose(run: ExplainedRun, means: Sequence[ClassMean], pictures: Pictures) -> str:
    """The text of `explain.md`."""
    numbered = enumerate(run.drawn, start=1)
    sentences = "\n".join(_sentence_part(explained, i, pictures) for i, explained in numbered)
    return (
        f"{_heading(run)}\n## 1. Words by class\n\n{_table(run, means)}\n"
        f"## 2. Definitions\n\n{_definitions(run)}\n## 3. Sentences\n\n{_reading(run)}{sentences}"
    )


def _heading(run: ExplainedRun) -> str:
    record = run.record
    synthetic = (
        "\n**The data are synthetic**, made by this suite: the figures say nothing about real "
        "text.\n"
        if record.dataset.synthetic
        else ""
    )
    scored = f", test F1 {100 * record.test.partial.f1:.1f} (partial match)" if record.test else ""
    settings = ", ".join(f"{name}={value}" for name, value in record.system.settings.items())
    return (
        f"# What {record.system.title} looks at on {record.dataset.title}\n\n"
        f"System `{record.system.key}`, dataset `{record.dataset.name}`, seed {record.seed}, "
        f"configuration `{record.configuration}`: the weights of the epoch with the best dev "
        f"F1{scored}. Settings: {settings}. Word vectors: {record.system.vectors or 'none'}.\n"
        f"{synthetic}\n"
        "The paper of FastRE (IJCAI 2022, section 3.7) says of FastRE, without a figure, that both "
        "self-attentions score entity boundaries significantly higher than other words, and that "
        "the normalised gradient norms are higher at the predicates between entities and close to "
        "0 at conjunctions and prepositions. Here the same is measured over a test set.\n"
        + "".join(f"\n{note}\n" for note in run.notes)
    )


def _table(run: ExplainedRun, means: Sequence[ClassMean]) -> str:
    if not means:
        return "No test sentence holds a gold triple, so there is nothing to compare.\n"
    measures = list(dict.fromkeys(m.measure for m in means))
    found = {(m.measure, m.word_class): m for m in means}
    table: dict[str, list[str]] = {}
    for kind in CLASSES:
        row = [found[measure, kind] for measure in measures]
        cells = {"Class": kind, "Words": f"{row[0].words:,}", "Sentences": f"{row[0].sentences:,}"}
        # Without a parser a 0 would read as "there are none".
        unknown = kind == "predicate" and run.predicates is None
        cells |= {"Words": "not given", "Sentences": "not given"} if unknown else {}
        add_row(table, cells | {m.measure: "not given" if unknown else _cell(m) for m in row})
    holding, whole = len(run.with_triples), len(run.sentences)
    return (
        "*Means over words, with their 95 % interval from a bootstrap over sentences, as "
        "multiples of the sentence's mean: 1 is a sentence's average word. Over the "
        f"{holding:,} of {plural(whole, 'test sentence')} that hold a gold triple.*\n\n"
        f"{markdown(table)}"
    )


def _cell(mean: ClassMean) -> str:
    if mean.mean is None:
        return "-"
    if mean.low is None or mean.high is None:
        return f"{number(mean.mean, 2)} (one sentence)"
    return f"{number(mean.mean, 2)} ({number(mean.low, 2)} to {number(mean.high, 2)})"


def _definitions(run: ExplainedRun) -> str:
    classes: dict[WordClass, str] = {
        "entity boundary": "first or last word of a gold entity",
        "entity inside": "another word of a gold entity",
        "predicate": run.predicates or NO_PREDICATES,
        "function word": f"one of {len(FUNCTION_WORDS)} prepositions, conjunctions, determiners, "
        "pronouns, auxiliaries and particles of a fixed list (`suite.explanation.word_classes`)",
        "punctuation": "a word without letter and digit, or a treebank's name of a bracket",
        "other": "what is left",
    }
    measures = [
        f"{GRADIENT_NORM}: L2 norm of the gradient of the sentence's loss over all its gold "
        "targets by the word's vector as the table of word vectors gives it (before position, "
        "projection and dropout), in evaluation mode and float32. It says how much the loss would "
        "change with that vector, no more."
    ]
    if any(explained.received for explained in run.sentences):
        measures.append(
            "attention: the softmax weight that a word receives, mean over the words of the "
            "sentence, which attend, and over heads."
        )
    measures.append(
        "Both are divided by the sentence's mean; the paper does not say how it normalises. "
        f"{_flat(run)}"
    )
    lines = [*measures, *(f"{kind}: {rule}." for kind, rule in classes.items())]
    return "".join(f"- {line.strip()}\n" for line in lines)


def _flat(run: ExplainedRun) -> str:
    """How many sentences have no relative norm, as a sentence; empty without any."""
    flat = sum(not explained.norms.any() for explained in run.with_triples)
    return f"{plural(flat, 'sentence')} without any gradient left out of its mean." if flat else ""


def _reading(run: ExplainedRun) -> str:
    if not run.drawn:
        return ""
    return (
        "Words are coloured by class, entities in bold. In a heatmap each row is a word that "
        "attends, and its weights sum to 1.\n\n"
    )


def _sentence_part(explained: ExplainedSentence, place: int, pictures: Pictures) -> str:
    sentence = explained.sentence
    triples = "".join(f"- {_in_words(sentence, triple)}\n" for triple in sentence.triples)
    if not triples:
        triples = "No gold triple: what the loss asks for is that no word is tagged.\n"
    named = [name for name in pictures if name.startswith(f"sentence-{place}-")]
    captions = [_caption(name.removeprefix(f"sentence-{place}-"), sentence) for name in named]
    shown = "".join(
        f"{image(pictures, name, caption)}\n*{escape(caption)}.*\n"
        for name, caption in zip(named, captions, strict=True)
    )
    text = quoted(" ".join(map(_printable, sentence.words)))
    return f"### {place}. `{escape(sentence.id)}`\n\n> {text}\n\n{triples}{shown}"


def _caption(figure: str, sentence: Sentence) -> str:
    """What the figure shows, by the end of its name."""
    if figure == "gradient":
        return f"Gradient norm of each word of {sentence.id}"
    name, _, head = figure.rpartition("-")
    tagger, of = (name, f"head {head}") if head.isdecimal() else (figure, "mean over heads")
    return f"Attention of the {tagger.replace('-', ' ')} in {sentence.id}, {of}"


def _in_words(sentence: Sentence, triple: Triple) -> str:
    head, tail = (
        quoted(" ".join(map(_printable, sentence.words[span.start : span.end])))
        for span in (triple.head, triple.tail)
    )
    return f"{head} → {quoted(triple.relation)} → {tail}"


def _printable(word: str) -> str:
    """The word, with what UTF-8 cannot write replaced."""
    return word.encode("utf-8", "replace").decode()
