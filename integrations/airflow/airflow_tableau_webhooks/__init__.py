"""Refreshes Tableau content by name from Airflow, through a stack of tableau-webhooks."""

from airflow_tableau_webhooks.operators import TableauRefreshOperator
from airflow_tableau_webhooks.triggers import RefreshTrigger

__all__ = ["RefreshTrigger", "TableauRefreshOperator"]
__version__ = "0.1.0"
