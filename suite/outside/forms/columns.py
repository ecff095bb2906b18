"""CoNLL's columns: the word first, its predicted tag last, as conlleval takes them."""

from __future__ import annotations

from suite.datasets.formats.column_layout import indexed, lines_of
from suite.datasets.formats.conll import read_sentence, refuse_one_sentence
from suite.datasets.formats.tags import Scheme
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.outside.answers import Answer
from suite.tasks.claims import Claim


def read(file: TextFile) -> list[Answer]:
    """Reads a word and its tag from each line, whatever columns stand between; see `Reader`."""
    sentences = lines_of(file)
    refuse_one_sentence(file, sentences)
    if not sentences:
        raise SuiteError(
            "holds no words", where=file.path, remedy="Each line is a word and its predicted tag."
        )
    width = min(len(line.columns) for lines in sentences for line in lines)
    word = 1 if width > 2 and indexed(sentences) else 0
    scheme = Scheme.of(line.columns[-1] for lines in sentences for line in lines)
    found = []
    for lines in sentences:
        words, entities = read_sentence(file, lines, word, -1, scheme)
        claims = tuple(Claim(entity.type, (entity.span,)) for entity in entities)
        found.append(Answer(f"line {lines[0].number}", claims, words=words))
    return found
