"""dbt itself runs the example, with DuckDB as its warehouse: once with the on-run-end hook, once under refresh_after_run.py."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path, service, keys, scene):
    """The example in a new folder, with the scene's objects in its exposures."""

    class Project:
        folder = tmp_path / "dbt" / "example"

        def exposures(self, **of):
            """`orders='found'`: an exposure on the model `orders` about the scene's object `found`."""
            lines = ["exposures:"]
            for index, (model, which) in enumerate(of.items()):
                meta = which if isinstance(which, dict) else {name: scene[which][name] for name in ("kind", "name", "project")}
                lines += [f"  - name: exposure_{index}", "    type: dashboard", "    owner: { email: bi@example.com }"]
                lines += [f"    depends_on: [ref('{model}')]", f"    config: {{ meta: {{ tableau: {json.dumps(meta)} }} }}"]
            (self.folder / "models" / "schema.yml").write_text("\n".join(lines) + "\n")

        def write(self, path, text):
            (self.folder / path).write_text(text)

        def without_hook(self):
            text = (self.folder / "dbt_project.yml").read_text()
            self.write("dbt_project.yml", text[: text.index("on-run-end")])

        def run(self, *command, may="all", **more):
            environment = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", "NO_PROXY": "*", **more}
            environment |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "REFRESH_URL": service.url, "REFRESH_KEY": keys[may]}
            ended = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=180)
            said = ended.stdout + ended.stderr
            assert keys[may] not in said
            for file in tmp_path.rglob("*"):
                assert not file.is_file() or keys[may].encode() not in file.read_bytes(), f"the key is in {file}"
            return ended.returncode, said

        def asked(self):
            return [(body["kind"], body["name"]) for body in service.bodies()]

    shutil.copytree(FOLDER, tmp_path / "dbt", ignore=shutil.ignore_patterns("tests", "target", "logs", "dbt_packages", "__pycache__"))
    made = Project()
    code, said = made.run("dbt", "deps")
    assert code == 0, said
    return made


def named(scene, which):
    return scene[which]["kind"], scene[which]["name"]


def test_the_example_refreshes_what_depends_on_its_models(project, service):
    code, said = project.run("dbt", "build")
    assert code == 0, said
    assert project.asked() == [("datasource", "Sales Orders"), ("workbook", "Superstore")]
    assert all(body["fresh"] is True for body in service.bodies())
    assert said.count("Resource refresh complete") == 2


def test_only_what_was_built_in_this_run_is_refreshed(project, scene):
    project.exposures(orders="found", orders_by_day="workbook")
    assert project.run("dbt", "build")[0] == 0
    assert project.run("dbt", "build", "--select", "orders_by_day")[0] == 0
    assert project.asked() == [named(scene, "found"), named(scene, "workbook"), named(scene, "workbook")]


