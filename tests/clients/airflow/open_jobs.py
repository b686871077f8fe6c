"""TableauOperator and TableauJobStatusSensor, against a Tableau whose refreshes stay open until they are cancelled."""

import threading
import time

import connection
from connection import check, raises

PASSWORD = connection.with_password()

import tableauserverclient as TSC
from airflow.exceptions import AirflowSkipException
from airflow.providers.tableau.hooks.tableau import TableauHook, TableauJobFailedException, TableauJobFinishCode
from airflow.providers.tableau.operators.tableau import TableauOperator
from airflow.providers.tableau.sensors.tableau import TableauJobStatusSensor


def refresh(resource, name, **settings):
    settings = {"tableau_conn_id": PASSWORD, "check_interval": 0.2, **settings}
    return TableauOperator(
        task_id="refresh", resource=resource, method="refresh", find=name, match_with="name", **settings
    ).execute({})


def cancel_soon(title):
    """Cancels the open job of this title, once it has been looked at for a while."""

    def cancel():
        with TableauHook(tableau_conn_id=PASSWORD) as hook:
            while True:
                time.sleep(1)
                for job in hook.server.jobs.filter(status="Pending"):
                    if job.title == title:
                        hook.server.jobs.cancel(job.id)
                        return

    threading.Thread(target=cancel, daemon=True).start()


cancel_soon("Sales Orders")
raises(TableauJobFailedException, lambda: refresh("datasources", "Sales Orders"))
check("a refresh that is cancelled while the operator waits raises TableauJobFailedException")

job = refresh("workbooks", "Superstore", blocking_refresh=False)
sensor = TableauJobStatusSensor(task_id="wait", job_id=job, tableau_conn_id=PASSWORD, poke_interval=0.2, timeout=20)
assert sensor.poke({}) is False
cancel_soon("Superstore")
raises(TableauJobFailedException, lambda: sensor.execute({}))
with TableauHook(tableau_conn_id=PASSWORD) as hook:
    assert hook.get_job_status(job) == TableauJobFinishCode.CANCELED
check("the sensor raises TableauJobFailedException when its job is cancelled")

error = raises(TimeoutError, lambda: refresh("datasources", "Shipments", timeout=1))
assert "still PENDING" in str(error)
check("a job that does not start in time is neither a success nor a failure: TimeoutError")

with TableauHook(tableau_conn_id=PASSWORD) as hook:
    punctuality = next(w.id for w in hook.get_all("workbooks") if w.name == "Delivery Punctuality")
    task = next(t.id for t in hook.get_all("tasks") if t.target.id == punctuality)
run = lambda **settings: TableauOperator(
    task_id="run", resource="tasks", method="run", find=task, tableau_conn_id=PASSWORD, **settings
).execute({})
run()
error = raises(TSC.ServerResponseError, run)
assert error.code == "409093", error
raises(AirflowSkipException, lambda: run(skip_on_conflict=True))
check("a task whose refresh is queued already is refused with 409093, or skipped if the operator says so")

raises(AttributeError, lambda: refresh("datasources", "Shipments", skip_on_conflict=True))
check("of a refresh that is queued already the client library makes nothing, and the operator an AttributeError")
