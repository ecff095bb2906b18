"""The files of deploy/: KubeRay and Slurm would take them, and so would the commands they name."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import kubernetes_validate
import pytest
import yaml
from pydantic import ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from runners.cli.run_suite import run_suite
from runners.executors.nodes import GIB
from suite.files import StrictModel

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.37"

Count = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
Text = Annotated[str, Field(strict=True)]


class Spelt(StrictModel):
    """Fields as Kubernetes spells them."""

    model_config = ConfigDict(alias_generator=to_camel)


class Metadata(StrictModel):
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=47)]


class HeadGroup(Spelt):
    """`template` is required."""

    ray_start_params: dict[Text, Text] = Field(default_factory=dict)
    template: dict[str, Any]


class WorkerGroup(Spelt):
    """`groupName`, `maxReplicas`, `minReplicas` and `template` are required."""

    group_name: Text
    replicas: Count = 0
    min_replicas: Count
    max_replicas: Count
    ray_start_params: dict[Text, Text] = Field(default_factory=dict)
    template: dict[str, Any]


class Cluster(Spelt):
    """`headGroupSpec` is required."""

    ray_version: Text
    head_group_spec: HeadGroup
    worker_group_specs: tuple[WorkerGroup, ...]


class Job(Spelt):
    entrypoint: Text
    submission_mode: Literal["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]
    shutdown_after_job_finishes: Annotated[bool, Field(strict=True)]
    ttl_seconds_after_finished: Count
    backoff_limit: Count
    submitter_pod_template: dict[str, Any]
    ray_cluster_spec: Cluster


class RayJob(Spelt):
    """What the file uses of `ray-operator/config/crd/bases/ray.io_rayjobs.yaml` of KubeRay.

    That schema has the types and what is required; which modes there are is in its documentation.
    """

    api_version: Literal["ray.io/v1"]
    kind: Literal["RayJob"]
    metadata: Metadata
    spec: Job


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "rayjob.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def job(content: dict[str, Any]) -> Job:
    return RayJob.model_validate(content).spec


def templates(job: Job) -> list[dict[str, Any]]:
    cluster = job.ray_cluster_spec
    workers = (group.template for group in cluster.worker_group_specs)
    return [job.submitter_pod_template, cluster.head_group_spec.template, *workers]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("apiVersion",), "ray.io/v1alpha1"),
        (("spec", "entryPoint"), "run-suite"),
        (("spec", "backoffLimit"), "2"),
        (("spec", "rayClusterSpec", "headGroupSpec", "rayStartParams", "num-cpus"), 0),
        (("spec", "rayClusterSpec", "workerGroupSpecs", 0, "groupName"), None),
    ],
)
def test_a_mistake_in_the_job_is_found(
    content: dict[str, Any], path: tuple[Any, ...], value: object
) -> None:
    changed: Any = yaml.safe_load(yaml.safe_dump(content))
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        RayJob.model_validate(changed)


def validate(template: dict[str, Any]) -> None:
    pod = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "a"}}
    kubernetes_validate.validate({**pod, "template": template}, KUBERNETES, strict=True)


def test_kubernetes_takes_the_pods(job: Job) -> None:
    for template in templates(job):
        validate(template)
    wrong = yaml.safe_load(yaml.safe_dump(templates(job)[1]))
    wrong["spec"]["containers"][0]["volumeMount"] = []
    with pytest.raises(kubernetes_validate.ValidationError, match="volumeMount"):
        validate(wrong)


def test_nodes_hold_what_runs_ask_for(job: Job) -> None:
    cluster = job.ray_cluster_spec
    options = options_of(shlex.split(job.entrypoint))
    head, workers = cluster.head_group_spec, cluster.worker_group_specs
    assert head.ray_start_params["num-cpus"] == "0"
    for group in workers:
        assert group.min_replicas <= group.replicas <= group.max_replicas
        (container,) = group.template["spec"]["containers"]
        resources = container["resources"]
        assert resources["requests"] == resources["limits"], "Ray counts what is limited"
        cpus = int(group.ray_start_params["num-cpus"])
        assert cpus == int(resources["limits"]["cpu"])
        assert int(options["--threads"]) <= cpus
        # Ray keeps up to 30 % of a node's memory for objects.
        memory = int(resources["limits"]["memory"].removesuffix("Gi")) * GIB
        assert float(options["--memory"]) * GIB < 0.7 * memory
    for group in (head, *workers):
        (container,) = group.template["spec"]["containers"]
        (named,) = (v for v in container["env"] if v["name"] == "POD_NAME")
        assert named["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
        assert group.ray_start_params["node-name"] == "$POD_NAME"
        mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert options["--out"].startswith(f"{mounted[0]}/")


def test_ray_is_of_one_version(job: Job) -> None:
    assert f"ray=={job.ray_cluster_spec.ray_version}\n" in (ROOT / "constraints.txt").read_text()


def test_ray_start_has_the_parameters(job: Job) -> None:
    from ray.scripts.scripts import start

    known = {name for option in start.params for name in option.opts}
    cluster = job.ray_cluster_spec
    for group in (cluster.head_group_spec, *cluster.worker_group_specs):
        assert {f"--{name}" for name in group.ray_start_params} <= known
    given = set(re.findall(r"--[\w-]+", slurm_command().partition(" -- ")[0]))
    assert given <= known | {"--address", "--min-nodes"}
    assert not given & {"--head", "--node-ip-address", "--port", "--block"}, "refused"


def test_run_suite_takes_the_job(job: Job) -> None:
    words = shlex.split(job.entrypoint)
    assert words[0] == "run-suite"
    assert plan_of(words) == 0


def test_run_suite_takes_the_script() -> None:
    environment = {"SLURM_CPUS_PER_TASK": "8"}
    command = slurm_command().partition(" -- ")[2].replace('"${@:2}"', "--dataset nyt11 --out x")
    words = shlex.split(re.sub(r"\$(\w+)", lambda found: environment[found[1]], command))
    assert words[0] == "run-suite"
    assert plan_of(words) == 0
    (example,) = re.findall(r"sbatch deploy/slurm.sh (.*)", (DEPLOY / "slurm.sh").read_text())
    assert plan_of(["run-suite", *shlex.split(example)]) == 0


def test_the_script_parses() -> None:
    script = DEPLOY / "slurm.sh"
    subprocess.run(["bash", "-n", script], check=True)
    assert os.access(script, os.X_OK)
    directives = re.findall(r"^#SBATCH (.*)$", script.read_text(), re.MULTILINE)
    assert all(re.fullmatch(r"--[a-z-]+(=\S+)?", directive) for directive in directives)


def test_the_image_copies_what_is_there() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert {"pyproject.toml", "constraints.txt", "suite", "runners"} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)


def slurm_command() -> str:
    """What the script starts on each node, on one line."""
    text = (DEPLOY / "slurm.sh").read_text()
    (command,) = re.findall(r"bash -c '(.*?)' ray", text, re.DOTALL)
    return " ".join(command.replace("\\\n", " ").split())


def options_of(words: list[str]) -> dict[str, str]:
    return dict(zip(words[1::2], words[2::2], strict=True))


def plan_of(words: list[str]) -> int:
    """How `run-suite` answers to a command whose options it knows: with its lists, and 0."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.setattr(sys, "argv", [*words, "--list"])
        with pytest.raises(SystemExit) as end:
            run_suite()
    return int(end.value.code or 0)