def test_a_failed_refresh_fails_dbt_with_the_cause_after_the_others(project, scene):
    project.exposures(orders="failing", orders_by_day="slash")  # N06
    code, said = project.run("dbt", "build")
    assert code == 1 and scene["failing"]["says"] in said
    assert project.asked() == [named(scene, "failing"), named(scene, "slash")]
    results = json.loads((project.folder / "target" / "run_results.json").read_text())["results"]
    hook = next(result for result in results if result["unique_id"].startswith("operation."))
    assert hook["status"] == "error" and scene["failing"]["says"] in hook["message"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_failed_model_holds_back_what_depends_on_it(project, scene, wrapped):
    project.exposures(orders="found", orders_by_day="workbook")
    project.write("models/orders_by_day.sql", "select nothing from {{ ref('orders') }}")
    if wrapped:
        project.without_hook()
    command = [sys.executable, "../refresh_after_run.py"] if wrapped else []
    code, said = project.run(*command, "dbt", "build")
    assert code == 1 and "exposure_1 is not refreshed because of orders_by_day" in said
    assert project.asked() == [named(scene, "found")]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_failed_test_holds_back_what_depends_on_its_model(project, wrapped):
    project.exposures(orders="found", orders_by_day="workbook")
    project.write("models/tests.yml", "models: [{ name: orders, columns: [{ name: order_id, data_tests: [unique] }] }]")
    project.write("models/orders.sql", "select 1 as order_id, 10 as amount union all select 1, 20")
    if wrapped:
        project.without_hook()
    command = [sys.executable, "../refresh_after_run.py"] if wrapped else []
    code, said = project.run(*command, "dbt", "build")
    assert code == 1 and "exposure_0 is not refreshed because of unique_orders_order_id" in said
    assert project.asked() == []


def test_the_wrapper_refreshes_all_at_the_same_time_and_says_how_each_ended(project, scene):
    project.without_hook()
    project.exposures(orders="failing", orders_by_day="flow")
    code, said = project.run(sys.executable, "../refresh_after_run.py", "dbt", "build")
    assert code == 1 and scene["failing"]["says"] in said and "exposure_1: " in said
    assert sorted(project.asked()) == sorted([named(scene, "failing"), named(scene, "flow")])


def test_the_wrapper_takes_a_luid_and_an_address_and_the_other_members(project, scene, service):
    project.without_hook()
    luid = next(it["luid"] for it in scene["content"] if it["name"] == scene["workbook"]["name"])
    more = {"incremental": True, "allow_full": True, "timeout_minutes": 30}
    project.exposures(orders={"kind": "workbook", "luid": luid, **more, "note": "of your own"}, orders_by_day="found")
    code, said = project.run(sys.executable, "../refresh_after_run.py", "dbt", "build")
    assert code == 0, said
    assert {"kind": "workbook", "luid": luid, "fresh": True, **more} in service.bodies()


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_refresh_that_began_before_is_joined_if_the_exposure_says_so(project, scene, service, wrapped):
    project.exposures(orders={**{name: scene["found"][name] for name in ("kind", "name", "project")}, "fresh": False})
    if wrapped:
        project.without_hook()
    command = [sys.executable, "../refresh_after_run.py"] if wrapped else []
    code, said = project.run(*command, "dbt", "build")
    assert code == 0, said
    assert [body["fresh"] for body in service.bodies()] == [False]


def test_the_wrapper_goes_after_a_run_that_has_ended(project, scene):
    project.without_hook()
    project.exposures(orders="found")
    assert project.run("dbt", "run")[0] == 0
    assert project.asked() == []
    assert project.run(sys.executable, "../refresh_after_run.py")[0] == 0
    assert project.asked() == [named(scene, "found")]


def test_results_of_an_older_run_start_nothing(project):
    project.without_hook()
    project.exposures(orders="found")
    assert project.run("dbt", "run")[0] == 0
    code, said = project.run(sys.executable, "../refresh_after_run.py", "dbt", "build", "--no-such-option")
    assert code == 2 and "nothing is refreshed" in said and project.asked() == []


@pytest.mark.parametrize("may", ["revoked", "narrow"])
def test_a_key_that_may_not_fails_the_run_with_the_reason(project, scene, may):
    project.exposures(orders="failing")
    code, said = project.run("dbt", "build", may=may)
    assert code == 1 and "Error triggering resource refresh: " in said
    project.without_hook()
    code, said = project.run(sys.executable, "../refresh_after_run.py", may=may)
    assert code == 1 and "Tableau: exposure_0: " in said


def test_the_hook_says_what_to_do_where_the_warehouse_cannot_call(project):
    project.write("dbt_project.yml", (project.folder / "dbt_project.yml").read_text() + "macro-paths: [macros]\n")
    (project.folder / "macros").mkdir()
    project.write("macros/try.sql", "{% macro try() %}{{ tableau_webhooks.default__refresh_tableau_sql({}) }}{% endmacro %}")
    code, said = project.run("dbt", "run-operation", "try")
    assert code == 1 and "Run refresh_after_run.py after dbt" in said


# https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants
def test_the_call_of_the_snowflake_procedure_has_each_text_escaped(project):
    project.write("dbt_project.yml", (project.folder / "dbt_project.yml").read_text() + "macro-paths: [macros]\n")
    (project.folder / "macros").mkdir()
    cases = [
        ({"kind": "workbook", "name": "Superstore"}, r"call api__tableau__refresh_resource('workbook', 'Superstore', '', '')"),
        (
            {"kind": "datasource", "name": "Ana's \\'; drop", "project": "Ops/Q1\\/Q2", "site": "acme"},
            r"call api__tableau__refresh_resource('datasource', 'Ana\'s \\\'; drop', 'Ops/Q1\\/Q2', 'acme')",
        ),
        (
            {"kind": "datasource", "name": "n", "project": ["Ops", "Q1/Q2"]},
            r"""call api__tableau__refresh_resource('datasource', 'n', '["Ops", "Q1/Q2"]', '')""",
        ),
    ]
    stack = "https://abc123.example.com"
    with_stack = [
        ({"kind": "workbook", "name": "x"}, f"call api__tableau__refresh_resource('workbook', 'x', '', '', '{stack}')"),
        ({"kind": "workbook", "name": "x", "fresh": False}, f"call api__tableau__refresh_resource('workbook', 'x', '', '', '{stack}?fresh=false')"),
    ]
    macro = "{% macro try() %}{% for meta in var('cases') %}{{ print(tableau_webhooks.snowflake__refresh_tableau_sql(meta)) }}{% endfor %}{% endmacro %}"
    project.write("macros/try.sql", macro)
    code, said = project.run("dbt", "run-operation", "try", "--vars", json.dumps({"cases": [meta for meta, _ in cases]}))
    assert code == 0, said
    for _, expected in cases:
        assert expected in said.splitlines(), said
    given = {"cases": [meta for meta, _ in with_stack], "tableau_refresh_connection": stack}
    code, said = project.run("dbt", "run-operation", "try", "--vars", json.dumps(given))
    assert code == 0 and all(expected in said.splitlines() for _, expected in with_stack), said
    code, said = project.run("dbt", "run-operation", "try", "--vars", json.dumps({"cases": [with_stack[1][0]]}))
    assert code != 0 and "needs the variable tableau_refresh_connection" in said


# The client alone


@pytest.fixture
def module():
    spec = importlib.util.spec_from_file_location("refresh_after_run", FOLDER / "refresh_after_run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_lost_answer_starts_nothing_twice_and_a_failed_look_is_no_failed_refresh(module, service, scene, keys):  # R02, R14
    service.faults = ["lost", None, "lost", (503, {"Retry-After": "0"}), (429, {"Retry-After": "1"})]
    wanted = {name: scene["flow"][name] for name in ("kind", "name", "project")}
    assert module.refresh_all(module.Service(service.url, keys["all"]), {"it": wanted}) == {}
    posts = [seen for seen in service.seen if seen.method == "POST"]
    assert len(posts) == 2 and len({seen.headers["Idempotency-Key"] for seen in posts}) == 1


def test_an_end_that_is_not_known_is_told_as_that_with_the_id(module, service, scene, keys):  # R14
    module.PATIENCE = -58
    wanted = {name: scene["workbook"][name] for name in ("kind", "name", "project")}
    for fault, said in (("lost", "no look was answered"), ((401, {}), "Service Unavailable")):
        service.faults = [None] + [fault] * 9
        open_one = module.refresh_all(module.Service(service.url, keys["all"]), {"it": {**wanted, "timeout_minutes": 1}})
        assert open_one["it"].startswith("it is not known how the refresh ended (id ") and said in open_one["it"]
    service.faults = []


def test_all_that_an_ambiguous_name_may_mean_are_told_with_their_paths(module, service, scene, keys):  # N01
    wanted = {name: scene["ambiguous"][name] for name in ("kind", "name")}
    wrong = module.refresh_all(module.Service(service.url, keys["all"]), {"it": wanted})
    assert all(f"{project}/{wanted['name']}" in wrong["it"] for project in scene["ambiguous"]["projects"])


@pytest.mark.parametrize("which", ["cancelled", "timed_out"])  # R13
def test_other_ends_are_wrong(module, service, scene, keys, which):
    if which not in scene:
        pytest.skip(f"the scene has no object whose refresh is {which}")
    wanted = {name: scene[which][name] for name in ("kind", "name", "project")}
    wrong = module.refresh_all(module.Service(service.url, keys["all"]), {"it": wanted})
    assert scene[which]["name"] in wrong["it"]


def test_a_redirect_is_not_followed(module, service, keys):
    service.faults = [(307, {"Location": f"{service.url}/elsewhere"})]
    with pytest.raises(module.Refused):
        module.Service(service.url, keys["all"]).start({})
    assert [seen.path for seen in service.seen] == ["/refreshes"]


@pytest.mark.parametrize("url", ["http://stack.example.com", "http://127.0.0.1.example.com", "", "ftp://x"])
def test_the_key_goes_nowhere_in_clear_text(module, url):
    with pytest.raises(module.Refused, match="https://"):
        module.Service(url, "twk_x_y")
