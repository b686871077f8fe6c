"""TableauOperator and TableauJobStatusSensor, against a Tableau whose refreshes end by themselves.

  python operators.py CLIENT_ID SECRET_ID SECRET

Refreshes of `Budget` and `Pipeline Review` fail.
"""

import sys
import time

import connection
from connection import check, raises

PASSWORD = connection.with_password()
APP = sys.argv[1:4]

import tableauserverclient as TSC
from airflow.exceptions import AirflowException
from airflow.providers.tableau.hooks.tableau import TableauHook, TableauJobFailedException, TableauJobFinishCode
from airflow.providers.tableau.operators.tableau import TableauOperator
from airflow.providers.tableau.sensors.tableau import TableauJobStatusSensor

# As long as a refresh takes there are several looks at it.
LOOK = 0.3


def operator(**settings):
    settings = {"tableau_conn_id": PASSWORD, "check_interval": LOOK, "method": "refresh", **settings}
    return TableauOperator(task_id="refresh", **settings)


def status(job):
    with TableauHook(tableau_conn_id=PASSWORD) as hook:
        return hook.get_job_status(job)


def luid(kind, name):
    with TableauHook(tableau_conn_id=PASSWORD) as hook:
        return next(item.id for item in hook.get_all(kind) if item.name == name)


started = time.monotonic()
job = operator(resource="datasources", find="Sales Orders", match_with="name").execute({})
assert time.monotonic() - started > 1, "it did not wait"
assert status(job) == TableauJobFinishCode.SUCCESS
check("a data source found by name is refreshed, and the operator waits for its success")

error = raises(
    TableauJobFailedException,
    lambda: operator(resource="datasources", find=luid("datasources", "Budget")).execute({}),
)
assert "datasources" in str(error)
check("a refresh that fails raises the provider's own TableauJobFailedException")

app = connection.with_jwt(*APP)
operator(resource="workbooks", find=luid("workbooks", "Superstore"), tableau_conn_id=app).execute({})
check("a workbook found by its LUID is refreshed with the token of a connected app")

raises(TableauJobFailedException, lambda: operator(resource="workbooks", find="Pipeline Review", match_with="name").execute({}))
check("a workbook whose refresh fails raises TableauJobFailedException")

job = operator(
    resource="workbooks", find="Cash Flow Forecast", match_with="name", blocking_refresh=False, incremental_refresh=True
).execute({})
assert status(job) == TableauJobFinishCode.PENDING
sensor = TableauJobStatusSensor(task_id="wait", job_id=job, tableau_conn_id=PASSWORD, poke_interval=LOOK, timeout=20)
assert sensor.poke({}) is False, "a job that runs has not ended"
sensor.execute({})
assert status(job) == TableauJobFinishCode.SUCCESS
check("without waiting the job is still pending; the sensor waits for it")

with TableauHook(tableau_conn_id=PASSWORD) as hook:
    punctuality = next(w.id for w in hook.get_all("workbooks") if w.name == "Delivery Punctuality")
    task = next(t.id for t in hook.get_all("tasks") if t.target.id == punctuality)
job = operator(resource="tasks", method="run", find=task).execute({})
TableauJobStatusSensor(task_id="wait", job_id=job, tableau_conn_id=PASSWORD, poke_interval=LOOK, timeout=20).execute({})
check("a refresh task is run by its id, and its job ends well")

error = raises(AirflowException, lambda: operator(resource="datasources", find="Sales", match_with="name").execute({}))
assert "not found" in str(error)
check("what is not on the site is not found")

error = raises(TSC.ServerResponseError, lambda: operator(resource="workbooks", find=luid("workbooks", "R&D <Spend> | Q3 *draft*")).execute({}))
assert error.code == "403104", error
check("a live connection is refused with Tableau's code")

wrong = connection.with_password("wrong_password", "a wrong password")
error = raises(TSC.server.endpoint.exceptions.FailedSignInError, lambda: operator(resource="datasources", find="x", tableau_conn_id=wrong).execute({}))
assert error.code == "401001", error
check("a wrong password is refused")

forged = connection.with_jwt(APP[0], APP[1], "another secret, long enough to sign with", name="forged")
error = raises(TSC.server.endpoint.exceptions.FailedSignInError, lambda: operator(resource="datasources", find="x", tableau_conn_id=forged).execute({}))
assert error.code == "401001", error
check("a token with a wrong signature is refused")
