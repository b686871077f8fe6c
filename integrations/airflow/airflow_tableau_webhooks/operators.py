"""The operator that refreshes by name."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.bases.hook import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from airflow_tableau_webhooks.service import ENDED, LONGEST_GAP, PATIENCE, NoAnswer, Refused, Service
from airflow_tableau_webhooks.triggers import RefreshTrigger


class TableauRefreshOperator(BaseOperator):
    """Refreshes a workbook, a data source or a flow of Tableau, and ends when the refresh has.

    Exactly one of `name`, `luid` and `url` says what. The task waits deferred, so it holds no slot of a worker. Its result (XCom) is the
    answer of the service.

    A refresh that failed raises `AirflowException`: Airflow tries it again as the task says. What another try does not change (not
    found, ambiguous, not allowed) raises `AirflowFailException`.

    :param kind: `workbook`, `datasource` or `flow`; not needed with `url`
    :param name: the name of the object
    :param project: its project, such as `Finance/Europe` (`\\/` is a slash in a name), or a list of names
    :param luid: Tableau's id of the object
    :param url: the address that a browser shows
    :param site: the site; without it that of the stack
    :param incremental: an incremental refresh
    :param allow_full: a full refresh where an incremental one is not possible
    :param fresh: only a refresh that begins after the task has asked counts: one that runs already may have read the data of before the upstream
        tasks. `False` joins it
    :param timeout_minutes: after how many minutes the task fails; the job at Tableau goes on
    :param conn_id: the connection: its host is the address of the stack, its password the key
    :param deferrable: wait deferred, or in the worker
    """

    template_fields: Sequence[str] = ("name", "project", "luid", "url", "site")

    def __init__(
        self,
        *,
        kind: str | None = None,
        name: str | None = None,
        project: str | list[str] | None = None,
        luid: str | None = None,
        url: str | None = None,
        site: str | None = None,
        incremental: bool = False,
        allow_full: bool = False,
        fresh: bool = True,
        timeout_minutes: int = 120,
        conn_id: str = "tableau_webhooks",
        deferrable: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.kind = kind
        self.name = name
        self.project = project
        self.luid = luid
        self.url = url
        self.site = site
        self.incremental = incremental
        self.allow_full = allow_full
        self.fresh = fresh
        self.timeout_minutes = timeout_minutes
        self.conn_id = conn_id
        self.deferrable = deferrable

    def execute(self, context: Any) -> dict[str, Any]:
        service = Service(BaseHook.get_connection(self.conn_id))
        try:
            refresh = service.start(self._wanted(), _idempotency_key(context["ti"]))
        except Refused as refused:
            raise AirflowFailException(str(refused)) from None
        except NoAnswer as error:
            raise AirflowException(str(error)) from None
        self.log.info("%s (%s)", refresh["message"], refresh["id"])
        if refresh["status"] not in ENDED:
            if self.deferrable:
                # The service ends the request after timeout_minutes; the deferral has to last a bit longer.
                limit = timedelta(minutes=self.timeout_minutes + 10)
                trigger = RefreshTrigger(conn_id=self.conn_id, refresh_id=refresh["id"], until=time.time() + limit.total_seconds() - 60)
                self.defer(trigger=trigger, method_name="execute_complete", timeout=limit)
            refresh = self._wait(service, refresh)
        return self._result(refresh)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Goes on after the wait."""
        if "refused" in event:
            raise AirflowFailException(_not_known(event.get("id"), event["refused"]))
        return self._result(event["refresh"])

    def _wanted(self) -> dict[str, Any]:
        members = ("kind", "name", "project", "luid", "url", "site")
        wanted = {member: getattr(self, member) for member in members if getattr(self, member)}
        wanted["timeout_minutes"] = self.timeout_minutes
        for member in ("incremental", "allow_full", "fresh"):
            if getattr(self, member):
                wanted[member] = True
        return wanted

    def _wait(self, service: Service, refresh: dict[str, Any]) -> dict[str, Any]:
        gap = 1
        limit = time.monotonic() + self.timeout_minutes * 60 + PATIENCE
        while refresh["status"] not in ENDED:
            time.sleep(gap)
            gap = min(gap * 2, LONGEST_GAP)
            try:
                looked = service.look(refresh["id"])
            except Refused as refused:
                raise AirflowFailException(_not_known(refresh["id"], refused)) from None
            # A look without an answer says nothing about the refresh.
            refresh = looked or refresh
            if time.monotonic() > limit and refresh["status"] not in ENDED:
                raise AirflowFailException(_not_known(refresh["id"], "no look was answered with its end in time"))
        return refresh

    def _result(self, refresh: dict[str, Any]) -> dict[str, Any]:
        if refresh["status"] == "succeeded":
            self.log.info(refresh["message"])
            return refresh
        cause = refresh["cause"]
        more = f" Cause: {cause['line']} Next step: {cause['next_step']}" if cause else ""
        raise AirflowException(refresh["message"] + more)


def _not_known(refresh_id: str | None, why: Any) -> str:
    # Not tried again: the refresh may have succeeded.
    return f"It is not known how the refresh ended (id {refresh_id}): {why}"


def _idempotency_key(ti: Any) -> str:
    """The same for one try of a task: a worker that is lost and begins again starts nothing twice. The next try is another one."""
    parts = (ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number)
    return "airflow-" + hashlib.sha256(repr(parts).encode()).hexdigest()
