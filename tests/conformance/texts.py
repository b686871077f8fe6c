"""Twilio's own OpenAPI document and client against what send-sms sends and what our double answers.

  texts.py document OPENAPI REQUESTS      REQUESTS: a JSON list of requests with their answers, as the double recorded them
  texts.py client URL ACCOUNT TOKEN SENDER RECIPIENT STOPPED

Prints one line per check; ends with 1 at the first that fails.
"""

import json
import sys


def check(what, holds):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        sys.exit(1)


def document(openapi, requests):
    from urllib.parse import parse_qsl

    from openapi_core import OpenAPI
    from openapi_core.datatypes import RequestParameters
    from werkzeug.datastructures import Headers, ImmutableMultiDict

    spec = OpenAPI.from_file_path(openapi)
    known = json.load(open(openapi))["paths"]
    messages = next(path for path in known if path.endswith("/Messages.json"))
    form = known[messages]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]

    class Request:
        def __init__(self, recorded):
            self.host_url = "https://api.twilio.com"
            self.path = recorded["path"]
            self.method = recorded["method"].lower()
            self.body = recorded["body"].encode()
            self.content_type = recorded["content_type"]
            headers = Headers({"Authorization": "Basic eDp5"})
            self.parameters = RequestParameters(query=ImmutableMultiDict(), header=headers, cookie=ImmutableMultiDict())

    class Response:
        def __init__(self, recorded):
            self.status_code = recorded["status"]
            self.data = recorded["answer"].encode()
            self.content_type = "application/json"
            self.headers = Headers({"Content-Type": "application/json"})

    for recorded in json.load(open(requests)):
        request = Request(recorded)
        spec.validate_request(request)
        if recorded["method"] == "POST":
            names = [name for name, _ in parse_qsl(recorded["body"], keep_blank_values=True)]
            check(f"known parameters, each once: {', '.join(names)}", set(names) <= set(form["properties"]) and len(set(names)) == len(names))
        if recorded["status"] < 300:
            spec.validate_response(request, Response(recorded))
            schema = spec.spec["components"]["schemas"]["api.v2010.account.message"]["properties"]
            missing = set(key for key in schema.keys()) - set(json.loads(recorded["answer"])) - {"tags"}
            check(f"{recorded['method']} {recorded['status']}: the document takes request and answer", not missing)
        else:
            body = json.loads(recorded["answer"])
            check(f"{recorded['status']}: a refusal has code and status", body["status"] == recorded["status"] and body["code"] > 10000)

    wrong = Request({"path": "/2010-04-01/Accounts/SK1/Messages.json", "method": "POST", "body": "To=%2B1", "content_type": "application/x-www-form-urlencoded"})
    try:
        spec.validate_request(wrong)
        check("a key in the place of the account is refused", False)
    except Exception as error:  # noqa: BLE001 - the library has several
        check(f"a key in the place of the account is refused: {type(error).__name__}", True)


def client(url, account, token, sender, recipient, stopped):
    from twilio.base.exceptions import TwilioRestException
    from twilio.rest import Client

    def connected(token):
        connected = Client(account, token)
        connected.api.base_url = url
        return connected

    twilio = connected(token)

    def refused(code, status, twilio=twilio, **arguments):
        try:
            twilio.messages.create(**{"to": recipient, "from_": sender, "body": "x", **arguments})
        except TwilioRestException as error:
            return (error.code, error.status) == (code, status)
        return False

    sent = twilio.messages.create(to=recipient, from_=sender, body="a" * 161)
    check("a text is taken and has an id", sent.sid.startswith("SM") and sent.status == "queued")
    check("161 characters are two segments", sent.num_segments == "2")
    check("the sender and the recipient are said", (sent.from_, sent.to) == (sender, recipient))
    check("the text has a state", twilio.messages(sent.sid).fetch().status == "delivered")
    unicode = twilio.messages.create(to=recipient, from_=sender, body="ж" * 71)
    check("71 characters of UCS-2 are two segments", unicode.num_segments == "2")
    check("a number without plus is refused", refused(21211, 400, to=recipient[1:]))
    check("another sender is refused", refused(21659, 400, from_="+15005550001"))
    check("a name that is not the account's is refused", refused(21606, 400, from_="Other"))
    check("an unknown service is refused", refused(21701, 400, messaging_service_sid="MG" + "9" * 32))
    check("no text is refused", refused(21602, 400, body=""))
    check("a text of 1601 characters is refused", refused(21617, 400, body="a" * 1601))
    check("a recipient who answered STOP is refused", refused(21610, 400, to=stopped))
    check("a parameter that the double does not honour is refused", refused(20001, 400, validity_period=60))
    check("a wrong token is refused", refused(20003, 401, twilio=connected("wrong")))


{"client": client, "document": document}[sys.argv[1]](*sys.argv[2:])
