"""Every status of /refreshes and /events at the stack that REFRESH_URL names; each answer is held against docs/openapi.yaml.

The keys and objects are those of integrations/README.md. Without REFRESH_URL these tests are skipped.
"""

import json
import os
import re
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
SCENE = json.loads(Path(os.environ.get("REFRESH_SCENE") or ROOT / "integrations" / "testing" / "scene.json").read_text(encoding="utf-8"))
URL = os.environ.get("REFRESH_URL", "").rstrip("/")

pytestmark = pytest.mark.skipif(not URL, reason="REFRESH_URL is not set")


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class Answer:
    def __init__(self, status, headers, text):
        self.status = status
        self.headers = headers
        self.body = json.loads(text)

    @property
    def problem(self):
        return self.status, self.body.get("code")


def ask(method, path, body=None, key="REFRESH_KEY", raw=None, **headers):
    """Asks, and holds the answer against the document."""
    data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        headers.setdefault("Content-Type", "application/json")
    if key:
        headers.setdefault("Authorization", f"Bearer {os.environ.get(key, key)}")
    request = urllib.request.Request(URL + path, data, headers, method=method)
    try:
        answered = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answered = error
    with answered:
        answer = Answer(answered.status, answered.headers, answered.read())
    template = re.sub(r"^/refreshes/[^/?]+.*", "/refreshes/{id}", path)
    operation = DOCUMENT["paths"][template].get(method.lower())
    if operation:
        response = resolve(operation["responses"][str(answer.status)])
        schema = response["content"][answer.headers.get_content_type()]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer.body)
    assert answer.headers["Cache-Control"] == "no-store" or answer.status >= 400
    return answer


def of(which, **more):
    if which not in SCENE:
        pytest.skip(f"the scene has no `{which}`")
    return {name: SCENE[which][name] for name in ("kind", "name", "project") if name in SCENE[which]} | more


def ended(answer):
    """The refresh, once it has ended."""
    until = time.monotonic() + 120
    while answer.body["status"] in ("queued", "running"):
        assert time.monotonic() < until, answer.body
        answer = ask("GET", f"/refreshes/{answer.body['id']}?wait_seconds=5")
        assert answer.status == 200
    return answer.body


def test_a_refresh_is_accepted_with_where_to_look_and_ends():
    answer = ask("POST", "/refreshes", of("found"))
    assert answer.status == 202 and answer.headers["Location"].endswith(f"/refreshes/{answer.body['id']}")
    assert answer.body["waits_for"] and answer.body["ended_at"] is None
    refresh = ended(answer)
    assert refresh["status"] == "succeeded" and refresh["job"] and refresh["ended_at"] and refresh["waits_for"] is None
    assert refresh["name"] == SCENE["found"]["name"] and refresh["cause"] is None


def test_a_fresh_request_is_answered_with_a_refresh_that_began_after_it():
    first = ask("POST", "/refreshes", of("found"))
    time.sleep(0.3)
    answer = ask("POST", "/refreshes", of("found", fresh=True))
    before, fresh = ended(first), ended(answer)
    assert before["status"] == fresh["status"] == "succeeded"
    assert fresh["started_at"][:19] >= fresh["requested_at"][:19]
    if before["started_at"][:19] < fresh["requested_at"][:19]:
        assert fresh["job"] != before["job"]


def test_a_refresh_that_ends_within_the_wait_is_200():
    answer = ask("POST", "/refreshes", of("workbook", wait_seconds=25))
    assert (answer.status, answer.body["status"]) == (200, "succeeded")


def test_a_failed_refresh_has_its_cause():
    refresh = ended(ask("POST", "/refreshes", of("failing", wait_seconds=25)))
    assert refresh["status"] == "failed" and refresh["cause"]["class"] == SCENE["failing"]["class"]
    assert SCENE["failing"]["says"] in refresh["cause"]["line"]


def test_the_second_caller_joins_the_open_refresh():
    first = ask("POST", "/refreshes", of("flow"))
    second = ask("POST", "/refreshes", of("flow"))
    assert first.body["id"] != second.body["id"] and second.body["joined"]
    assert ended(first)["job"] == ended(second)["job"]


