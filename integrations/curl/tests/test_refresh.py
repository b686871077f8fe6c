"""refresh.sh, run as a person runs it: what it prints, and its exit code."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "refresh.sh"
SHELLS = [shell for shell in ("/bin/dash", "/bin/bash") if os.path.exists(shell)]


@pytest.fixture(params=SHELLS)
def run(request, service, keys):
    """Runs the script in this shell, with nothing of the caller's environment."""

    def call(*arguments, may="all", **variables):
        environment = {"PATH": os.environ["PATH"], "REFRESH_URL": service.url, "REFRESH_KEY": keys[may], "LANG": "C.UTF-8", **variables}
        environment = {name: value for name, value in environment.items() if value is not None}
        ended = subprocess.run([request.param, SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=120)
        assert keys[may] not in ended.stdout + ended.stderr
        return ended.returncode, ended.stdout, ended.stderr

    return call


def of(scene, which):
    project = scene[which].get("project")
    project = json.dumps(project) if isinstance(project, list) else project
    return ["--kind", scene[which]["kind"], *(["--project", project] if project else []), scene[which]["name"]]


@pytest.mark.parametrize("which", ["found", "workbook", "flow", "slash"])  # N06
def test_with_wait_it_ends_with_0_after_the_success(run, scene, which):
    code, out, _ = run("--wait", *of(scene, which))
    assert code == 0 and scene[which]["name"] in out


def test_without_wait_it_prints_the_id_at_once(run, scene, service):
    code, out, _ = run(*of(scene, "found"))
    assert code == 0 and re.fullmatch(r"[A-Za-z0-9_-]+", out.strip().splitlines()[-1])
    assert [seen.method for seen in service.seen] == ["POST"]


def test_a_failed_refresh_ends_with_1_and_says_the_cause(run, scene):
    code, out, _ = run("--wait", *of(scene, "failing"))
    assert code == 1 and scene["failing"]["says"] in out and "Next step: " in out


def test_json_is_the_answer_of_the_service(run, scene):
    code, out, _ = run("--wait", "--json", *of(scene, "failing"))
    answer = json.loads(out)
    assert code == 1 and answer["status"] == "failed" and answer["cause"]["class"] == scene["failing"]["class"]


@pytest.mark.parametrize("which, expected", [("cancelled", 1), ("timed_out", 4)])  # R13
def test_other_ends_have_their_codes(run, scene, which, expected):
    if which not in scene:
        pytest.skip(f"the scene has no object whose refresh is {which}")
    code, out, _ = run("--wait", *of(scene, which))
    assert code == expected and scene[which]["name"] in out


def test_near_names_are_listed(run, scene):
    code, out, error = run("--wait", *of(scene, "near"))
    assert (code, out) == (3, "") and scene["near"]["meant"] in error.split("\n", 1)[1]


def test_an_ambiguous_name_lists_all_with_their_projects(run, scene):  # N01
    code, _, error = run("--kind", scene["ambiguous"]["kind"], scene["ambiguous"]["name"])
    assert code == 3 and all(f" in {project}, " in error for project in scene["ambiguous"]["projects"])


def test_a_browser_address_and_a_luid_need_no_name(run, scene):
    workbook = next(it for it in scene["content"] if it["name"] == scene["workbook"]["name"])
    assert run("--wait", "--kind", "workbook", "--luid", workbook["luid"])[0] == 0
    if "number" in workbook:
        link = f"https://10ax.online.tableau.com/#/site/{scene['site']}/workbooks/{workbook['number']}/views"
        assert run("--wait", "--link", link)[0] == 0


def test_a_number_of_a_project_is_refused(run, scene):  # N04
    code, _, error = run("--link", f"https://10ax.online.tableau.com/#/site/{scene['site']}/projects/35")
    assert code == 3 and "project" in error


@pytest.mark.parametrize(
    "arguments, variables, said",
    [
        ([], {}, "say what to refresh"),
        (["a", "b"], {}, "more than one name"),
        (["a", "--luid", "b"], {}, "say what to refresh"),
        (["--nothing", "a"], {}, "unknown option --nothing"),
        (["a", "--kind"], {}, "--kind needs a value"),
        (["a", "--timeout-minutes", "1h"], {}, "whole number"),
        (["a"], {"REFRESH_URL": None}, "REFRESH_URL is not set"),
        (["a"], {"REFRESH_KEY": ""}, "REFRESH_KEY is not set"),
        (["a"], {"REFRESH_URL": "http://stack.example.com"}, "has to begin with https://"),
        (["a"], {"REFRESH_URL": "http://127.0.0.1.example.com"}, "has to begin with https://"),
        (["a"], {"REFRESH_KEY": 'twk_x\nheader = "X: y"'}, "a character that no key has"),
        (["a", "--idempotency-key", "a\nb"], {}, "visible characters"),
    ],
)
def test_wrong_usage_ends_with_2_and_asks_nothing(run, service, arguments, variables, said):
    code, out, error = run(*arguments, **variables)
    assert (code, out) == (2, "") and said in error
    assert service.seen == []


@pytest.mark.parametrize("name", ['a "b" \\ \'c\' $(touch x) `d` ; &', "@/etc/passwd", "売上 é", "-x", "a\nb"])
def test_any_name_arrives_as_it_is(run, service, name):
    code, _, error = run("--kind", "workbook", "--", name)
    assert code == 3, error
    assert service.bodies() == [{"kind": "workbook", "name": name}]


def test_every_option_arrives(run, service):
    options = ["--kind", "datasource", "--project", "A/B", "--site", "s", "--incremental", "--allow-full", "--fresh", "--timeout-minutes", "7"]
    run(*options, "--callback", "https://hooks.example.com/x", "--idempotency-key", 'k"\\1', "n")
    sent = {"kind": "datasource", "project": "A/B", "site": "s", "incremental": True, "allow_full": True, "fresh": True, "timeout_minutes": 7}
    assert service.bodies() == [{**sent, "callback_url": "https://hooks.example.com/x", "name": "n"}]
    assert service.seen[0].headers["Idempotency-Key"] == 'k"\\1'


@pytest.mark.parametrize("may", ["revoked", "narrow"])
def test_a_key_that_may_not_is_refused(run, scene, may):
    code, _, error = run("--wait", *of(scene, "failing"), may=may)
    assert code == 3 and error.strip()


def test_a_lost_answer_starts_nothing_twice(run, scene, service):  # R02
    service.faults = ["lost"]
    assert run("--wait", *of(scene, "workbook"))[0] == 0
    posts = [seen for seen in service.seen if seen.method == "POST"]
    assert len(posts) == 2 and len({seen.headers["Idempotency-Key"] for seen in posts}) == 1


def test_a_failed_look_is_not_a_failed_refresh(run, scene, service):  # R14
    service.at_once = True
    service.faults = [None, "lost", (503, {"Retry-After": "0"}), (500, {})]
    code, _, error = run("--wait", *of(scene, "workbook"))
    assert code == 0 and " Waits for " in error, "progress"
    assert service.faults == [] and service.statuses("POST") == [202]


@pytest.mark.parametrize("fault, said", [("lost", "the service does not answer"), ((401, {}), "Service Unavailable")])
def test_an_end_that_is_not_known_ends_with_6_and_the_id(run, scene, service, fault, said):
    service.at_once = True
    service.faults = [None] + [fault] * 9
    code, out, error = run("--wait", "--timeout-minutes", "1", *of(scene, "workbook"), REFRESH_PATIENCE="-58")
    assert (code, out) == (6, "")
    assert re.search(rf"^it is not known how the refresh ended \(id [A-Za-z0-9_-]+\): {said}$", error, re.MULTILINE), error


def test_a_curlrc_of_the_user_changes_nothing(run, scene, service, tmp_path):
    (tmp_path / ".curlrc").write_text(f'location\nurl = "{service.url}/elsewhere"\n')
    assert run("--wait", *of(scene, "workbook"), HOME=str(tmp_path))[0] == 0
    assert all(seen.path.startswith("/refreshes") for seen in service.seen)


def test_retry_after_is_kept(run, scene, service):
    service.faults = [(429, {"retry-after": "2"})]
    began = time.monotonic()
    assert run("--wait", *of(scene, "workbook"))[0] == 0
    assert time.monotonic() - began >= 2


def test_a_service_that_does_not_answer_ends_with_5(run, service):
    assert run("a", "--kind", "flow", REFRESH_URL="http://127.0.0.1:9", REFRESH_PATIENCE="0")[0] == 5
    service.faults = [(503, {})]
    code, _, error = run("a", "--kind", "flow", REFRESH_PATIENCE="0")
    assert code == 5 and "does not answer" in error


def test_the_key_is_in_no_argument_and_in_no_file(service, scene, keys, tmp_path):
    """Looks at the arguments of all processes while the script waits for an answer."""
    service.faults = [(503, {"Retry-After": "1"})] * 2
    environment = {"PATH": os.environ["PATH"], "REFRESH_URL": service.url, "REFRESH_KEY": keys["all"], "TMPDIR": str(tmp_path)}
    script = subprocess.Popen([SCRIPT, "--wait", *of(scene, "workbook")], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    looks = 0
    while script.poll() is None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            looks += b"curl" in arguments
            assert keys["all"].encode() not in arguments
        for file in tmp_path.rglob("*"):
            try:
                assert not file.is_file() or keys["all"].encode() not in file.read_bytes()
            except FileNotFoundError:
                pass
    assert script.returncode == 0 and looks > 0
    assert list(tmp_path.iterdir()) == [], "it leaves no file"


def test_the_script_is_posix():
    text = SCRIPT.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n")
    for bash_only in ["[[", "local ", "function ", "<<<", "${!", "$'"]:
        assert bash_only not in text, bash_only
