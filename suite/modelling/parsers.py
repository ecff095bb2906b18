"""Dependency trees: from a spaCy pipeline, or a chain of words where there is none.

spaCy is imported only when a pipeline is asked for. Trees of a dataset are kept on disk, since
parsing is done once and read often; see `KeptTrees`.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from suite.errors import SuiteError
from suite.files import content_digest, remove_leftovers, write_atomically

CHAIN = "chain"
"""The name of what stands in for a parser: every word depends on the one before it."""
PUBLISHED = "en_core_web_sm"
"""The pipeline that is taken for the papers'."""
BATCH = 256
"""Sentences that spaCy parses at once."""
KEPT_FROM = 100
"""Sentences per call from which upwards its trees go to disk: a split of a dataset, not a batch."""
BLANK = "_"
"""What the parser reads in place of a word without a letter, which spaCy refuses or passes over."""
_FEATURES = frozenset({"doc.tensor", "doc._.trf_data"})
"""What spaCy's components of shared word vectors write, from which parsers read."""


class DependencyParser(ABC):
    """Gives each word of a sentence the word that it depends on.

    Attributes:
        source: what it is, as reports print it.
        as_published: whether it is the pipeline that is taken for the papers', which name spaCy
            alone.
        folder: of its pipeline's files; None where it has none.
    """

    source: str
    as_published: bool = False
    folder: Path | None = None

    @abstractmethod
    def heads(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """For each sentence the index of each word's head; a root is its own head."""


class Chain(DependencyParser):
    """No parser: words in a row, for data on which no parser was trained."""

    source = "no parser: a chain of words"

    def heads(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """Every word depends on the one before it."""
        return [[max(0, i - 1) for i in range(len(words))] for words in sentences]


class SpacyParser(DependencyParser):
    """The parser of a spaCy pipeline, with the components that it reads from and no others.

    Args:
        pipeline: as `spacy.load` gives it.

    Raises:
        SuiteError: none of its components is a dependency parser.
    """

    def __init__(self, pipeline: Any) -> None:
        meta = pipeline.meta
        name = f"{meta['lang']}_{meta['name']}"
        written = {c: set(pipeline.get_pipe_meta(c).assigns) for c in pipeline.pipe_names}
        if not any("token.head" in fields for fields in written.values()):
            raise SuiteError(
                f"the spaCy pipeline {name} has no dependency parser, only: "
                f"{', '.join(written) or 'nothing'}",
                where=pipeline.path,
                remedy="Name one with a parser (en_core_web_sm has), or use --parser chain.",
            )
        kept = [c for c, fields in written.items() if fields & {"token.head", *_FEATURES}]
        pipeline.select_pipes(enable=kept)
        self._pipeline = pipeline
        self.as_published = name == PUBLISHED
        self.folder = Path(pipeline.path)
        files = sorted(f for f in self.folder.rglob("*") if f.is_file())
        self.source = (
            f"{name} {meta['version']} (spaCy {_spacy().__version__}, "
            f"SHA-256 {content_digest(*files)})"
        )

    def heads(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """The trees of sentences whose words are what they are: spaCy splits nothing.

        Where the parser finds several sentences in one, each has a root: the tree is a forest.
        """
        documents = self._pipeline.pipe(self._documents(sentences), batch_size=BATCH)
        return [self._heads_of(document) for document in documents]

    def _documents(self, sentences: Sequence[Sequence[str]]) -> Iterator[Any]:
        make, vocabulary = _spacy().tokens.Doc, self._pipeline.vocab
        for words in sentences:
            yield make(vocabulary, words=[_readable(word) for word in words])

    @staticmethod
    def _heads_of(document: Any) -> list[int]:
        offsets = np.asarray(document.to_array("HEAD")).astype(np.int64)  # from unsigned integers
        return (np.arange(len(offsets)) + offsets).tolist()


class KeptTrees(DependencyParser):
    """A parser whose trees are kept in memory, and those of whole splits on disk.

    A call of at least `KEPT_FROM` sentences has a file of its own, named by a hash of the parser
    (its version and files) and of the words, so that another parser or another text never meets
    it. Smaller calls leave nothing on disk. A file that is damaged is parsed anew and replaced.

    Args:
        parser: what is asked for trees that are not there.
        folder: of the files; made when first written.
    """

    def __init__(self, parser: DependencyParser, folder: Path) -> None:
        self.source = parser.source
        self.as_published = parser.as_published
        self.folder = parser.folder
        self._parser = parser
        self._folder = folder
        self._known: dict[tuple[str, ...], list[int]] = {}

    def heads(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """The parser's trees."""
        rows = [tuple(words) for words in sentences]
        distinct = list(dict.fromkeys(rows))
        if not self._known.keys() >= set(distinct):
            self._learn(distinct)
        return [list(self._known[row]) for row in rows]

    def _learn(self, rows: Sequence[tuple[str, ...]]) -> None:
        file = self._file(rows) if len(rows) >= KEPT_FROM else None
        trees = _read_trees(file, rows) if file else None
        if trees is not None:
            self._known.update(zip(rows, trees, strict=True))
            return
        new = [row for row in rows if row not in self._known]
        self._known.update(zip(new, self._parser.heads(new), strict=True))
        if file:
            _write_trees(file, [self._known[row] for row in rows])

    def _file(self, rows: Sequence[tuple[str, ...]]) -> Path:
        digest = hashlib.sha256(json.dumps([1, self.source]).encode())  # 1: the files' format
        for words in rows:
            digest.update(json.dumps(words).encode())
        return self._folder / f"{digest.hexdigest()}.trees"


def find_parser(name: str, *, cached: bool = True) -> DependencyParser:
    """The parser that `--parser` names.

    Args:
        name: `chain`, or a spaCy pipeline by package name or folder.
        cached: whether trees are looked up on disk first and kept there; not where the time of
            parsing is measured.

    Raises:
        SuiteError: there is no such pipeline, it does not load, or it has no parser.
    """
    if name == CHAIN:
        return Chain()
    parser = SpacyParser(load_pipeline(name))
    if not cached:
        return parser
    from suite.datasets.catalogue.fetch import cache_folder  # noqa: PLC0415 - a chain needs no cache

    return KeptTrees(parser, cache_folder().with_name("trees"))


def _spacy() -> Any:
    try:
        import spacy  # noqa: PLC0415 - a second of imports, for one system
    except ImportError as error:
        raise SuiteError(
            f"spaCy cannot be imported: {error}",
            remedy="Install it with `pip install spacy`, or use --parser chain.",
        ) from error
    return spacy


def load_pipeline(name: str) -> Any:
    """A spaCy pipeline by name or folder.

    Raises:
        SuiteError: there is no such pipeline, or it does not load.
    """
    spacy = _spacy()
    here = Path(name).exists() or spacy.util.is_package(name)
    if not here:
        raise SuiteError(
            f"the spaCy pipeline {name!r} is neither installed nor a folder",
            remedy=f"Install it with `python -m spacy download {name}`, or fetch its package "
            "elsewhere, unpack it and pass --parser FOLDER (the one with config.cfg); or use "
            "--parser chain, which needs no parser.",
        )
    try:
        return spacy.load(name)
    except Exception as error:  # what is wrong in a folder comes as one of many kinds
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise SuiteError(
            f"the spaCy pipeline {name!r} does not load: {said}",
            remedy="Name the folder that holds its config.cfg and meta.json, made by this version "
            f"of spaCy ({spacy.__version__}); or use --parser chain.",
        ) from error


def _readable(word: str) -> str:
    """The word as spaCy takes it: not empty, and no half of a pair of UTF-16."""
    return word.encode("utf-8", "replace").decode() if word.strip() else BLANK


def _read_trees(file: Path, rows: Sequence[Sequence[str]]) -> list[list[int]] | None:
    """The trees of a file, or None where there is none that is whole."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    size = hashlib.sha256().digest_size
    digest, packed = content[:size], content[size:]
    ends = np.cumsum([len(words) for words in rows])
    if hashlib.sha256(packed).digest() != digest or len(packed) != 4 * ends[-1]:
        return None
    return [part.tolist() for part in np.split(np.frombuffer(packed, dtype="<i4"), ends[:-1])]


def _write_trees(file: Path, trees: Sequence[Sequence[int]]) -> None:
    """Heads of all words end to end, after their hash; that a disk is full ends no run."""
    packed = np.concatenate([np.asarray(tree, dtype="<i4") for tree in trees]).tobytes()
    remove_leftovers(file.parent)
    try:
        write_atomically(file, hashlib.sha256(packed).digest() + packed)
    except SuiteError as error:
        warnings.warn(f"dependency trees are not kept: {error.where} {error.cause}", stacklevel=2)
