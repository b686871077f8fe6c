"""The calls of the service: `POST /refreshes`, `GET` and `DELETE /refreshes/{id}`."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import quote

import httpx

ENDED = ("succeeded", "failed", "cancelled", "timed_out")
# How long a service that does not answer is asked again for a refresh, in seconds. It is looked at until the end.
PATIENCE = 300
LONGEST_GAP = 60


class Refused(Exception):
    """An answer that another try does not change."""

    def __init__(self, status: int, problem: dict[str, Any]):
        said = problem.get("detail") or problem.get("message") or f"the service answered {status}"
        meant = [place for place in map(_place, problem.get("candidates") or []) if place not in said]
        super().__init__(f"{said} There are: {'; '.join(meant)}." if meant else said)
        self.status = status
        self.code = problem.get("code")


class NoAnswer(Exception):
    """The service does not answer."""


class Service:
    """The service of a connection: its host is the address of the stack, its password the key."""

    def __init__(self, connection: Any):
        host = (connection.host or "").rstrip("/")
        if "://" not in host:
            scheme = connection.schema if connection.schema in ("http", "https") else "https"
            host = f"{scheme}://{host}" + (f":{connection.port}" if connection.port else "")
        # The key must not cross a network in clear text. http only reaches this machine, in tests.
        if not host.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError("the host of the connection has to begin with https://")
        if not connection.password:
            raise ValueError("the connection has no password: put the key there")
        self.url = host
        self._headers = {"Authorization": f"Bearer {connection.password}"}

    def start(self, wanted: dict[str, Any], idempotency_key: str) -> dict[str, Any]:
        """Asks for a refresh. A lost answer starts nothing twice: each try has the same key."""
        headers = {**self._headers, "Idempotency-Key": idempotency_key}
        return self._ask("POST", "/refreshes", headers, wanted)

    def look(self, refresh_id: str) -> dict[str, Any] | None:
        """How the refresh goes; `None` if the service does not answer now."""
        url = f"{self.url}/refreshes/{quote(refresh_id, safe='')}"
        try:
            answer = httpx.get(url, headers=self._headers, timeout=60)
        except httpx.HTTPError:
            return None
        return _read(answer)

    async def look_async(self, client: httpx.AsyncClient, refresh_id: str) -> dict[str, Any] | None:
        """How the refresh goes; `None` if the service does not answer now."""
        url = f"{self.url}/refreshes/{quote(refresh_id, safe='')}"
        try:
            answer = await client.get(url, headers=self._headers)
        except httpx.HTTPError:
            return None
        return _read(answer)

    async def cancel(self, client: httpx.AsyncClient, refresh_id: str) -> None:
        """Ends this request; the job at Tableau too, if no other request waits for it."""
        await client.delete(f"{self.url}/refreshes/{quote(refresh_id, safe='')}", headers=self._headers)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: dict[str, Any] | None) -> dict[str, Any]:
        began, gap = time.monotonic(), 1.0
        with httpx.Client(timeout=60) as client:
            while True:
                answer = None
                try:
                    answer = client.request(method, self.url + path, json=body, headers=headers)
                except httpx.HTTPError:
                    pass
                said = _read(answer) if answer is not None else None
                if said is not None:
                    return said
                wait = _retry_after(answer) or gap
                if time.monotonic() - began + wait > PATIENCE:
                    raise NoAnswer("the service does not answer")
                time.sleep(wait)
                gap = min(gap * 2, LONGEST_GAP)


async def gaps():
    """Waits, longer each time: a look costs one short call, and a request that waits at the service costs time of a function."""
    gap = 1.0
    while True:
        await asyncio.sleep(gap)
        gap = min(gap * 2, LONGEST_GAP)
        yield


def _place(candidate: dict[str, Any]) -> str:
    """Where an object is: `Finance/Europe/Orders`, with `\\/` for a slash in a name."""
    names = [*(candidate.get("project") or []), candidate.get("name") or ""]
    return "/".join(name.replace("/", "\\/") for name in names)


def _retry_after(answer: httpx.Response | None) -> int | None:
    text = answer.headers.get("Retry-After", "") if answer is not None else ""
    return int(text) if text.isdigit() else None


def _read(answer: httpx.Response) -> dict[str, Any] | None:
    """The answer; `None` if another try may have one."""
    if answer.status_code == 429 or answer.status_code >= 500:
        return None
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if not answer.is_success:
        raise Refused(answer.status_code, body if isinstance(body, dict) else {})
    # What is no answer of the service, such as the page of a proxy, says nothing.
    return body if isinstance(body, dict) and "status" in body else None
