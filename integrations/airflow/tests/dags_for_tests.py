"""One task for each case; the names come from the scene."""

import json
import os
from datetime import timedelta

from airflow.sdk import DAG
from airflow_tableau_webhooks import TableauRefreshOperator

SCENE = json.loads(os.environ["TEST_SCENE"])


def of(which):
    return {name: SCENE[which][name] for name in ("kind", "name", "project")}


with DAG(dag_id="cases", schedule=None):
    TableauRefreshOperator(task_id="found", **of("found"))
    TableauRefreshOperator(task_id="slash", **of("slash"))
    TableauRefreshOperator(task_id="flow", **of("flow"))
    TableauRefreshOperator(task_id="waits_in_the_worker", deferrable=False, **of("workbook"))
    TableauRefreshOperator(task_id="failing", retries=0, **of("failing"))
    TableauRefreshOperator(task_id="near", retries=3, retry_delay=timedelta(seconds=1), **of("near"))
