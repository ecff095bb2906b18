"""The command lines as a user meets them, each in a process of its own."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tiny
from tests.runners import plugins

FASTRE = ("--system", "fastre")
DRY = ("--dry-run", *FASTRE)


def run_suite(*arguments: str | Path, folder: Path, **more: object) -> tiny.Ended:
    ended = tiny.command("run_suite", *arguments, folder=folder, **more)  # type: ignore[arg-type]
    assert "Traceback" not in ended.err, ended.err
    assert ended.code is not None, "it hangs"
    return ended


def test_help_teaches_without_importing_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from runners.cli.run_suite import run_suite\n"
        "sys.argv = ['run-suite', '--help']\n"
        "try: run_suite()\n"
        "finally: assert not {'torch', 'transformers', 'wandb', 'pandas'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=tiny.environment(COLUMNS="120")
    )
    assert "Usage: run-suite" in done.stdout
    assert "run-suite --dataset path/to/folder --system fastre   your own data\n" in "\n".join(
        line.rstrip() + "\n" for line in map(str.strip, done.stdout.splitlines())
    )
    assert "\\b" not in done.stdout
    assert "[default: (all synthetic ones)]" in done.stdout, "rich reads brackets as styles"
    assert "with 1 where one did not" in done.stdout
    assert done.stderr == ""


def test_list(env: dict[str, str], tmp_path: Path) -> None:
    names = ("misnamed", "no-system", "no-module")
    whole = {name for name in plugins.ENTRY_POINTS if name not in names}
    folder = Path(env["PYTHONPATH"].split(os.pathsep)[0])
    info = folder / "gazetteer-0.1.dist-info" / "entry_points.txt"
    text = info.read_text()
    kept = [line for line in text.splitlines() if not line.startswith(names)]
    info.write_text("\n".join([*kept, ""]))
    try:
        ended = run_suite("--list", folder=tmp_path, env=env)
    finally:
        info.write_text(text)
    assert ended.code == 0, ended.err
    for name in {"fastre", "casrel", "synthetic", "nyt11", "docred", *whole}:
        assert f" {name} " in ended.out, name


@pytest.mark.parametrize(
    ("arguments", "epochs"),
    [
        ((), "500 (1,000 steps)"),
        (("--settings", "published"), "100"),
        (("--epochs", "7"), "7 (14 steps)"),
        (("--settings", "published", "--epochs", "7"), "7 (70 steps)"),
    ],
)
def test_published_settings_are_the_papers_unless_the_command_names_them(
    dataset: Path, tmp_path: Path, arguments: tuple[str, ...], epochs: str
) -> None:
    plan = ("--dry-run", "--dataset", dataset, "--system", "casrel", "--pretrained", "untrained")
    ended = run_suite(*plan, *arguments, folder=tmp_path)
    (row,) = (line for line in ended.out.splitlines() if line.startswith("casrel "))
    assert f" {epochs} " in row


def test_a_dry_run_prints_the_plan_and_writes_nothing(dataset: Path, tmp_path: Path) -> None:
    arguments = ("--dataset", dataset, "--dataset", "synthetic", "--seeds", "2", "--epochs", "7")
    systems = ("--system", "fastre", "--system", "casrel", "--pretrained", "untrained")
    ended = run_suite("--dry-run", *arguments, *systems, folder=tmp_path)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    rows = [line for line in lines if line.startswith(("fastre ", "casrel "))]
    cells = [re.split(" {2,}", row)[:4] for row in rows]
    assert sorted(cells) == [
        ["casrel", "synthetic", "2", "7 (441 steps)"],
        ["casrel", "tiny", "2", "7 (14 steps)"],
        ["fastre", "synthetic", "2", "7 (441 steps)"],
        ["fastre", "tiny", "2", "7 (14 steps)"],
    ]
    assert "made by the suite; a figure of it says nothing about real text" in ended.out
    assert list(tmp_path.iterdir()) == []


def test_a_variant_stands_beside_its_system(dataset: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow.yaml"
    shallow.write_text("system: fastre\ntitle: FastRE of one block\nsettings: {dilations: [1]}\n")
    systems = ("--system", "fastre", "--system", shallow, "--set", "shallow.gate=none")
    small = [f"--set={name}.width=16" for name in ("fastre", "shallow")]
    arguments = ["--dataset", dataset, *systems, *small, "--epochs", "1", "--seeds", "1"]
    more = ("--set", "fastre.attention_heads=2", "--set", "shallow.attention_heads=2")
    out = tmp_path / "out"
    held = [*arguments, *more, "--tracker", "none", "--threads", "1", "--out", out]
    ended = tiny.forked(tiny.suite_without_measuring, held, folder=tmp_path)
    assert ended.code == 0, ended.err
    settings = {}
    for name in ("fastre", "shallow"):
        record = json.loads((out / "runs" / name / "tiny" / "0" / "record.json").read_text())
        assert record["system"]["name"] == "fastre"
        settings[name] = record["system"]["settings"]
    assert settings["fastre"]["gate"] != settings["shallow"]["gate"] == "none"
    assert settings["shallow"]["dilations"] == [1]
    report = (out / "report.md").read_text()
    assert "| FastRE of one block | n=1 |" in report
    assert "| FastRE | n=1 |" in report


def test_two_files_of_one_name_are_refused(dataset: Path, tmp_path: Path) -> None:
    paths = [tmp_path / folder / "deep.yaml" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("system: fastre")
    systems = [f"--system={path}" for path in paths]
    ended = run_suite("--dry-run", "--dataset", dataset, *systems, folder=tmp_path)
    assert ended.code == 2
    assert "two of the systems that are asked for have one name" in ended.err


MISTAKES = [
    (("--dataset", "nyt12"), "unknown dataset 'nyt12'. Did you mean 'nyt24'?"),
    (("--dataset", "no/such/folder"), "no/such/folder: no such folder. Expected: train"),
    (("--system", "fastr"), "unknown system 'fastr'. Did you mean 'fastre'? Known: bert_docred"),
    (("--set", "fastre.gait=none"), "unknown setting of fastre 'gait'. Did you mean 'gate'?"),
    (("--set", "fastre.gate=nun"), "fastre.gate: Input should be 'gated linear unit', 'highway'"),
    (("--set", "fastre.width=wide"), "fastre.width: Input should be a valid integer"),
    (("--set", "fastre.width=130"), "width 130 is not a multiple of attention_heads 8"),
    (("--set", "fastre.dilations=[1,2"), "--set 'fastre.dilations=[1,2': the value is not YAML"),
    (("--set", "gate=none"), "--set 'gate=none' is not of the form SYSTEM.FIELD=VALUE"),
    (("--set", "fastr.gate=none"), "'fastr'. Did you mean 'fastre'?"),
    (("--system", "best.yaml"), "best.yaml: cannot be read: No such file or directory. Name a"),
    (("--prices", "no.yaml"), "no.yaml: cannot be read: No such file or directory. Name a YAML"),
    (("--set", "casrel.threshold=0.4"), "or one that is not run, 'casrel'. Did you mean 'fastre'?"),
    (("--protocol", "batchsize=8"), "unknown field of the protocol 'batchsize'. Did you mean"),
    (("--protocol", "batch_size"), "--protocol 'batch_size' is not of the form FIELD=VALUE"),
    (("--protocol", "batch_size=0"), "the protocol's batch_size: Input should be greater than"),
    (("--match", "partly"), "unknown match rule 'partly'. Did you mean 'partial'?"),
    (("--settings", "publish"), "unknown settings 'publish'. Did you mean 'published'?"),
    (("--precision", "float16"), "unknown precision 'float16'. Did you mean 'bfloat16'?"),
    (("--wandb", "onlin"), "unknown mode of W&B 'onlin'. Did you mean 'online'?"),
    (("--wandb", "off"), "--wandb off is no more. --tracker none tracks nothing."),
    (("--tracker", "tensorbord"), "unknown tracker 'tensorbord'. Did you mean 'tensorboard'?"),
    (("--tracker", "none", "--wandb", "online"), "--wandb online uploads by W&B, and --tracker"),
    (("--device", "gpu"), "there is no device 'gpu' here. There is: cpu"),
    (("--device", "cuda:99"), "there is no device 'cuda:99' here. There is: cpu"),
    (("--vectors", "glove.txt"), "glove.txt: word vectors cannot be read: "),
    (("--vectors", "."), "word vectors cannot be read: "),
    (
        ("--dataset", "nyt11", "--data-dir", "nowhere"),
        "nowhere: no such folder. Correct --data-dir",
    ),
    (("--system", "misnamed"), "(misbehaving:Misnamed) calls itself 'another'"),
    (
        ("--system", "no-system"),
        "(misbehaving:no_system) is not a suite.systems.contract.System. Derive",
    ),
    (("--system", "no-module"), "does not import: ModuleNotFoundError(\"No module named 'there_"),
    (("--memory", "4"), "--memory is what a run asks a node of Ray for, and nothing limits a run"),
    (("--ray", "--workers", "2"), "--workers are of this machine, and --ray has as many runs at a"),
    (("--epochs", "0"), "'--epochs': Input should be greater than or equal to 1"),
    (("--seed", "3"), "No such option: --seed (Possible options: --seeds"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), MISTAKES, ids=lambda p: p[-1] if isinstance(p, tuple) else ""
)
def test_a_mistake_is_answered(
    dataset: Path, env: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    data = () if "--dataset" in arguments else ("--dataset", str(dataset))
    system = () if "--system" in arguments else ("--system", "fastre")
    ended = run_suite("--dry-run", *data, *system, *arguments, folder=tmp_path, env=env)
    assert ended.code == 2
    flat = " ".join(ended.err.replace("│", " ").split())
    assert message in flat, flat
    assert list(tmp_path.iterdir()) == []


def test_cuda_that_is_not_there_is_no_silent_fallback(dataset: Path, tmp_path: Path) -> None:
    env = tiny.environment(CUDA_VISIBLE_DEVICES="")
    ended = run_suite("--dataset", dataset, "--device", "cuda", folder=tmp_path, env=env)
    assert ended.code == 2
    assert "there is no device 'cuda' here. There is: cpu" in ended.err


@pytest.mark.parametrize("offline", [{}, {"HF_HUB_OFFLINE": "1"}], ids=["network", "offline"])
def test_an_encoder_that_cannot_be_had(
    dataset: Path, tmp_path: Path, offline: dict[str, str]
) -> None:
    """Where there is a network the hub refuses the name; where there is none nothing hangs."""
    env = tiny.environment(HF_HOME=str(tmp_path / "cache"), **offline)
    started = time.monotonic()
    ended = run_suite(
        *("--dataset", dataset, "--system", "casrel", "--pretrained", "no/such-model"),
        folder=tmp_path,
        env=env,
        seconds=90,
    )
    assert time.monotonic() - started < 30
    assert ended.code == 2
    assert "'no/such-model' is neither a folder nor in the local cache" in ended.err
    assert "--pretrained FOLDER" in ended.err
    assert len(ended.err.splitlines()) == 1, ended.err


def vector_lines(width: int = 4) -> list[str]:
    words = ("Ada", "paris", "lives", "in", "was", "born", ".", ",", "Lima")
    return [f"{w} {' '.join(str(i + j / 8) for j in range(width))}" for i, w in enumerate(words)]


def write_plain(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def write_gz(path: Path, text: str) -> Path:
    path = path.with_name(f"{path.name}.gz")
    path.write_bytes(gzip.compress(text.encode()))
    return path


def write_zip(path: Path, text: str) -> Path:
    path = path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("glove.300d.txt", text)
    return path


def write_word2vec(path: Path, text: str) -> Path:
    return write_plain(path, f"{len(text.splitlines())} 4\n{text}")


@pytest.mark.parametrize("write", [write_plain, write_gz, write_zip, write_word2vec])
def test_vectors_read_equal_however_packed(
    dataset: Path, tmp_path: Path, write: Callable[[Path, str], Path]
) -> None:
    from runners.runs.workbench import Workbench

    text = "\n".join([*vector_lines(), ""])
    path = write(tmp_path / "glove.txt", text)
    arguments = ("--dataset", dataset, *DRY, "--vectors", path)
    ended = run_suite(*arguments, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert f"{path}: not read yet" in ended.out
    vectors = Workbench(tiny.make_plan(dataset, vectors=path)).resources.vectors
    plain = write_plain(tmp_path / "plain.txt", text)
    expected = Workbench(tiny.make_plan(dataset, vectors=plain)).resources.vectors
    assert vectors.matrix is not None
    assert expected.matrix is not None
    assert vectors.matrix.tolist() == expected.matrix.tolist()
    assert vectors.ids == expected.ids
    assert 0.2 < vectors.coverage == expected.coverage < 0.9
    ended = run_suite(*arguments, folder=tmp_path)
    assert path.name in ended.out
    assert "not read yet" not in ended.out


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*vector_lines(4), "works 1 2 3"], "line 10: 3 numbers where the lines before have 4"),
        ([*vector_lines(), "house 1 2 x 4"], "line 10: a field is not a number"),
        (["zebra 1 2 3"], "holds no vector of any word of the dataset"),
        ([], "holds no vector of any word of the dataset"),
    ],
    ids=["mixed width", "no number", "no word", "empty"],
)
def test_vectors_that_are_none(
    dataset: Path, tmp_path: Path, lines: list[str], message: str
) -> None:
    path = write_plain(tmp_path / "bad.txt", "".join(f"{line}\n" for line in lines))
    ended = run_suite("--dataset", dataset, *FASTRE, "--vectors", path, folder=tmp_path)
    assert ended.code == 2
    assert not (tmp_path / "runs").exists(), "refused before anything is trained"
    assert f"{path}" in ended.err
    assert message in ended.err


@pytest.mark.parametrize("name", ["v.txt", "v.txt.gz", "v.zip"])
def test_vectors_that_are_damaged(dataset: Path, tmp_path: Path, name: str) -> None:
    """Bytes of no encoding, a gzip and a zip that were cut off."""
    whole = write_gz(tmp_path / "whole", "\n".join(vector_lines()) * 50).read_bytes()
    path = tmp_path / name
    path.write_bytes(b"Ada 1 2\nMalm\xf6 1 2\n" if name == "v.txt" else whole[: len(whole) // 2])
    ended = run_suite("--dataset", dataset, *FASTRE, "--vectors", path, folder=tmp_path)
    assert ended.code == 2
    assert not (tmp_path / "runs").exists(), "refused before anything is trained"
    assert f"error: {path}: " in ended.err


def odd_dataset(folder: Path, **records: object) -> Path:
    tiny.write_dataset(folder)
    for split, content in records.items():
        path = folder / f"{split}_triples.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


def test_a_sentence_of_5000_words_is_trained_and_tested_on(tmp_path: Path) -> None:
    """It is cut at the protocol's length, and its triple beyond the cut counts as missed."""
    text = " ".join(["Ada", *["was"] * 4998, "Paris"])
    long = {"text": text, "triple_list": [["Ada", "lives in", "Paris"]]}
    data = odd_dataset(
        tmp_path / "long",
        train=[*tiny.sentences("train"), long],
        test=[long, *tiny.sentences("test")],
    )
    folder = tiny.write_plan(tmp_path / "run", tiny.make_plan(data, epochs=1, batch_size=32))
    ended = tiny.forked(tiny.train, folder, folder=tmp_path)
    assert ended.code == 0, ended.err
    record = json.loads((folder / "record.json").read_text())
    assert record["status"] == "complete", record["failure"]
    assert record["test"]["partial"]["gold"] == 13
    assert record["ceiling"]["test"]["partial"]["correct"] == 12