def test_the_same_idempotency_key_is_the_same_request_and_another_body_is_refused():
    key = uuid.uuid4().hex
    first = ask("POST", "/refreshes", of("slash"), Idempotency_Key=key)
    again = ask("POST", "/refreshes", of("slash"), Idempotency_Key=key)
    assert first.body["id"] == again.body["id"]
    assert ask("POST", "/refreshes", of("found"), Idempotency_Key=key).problem == (422, "idempotency_key_reused")
    # The same key of another caller is another key.
    other = ask("POST", "/refreshes", of("found"), key="REFRESH_KEY_NARROW", Idempotency_Key=key)
    assert other.status in (200, 202) and other.body["id"] != first.body["id"]
    for wrong in ("", "x" * 129, "a b", "é"):
        assert ask("POST", "/refreshes", of("found"), Idempotency_Key=wrong).problem == (400, "malformed"), wrong


def test_names_are_found_or_refused_with_candidates():
    near = ask("POST", "/refreshes", of("near"))
    assert near.problem == (404, "not_found")
    assert SCENE["near"]["meant"] in [candidate["name"] for candidate in near.body["candidates"]]
    elsewhere = ask("POST", "/refreshes", {**of("found"), "project": "Finance"})  # N03
    assert elsewhere.problem == (404, "not_found") and elsewhere.body["candidates"][0]["project"] == [SCENE["found"]["project"]]
    site = ask("POST", "/refreshes", of("found", site="another-site"))
    assert site.problem == (404, "other_site") and SCENE["site"] in site.body["detail"]
    assert ask("POST", "/refreshes", {"url": "https://10ax.online.tableau.com/#/projects/35"}).problem == (422, "unresolvable_url")  # N04
    missing = {"kind": "workbook", "luid": "00000000-0000-4000-8000-000000000000"}
    assert ask("POST", "/refreshes", missing).problem == (404, "not_found")


def test_an_ambiguous_name_has_all_candidates():  # N01
    both = ask("POST", "/refreshes", of("ambiguous"))
    assert both.problem == (409, "ambiguous")
    assert sorted("/".join(candidate["project"]) for candidate in both.body["candidates"]) == sorted(SCENE["ambiguous"]["projects"])


def test_a_live_connection_is_422():
    assert ask("POST", "/refreshes", of("live")).problem == (422, "live_connection")


def test_an_incremental_refresh_that_is_not_possible_is_422_or_full():  # R05
    assert ask("POST", "/refreshes", of("full_only", incremental=True)).problem == (422, "no_incremental")
    assert ask("POST", "/refreshes", of("full_only", incremental=True, allow_full=True)).body["incremental"] is False


@pytest.mark.parametrize("callback", ["https://127.0.0.1/x", "https://169.254.169.254/latest", "https://localhost/x", "https://10.0.0.1/x"])
def test_a_callback_goes_to_public_addresses_only(callback):
    if os.environ.get("OPENAPI_DOUBLE"):
        pytest.skip("the double has no callbacks")
    assert ask("POST", "/refreshes", of("found", callback_url=callback)).problem == (422, "address_refused")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"name": "x"},
        of("found", wait_seconds=26),
        of("found", wait_seconds=-1),
        of("found", timeout_minutes=0),
        of("found", timeout_minutes=1441),
        of("found", other=1),
        of("found", url="https://h/#/workbooks/1"),
        of("found", project=[]),
        of("found", callback_url=1),
        {"kind": "view", "name": "x"},
        {"kind": "flow", "luid": "130"},
    ],
)
def test_a_malformed_request_is_400(body):
    assert ask("POST", "/refreshes", body).problem == (400, "malformed")


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"kind": NaN}', b"null"])
def test_what_is_no_json_object_is_400(raw):
    assert ask("POST", "/refreshes", raw=raw).problem == (400, "malformed")


def test_a_callback_in_clear_text_is_refused():
    assert ask("POST", "/refreshes", of("found", callback_url="http://hooks.example.com/x")).status in (400, 422)


