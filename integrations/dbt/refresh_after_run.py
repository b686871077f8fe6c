"""Refreshes in Tableau what depends on the models of a dbt run. For every warehouse; needs Python alone.

  python refresh_after_run.py dbt build --select orders+     run dbt, then refresh
  python refresh_after_run.py                                refresh after the run whose results are in target/

An exposure says what: `meta.tableau` with `kind`, and `name` (with `project`), `luid` or `url`. Only a refresh that begins after the run counts, as one
that runs already may have read the data of before; `fresh: false` joins it. It is refreshed if a model, seed or snapshot
that it depends on was built in the run, and none of them failed, was skipped or has a failed test.

REFRESH_URL is the address of the stack, REFRESH_KEY the key. DBT_TARGET_PATH is where dbt writes, if that is not target/.

Exit code: that of dbt if it is not 0; else 1 if a refresh failed or was refused, 0 otherwise.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

ENDED = ("succeeded", "failed", "cancelled", "timed_out")
BUILT = ("model.", "seed.", "snapshot.")
MEMBERS = ("kind", "name", "project", "luid", "url", "site", "incremental", "allow_full", "fresh", "timeout_minutes")
# How long a service that does not answer is asked again for a refresh, in seconds. It is looked at until the end.
PATIENCE = 300
LONGEST_GAP = 30
# What the service takes if a request does not say it.
TIMEOUT_MINUTES = 120


class Refused(Exception):
    """The service refuses the request, or does not answer one."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key to another address."""

    def redirect_request(self, *_):
        return None


class Service:
    """The stack at this address."""

    def __init__(self, url, key):
        self.url = url.rstrip("/")
        # The key must not cross a network in clear text. http only reaches this machine, in tests.
        if not self.url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise Refused("REFRESH_URL has to begin with https://")
        if not re.fullmatch(r"[\w-]+", key, re.ASCII):
            raise Refused("REFRESH_KEY has a character that no key has")
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.opener = urllib.request.build_opener(NoRedirect)

    def start(self, wanted):
        """Asks for a refresh. Each try has the same key, so a lost answer starts nothing twice."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        began, gap = time.monotonic(), 1
        while True:
            refresh, said, asked = self._ask("POST", "/refreshes", {"fresh": True, **wanted}, headers)
            if refresh:
                return refresh
            wait = asked or gap
            if time.monotonic() - began + wait > PATIENCE:
                raise Refused(said)
            time.sleep(wait)
            gap = min(gap * 2, LONGEST_GAP)

    def look(self, refresh):
        """How it goes; `None` if the service does not answer now."""
        return self._ask("GET", f"/refreshes/{refresh['id']}", None, {})[0]

    def _ask(self, method, path, body, headers):
        """The answer; `None` if another try may have one, with why, and the seconds that the service asks for."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {**self.headers, **headers}, method=method)
        try:
            with self.opener.open(request, timeout=60) as answer:
                said = json.load(answer)
                return (said if isinstance(said, dict) and "status" in said else None), "the service does not answer", None
        except urllib.error.HTTPError as error:
            said = _detail(error)
            if error.code != 429 and error.code < 500:
                raise Refused(said) from None
            asked = error.headers.get("Retry-After") or ""
            return None, said, int(asked) if asked.isdigit() else None
        except (OSError, ValueError, http.client.HTTPException):
            return None, "the service does not answer", None


def _detail(error):
    try:
        problem = json.load(error)
    except (OSError, ValueError, http.client.HTTPException):
        problem = {}
    problem = problem if isinstance(problem, dict) else {}
    said = problem.get("detail") or problem.get("message") or f"HTTP status {error.code}"
    meant = [place for place in map(_place, problem.get("candidates") or []) if place not in said]
    return f"{said} There are: {'; '.join(meant)}." if meant else said


def _place(candidate):
    """Where an object is: `Finance/Europe/Orders`, with `\\/` for a slash in a name."""
    names = [*(candidate.get("project") or []), candidate.get("name") or ""]
    return "/".join(name.replace("/", "\\/") for name in names)


