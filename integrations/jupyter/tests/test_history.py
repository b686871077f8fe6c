"""The notebook and its views, on a simulated history. H01 to H09 are cases that other people's histories and notebooks have failed on."""

import json
import os
import platform
import re
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import month as simulated

FOLDER = Path(__file__).resolve().parents[1]
NOTEBOOK = FOLDER / "history.ipynb"
PLOTS = ["failures-by-cause", "time-to-recovery", "week-at-a-glance"]
VIEWS = ["deliveries", "events", "incidents", "incidents_now"]

try:
    import tableauhyperapi as hyper_api
except ImportError:
    hyper_api = None
needs_hyper = pytest.mark.skipif(hyper_api is None, reason="there is no Hyper API for this machine")


@pytest.fixture(scope="session")
def month(tmp_path_factory):
    """The folder of a simulated history of five weeks."""
    folder = tmp_path_factory.mktemp("month")
    simulated.write(folder)
    return folder


def views(folder):
    """DuckDB with the views of schema.sql over a folder."""
    duck = duckdb.connect()
    duck.execute("SET VARIABLE history = $1", [str(folder)])
    duck.execute((FOLDER / "schema.sql").read_text(encoding="utf-8"))
    return duck


def one(duck, query):
    return duck.execute(query).fetchone()[0]


def history(folder, day, **rows):
    """Adds a day to a small history: files of all kinds, with these rows."""
    for kind in simulated.KINDS:
        simulated.write_day(folder, kind, day, rows.get(kind, []))
    return folder


DAY = date(2026, 11, 28)


def event(number=1, **different):
    return {
        "event_id": simulated.sha(str(number)),
        "event_name": "WorkbookRefreshFailed",
        "site_luid": simulated.SITE,
        "object_kind": "workbook",
        "object_luid": "5998aaaf-1abe-4d38-b4d9-bc53e85bdd13",
        "object_name": "Superstore",
        "happened_at": "2026-11-28T04:10:00Z",
        "received_at": "2026-11-28T04:10:01.5Z",
        "cause": "Credentials",
        "payload": "{}",
    } | different


def without(row, column):
    return {name: value for name, value in row.items() if name != column}


class Run:
    """The notebook, run without a browser."""

    def __init__(self, folder, history, first=None, extract=None):
        self.plots = folder / "plots"
        self.extract = extract or folder / "history.hyper"
        self.notebook = nbformat.read(NOTEBOOK, 4)
        if first:
            self.notebook.cells.insert(0, nbformat.v4.new_code_cell(first, id="first"))
        variables = {"HISTORY": history, "PLOTS": self.plots, "EXTRACT": self.extract}
        # Nothing is written to the home folder.
        variables |= {name: folder / "home" for name in ("IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
        variables |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        environment = os.environ | {name: str(value) for name, value in variables.items()}
        client = NotebookClient(self.notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}})
        client.execute(env=environment)

    def shown(self, cell):
        """What a cell has printed and shown, as text."""
        outputs = next(each for each in self.notebook.cells if each.id == cell).outputs
        return "".join(each.get("text", "") or each.get("data", {}).get("text/plain", "") for each in outputs)

    def assert_plots(self):
        for name in PLOTS:
            text = (self.plots / f"{name}.svg").read_text(encoding="utf-8")
            assert text.rstrip().endswith("</svg>") and 10_000 < len(text) < 150_000, f"{name}: {len(text)} bytes"
            assert text.count("<path") > 30, f"{name} is nearly empty"


def code(cell):
    return next(each for each in nbformat.read(NOTEBOOK, 4).cells if each.id == cell).source


@pytest.fixture(scope="session")
def run(month, tmp_path_factory):
    """The notebook after a run on the month."""
    return Run(tmp_path_factory.mktemp("run"), month)


