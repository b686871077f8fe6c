"""Two refreshes, each with a sensor that waits for its job. The refresh of the data source `Budget` fails."""

from airflow.providers.tableau.operators.tableau import TableauOperator
from airflow.providers.tableau.sensors.tableau import TableauJobStatusSensor
from airflow.sdk import DAG

with DAG(dag_id="refresh_and_wait", schedule=None):
    for resource, name in [("workbooks", "Superstore"), ("datasources", "Budget")]:
        refresh = TableauOperator(
            task_id=f"refresh_{resource}",
            resource=resource,
            method="refresh",
            find=name,
            match_with="name",
            blocking_refresh=False,
        )
        TableauJobStatusSensor(
            task_id=f"wait_for_{resource}", job_id=refresh.output, poke_interval=0.3, timeout=20
        )
