"""Tokens and one tag each, as the Hugging Face hub holds CoNLL's data in JSON."""

from __future__ import annotations

from suite.datasets.align import Record, placed
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.formats.tags import Scheme, decode
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.tasks.examples import Example


class _Sentence(RecordModel):
    tokens: list[str]
    ner_tags: list[int] | list[str]


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `[{"tokens", "ner_tags"}]`; see `formats.Reader`.

    Tags are text, or numbers whose names `ner_tags.json` beside the file lists.

    Raises:
        SuiteError: tags are numbers without names, or differ in number from the tokens.
    """
    raws = read_json_records(file, _Sentence, reading.problems)
    tags = [[_named(tag, file, reading) for tag in raw.ner_tags] for raw in raws]
    scheme = Scheme.of(tag for row in tags for tag in row)
    examples: list[Example] = []
    for number, (raw, row) in enumerate(zip(raws, tags, strict=True), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        if len(row) != len(raw.tokens):
            raise record.error(
                f"ner_tags: there are {len(row)} for {len(raw.tokens)} tokens",
                "Each token has one tag.",
            )
        entities = decode(row, scheme, f"{file.path}, record {number}")
        examples.append(placed(tuple(raw.tokens), entities, (), record, reading))
    return examples


def _named(tag: int | str, file: TextFile, reading: Reading) -> str:
    if isinstance(tag, str):
        return tag
    if reading.labels is None:
        raise SuiteError(
            "its ner_tags are numbers, whose names stand in the dataset's features",
            where=file.path,
            remedy="Put them beside it as ner_tags.json, in their order, as "
            '["O", "B-PER", "I-PER"] '
            "(`dataset.features['ner_tags'].feature.names`).",
        )
    if not 0 <= tag < len(reading.labels):
        raise SuiteError(
            f"the tag {tag} is not one of the {len(reading.labels)} of ner_tags.json",
            where=file.path,
            remedy="That file lists the names of all tags, in their order.",
        )
    return reading.labels[tag]
