"""A double of the stack's HTTP API: what a caller of `/refreshes` and `/events` meets, from docs/openapi.yaml.

  double.py COMMAND [ARGUMENT…]     start the double, and run the command with REFRESH_URL and the keys in its environment
  double.py --port 8123             start the double, print these variables, and serve until it is stopped

It checks requests with the schemas of docs/openapi.yaml, and its own answers too: a status, a media type or a body that the file does not list
is answered as 500 and said on stderr, and the command then counts as failed. It is for developing a caller. What counts is the same test at a stack.
"""

import argparse
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
import uuid
from datetime import datetime, timezone
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text(encoding="utf-8"))
SCENE = json.loads((ROOT / "integrations/testing/scene.json").read_text(encoding="utf-8"))
TAKES = float(os.environ.get("DOUBLE_TAKES", "0.5"))
STARTS = TAKES / 4
BODY_LIMIT = 64 * 1024
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
SITE = ("marketing", "Marketing", "8b2a95d8-52b9-40a4-8712-cd6da771bd1b")
ENDED = ("succeeded", "failed", "cancelled", "timed_out")


def schema(name):
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]},
        format_checker=jsonschema.FormatChecker(),
    )


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Problem(Exception):
    def __init__(self, status, code, detail, headers=(), **more):
        super().__init__(detail)
        title = TITLES.get(status) or HTTPStatus(status).phrase
        self.status = status
        self.headers = dict(headers)
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **more}


class Key:
    def __init__(self, **may):
        self.id = secrets.token_hex(6)
        self.secret = secrets.token_urlsafe(32)
        self.revoked = may.get("revoked", False)
        self.projects = may.get("projects")
        self.events = may.get("events", True)
        self.rate = may.get("rate", 1_000_000)
        self.used = []

    @property
    def text(self):
        return f"twk_{self.id}_{self.secret}"