def hyper():
    return hyper_api.HyperProcess(hyper_api.Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_config": ""})


# The notebook.


def test_the_notebook_runs_on_a_month_and_saves_its_plots(run):
    run.assert_plots()
    for answer in ("fails-most", "slowest-causes", "slowest-objects", "owners", "objective", "late"):
        assert "0 " in run.shown(answer), answer
    assert "Credentials" in run.shown("slowest-causes") and "Ana Ferreira" in run.shown("owners")


@needs_hyper
def test_the_extract_has_the_rows_and_the_types_of_the_views(run, month):
    duck = views(month)
    with hyper() as process, hyper_api.Connection(process.endpoint, run.extract) as extract:
        for view in VIEWS:
            table = hyper_api.TableName("Extract", view)
            rows = extract.execute_scalar_query(f"SELECT count(*) FROM {table}")
            assert rows == one(duck, f"SELECT count(*) FROM {view}") > 100
            assert f"{rows}" in run.shown("ask")
            types = {column.name.unescaped: str(column.type) for column in extract.catalog.get_table_definition(table).columns}
            names = {"VARCHAR": "TEXT", "BIGINT": "BIG_INT", "DOUBLE": "DOUBLE", "TIMESTAMP": "TIMESTAMP", "DATE": "DATE"}
            described = duck.execute(f"SELECT column_name, column_type FROM (DESCRIBE {view})").fetchall()
            assert types == {name: names[kind] for name, kind in described}
        latest = extract.execute_scalar_query('SELECT max("happened_at") FROM "Extract"."events"')
        assert latest.to_datetime() == one(duck, "SELECT max(happened_at) FROM events")


@needs_hyper
def test_hyper_writes_no_log_and_leaves_nothing_behind(run):
    assert not list(FOLDER.glob("*.log")) and not list(FOLDER.glob("*.hyper"))
    assert sorted(file.name for file in run.extract.parent.iterdir() if file.is_file()) == ["history.hyper"]


def test_the_notebook_runs_on_a_site_where_nothing_happens(tmp_path):
    for day in range(3):
        history(tmp_path / "history", DAY + timedelta(days=day))
    run = Run(tmp_path, tmp_path / "history")
    assert all((run.plots / f"{name}.svg").stat().st_size > 1_000 for name in PLOTS)


def test_the_notebook_is_stored_without_outputs_and_with_names_for_its_cells():
    text = NOTEBOOK.read_text(encoding="utf-8")
    notebook = json.loads(text)
    nbformat.validate(notebook)
    assert text == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "save it with `indent=1`, as JupyterLab does"
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names) and all(re.fullmatch("[a-z][a-z-]+", name) for name in names), names
    for cell in notebook["cells"]:
        assert not cell.get("outputs") and not cell.get("execution_count") and cell["metadata"] == {}, f"{cell['id']} has outputs: clear them"


# What is wrong with the folder.


@pytest.mark.parametrize("kinds", [[], ["events"], ["deliveries", "incidents"]])
def test_a_folder_without_files_is_named(tmp_path, kinds):
    for kind in kinds:
        simulated.write_day(tmp_path, kind, DAY, [])
    with pytest.raises(duckdb.Error, match="There are no files of [a-z]+ in the folder") as said:
        views(tmp_path)
    assert str(tmp_path) in str(said.value) and "aws s3 sync" in str(said.value)
    assert not any(f"no files of {kind}" in str(said.value) for kind in kinds)


def test_the_notebook_names_a_path_that_is_wrong(tmp_path):
    with pytest.raises(CellExecutionError, match='There are no files of deliveries in the folder "/no/such/folder"'):
        Run(tmp_path, "/no/such/folder")


def test_the_views_say_that_the_variable_is_missing():
    with pytest.raises(duckdb.Error, match="The variable `history` is not set"):
        duckdb.connect().execute((FOLDER / "schema.sql").read_text(encoding="utf-8"))


# The files.


def test_h01_a_year_of_files_is_read(tmp_path):
    """H01: thousands of small files. The history has one file a day and kind: 1,095 a year."""
    simulated.write(tmp_path, first=date(2025, 11, 1), days=365, objects=20)
    assert len(list(tmp_path.rglob("*.ndjson.gz"))) == 365 * 3
    began = time.monotonic()
    duck = views(tmp_path)
    assert one(duck, "SELECT count(DISTINCT day) FROM events") == 365
    for view in VIEWS:
        assert one(duck, f"SELECT count(*) FROM {view}") > 200
    assert time.monotonic() - began < 60


def test_h02_a_column_that_older_files_do_not_have_is_null_there(tmp_path):
    """H02: January's files lack `cause`."""
    history(tmp_path, date(2026, 1, 31), events=[without(event(1), "cause")])
    history(tmp_path, date(2026, 2, 1), events=[event(2)])
    rows = views(tmp_path).execute("SELECT day, cause FROM events ORDER BY day").fetchall()
    assert rows == [(date(2026, 1, 31), None), (date(2026, 2, 1), "Credentials")]


@pytest.mark.parametrize("kind", simulated.KINDS)
def test_h02_each_column_may_be_missing(tmp_path, kind):
    """H02 for every column, and for a column that this version does not know yet."""
    history(tmp_path, DAY, **{kind: [{"of_a_later_version": {"a": 1}}]})
    row = views(tmp_path).execute(f"FROM {kind}").fetchone()
    assert set(row) == {None, DAY}


