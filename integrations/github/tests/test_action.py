"""action.yml and its script, run as a runner of GitHub runs them: inputs by the environment, outputs and summary by files."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[1]
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text(encoding="utf-8"))
STEP = ACTION["runs"]["steps"][0]


def outputs(text):
    """The outputs of a step: https://docs.github.com/actions/reference/workflow-commands-for-github-actions#multiline-strings"""
    found = re.findall(r"^(\w+)<<(\w+)\n(.*?)\n\2$", text, re.DOTALL | re.MULTILINE)
    return {name: value for name, _, value in found}


@pytest.fixture
def step(service, keys, tmp_path):
    """Runs the step with these inputs; what is left out has its default, or is refused as the runner refuses it."""

    def call(may="all", **inputs):
        inputs = {"url": service.url, "key": keys[may], **{name.replace("_", "-"): value for name, value in inputs.items()}}
        assert set(inputs) <= set(ACTION["inputs"])
        values = {name: inputs.get(name, given.get("default")) for name, given in ACTION["inputs"].items()}
        environment = {name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: values[found[1]], text) for name, text in STEP["env"].items()}
        files = {"GITHUB_OUTPUT": tmp_path / "output", "GITHUB_STEP_SUMMARY": tmp_path / "summary"}
        for file in files.values():
            file.write_text("")
        environment = {"PATH": os.environ["PATH"], "GITHUB_ACTION_PATH": str(FOLDER), **environment}
        environment.update({name: str(file) for name, file in files.items()})
        ended = subprocess.run(["sh", "-e", "-c", STEP["run"]], env=environment, capture_output=True, text=True, timeout=120)
        said = ended.stdout.replace(f"::add-mask::{keys[may]}", "", 1) + ended.stderr
        written = {name: file.read_text() for name, file in files.items()}
        assert keys[may] not in said and not any(keys[may] in text for text in written.values())
        return ended.returncode, ended.stdout, outputs(written["GITHUB_OUTPUT"]), written["GITHUB_STEP_SUMMARY"]

    return call


def of(scene, which):
    project = scene[which]["project"]
    project = json.dumps(project) if isinstance(project, list) else project
    return {"kind": scene[which]["kind"], "name": scene[which]["name"], "project": project}


def test_each_input_reaches_the_script_and_each_output_comes_from_it():
    script = (FOLDER / "run.sh").read_text(encoding="utf-8")
    passed = {re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", text)[1]: name for name, text in STEP["env"].items()}
    assert set(passed) == set(ACTION["inputs"])
    assert all(name in script for name in passed.values() if name.startswith("INPUT_"))
    for name, output in ACTION["outputs"].items():
        assert output["value"] == "${{ steps.refresh.outputs.%s }}" % name and f"\noutput {name} " in script
    assert "${{" not in STEP["run"], "an input in the text of a script is a way in"


@pytest.mark.parametrize("which", ["found", "workbook", "flow", "slash"])  # N06
def test_a_refresh_that_succeeds(step, scene, which):
    code, _, said, summary = step(**of(scene, which))
    assert code == 0 and said["status"] == "succeeded" and said["id"] and said["cause"] == ""
    assert scene[which]["name"] in said["message"] and said["message"] in summary


def test_a_refresh_that_fails_fails_the_step_with_the_cause(step, scene):
    code, out, said, summary = step(**of(scene, "failing"))
    assert code == 1 and said["status"] == "failed" and scene["failing"]["says"] in said["cause"]
    error = next(line for line in out.splitlines() if line.startswith("::error title=Refresh::"))
    assert scene["failing"]["says"] in error and "%0ANext step: " in error and said["cause"] in summary


def test_what_is_not_found_fails_the_step_with_near_names(step, scene):
    code, out, said, _ = step(**of(scene, "near"))
    assert code == 3 and said["status"] == "" and scene["near"]["meant"] in said["message"]
    assert any(line.startswith("::error") and scene["near"]["meant"] in line for line in out.splitlines())


def test_an_ambiguous_name_fails_with_all_projects(step, scene):  # N01
    code, _, said, _ = step(kind=scene["ambiguous"]["kind"], name=scene["ambiguous"]["name"])
    assert code == 3 and all(project in said["message"] for project in scene["ambiguous"]["projects"])


def test_without_wait_the_step_ends_at_once(step, scene, service):
    code, _, said, _ = step(**of(scene, "found"), wait="false")
    assert code == 0 and said["id"] and len(service.seen) == 1


def test_the_other_inputs_arrive(step, service):
    step(kind="datasource", name="n", project="P", site="s", incremental="true", allow_full="true", timeout_minutes="7", wait="false")
    sent = {"kind": "datasource", "project": "P", "site": "s", "incremental": True, "allow_full": True, "fresh": True, "timeout_minutes": 7}
    assert service.bodies() == [{**sent, "name": "n"}]
    luid = "00000000-0000-0000-0000-000000000000"
    step(kind="flow", luid=luid, wait="false")
    step(link="https://10ax.online.tableau.com/#/workbooks/1", wait="false")
    asked = service.bodies()[1:]
    assert asked[0] == {"kind": "flow", "luid": luid, "timeout_minutes": 120, "fresh": True} and asked[1]["url"].endswith("/workbooks/1")
    step(kind="flow", luid=luid, wait="false", fresh="false")
    assert "fresh" not in service.bodies()[3]


@pytest.mark.parametrize("inputs", [{}, {"name": "a", "luid": "b"}, {"name": "a", "wait": "yes"}, {"name": "a", "timeout_minutes": "2h"}])
def test_wrong_inputs_fail_the_step_and_ask_nothing(step, service, inputs):
    code, out, _, _ = step(**inputs)
    assert code == 2 and "::error" in out and service.seen == []


@pytest.mark.parametrize("name", ["::error::x", "a\n::set-output name=id::x", "status<<x\nsucceeded\nx", "$(touch x)`y`", "-x", "<img src=x>%0A"])
def test_a_name_is_no_command_for_the_shell_or_the_runner(step, service, name):
    code, out, said, _ = step(kind="workbook", name=name)
    assert service.bodies()[0]["name"] == name
    assert code == 3 and set(said) == {"id", "status", "message", "cause"} and said["status"] == ""
    commands, stopped = [], None
    for line in out.splitlines():
        if stopped and line == f"::{stopped}::":
            stopped = None
        elif not stopped and line.startswith("::"):
            commands.append(line.split(" ")[0].split("::")[1])
            if line.startswith("::stop-commands::"):
                stopped = line.rsplit("::", 1)[1]
    assert commands == ["add-mask", "stop-commands", "error"]


def test_a_key_that_may_not_fails_the_step(step, scene):
    code, _, said, _ = step(may="revoked", **of(scene, "found"))
    assert code == 3 and said["message"]


def test_a_lost_answer_starts_nothing_twice(step, scene, service):  # R02
    service.faults = ["lost"]
    assert step(**of(scene, "workbook"))[0] == 0
    assert len({seen.headers["Idempotency-Key"] for seen in service.seen if seen.method == "POST"}) == 1


def test_a_failed_look_is_not_a_failed_refresh(step, scene, service):  # R14
    service.at_once = True
    service.faults = [None, "lost", (503, {"Retry-After": "0"})]
    assert step(**of(scene, "workbook"))[0] == 0
    assert service.faults == [] and service.statuses("POST") == [202]
