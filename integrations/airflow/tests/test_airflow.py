"""Airflow itself runs the operator and the trigger: `airflow dags test`, with a SQLite database in a new folder."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(FOLDER))


def settings(home, **more):
    own = {"PATH": os.environ["PATH"], "HOME": str(home), "AIRFLOW_HOME": str(home), "LANG": "C.UTF-8", "PYTHONPATH": str(FOLDER)}
    own |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", "NO_PROXY": "*"}
    return own | more


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A folder with Airflow's database."""
    home = tmp_path_factory.mktemp("airflow")
    subprocess.run([Path(sys.executable).with_name("airflow"), "db", "migrate"], env=settings(home), check=True, capture_output=True)
    return home


@pytest.fixture
def run(home, service, keys, scene):
    """Runs a DAG of a folder; the states of its tasks, what was printed, and the results."""

    def call(dag_id, folder, may="all"):
        connection = json.dumps({"conn_type": "generic", "host": service.url, "password": keys[may]})
        environment = settings(home, AIRFLOW_CONN_TABLEAU_WEBHOOKS=connection, TEST_SCENE=json.dumps(scene), AIRFLOW__CORE__DAGS_FOLDER=str(folder))

        def airflow(*arguments):
            program = Path(sys.executable).with_name("airflow")
            return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=300)

        listed = airflow("dags", "reserialize")
        assert listed.returncode == 0, listed.stdout + listed.stderr
        ended = airflow("dags", "test", dag_id)
        said = ended.stdout + ended.stderr
        runs = json.loads(airflow("dags", "list-runs", dag_id, "--output", "json").stdout)
        tasks = json.loads(airflow("tasks", "states-for-dag-run", dag_id, runs[0]["run_id"], "--output", "json").stdout)
        assert keys[may] not in said
        database = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
        assert keys[may].encode() not in database, "the key is stored nowhere"
        return {task["task_id"]: task["state"] for task in tasks}, said

    return call


def test_the_example_refreshes_both_one_after_the_other(run, service):
    states, said = run("refresh_by_name", FOLDER / "dags")
    assert set(states.values()) == {"success"} and len(states) == 3, said
    asked = [body["name"] for body in service.bodies()]
    assert asked == ["Sales Orders", "Superstore"]
    looks = [seen for seen in service.seen if seen.method == "GET"]
    assert looks, "the trigger looked"


def test_each_case_ends_as_it_should(run, service, scene, tmp_path):
    (tmp_path / "cases.py").write_text((Path(__file__).with_name("dags_for_tests.py")).read_text())
    service.faults = [None, (500, {}), "lost"]
    states, said = run("cases", tmp_path)
    good = {"found", "slash", "flow", "waits_in_the_worker"}
    assert {task for task, state in states.items() if state == "success"} == good, (states, said)
    assert states["failing"] == states["near"] == "failed"
    assert service.faults == [], "a failed look is not a failed refresh"
    assert scene["failing"]["says"] in said and "Next step: " in said
    assert scene["near"]["meant"] in said
    # Three retries are set, and what is not found is not tried again.
    assert len([body for body in service.bodies() if body["name"] == scene["near"]["name"]]) == 1
    starts = [seen for seen in service.seen if seen.method == "POST"]
    by_key = {}
    for seen in starts:
        by_key.setdefault(seen.headers["Idempotency-Key"], set()).add(json.loads(seen.body)["name"])
    assert len(by_key) == 6 and all(len(names) == 1 for names in by_key.values())


def test_a_revoked_key_fails_the_task_with_the_reason(run):
    states, said = run("refresh_by_name", FOLDER / "dags", may="revoked")
    assert states["refresh_orders"] == "failed" and "AirflowFailException" in said


# The parts, without a scheduler


@pytest.fixture
def connection(monkeypatch, service, keys):
    monkeypatch.setenv("NO_PROXY", "*")
    from airflow.sdk.bases.hook import BaseHook

    given = SimpleNamespace(host=service.url, schema=None, port=None, password=keys["all"])

    async def later(_):
        return given

    monkeypatch.setattr(BaseHook, "aget_connection", later)
    monkeypatch.setattr(BaseHook, "get_connection", lambda _: given)
    return given


def event(trigger):
    async def first():
        async for fired in trigger.run():
            return fired.payload

    return asyncio.run(asyncio.wait_for(first(), 60))


