"""The trigger that waits for the end of a refresh."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
from airflow.sdk.bases.hook import BaseHook
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_tableau_webhooks.service import ENDED, Refused, Service, gaps


class RefreshTrigger(BaseTrigger):
    """Fires when the refresh has ended. It holds the name of the connection: the key is not stored with it."""

    def __init__(self, conn_id: str, refresh_id: str, until: float | None = None):
        super().__init__()
        self.conn_id = conn_id
        self.refresh_id = refresh_id
        # As a time of the clock: a triggerer that begins again goes on with it.
        self.until = until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"conn_id": self.conn_id, "refresh_id": self.refresh_id, "until": self.until}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        service = Service(await BaseHook.aget_connection(self.conn_id))
        async with httpx.AsyncClient(timeout=60) as client:
            async for _ in gaps():
                try:
                    refresh = await service.look_async(client, self.refresh_id)
                except Refused as refused:
                    yield TriggerEvent({"refused": str(refused), "status": refused.status, "id": self.refresh_id})
                    return
                # A look without an answer says nothing about the refresh.
                if refresh and refresh["status"] in ENDED:
                    yield TriggerEvent({"refresh": refresh})
                    return
                if self.until and time.time() > self.until:
                    why = "no look was answered with its end in time"
                    yield TriggerEvent({"refused": why, "status": None, "id": self.refresh_id})
                    return

    async def on_kill(self) -> None:
        """A person marked the task or cleared it. The request ends."""
        service = Service(await BaseHook.aget_connection(self.conn_id))
        async with httpx.AsyncClient(timeout=10) as client:
            await service.cancel(client, self.refresh_id)
