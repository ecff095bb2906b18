"""The command line `extract-relations`."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from runners.cli.arguments import cores
from runners.cli.command import errors, script
from runners.cli.extract_progress import shown_texts
from runners.options.commands import ExtractOptions
from suite.errors import SuiteError

if TYPE_CHECKING:
    from suite.extraction.extract import Answered
    from suite.extraction.extractor import Extractor, Predictor
    from suite.extraction.inputs import Inputs
    from suite.extraction.outputs import Output


def _extract_relations(options: ExtractOptions) -> None:
    """Find triples, facts or entities in text with a trained model.

    Each text gives a row with its id and what was found, in characters of the text. A file of rows
    appears once it is whole; a command that was ended goes on where it stopped. Texts that cannot
    be read or answered are listed, with the reason, in NAME.errors.jsonl beside it.

    Ends with 0 where every text was answered, with 1 where one was not, with 2 for a mistake in the
    call, and with 130 when interrupted.

    \b
    extract-relations MODEL news.txt --out rows.jsonl          a text per line
    extract-relations MODEL folder/ --out rows.parquet         all files of a folder
    extract-relations MODEL sentences.jsonl --pretokenised --out rows.jsonl
    tail -f log | extract-relations MODEL -                    rows as lines come
    """  # noqa: D301 - the backspace keeps typer from reflowing the examples
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    extractor = _extractor(options)
    inputs = _inputs(options, extractor)
    from suite.extraction.extract import extract  # noqa: PLC0415

    # What is loaded by now stays: to look through it again and again for garbage takes a third of
    # the time that is spent around the model.
    gc.freeze()
    started = time.monotonic()
    with (
        _output(options, extractor, inputs) as output,
        _answers(options, extractor, inputs) as answers,
        shown_texts() as on_progress,
    ):
        answered = extract(inputs, answers, output, on_progress)
        failed, listed = output.failed, output.errors_path
    seconds = time.monotonic() - started
    rate = f", {answered / seconds:,.0f} per second" if answered else ""
    errors.print(f"{answered:,} texts in {seconds:,.1f} s{rate}", markup=False)
    if failed:
        errors.print(f"failed: {failed:,} texts{f': {listed}' if listed else ''}", markup=False)
        raise typer.Exit(1)


@contextmanager
def _answers(
    options: ExtractOptions, extractor: Extractor, inputs: Inputs
) -> Iterator[Callable[[Inputs, int], Iterator[Answered]]]:
    """What answers texts: this process, or actors on Ray.

    Raises:
        SuiteError: Ray is not there, or standard input is to be read by it.
    """
    from suite.extraction.extract import one_by_one  # noqa: PLC0415

    if not options.on_ray:
        if options.actors is not None:
            raise SuiteError("--actors are Ray's", remedy="Give --ray, or leave out --actors.")
        yield one_by_one(extractor)
        return
    if inputs.streams:
        raise SuiteError(
            "--ray reads files, and standard input is read by this process",
            remedy="Name the files, or leave out --ray.",
        )
    from runners.extraction_on_ray import Pool, actors_of  # noqa: PLC0415 - imports ray

    threads = options.threads or 1
    gpus = 1.0 if options.device.startswith("cuda") else 0.0
    pool = Pool(options.ray_address, options.actors or max(1, cores() // threads), threads, gpus)
    with actors_of(pool, partial(_extractor, options)) as answers:
        yield answers


def _extractor(options: ExtractOptions) -> Extractor:
    """The function from texts to rows that the options ask for.

    Raises:
        SuiteError: options contradict each other, or a model cannot be loaded or does not fit.
    """
    if options.min_score is not None and options.min_precision is not None:
        raise SuiteError(
            "--min-precision stands for a score, and --min-score names another",
            remedy="Give one of the two.",
        )
    from suite.extraction.extractor import Extractor  # noqa: PLC0415
    from suite.extraction.text import Splitter, words_asked  # noqa: PLC0415

    model, entities = _models(options)
    words = words_asked(
        options.language,
        pretokenised=options.pretokenised,
        words=(entities or model).words,
    )
    least = options.min_score or 0.0
    if options.min_precision is not None:
        least = model.score_for_precision(options.min_precision)
    return Extractor(
        model=model,
        splitter=Splitter(words, (entities or model).max_words),
        batch_size=options.batch_size,
        min_score=least,
        with_text=options.with_text,
        entities=entities,
    )


def _models(options: ExtractOptions) -> tuple[Predictor, Predictor | None]:
    """The model, and that of `--entities`.

    Raises:
        SuiteError: one cannot be loaded, or they are not for each other.
    """
    import torch  # noqa: PLC0415 - seconds of imports

    from suite.extraction.model import Model  # noqa: PLC0415
    from suite.tasks.registry import find_task  # noqa: PLC0415

    torch.set_num_threads(options.threads or cores())
    model = Model.load(options.model, options.device, options.engine)
    if options.entities is None:
        return model, None
    task = find_task(model.task)
    if not task.entities_given:
        raise SuiteError(
            f"finds {task.items} by itself, and --entities is for models that are given entities",
            where=options.model,
            remedy="Leave out --entities.",
        )
    entities = Model.load(options.entities, options.device)
    found = find_task(entities.task)
    if found.has_relations:
        raise SuiteError(
            f"finds {found.items}, and --entities names a model that finds entities",
            where=options.entities,
            remedy="Train one on data with entities, as fastner on conll03.",
        )
    return model, entities


def _inputs(options: ExtractOptions, extractor: Extractor) -> Inputs:
    from suite.extraction.inputs import FIELD, Form, Inputs  # noqa: PLC0415
    from suite.tasks.registry import find_task  # noqa: PLC0415

    documents = find_task(extractor.model.task).entities_given and extractor.entities is None
    form = Form(
        field=options.text_field or FIELD,
        whole_files=options.whole_files,
        documents=documents,
        json_input=documents or options.text_field is not None,
    )
    return Inputs(options.input or [], form)


@contextmanager
def _output(options: ExtractOptions, extractor: Extractor, inputs: Inputs) -> Iterator[Output]:
    """Where the rows go; what an earlier command left is said."""
    from suite.extraction.outputs import (  # noqa: PLC0415
        STANDARD_OUTPUT,
        StandardOutput,
        Work,
        opened_output,
    )

    if options.out == Path(STANDARD_OUTPUT):
        yield StandardOutput(_say_failure)
        return
    entities = extractor.entities.digest if extractor.entities else ""
    work = Work(
        model=extractor.model.digest,
        options={
            "language": extractor.splitter.words or "pretokenised",
            "min-score": repr(extractor.min_score),
            "with-text": str(extractor.with_text),
            "entities": entities,
            "engine": options.engine,
        },
        inputs=None if inputs.streams else inputs.fingerprint(),
        found=extractor.found,
        with_text=extractor.with_text,
    )
    with opened_output(options.out, work) as output:
        for note in output.notes:
            errors.print(f"{options.out}: {note}", markup=False)
        yield output


def _say_failure(row: dict[str, Any]) -> None:
    errors.print(f"failed: {row['id']}: {row['error']}", markup=False)


extract_relations = script(ExtractOptions, _extract_relations)
