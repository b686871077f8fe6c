"""What Tableau works on: exports, refreshes, jobs and tasks."""

import concurrent.futures
import datetime
import io
import time
import zipfile

import requests
import tableauserverclient as TSC

from client import URL, Field, Operator, administrator, check, named, page, refused, server, user, where


@check("workbooks.populate_pdf", "workbooks.populate_powerpoint", "workbooks.populate_preview_image")
def workbooks_are_exported():
    """PDF with a page per sheet where there are tabs, PowerPoint, preview image"""
    client = administrator()
    tabs = named(client.workbooks.get()[0], "Month-End Close")
    one = named(client.workbooks.get()[0], "Superstore")
    options = TSC.PDFRequestOptions(page_type=TSC.PDFRequestOptions.PageType.A4, maxage=1)
    client.workbooks.populate_pdf(tabs, options)
    client.workbooks.populate_pdf(one)
    assert tabs.pdf.startswith(b"%PDF-1.4") and tabs.pdf.rstrip().endswith(b"%%EOF")
    assert tabs.pdf.count(b"/MediaBox[0 0 595 842]") == 2 and one.pdf.count(b"/MediaBox[0 0 612 1008]") == 1
    client.workbooks.populate_powerpoint(one)
    assert zipfile.ZipFile(io.BytesIO(one.powerpoint)).testzip() is None
    client.workbooks.populate_preview_image(one)
    assert one.preview_image.startswith(b"\x89PNG")


@check("views.populate_image", "views.populate_pdf", "views.populate_csv", "views.populate_excel")
@check("views.populate_preview_image")
def views_are_exported():
    """Image, PDF, CSV and crosstab, filtered by `vf_` parameters"""
    client = administrator()
    view = client.views.get_by_id(named(client.views.get()[0], "Overview").id)
    high = TSC.ImageRequestOptions(imageresolution=TSC.ImageRequestOptions.Resolution.High, maxage=1)
    client.views.populate_image(view, high)
    assert view.image.startswith(b"\x89PNG") and int.from_bytes(view.image[16:20]) == 1600
    page = TSC.PDFRequestOptions(orientation=TSC.PDFRequestOptions.Orientation.Landscape, maxage=1)
    client.views.populate_pdf(view, page)
    assert b"/MediaBox[0 0 1008 612]" in view.pdf and b"(Overview) Tj" in view.pdf
    east = TSC.CSVRequestOptions(maxage=1)
    east.vf("Region", "East")
    client.views.populate_csv(view, east)
    assert b"".join(view.csv) == b"Region,Sales\nEast,678781\n"
    client.views.populate_excel(view)
    assert zipfile.ZipFile(io.BytesIO(b"".join(view.excel))).testzip() is None
    client.views.populate_preview_image(view)
    assert view.preview_image.startswith(b"\x89PNG")


@check("views.populate_csv", "views.populate_image")
def twenty_exports_are_under_way_at_once():
    """A site has twenty exports under way at once; one more is `429000`, until they have ended"""
    client = administrator()
    view = lambda: client.views.get_by_id(named(client.views.get()[0], "Overview").id)
    faults = f"{URL}/simulator/faults"
    requests.post(faults, params={"fault": "delay:2000", "on": "GET */image", "times": 20}).raise_for_status()

    def image(view):
        client.views.populate_image(view)
        return view.image

    def data(view):
        client.views.populate_csv(view)
        return b"".join(view.csv)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        slow = [pool.submit(image, view()) for _ in range(20)]
        while requests.get(faults).json()["faults"]:
            time.sleep(0.01)
        assert refused(lambda: data(view())) == "429000"
        assert all(export.result().startswith(b"\x89PNG") for export in slow)
    assert data(view()).startswith(b"Region,Sales")


