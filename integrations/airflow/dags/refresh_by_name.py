"""Loads data, then refreshes a data source and the workbook on it. Both tasks wait deferred."""

from airflow.sdk import dag, task
from airflow_tableau_webhooks import TableauRefreshOperator


@dag(schedule=None, tags=["tableau"])
def refresh_by_name():
    @task
    def load():
        """Your pipeline."""

    orders = TableauRefreshOperator(task_id="refresh_orders", kind="datasource", name="Sales Orders", project="Sales")
    superstore = TableauRefreshOperator(task_id="refresh_superstore", kind="workbook", name="Superstore", project="Sales")
    load() >> orders >> superstore


refresh_by_name()
