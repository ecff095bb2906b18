from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
import torch
from packaging.version import Version

import suite
from runners.runs import environment as module
from runners.runs.environment import environment, load_average, peak_memory_bytes
from suite.errors import SuiteError
from suite.modelling.device import resolve_device, synchronise

ROOT = Path(__file__).resolve().parents[3]
CPU = torch.device("cpu")


@pytest.fixture
def cuda() -> torch.device:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here: what is measured on one is not checked")
    return torch.device("cuda", 0)


def run_python(code: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_environment_tells_the_machine_and_no_name() -> None:
    found = environment("cpu")
    assert found == environment("cpu"), "a second look differs"
    assert found.device == "cpu"
    assert 1 <= found.cores <= (psutil.cpu_count() or 1)
    assert 0 < found.memory_bytes <= psutil.virtual_memory().total + module.MEMORY_STEP
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    # Some builds name the device that they were made for in one of the two only.
    assert Version(found.versions["torch"]).public == Version(torch.__version__).public
    assert found.versions["relation-suite"] == suite.__version__
    assert "cuda" not in found.versions
    text = found.model_dump_json()
    assert str(ROOT) not in text
    assert str(Path.home()) not in text


def test_versions_of_what_is_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIBRARIES", ("torch", "a-library-that-nobody-has"))
    assert set(environment("cpu").versions) == {"relation-suite", "torch"}


def test_versions_import_nothing_heavy() -> None:
    code = """
        import sys
        from runners.runs.environment import environment
        versions = environment("cpu").versions
        print(sorted({"wandb", "transformers"} & set(versions)))
        print(sorted({"wandb", "transformers"} & set(sys.modules)))
    """
    installed, imported = run_python(code).splitlines()
    assert installed == "['transformers', 'wandb']"
    assert imported == "[]"


def test_processor_is_the_first_model_name(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz: x\n\nmodel name\t: B\n")
    assert module._processor(cpuinfo) == "Some CPU @ 2.0GHz: x"
    cpuinfo.write_text(
        "cpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n\nmodel\t: 17\nmodel name\t: B\n"
    )
    assert module._processor(cpuinfo) == "AMD EPYC, family 25, model 1", (
        "a virtual machine gives one name to unlike processors"
    )
    cpuinfo.write_text("processor\t: 0\nBogoMIPS\t: 50.00\n")
    assert module._processor(cpuinfo), "an ARM board names no model"


def test_control_groups_of_version_2_are_read_up_to_the_root(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("0::/slice/job\n")
    root = tmp_path / "fs"
    (root / "slice" / "job").mkdir(parents=True)
    (root / "slice" / "job" / "memory.max").write_text("max\n")
    (root / "slice" / "memory.max").write_text("1073741824\n")
    (tmp_path / "memory.max").write_text("1\n")
    values = module._cgroup_values("memory", "memory.max", root=root, membership=membership)
    assert list(values) == ["max", "1073741824"]


def test_control_groups_of_version_1_have_a_tree_for_each_controller(tmp_path: Path) -> None:
    membership = tmp_path / "cgroup"
    membership.write_text("9:name=systemd:/\n4:memory:/job\n1:cpu,cpuacct:/other\n0::/\n")
    root = tmp_path / "fs"
    (root / "memory" / "job").mkdir(parents=True)
    name = "memory.limit_in_bytes"
    (root / "memory" / "job" / name).write_text("536870912\n")
    values = module._cgroup_values("memory", name, root=root, membership=membership)
    assert list(values) == ["536870912"]
    missing = module._cgroup_values("memory", name, root=root, membership=tmp_path / "none")
    assert list(missing) == []


def test_limits_of_the_container_count(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"memory.max": ["max", str(2**30)], "cpu.max": ["150000 100000", "max 100000"]}
    monkeypatch.setattr(module, "_cgroup_values", lambda _, name: iter(limits.get(name, [])))
    assert module._memory_bytes() == 2**30
    assert module._cores() == 1


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "checkout"
    (folder / "suite").mkdir(parents=True)
    (folder / "suite" / "errors.py").write_text("x = 1\n")
    git(folder.parent, "init", "--quiet", str(folder))
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def test_git_state_is_the_commit_with_the_changes_of_the_sources(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert module._git_state(checkout) == commit
    (checkout / "results").mkdir()
    (checkout / "results" / "record.json").write_text("{}")
    assert module._git_state(checkout) == commit, "results are no change of the sources"
    (checkout / "suite" / "new.py").write_text("")
    assert module._git_state(checkout) == f"{commit}+changes"
    (checkout / "suite" / "new.py").unlink()
    (checkout / "suite" / "errors.py").write_text("x = 2\n")
    assert module._git_state(checkout) == f"{commit}+changes"
    monkeypatch.setenv("GIT_DIR", str(checkout / "nowhere"))
    assert module._git_state(checkout) == f"{commit}+changes", "led astray as within a git hook"


def test_an_installed_package_has_no_git_state(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = f"no git, version {suite.__version__}"
    within = checkout / "venv" / "site-packages"
    within.mkdir(parents=True)
    assert module._git_state(within) == nothing, "took another project's commit for its own"
    assert module._git_state(tmp_path) == nothing
    monkeypatch.setenv("PATH", str(tmp_path))
    assert module._git_state(checkout) == nothing


def test_load_average_is_the_machines() -> None:
    assert 0 <= load_average() < 10_000


def test_peak_memory_counts_what_is_held_and_outlasts_it() -> None:
    before = peak_memory_bytes(CPU)
    mebibyte = 2**20
    more = before - psutil.Process().memory_info().rss + 128 * mebibyte
    block = torch.ones(more, dtype=torch.uint8)
    held = peak_memory_bytes(CPU)
    del block
    assert held - before > 100 * mebibyte
    # The kernel counts pages for each core, and adds up with a delay.
    assert peak_memory_bytes(CPU) > held - 4 * mebibyte


def test_peak_memory_is_not_that_of_the_process_that_started_it() -> None:
    code = """
        import subprocess, sys
        block = bytearray(3 << 28)
        child = "import torch; from runners.runs.environment import peak_memory_bytes as p; "
        child += "print(p(torch.device('cpu')))"
        print(subprocess.run([sys.executable, "-c", child], capture_output=True).stdout.decode())
    """
    peak = int(run_python(code))
    assert 2**24 < peak < 3 * 2**28, f"{peak} bytes with those of the starting process in them"


def test_the_cpu_is_always_there_and_needs_no_waiting() -> None:
    assert resolve_device("cpu") == CPU
    synchronise(CPU)


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "cpu:1", "meta", "", "cuda:x"])
def test_an_absent_device_is_an_error_that_names_the_present(name: str) -> None:
    with pytest.raises(SuiteError, match=r"There is: cpu") as caught:
        resolve_device(name)
    assert repr(name) in str(caught.value)


def test_cuda_is_never_replaced_by_the_cpu() -> None:
    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here: nothing to refuse")
    with pytest.raises(SuiteError, match="there is no device 'cuda' here"):
        environment("cuda")


def test_cuda_device_is_named_measured_and_waited_for(cuda: torch.device) -> None:
    assert resolve_device("cuda") == resolve_device("cuda:0") == cuda
    found = environment("cuda")
    assert found.device == torch.cuda.get_device_name(0)
    assert found.versions["cuda"] == torch.version.cuda
    torch.cuda.reset_peak_memory_stats(cuda)
    before = peak_memory_bytes(cuda)
    matrix = torch.ones(8192, 8192, device=cuda)
    assert peak_memory_bytes(cuda) - before >= matrix.numel() * 4
    synchronise(cuda)
    for _ in range(20):
        matrix = matrix @ matrix
    start = time.perf_counter()
    synchronise(cuda)
    assert time.perf_counter() - start > 1e-3, "did not wait for the products"