class State:
    """All that the double remembers."""

    def __init__(self):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.token = secrets.token_urlsafe(32)
        self.keys = {
            "REFRESH_KEY": Key(),
            "REFRESH_KEY_REVOKED": Key(revoked=True),
            "REFRESH_KEY_LIMITED": Key(rate=2),
            "REFRESH_KEY_NARROW": Key(projects=["Sales"], events=False),
        }
        self.refreshes = {}
        self.runs = {}
        self.idempotent = {}
        self.events = []
        self.wrong = []

    def environment(self):
        keys = {name: key.text for name, key in self.keys.items()}
        return {**keys, "REFRESH_WEBHOOK_TOKEN": self.token}

    def caller(self, header):
        found = re.fullmatch(r"Bearer twk_([a-z0-9]{12})_([A-Za-z0-9_-]{43})", header or "")
        key = found and next((key for key in self.keys.values() if key.id == found[1]), None)
        if not key or key.revoked or not secrets.compare_digest(key.secret, found[2]):
            detail = "Send a key that is valid, as `Authorization: Bearer twk_…`."
            raise Problem(401, "unauthorized", detail, {"WWW-Authenticate": "Bearer"})
        with self.lock:
            minute_ago = time.monotonic() - 60
            key.used = [at for at in key.used if at > minute_ago]
            if len(key.used) >= key.rate:
                detail = f"This key may ask {key.rate} times a minute."
                raise Problem(429, "rate_limited", detail, {"Retry-After": "60"})
            key.used.append(time.monotonic())
        return key

    # Objects

    def find(self, wanted, key):
        # What the key may not refresh counts as if it did not exist.
        content = [it for it in SCENE["content"] if key.projects is None or it["project"][0] in key.projects]
        if wanted.get("site") not in (None, *SITE):
            raise Problem(404, "other_site", f"This stack has the site {SITE[0]}, and no site {wanted['site']}.", field="site")
        if "luid" in wanted:
            found = [it for it in SCENE["content"] if it["luid"] == wanted["luid"].lower() and it["kind"] == wanted["kind"]]
            if not found:
                raise Problem(404, "not_found", f"There is no {wanted['kind']} with this LUID.", candidates=[])
            return found[0]
        if "url" in wanted:
            number = re.search(r"/#/(?:site/[^/]+/)?(workbooks|datasources|flows|projects)/(\d+)", wanted["url"])
            if not number or number[1] == "projects":
                raise Problem(422, "unresolvable_url", "No API of Tableau knows the number in this address. Say the project and the name.", field="url")
            kind = number[1].removesuffix("s")
            found = [it for it in content if it["kind"] == kind and it.get("number") == int(number[2])]
            if not found or wanted.get("kind") not in (None, kind):
                raise Problem(404, "not_found", f"There is no {kind} with the number {number[2]}.", candidates=[])
            return found[0]
        named = [it for it in content if it["kind"] == wanted["kind"] and it["name"].lower() == wanted["name"].lower()]
        project = wanted.get("project")
        if isinstance(project, str):
            project = [part.replace("\\/", "/") for part in re.split(r"(?<!\\)/", project)]
        inside = [it for it in named if project is None or [p.lower() for p in it["project"]] == [p.lower() for p in project]]
        candidate = lambda it: {name: it[name] for name in ("kind", "name", "project", "luid")}
        if len(inside) > 1:
            detail = f"{len(inside)} objects have the name {wanted['name']}. Say the project."
            raise Problem(409, "ambiguous", detail, candidates=[candidate(it) for it in inside])
        if not inside:
            near = named or [
                it for it in content if it["kind"] == wanted["kind"] and (it["name"].lower()[:5] == wanted["name"].lower()[:5])
            ]
            where = f" in {'/'.join(project)}" if project else ""
            places = ", ".join(f"{it['name']} ({'/'.join(it['project'])})" for it in near)
            detail = f"There is no {wanted['kind']} {wanted['name']}{where}." + (f" Near names are {places}." if near else "")
            raise Problem(404, "not_found", detail, candidates=[candidate(it) for it in near])
        return inside[0]

    # Refreshes

    def create(self, key, wanted, idempotency_key, base):
        said = json.dumps(wanted, sort_keys=True)
        with self.lock:
            known = self.idempotent.get((key.id, idempotency_key)) if idempotency_key else None
            if known:
                if known[0] != said:
                    raise Problem(422, "idempotency_key_reused", "This Idempotency-Key came with another body before.")
                return known[1]
            about = self.find(wanted, key)
            where = "/".join(about["project"])
            if key.projects is not None and about["project"][0] not in key.projects:
                raise Problem(403, "not_allowed", f"This key may not refresh the {about['kind']} {about['name']} in {where}.")
            ends = about.get("ends", "succeeded")
            if ends == "live":
                raise Problem(422, "live_connection", f"{about['name']} has a live connection, and so no extract to refresh.")
            if wanted.get("incremental") and about["kind"] != "flow" and not about.get("incremental") and not wanted.get("allow_full"):
                raise Problem(422, "no_incremental", f"{about['name']} has no incremental refresh. Set allow_full to refresh it fully.", field="incremental")
            run = self.runs.get(about["luid"])
            status = self.state(run)[0] if run else None
            # A fresh request joins what has not begun, and else waits for the next run.
            joined = status == "queued" if wanted.get("fresh") else bool(run) and status not in ENDED
            if not joined:
                at = time.monotonic()
                if run and status == "running":
                    at = float("inf") if run["ends"] == "never" else run["at"] + TAKES
                run = {"about": about, "ends": ends, "at": at, "job": str(uuid.uuid4()), "cancelled": None, "waiting": set()}
                self.runs[about["luid"]] = run
            refresh = {
                "id": "rf-" + secrets.token_hex(10),
                "caller": key.id,
                "run": run,
                "joined": joined,
                "requested_at": now(),
                "incremental": bool(wanted.get("incremental") and about.get("incremental")),
                "cancelled": None,
                "base": base,
            }
            run["waiting"].add(refresh["id"])
            self.refreshes[refresh["id"]] = refresh
            if idempotency_key:
                self.idempotent[(key.id, idempotency_key)] = (said, refresh["id"])
            return refresh["id"]

    def state(self, run):
        """Status, and how long ago it began, of a run."""
        age = time.monotonic() - run["at"]
        if run["cancelled"]:
            return ("cancelled", age)
        if age < STARTS:
            return ("queued", age)
        if age < TAKES or run["ends"] == "never":
            return ("running", age)
        return (run["ends"], age)

    def show(self, key, refresh_id):
        with self.lock:
            refresh = self.refreshes.get(refresh_id)
            if not refresh or refresh["caller"] != key.id:
                raise Problem(404, "not_found", "There is no refresh with this id.")
            run, about = refresh["run"], refresh["run"]["about"]
            status, _ = self.state(run)
            if refresh["cancelled"]:
                status = "cancelled"
            ended = status in ENDED
            if ended:
                run["waiting"].discard(refresh_id)
                refresh.setdefault("ended_at", now())
            if status != "queued":
                refresh.setdefault("started_at", now())
            name = about["name"]
            message = {
                "queued": f"{name} waits for its turn.",
                "running": f"{name} is refreshed.",
                "succeeded": f"{name} was refreshed.",
                "failed": f"The refresh of {name} failed.",
                "cancelled": f"The refresh of {name} was cancelled.",
                "timed_out": f"{name} is still queued at Tableau since {refresh['requested_at']}. The job is left alone.",
            }[status]
            return {
                "id": refresh_id,
                "status": status,
                "kind": about["kind"],
                "luid": about["luid"],
                "name": name,
                "project": about["project"],
                "site": SITE[0],
                "incremental": refresh["incremental"],
                "joined": refresh["joined"],
                "requested_at": refresh["requested_at"],
                "started_at": refresh.get("started_at"),
                "ended_at": refresh.get("ended_at") if ended else None,
                "job": run["job"] if status != "queued" else None,
                "waits_for": None if ended else {"queued": "a free place at Tableau", "running": "the end of the job at Tableau"}[status],
                "message": message,
                "cause": about["cause"] if status == "failed" else None,
                "status_url": f"{refresh['base']}/refreshes/{refresh_id}",
            }

    def wait(self, key, refresh_id, seconds):
        until = time.monotonic() + seconds
        while True:
            shown = self.show(key, refresh_id)
            left = until - time.monotonic()
            if shown["status"] in ENDED or left <= 0:
                return shown
            time.sleep(min(left, TAKES / 10))

    def cancel(self, key, refresh_id):
        with self.lock:
            shown = self.show(key, refresh_id)
            if shown["status"] not in ENDED:
                refresh = self.refreshes[refresh_id]
                refresh["cancelled"] = now()
                refresh["run"]["waiting"].discard(refresh_id)
                if not refresh["run"]["waiting"]:
                    refresh["run"]["cancelled"] = now()
            return self.show(key, refresh_id)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State

    def log_message(self, *_):
        pass

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = urlsplit(self.path)
        template, parameters = self.route(path.path)
        try:
            status, headers, kind, answer = self.answer(template, parameters, parse_qs(path.query, keep_blank_values=True), body)
        except Problem as problem:
            status, headers, kind, answer = problem.status, problem.headers, "application/problem+json", problem.body
        except Exception as error:
            self.state.wrong.append(f"{self.command} {self.path}: {error!r}")
            status, headers, kind, answer = 500, {}, "application/json", {"message": "Internal Server Error"}
        if template:
            self.check(template, status, kind, answer)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Cache-Control": "no-store", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_QUERY = handle_any

    def route(self, path):
        for template in DOCUMENT["paths"]:
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
            found = re.fullmatch(pattern, path)
            if found and not (template == "/webhooks/{workflow}" and found["workflow"] not in DOCUMENT["components"]["schemas"]["Workflow"]["enum"]):
                return template, {name: unquote(value) for name, value in found.groupdict().items()}
        return None, {}

    def check(self, template, status, kind, answer):
        """Holds the answer against docs/openapi.yaml."""
        operation = DOCUMENT["paths"][template].get(self.command.lower())
        if operation is None:
            return
        response = operation["responses"].get(str(status))
        wrong = None
        if response is None:
            wrong = f"status {status} is not listed"
        elif content := resolve(response).get("content"):
            media = content.get(kind.split(";")[0])
            if media is None:
                wrong = f"status {status} has no {kind}"
            else:
                holds = {**media["schema"], "components": DOCUMENT["components"]}
                errors = list(jsonschema.Draft202012Validator(holds).iter_errors(answer))
                wrong = "; ".join(error.message for error in errors)
        if wrong:
            self.state.wrong.append(f"{self.command} {template}: {wrong}")

    def answer(self, template, parameters, query, body):
        if template is None:
            return 404, {}, "application/json", {"message": "Not Found"}
        allowed = [name.upper() for name in DOCUMENT["paths"][template] if name in ("get", "head", "post", "delete")]
        if self.command not in allowed:
            problem = Problem(405, "method_not_allowed", "This path does not have the method.", {"Allow": ", ".join(allowed)})
            raise problem
        if template.startswith("/webhook"):
            return self.ingress(template, parameters, query, body)
        if template == "/c/{link}":
            if self.command == "POST" and len(body) > 16 * 1024:
                return 413, {}, "application/json", {"error": "body: over 16384 bytes"}
            return 404, {}, "text/html; charset=utf-8", "<!doctype html>\n<title>This link does not work</title>"
        key = self.state.caller(self.headers.get("Authorization"))
        if template == "/refreshes":
            wanted = self.json(body, "RefreshRequest")
            idempotency_key = self.headers.get("Idempotency-Key")
            if idempotency_key is not None and not re.fullmatch(r"[!-~]{1,128}", idempotency_key):
                raise Problem(400, "malformed", "Idempotency-Key: 1 to 128 visible characters of ASCII", field="Idempotency-Key")
            base = f"http://{self.headers['Host']}"
            refresh_id = self.state.create(key, wanted, idempotency_key, base)
            shown = self.state.wait(key, refresh_id, wanted.get("wait_seconds", 0))
            if shown["status"] in ENDED:
                return 200, {}, "application/json", shown
            return 202, {"Location": shown["status_url"]}, "application/json", shown
        if template == "/refreshes/{id}":
            if self.command == "DELETE":
                return 200, {}, "application/json", self.state.cancel(key, parameters["id"])
            wait = query.get("wait_seconds", ["0"])[-1]
            if not re.fullmatch(r"[0-9]{1,2}", wait) or int(wait) > 25:
                raise Problem(400, "malformed", "wait_seconds: a whole number from 0 to 25", field="wait_seconds")
            return 200, {}, "application/json", self.state.wait(key, parameters["id"], int(wait))
        event = self.json(body, "EventRequest")
        if not key.events:
            raise Problem(403, "not_allowed", "This key may not send events.")
        self.state.events.append(event)
        event_id = hashlib.sha256(json.dumps([event, now()], sort_keys=True).encode()).hexdigest()
        return 202, {}, "application/json", {"status": "accepted", "event_id": event_id}

    def json(self, body, name):
        if (self.headers.get("Content-Type") or "").split(";")[0].strip().lower() != "application/json":
            raise Problem(415, "unsupported_media_type", "Send JSON, with `Content-Type: application/json`.")
        if len(body) > BODY_LIMIT:
            raise Problem(413, "too_large", f"body: over {BODY_LIMIT} bytes")
        try:
            value = json.loads(body)
        except ValueError as error:
            raise Problem(400, "malformed", f"body: not JSON: {error}") from None
        error = jsonschema.exceptions.best_match(schema(name).iter_errors(value))
        if error:
            field = str(error.absolute_path[0]) if error.absolute_path else None
            raise Problem(400, "malformed", f"body: {error.message[:500]}", **({"field": field} if field else {}))
        return value

    def ingress(self, template, parameters, query, body):
        token = parameters.get("token") or query.get("token", [""])[0]
        if not secrets.compare_digest(token.encode(), self.state.token.encode()):
            return 403, {}, "application/json", {"error": "forbidden"}
        if len(body) > BODY_LIMIT:
            return 413, {}, "application/json", {"error": "body: over 65536 bytes"}
        try:
            value = json.loads(body) if body else {}
        except ValueError:
            value = None
        if value == {} or isinstance(value, dict) and value.get("event_type") == "Test":
            return 200, {}, "application/json", {"status": "test"}
        return 202, {}, "application/json", {"status": "accepted", "event_id": hashlib.sha256(body).hexdigest()}


def main():
    options = argparse.ArgumentParser(usage="double.py [--port PORT] [COMMAND …]")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("command", nargs=argparse.REMAINDER)
    given = options.parse_args()
    state = State()
    handler = type("Handler", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", given.port), handler)
    server.daemon_threads = True
    variables = {"REFRESH_URL": f"http://127.0.0.1:{server.server_address[1]}", **state.environment(), "OPENAPI_DOUBLE": "1"}
    if not given.command:
        for name, value in variables.items():
            print(f"export {name}='{value}'", flush=True)
        server.serve_forever()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code = subprocess.run(given.command, env={**os.environ, **variables}).returncode
    for wrong in state.wrong:
        print(f"double.py: its answer is not as docs/openapi.yaml says: {wrong}", file=sys.stderr)
    sys.exit(code or (1 if state.wrong else 0))


if __name__ == "__main__":
    main()