def test_the_other_refusals():
    assert ask("POST", "/refreshes", of("found"), Content_Type="text/plain").problem == (415, "unsupported_media_type")
    assert ask("POST", "/refreshes", raw=b" " * 70_000).problem == (413, "too_large")
    wrong = ask("PUT", "/refreshes", of("found"))
    assert wrong.problem == (405, "method_not_allowed") and "POST" in wrong.headers["Allow"]
    for wait in ("26", "-1", "x", ""):
        assert ask("GET", f"/refreshes/nothing?wait_seconds={wait}").problem == (400, "malformed"), wait


@pytest.mark.parametrize("method, path", [("POST", "/refreshes"), ("GET", "/refreshes/x"), ("DELETE", "/refreshes/x"), ("POST", "/events")])
def test_only_a_valid_key_is_taken(method, path):
    own = os.environ["REFRESH_KEY"]
    body = {"event": "PipelineFinished", "name": "x"} if path == "/events" else of("found") if method == "POST" else None
    forged = own[:-1] + ("A" if own[-1] != "A" else "B")
    for key in (None, "REFRESH_KEY_REVOKED", forged, own[:-1], own + "x", own.upper(), "twk__", "x"):
        answer = ask(method, path, body, key=key)
        assert answer.problem == (401, "unauthorized") and answer.headers["WWW-Authenticate"].startswith("Bearer")
    for header in (own, f"Basic {own}", f"Bearer {own}, Bearer {own}"):
        assert ask(method, path, body, key=None, Authorization=header).status == 401


def test_a_key_may_only_what_it_may():
    # By its name, what a key may not refresh is not told from what does not exist.
    refused = ask("POST", "/refreshes", of("failing"), key="REFRESH_KEY_NARROW")
    assert refused.problem == (404, "not_found") and not refused.body.get("candidates")
    luid = next(it["luid"] for it in SCENE["content"] if it["name"] == SCENE["failing"]["name"])
    by_luid = {"kind": SCENE["failing"]["kind"], "luid": luid}
    assert ask("POST", "/refreshes", by_luid, key="REFRESH_KEY_NARROW").problem == (403, "not_allowed")
    assert ask("POST", "/events", {"event": "PipelineFinished", "name": "x"}, key="REFRESH_KEY_NARROW").problem == (403, "not_allowed")


def test_a_request_of_another_caller_is_not_there():
    mine = ask("POST", "/refreshes", of("found")).body["id"]
    for method in ("GET", "DELETE"):
        assert ask(method, f"/refreshes/{mine}", key="REFRESH_KEY_NARROW").problem == (404, "not_found")
        assert ask(method, "/refreshes/no-such-id").problem == (404, "not_found")


def test_over_its_rate_a_key_is_told_when_to_come_again():
    answers = [ask("GET", "/refreshes/x", key="REFRESH_KEY_LIMITED") for _ in range(3)]
    assert answers[-1].problem == (429, "rate_limited") and 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_delete_ends_this_request_and_the_job_only_if_no_other_waits():
    first = ask("POST", "/refreshes", of("never")).body["id"]
    second = ask("POST", "/refreshes", of("never")).body["id"]
    assert ask("DELETE", f"/refreshes/{first}").body["status"] == "cancelled"
    assert ask("GET", f"/refreshes/{second}").body["status"] in ("queued", "running")
    assert ask("DELETE", f"/refreshes/{second}").body["status"] == "cancelled"
    assert ask("DELETE", f"/refreshes/{second}").body["status"] == "cancelled", "again changes nothing"


def test_an_event_is_accepted_or_refused():
    taken = ask("POST", "/events", {"event": "PipelineFinished", "name": "x", "severity": "critical", "data": {"tables": "412"}})
    assert taken.status == 202
    for wrong in ({"event": "WorkbookUpdated"}, {"event": "RefreshFailed"}, {"event": "x"}, {"data": {"a": 1}}, {"name": ""}, {"more": 1}):
        assert ask("POST", "/events", {"event": "PipelineFinished", "name": "x", **wrong}).problem == (400, "malformed"), wrong
