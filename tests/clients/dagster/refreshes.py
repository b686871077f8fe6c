"""The client's own polling, against a Tableau whose refreshes end by themselves.

  python refreshes.py CLIENT_ID SECRET_ID SECRET

Refreshes of `Budget` and `Pipeline Review` fail.
"""

import time

import tableauserverclient as TSC
from dagster import Failure

from workspace import check, named, raises, workspace

# As long as a refresh takes there are several looks at it.
LOOK = {"poll_interval": 0.3}

with workspace().get_client() as client:
    datasources, workbooks = client.get_data_sources(), client.get_workbooks()
    check(f"signs in with the token of a connected app, and lists {len(datasources)} data sources and {len(workbooks)} workbooks")

    sales = named(datasources, "Sales Orders")
    started = time.monotonic()
    assert client.refresh_and_poll_data_source(sales, **LOOK) == sales
    assert time.monotonic() - started > 1, "it did not wait"
    check("waits for the success of a data source, and gives its LUID")

    error = raises(Failure, lambda: client.refresh_and_poll_data_source(named(datasources, "Budget"), **LOOK))
    assert "Job failed" in str(error), error
    check("a data source whose refresh fails raises dagster's own Failure")

    superstore = named(workbooks, "Superstore")
    assert client.refresh_and_poll_workbook(superstore, **LOOK) == superstore
    check("waits for the success of a workbook, and gives its LUID")

    error = raises(Failure, lambda: client.refresh_and_poll_workbook(named(workbooks, "Pipeline Review"), **LOOK))
    assert "Job failed" in str(error), error
    check("a workbook whose refresh fails raises dagster's own Failure")

    several = {named(datasources, "Shipments"), named(datasources, "Inventory Positions")}
    assert set(client.refresh_and_poll_data_sources(sorted(several), **LOOK)) == several
    check("waits for several refreshes at once")

    error = raises(TSC.ServerResponseError, lambda: client.refresh_data_source(named(datasources, "Exchange Rates")))
    assert error.code == "403104", error
    check("a live connection is refused with Tableau's code")

for wrong, why in [
    ({"connected_app_secret_value": "another secret, long enough to sign with"}, "a wrong signature"),
    ({"connected_app_secret_id": "another"}, "an unknown secret id"),
    ({"connected_app_client_id": "another"}, "an unknown connected app"),
    ({"username": "no-user@example.com"}, "an unknown user"),
]:
    error = raises(TSC.server.endpoint.exceptions.FailedSignInError, lambda: workspace(**wrong).get_client().__enter__())
    assert error.code == "401001", error
    check(f"a token with {why} is refused")
