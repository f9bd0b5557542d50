"""Checks the Containerfile, and that the manifests of docs/containers.md agree with it."""

import json
import re

import pytest
import yaml

from tests.builders.containerfile import CHECKOUT, STEPS, environment, values

PAGE = (CHECKOUT / "docs" / "containers.md").read_text(encoding="utf-8")


def test_every_instruction_is_one_that_builders_know():
    known = "FROM COPY RUN VOLUME ENV USER WORKDIR STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD"

    assert {name for name, _ in STEPS} == set(known.split(" "))


def test_the_image_does_not_run_as_root_and_its_volumes_are_where_it_writes():
    assert re.fullmatch(r"[1-9]\d{3,}:0", values("USER")[0])
    assert json.loads(values("VOLUME")[0]) == [environment()["STATE_DIRECTORY"], environment()["RUNTIME_DIRECTORY"]]


def test_what_is_installed_is_locked():
    (locked,) = (step for step in values("RUN") if "requirements.lock" in step)

    assert "--require-hashes --only-binary :all:" in locked


@pytest.fixture
def pod():
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return yaml.safe_load(text)["spec"]["template"]["spec"]


def test_the_deployment_is_of_this_image(pod):
    (container,) = pod["containers"]
    user, group = values("USER")[0].split(":")

    assert pod["securityContext"]["runAsUser"] == int(user)
    assert pod["securityContext"]["runAsGroup"] == int(group)
    assert container["securityContext"]["readOnlyRootFilesystem"]
    writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == set(json.loads(values("VOLUME")[0]))
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    health = json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2])
    assert container["readinessProbe"]["exec"]["command"] == container["livenessProbe"]["exec"]["command"] == health


def test_the_task_definition_is_of_this_image():
    (text,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    task = json.loads(text)
    (container,) = task["containerDefinitions"]

    assert container["user"] == values("USER")[0]
    assert {mount["containerPath"] for mount in container["mountPoints"]} == set(json.loads(values("VOLUME")[0]))
    assert container["readonlyRootFilesystem"]
    assert container["healthCheck"]["command"][1:] == json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2])
