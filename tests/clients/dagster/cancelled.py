"""The client's own polling of refreshes that do not end: one is cancelled meanwhile, the other takes too long.

  python cancelled.py CLIENT_ID SECRET_ID SECRET
"""

import tableauserverclient as TSC
from dagster import Failure

from workspace import check, named, raises, workspace

with workspace().get_client() as client:
    superstore = named(client.get_workbooks(), "Superstore")
    error = raises(Failure, lambda: client.refresh_and_poll_workbook(superstore, poll_interval=0.3, poll_timeout=30))
    assert "Job was cancelled" in str(error), error
    check("a refresh that is cancelled raises dagster's own Failure")

    shipments = named(client.get_data_sources(), "Shipments")
    error = raises(
        TSC.server.endpoint.exceptions.FailedSignInError,
        lambda: client.refresh_and_poll_data_source(shipments, poll_interval=0.3, poll_timeout=1),
    )
    assert error.code == "401002" and isinstance(error.__context__, Failure), error
    assert "not ready after the timeout" in str(error.__context__), error.__context__
    check("when its timeout ends it tries to cancel the job, for which its token has no scope")