@pytest.mark.parametrize("written", ["00012345678901234567890123", 12345678901234567890123])
def test_h03_an_id_of_digits_stays_text(tmp_path, written):
    """H03: `object_luid` looks like a number one day, and like text the next."""
    history(tmp_path, DAY, events=[event(1, object_luid=written)])
    history(tmp_path, DAY + timedelta(days=1), events=[event(2, object_luid="5998aaaf-1abe-4d38-b4d9-bc53e85bdd13")])
    rows = views(tmp_path).execute("SELECT object_luid, typeof(object_luid) FROM events ORDER BY day").fetchall()
    assert rows == [(str(written), "VARCHAR"), ("5998aaaf-1abe-4d38-b4d9-bc53e85bdd13", "VARCHAR")]


def test_h05_payloads_with_other_keys_in_each_file_are_text(tmp_path):
    """H05: no structs; the payload is text, whatever its keys are."""
    payloads = ['{"resource":"EXTRACTS","a":{"b":1}}', '{"resource":["VIEW"],"c":null}']
    for number, payload in enumerate(payloads):
        history(tmp_path, DAY + timedelta(days=number), events=[event(number, payload=payload)])
    duck = views(tmp_path)
    assert [row[0] for row in duck.execute("SELECT payload FROM events ORDER BY day").fetchall()] == payloads
    assert one(duck, "SELECT payload->>'$.a.b' FROM events ORDER BY day") == "1"


def test_times_are_read_with_and_without_a_fraction(tmp_path):
    history(tmp_path, DAY, events=[event(1, happened_at="2026-11-29T04:10:00Z", received_at="2026-11-29T04:10:00.123Z")])
    assert views(tmp_path).execute("SELECT happened_at::VARCHAR, received_at::VARCHAR FROM events").fetchone() == (
        "2026-11-29 04:10:00",
        "2026-11-29 04:10:00.123",
    )


def test_an_event_in_two_neighbouring_days_counts_once(tmp_path):
    history(tmp_path, DAY, events=[event(1, cause=None), event(2)])
    history(tmp_path, DAY + timedelta(days=1), events=[event(1), event(3)])
    rows = views(tmp_path).execute("SELECT event_id, cause FROM events ORDER BY event_id").fetchall()
    assert sorted(rows) == sorted((simulated.sha(number), "Credentials") for number in "123")


def test_an_incident_of_three_days_is_one_incident_now(tmp_path):
    incident = {"incident_id": "a", "state": "open", "failures": 1}
    history(tmp_path, DAY, incidents=[incident])
    history(tmp_path, DAY + timedelta(days=1), incidents=[incident | {"failures": 2}])
    history(tmp_path, DAY + timedelta(days=2), incidents=[incident | {"failures": 3, "state": "resolved"}])
    duck = views(tmp_path)
    assert one(duck, "SELECT count(*) FROM incidents") == 3
    assert duck.execute("SELECT state, failures FROM incidents_now").fetchall() == [("resolved", 3)]


# The extract.


@needs_hyper
def test_h08_the_message_names_the_lock_and_a_copy_opens(run, month, monkeypatch):
    """H08: a `.hyper` that another program has open."""
    monkeypatch.setenv("HISTORY", str(month))
    monkeypatch.chdir(FOLDER)
    names = {}
    for cell in ("open", "hyper"):
        exec(code(cell), names)
    names["no_hyper"] = "only the function"
    exec(code("copy"), names)
    with hyper() as tableau, hyper_api.Connection(tableau.endpoint, run.extract), hyper() as process:
        with pytest.raises(names["InUse"]) as said:
            names["connect"](process, run.extract)
        assert f"{run.extract} is in use by another program; " in str(said.value)
        tables = names["tables_in_copy"](run.extract)
    assert tables["table"].tolist() == [f'"Extract"."{view}"' for view in VIEWS]


@needs_hyper
def test_h08_the_notebook_shows_both(run):
    """H08, as a reader sees it."""
    assert "is in use by another program; close it there" in run.shown("copy")
    assert '"Extract"."incidents_now"' in run.shown("copy")


@needs_hyper
def test_h08_an_extract_that_is_in_use_is_not_overwritten(tmp_path, month):
    """H08, when the notebook writes."""
    extract = tmp_path / "history.hyper"
    with hyper() as tableau, hyper_api.Connection(tableau.endpoint, extract, hyper_api.CreateMode.CREATE):
        before = extract.read_bytes()
        with pytest.raises(CellExecutionError, match="history.hyper is in use by another program; close it there and run this cell again"):
            Run(tmp_path, month, extract=extract)
        assert extract.read_bytes() == before