def test_line_ends_of_windows_change_nothing(dataset: Path, tmp_path: Path) -> None:
    data = tmp_path / "crlf"
    data.mkdir()
    for path in dataset.iterdir():
        (data / path.name).write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    first, second = (
        run_suite("--dataset", folder, *DRY, folder=tmp_path) for folder in (dataset, data)
    )
    assert first.code == second.code == 0
    assert first.out.replace("tiny", "crlf") == second.out


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (b'[{"text": "Malm\xf6 .", "triple_list": []}]', "byte 15 (0xf6) is not UTF-8"),
        ([{"text": " ", "triple_list": []}], "record 1"),
        ([], "holds no records"),
        (b"", "is empty"),
        (b'[{"text": "Ada', "test_triples.json"),
    ],
    ids=["Latin-1", "no words", "no records", "no bytes", "cut off"],
)
def test_a_broken_dataset_is_named(tmp_path: Path, test: object, message: str) -> None:
    data = odd_dataset(tmp_path / "odd", test=test)
    ended = run_suite("--dataset", data, *DRY, folder=tmp_path)
    assert ended.code == 2
    assert f"error: {data / 'test_triples.json'}" in ended.err
    assert message in ended.err


def test_two_datasets_of_one_name_do_not_share_a_folder(dataset: Path, tmp_path: Path) -> None:
    folders = [tmp_path / parent / "mine" for parent in ("a", "b")]
    for folder in folders:
        folder.parent.mkdir()
        shutil.copytree(dataset, folder.parent / "real" / "mine")
    places = [f"--dataset={folder.parent / 'real' / 'mine'}" for folder in folders]
    ended = run_suite("--dry-run", *places, "--system", "fastre", folder=tmp_path)
    assert ended.code == 2
    assert "are both called 'mine'" in " ".join(ended.err.split())