def refresh_all(service, wanted, say=print):
    """Refreshes these, {name: what}, at the same time. Returns what went wrong, {name: text}."""
    wrong, open_ones, limits = {}, {}, {}
    for name, what in wanted.items():
        try:
            open_ones[name] = service.start(what)
            limits[name] = time.monotonic() + what.get("timeout_minutes", TIMEOUT_MINUTES) * 60 + PATIENCE
            say(f"Tableau: {name}: {open_ones[name]['message']}")
        except Refused as refused:
            wrong[name] = str(refused)
    gap = 1
    while True:
        for name, refresh in list(open_ones.items()):
            if refresh["status"] not in ENDED:
                continue
            del open_ones[name]
            cause = refresh["cause"]
            text = refresh["message"] + (f" Cause: {cause['line']} Next step: {cause['next_step']}" if cause else "")
            if refresh["status"] == "succeeded":
                say(f"Tableau: {name}: {text}")
            else:
                wrong[name] = text
        if not open_ones:
            return wrong
        time.sleep(gap)
        gap = min(gap * 2, LONGEST_GAP)
        for name, refresh in list(open_ones.items()):
            not_known = f"it is not known how the refresh ended (id {refresh['id']}): "
            try:
                # A look without an answer says nothing about the refresh.
                open_ones[name] = refresh = service.look(refresh) or refresh
            except Refused as refused:
                del open_ones[name]
                wrong[name] = f"{not_known}{refused}"
                continue
            if time.monotonic() > limits[name] and refresh["status"] not in ENDED:
                del open_ones[name]
                wrong[name] = f"{not_known}no look was answered with its end in time"


def plan(manifest, run_results):
    """What to refresh, {exposure: what}, and why others are not, {exposure: names}."""
    wanted, held = {}, {}
    nodes = manifest["nodes"]
    for exposure in manifest["exposures"].values():
        meta = ((exposure.get("config") or {}).get("meta") or exposure.get("meta") or {}).get("tableau")
        if not meta:
            continue
        parents = set(exposure["depends_on"]["nodes"])
        built, bad = False, set()
        for result in run_results["results"]:
            node, status = result["unique_id"], result["status"]
            name = nodes.get(node, {}).get("name", node)
            if node in parents and node.startswith(BUILT):
                built = built or status == "success"
                bad |= {name} if status != "success" else set()
            elif node.startswith("test.") and status in ("fail", "error", "skipped"):
                bad |= {name} if parents & set(nodes.get(node, {}).get("depends_on", {}).get("nodes", [])) else set()
        if bad:
            held[exposure["name"]] = sorted(bad)
        elif built:
            wanted[exposure["name"]] = {member: meta[member] for member in MEMBERS if member in meta}
    return wanted, held


def main(command):
    target = Path(os.environ.get("DBT_TARGET_PATH") or "target")
    results = target / "run_results.json"
    code = 0
    if command:
        before = results.stat().st_mtime_ns if results.exists() else None
        code = subprocess.run(command).returncode
        if not results.exists() or results.stat().st_mtime_ns == before:
            print("Tableau: dbt wrote no results, so nothing is refreshed", file=sys.stderr)
            return code or 1
    try:
        manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
        run_results = json.loads(results.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        print(f"Tableau: there is no {error.filename}. Run dbt first, in this folder.", file=sys.stderr)
        return 1
    wanted, held = plan(manifest, run_results)
    for name, names in held.items():
        print(f"Tableau: {name} is not refreshed because of {', '.join(names)}")
    if not wanted:
        return code
    try:
        service = Service(os.environ.get("REFRESH_URL", ""), os.environ.get("REFRESH_KEY", ""))
        wrong = refresh_all(service, wanted)
    except Refused as refused:
        wrong = {"all": str(refused)}
    for name, text in wrong.items():
        print(f"Tableau: {name}: {text}", file=sys.stderr)
    return code or (1 if wrong else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