@check("workbooks.refresh", "datasources.refresh", "jobs.get_by_id", "jobs.wait_for_job", "jobs.cancel")
def refreshes_run_fail_and_are_cancelled():
    """A job to wait for; queued twice is `409093`, of which the client makes nothing; live is `403104`; failure with notes; cancelled"""
    client = administrator()
    datasources, workbooks = client.datasources.get()[0], client.workbooks.get()[0]
    orders = client.datasources.refresh(named(datasources, "Sales Orders"))
    assert (orders.mode, orders.type, orders.completed_at) == ("Asynchronous", "RefreshExtract", None)
    assert client.datasources.refresh(named(datasources, "Sales Orders")) is None
    assert client.datasources.refresh(named(datasources, "Shipments"), incremental=True).id
    assert refused(lambda: client.datasources.refresh(named(datasources, "Exchange Rates"))) == "403104"
    assert refused(lambda: user("yuki").datasources.refresh(named(datasources, "Shipments"))) == "403077"
    cancelled = client.workbooks.refresh(named(workbooks, "Cash Flow Forecast"))
    client.jobs.cancel(cancelled.id)
    budget = client.datasources.refresh(named(datasources, "Budget"))
    superstore = client.workbooks.refresh(named(workbooks, "Superstore"))
    try:
        client.jobs.wait_for_job(cancelled, timeout=30)
        raise AssertionError("a cancelled job ended well")
    except TSC.server.endpoint.exceptions.JobCancelledException as error:
        assert error.job.finish_code == 2
    done = client.jobs.wait_for_job(orders, timeout=30)
    assert (done.finish_code, done.datasource_name, done.progress) == (0, "Sales Orders", "100")
    try:
        client.jobs.wait_for_job(budget, timeout=30)
        raise AssertionError("a job that fails ended well")
    except TSC.server.endpoint.exceptions.JobFailedException as error:
        assert error.job.finish_code == 1 and "Invalid column name" in error.notes[0]
    assert client.jobs.wait_for_job(superstore.id, timeout=30).workbook_name == "Superstore"
    assert refused(lambda: client.jobs.get_by_id("none")) == "404018"


@check("flows.get", "flows.get_by_id", "flows.all", "flows.filter", "flows.find_by_name", "flows.order_by", "flows.paginate")
def flows_are_listed():
    """Listed, filtered, sorted, by LUID with project, owner, tags and page; a flow that is not there is a 404"""
    client = administrator()
    clean = named(client.flows.get()[0], "Clean Customers")
    flow = client.flows.get_by_id(clean.id)
    assert (flow.name, flow.project_name, flow.tags) == ("Clean Customers", "Sales", {"daily"})
    assert flow.owner_id == named(client.users.get()[0], "priya@example.com").id and flow.created_at == clean.created_at
    assert "/#/site/marketing/flows/" in flow.webpage_url
    both = ["Clean Customers", "Load Ledger"]
    flows = lambda query: [flow.name for flow in query]
    assert flows(client.flows.all(page_size=1)) == flows(client.flows.order_by("name")) == both
    assert flows(client.flows.order_by("-name")) == both[::-1]
    assert flows(client.flows.filter(project_name="Month End")) == flows(client.flows.find_by_name("Load Ledger")) == ["Load Ledger"]
    assert flows(page(client.flows.paginate(page_size=1, page_number=2), 1, 2)) == both[1:]
    assert refused(lambda: client.flows.filter(tags="daily")[0]) == "400065"
    assert refused(lambda: client.flows.get_by_id("none")) == "404032"