def ti(**changes):
    return SimpleNamespace(**{"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "try_number": 1, **changes})


def test_the_operator_defers_with_a_trigger_that_holds_no_key(connection, scene, keys, service):
    from airflow.sdk.exceptions import TaskDeferred
    from airflow_tableau_webhooks import TableauRefreshOperator

    found = {name: scene["found"][name] for name in ("kind", "name", "project")}
    operator = TableauRefreshOperator(task_id="t", incremental=True, allow_full=True, timeout_minutes=30, **found)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({"ti": ti()})
    path, held = deferred.value.trigger.serialize()
    assert path == "airflow_tableau_webhooks.triggers.RefreshTrigger" and set(held) == {"conn_id", "refresh_id", "until"}
    assert keys["all"] not in repr(held) and deferred.value.timeout.total_seconds() == 40 * 60
    assert service.bodies() == [{**found, "timeout_minutes": 30, "incremental": True, "allow_full": True, "fresh": True}]
    fired = event(deferred.value.trigger)
    assert operator.execute_complete({}, fired)["status"] == "succeeded"


def test_the_same_try_of_a_task_starts_nothing_again_and_the_next_try_does(connection, scene, service):
    from airflow.sdk.exceptions import TaskDeferred
    from airflow_tableau_webhooks import TableauRefreshOperator

    found = {name: scene["workbook"][name] for name in ("kind", "name", "project")}
    ids = []
    for number in (1, 1, 2):
        try:
            ids.append(TableauRefreshOperator(task_id="t", **found).execute({"ti": ti(try_number=number, run_id=service.url)})["id"])
        except TaskDeferred as deferred:
            ids.append(deferred.trigger.refresh_id)
            event(deferred.trigger)
    assert ids[0] == ids[1] != ids[2]


def test_the_trigger_says_what_the_service_refuses(connection):  # R14
    from airflow.sdk.exceptions import AirflowFailException
    from airflow_tableau_webhooks import RefreshTrigger, TableauRefreshOperator

    fired = event(RefreshTrigger("tableau_webhooks", "no-such-refresh"))
    assert fired["status"] == 404
    with pytest.raises(AirflowFailException, match=r"not known how the refresh ended \(id no-such-refresh\): "):
        TableauRefreshOperator(task_id="t", kind="flow", name="x").execute_complete({}, fired)


@pytest.mark.parametrize("is_deferred", [True, False])
def test_lost_looks_end_nothing_until_the_time_is_over(connection, scene, service, is_deferred, monkeypatch):  # R14
    from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
    from airflow_tableau_webhooks import RefreshTrigger, TableauRefreshOperator, operators

    found = {name: scene["workbook"][name] for name in ("kind", "name", "project")}
    operator = TableauRefreshOperator(task_id="t", deferrable=is_deferred, fresh=False, timeout_minutes=1, **found)
    for lost, limit in ((3, 60), (99, 2)):
        monkeypatch.setattr(operators, "PATIENCE", limit - 60)
        service.faults = [None] + ["lost"] * lost

        def ended():
            try:
                return operator.execute({"ti": ti(run_id=f"{service.url}-{lost}-{is_deferred}")})
            except TaskDeferred as deferred:
                trigger = RefreshTrigger("tableau_webhooks", deferred.trigger.refresh_id, until=time.time() + limit)
                return operator.execute_complete({}, event(trigger))

        if lost == 3:
            assert ended()["status"] == "succeeded" and service.faults == []
        else:
            with pytest.raises(AirflowFailException, match=r"not known how the refresh ended \(id "):
                ended()
    assert all("fresh" not in body for body in service.bodies())
    service.faults = []


def test_all_that_an_ambiguous_name_may_mean_are_told_with_their_paths(connection, scene, service):  # N01
    from airflow.sdk.exceptions import AirflowFailException
    from airflow_tableau_webhooks import TableauRefreshOperator

    ambiguous = {name: scene["ambiguous"][name] for name in ("kind", "name")}
    with pytest.raises(AirflowFailException) as raised:
        TableauRefreshOperator(task_id="t", **ambiguous).execute({"ti": ti(run_id=f"ambiguous-{service.url}")})
    for project in scene["ambiguous"]["projects"]:
        assert f"{project}/{ambiguous['name']}" in str(raised.value)


def test_a_task_that_a_person_ends_cancels_its_request(connection, scene):
    from airflow_tableau_webhooks import RefreshTrigger
    from airflow_tableau_webhooks.service import Service

    service = Service(connection)
    never = {name: scene["never"][name] for name in ("kind", "name", "project")}
    refresh = service.start(never, "kill-" + os.urandom(8).hex())
    trigger = RefreshTrigger("tableau_webhooks", refresh["id"])
    asyncio.run(trigger.on_kill())
    assert service.look(refresh["id"])["status"] == "cancelled"
    assert event(trigger)["refresh"]["status"] == "cancelled"


def test_a_refresh_that_ends_otherwise_can_be_tried_again():  # R13
    from airflow.sdk.exceptions import AirflowException, AirflowFailException
    from airflow_tableau_webhooks import TableauRefreshOperator

    for status in ("failed", "cancelled", "timed_out"):
        with pytest.raises(AirflowException) as raised:
            refresh = {"status": status, "message": "It is so.", "cause": None}
            TableauRefreshOperator(task_id="t", kind="flow", name="x").execute_complete({}, {"refresh": refresh})
        assert str(raised.value) == "It is so." and not isinstance(raised.value, AirflowFailException)


@pytest.mark.parametrize(
    "host, schema, port, url",
    [
        ("https://stack.example.com/", None, None, "https://stack.example.com"),
        ("stack.example.com", None, None, "https://stack.example.com"),
        ("stack.example.com", "https", 8443, "https://stack.example.com:8443"),
        ("127.0.0.1", "http", 8123, "http://127.0.0.1:8123"),
        ("http://stack.example.com", None, None, None),
        ("stack.example.com", "http", None, None),
        ("http://127.0.0.1.example.com", None, None, None),
        (None, None, None, None),
    ],
)
def test_the_key_goes_nowhere_in_clear_text(host, schema, port, url):
    from airflow_tableau_webhooks.service import Service

    connection = SimpleNamespace(host=host, schema=schema, port=port, password="twk_x_y")
    if url:
        assert Service(connection).url == url
    elif host:
        with pytest.raises(ValueError, match="https://"):
            Service(connection)