def test_h09_on_linux_arm64_the_cells_about_extracts_are_skipped(tmp_path, month):
    """H09: no Hyper API for Linux on arm64."""
    run = Run(
        tmp_path,
        month,
        first="import platform, sys\nplatform.system = lambda: 'Linux'\nplatform.machine = lambda: 'aarch64'\nsys.modules['tableauhyperapi'] = None",
    )
    said = run.shown("hyper")
    assert said.count("\n") == 1 and said.startswith("Skipped: there is no Hyper API for Linux on aarch64")
    assert [run.shown(cell) for cell in ("write", "ask", "ask-failures", "copy")] == [""] * 4
    assert not run.extract.exists()
    run.assert_plots()


@pytest.mark.parametrize(
    "system, machine, is_skipped",
    [("Linux", "aarch64", True), ("Windows", "ARM64", True), ("Linux", "x86_64", False), ("Darwin", "arm64", False), ("Windows", "AMD64", False)],
)
def test_h09_it_is_skipped_where_there_is_no_hyper_api(monkeypatch, system, machine, is_skipped):
    """H09: the other systems."""
    names = {"platform": platform, "find_spec": lambda name: name}
    exec(code("hyper").split("\n\n\n")[0], names)
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert (names["why_no_hyper"]() is not None) == is_skipped


# The simulated month, and the pages.


def test_the_same_arguments_write_the_same_files(month, tmp_path):
    simulated.write(tmp_path)
    files = sorted(file.relative_to(month) for file in month.rglob("*.gz"))
    assert len(files) == 3 * simulated.DAYS
    assert all((tmp_path / file).read_bytes() == (month / file).read_bytes() for file in files)


def test_the_month_is_consistent(month):
    duck = views(month)
    failed = "FROM events WHERE event_name LIKE '%RefreshFailed'"
    assert one(duck, f"SELECT count(*) {failed}") == one(duck, "SELECT sum(failures) FROM incidents_now") > 300
    assert one(duck, "SELECT count(DISTINCT object_luid) FROM events WHERE event_name LIKE '%Refresh%'") == simulated.OBJECTS
    assert one(duck, f"SELECT count(DISTINCT cause) {failed}") >= 8
    # An incident has one row for each day on whose end it was open, and one for its end.
    wrong = """
        SELECT count(*) FROM (
            SELECT incident_id, count(*) AS rows, date_diff('day', min(opened_at), coalesce(max(ended_at), max(day))) + 1 AS days
            FROM incidents GROUP BY incident_id HAVING rows != days
        )
    """
    assert one(duck, wrong) == 0
    assert one(duck, "SELECT count(*) FROM incidents_now WHERE (state = 'resolved') != (ended_at IS NOT NULL)") == 0
    assert one(duck, "SELECT count(*) FROM incidents_now WHERE lasted_seconds != date_diff('second', opened_at, ended_at)") == 0
    assert one(duck, "SELECT count(*) FROM incidents_now WHERE how_ended = 'deleted'") == 1
    assert one(duck, "SELECT count(*) FROM deliveries ANTI JOIN events USING (event_id)") == 0
    assert one(duck, "SELECT count(*) FROM deliveries WHERE (outcome = 'done') != (seconds_to_done IS NOT NULL)") == 0


def test_each_query_of_the_readme_runs_and_is_in_the_notebook(month):
    blocks = re.findall(r"```sql\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    queries = [block for block in blocks if block.startswith("SELECT")]
    assert len(queries) >= 4
    cells = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, 4).cells)
    duck = views(month)
    for query in queries:
        assert query in cells, f"not in the notebook: {query}"
        assert duck.execute(query).fetchall()


def test_the_readme_names_every_column(month):
    readme = (FOLDER / "README.md").read_text(encoding="utf-8").split("## The columns")[1]
    duck = views(month)
    for kind in simulated.KINDS:
        table = readme.split(f"`{kind}` | ")[1].split("\n")[0]
        columns = [row[0] for row in duck.execute(f"DESCRIBE {kind}").fetchall()]
        assert [name for name in re.findall("`([a-z_]+)`", table)] == [name for name in columns if name != "day"]


def test_people_and_tests_have_the_same_versions():
    def pins(file):
        return {line for line in (FOLDER / file).read_text(encoding="utf-8").splitlines() if "==" in line}

    shared = {"duckdb", "matplotlib", "pandas", "tableauhyperapi"}
    tests, people = pins("requirements.in"), pins("requirements-jupyterlab.in")
    assert {pin.split("==")[0] for pin in tests & people} == shared