@check("flows.refresh", "flow_runs.get", "flow_runs.get_by_id", "flow_runs.wait_for_job", "flow_runs.cancel")
@check("flow_runs.all", "flow_runs.filter", "flow_runs.order_by", "flow_runs.paginate")
def flows_run_and_are_cancelled():
    """A run with an id of its own; queued twice is `409093`, of which the client makes nothing; a run without a body is `400000`"""
    client = administrator()
    clean, ledger = (named(client.flows.get()[0], name) for name in ("Clean Customers", "Load Ledger"))
    before = len(client.flow_runs.get())
    job = client.flows.refresh(clean)
    assert (job.mode, job.type, job.flow_run.flow_id) == ("Asynchronous", "RunFlow", clean.id)
    assert client.flows.refresh(clean.id) is None
    assert job.flow_run.id not in (job.id, clean.id)
    other = client.flows.refresh(ledger)
    client.flow_runs.cancel(other.flow_run.id)
    done = client.flow_runs.wait_for_job(job.flow_run.id, timeout=30)
    assert (done.status, done.progress, done.flow_id, done.background_job_id) == ("Success", "100", clean.id, job.id)
    assert client.jobs.get_by_id(job.id).flow_run.id == job.flow_run.id
    try:
        client.flow_runs.wait_for_job(other.flow_run.id, timeout=30)
        raise AssertionError("a cancelled run ended well")
    except TSC.server.endpoint.exceptions.FlowRunCancelledException as error:
        assert error.flow_run.flow_id == ledger.id
    ids = lambda runs: [run.id for run in runs]
    assert len(client.flow_runs.get()) == before + 2
    assert ids(client.flow_runs.filter(flow_id=ledger.id)) == [other.flow_run.id]
    assert set(ids(client.flow_runs.all(page_size=1))) == set(ids(client.flow_runs.get()))
    started = [run.started_at for run in client.flow_runs.order_by("started_at") if run.started_at]
    assert started == sorted(started) and started
    assert ids(client.flow_runs.paginate(page_size=2, page_number=1)) == ids(client.flow_runs.get())
    # The id of a flow is not the id of a run.
    assert refused(lambda: client.flow_runs.get_by_id(clean.id)) == "404033"
    assert refused(lambda: user("yuki").flows.refresh(clean)) == "403004"
    headers = {"X-Tableau-Auth": client.auth_token, "Accept": "application/json"}
    without = requests.post(f"{client.baseurl}/sites/{client.site_id}/flows/{clean.id}/run", headers=headers, timeout=10)
    assert without.json()["error"]["code"] == "400000"


@check("jobs.get", "jobs.all", "jobs.filter", "jobs.order_by", "jobs.paginate")
@check("jobs.fields", "jobs.only_fields")
def jobs_are_listed():
    """Filtered by status, type, time and title; for administrators, others get `403000`"""
    client = administrator()
    failed = list(client.jobs.filter(status="Failed", job_type__in=["refresh_extracts", "increment_extracts"]))
    assert "General Ledger" in [job.title for job in failed] and all(job.ended_at for job in failed)
    hour_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    recent = where(Field.CreatedAt, Operator.GreaterThanOrEqual, hour_ago.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert "Sales Orders" in [job.title for job in client.jobs.get(recent)[0]]
    jobs, pagination = client.jobs.get(TSC.RequestOptions(pagesize=1000))
    ids = lambda jobs: [job.id for job in jobs]
    assert len(set(ids(jobs))) == len(jobs) == pagination.total_available > 20
    assert ids(client.jobs.all(page_size=10)) == ids(jobs)
    orders = [job for job in jobs if "Orders" in job.title]
    assert 0 < len(orders) < len(jobs) and ids(client.jobs.filter(title__has="Orders")) == ids(orders)
    times = sorted(job.created_at for job in jobs)
    assert [job.created_at for job in client.jobs.order_by("created_at")] == times
    assert [job.created_at for job in client.jobs.order_by("-created_at")] == times[::-1]
    assert ids(page(client.jobs.paginate(page_size=10, page_number=2), 10, 2)) == ids(jobs)[10:20]
    assert [(job.id, job.title) for job in client.jobs.fields("job.id")] == [(job.id, job.title) for job in jobs]
    assert ids(client.jobs.only_fields("job.id")) == ids(jobs)
    assert refused(user("yuki").jobs.get) == "403000"


@check("tasks.get", "tasks.get_by_id", "tasks.run")
def tasks_are_listed_and_run():
    """Refreshes on a schedule, with how often they failed in a row; run now gives a job"""
    client = administrator()
    ledger = named(client.datasources.get()[0], "General Ledger")
    tasks, _ = client.tasks.get()
    task = next(task for task in tasks if task.target.id == ledger.id)
    assert (task.target.type, task.task_type) == ("datasource", "extractRefresh")
    assert client.tasks.get_by_id(task.id).schedule_item.next_run_at
    job = TSC.JobItem.from_response(client.tasks.run(task), client.namespace)[0]
    assert client.jobs.wait_for_job(job, timeout=30).datasource_id == ledger.id
    assert {t.target.id for t in user("marcus").tasks.get()[0]} < {t.target.id for t in tasks}
