"""Writes the collection and the environment: python build.py

With --check nothing is written, and the exit code is 1 if a file is not as it would be written.
"""

import json
import re
import sys
import uuid
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
EVENTS = FOLDER.parents[1] / "events/tableau"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
COLLECTION = FOLDER / "tableau-webhooks.postman_collection.json"
ENVIRONMENT = FOLDER / "tableau-webhooks.postman_environment.json"
REFERENCE = "https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_notifications.htm"

JSON = "application/json"
API = "{{server_url}}/api/{{api_version}}"
WEBHOOKS = f"{API}/sites/{{{{site_luid}}}}/webhooks"
SESSION = ("X-Tableau-Auth", "{{session_token}}")
REASON = "Keep disabled: maintenance"
SCOPES = ",".join(f"tableau:webhooks:{what}" for what in ["read", "create", "update", "delete", "test"])

# Each with its value; a secret has none.
VARIABLES = [
    ("server_url", "https://10ay.online.tableau.com"),
    ("api_version", "3.27"),
    ("site_content_url", ""),
    ("pat_name", ""),
    ("pat_secret", None),
    ("user_name", ""),
    ("password", None),
    ("connected_app_client_id", ""),
    ("connected_app_secret_id", ""),
    ("connected_app_secret_value", None),
    ("connected_app_user_name", ""),
    ("connected_app_scopes", SCOPES),
    ("event", "WorkbookRefreshFailed"),
    ("webhook_name", "postman"),
    ("webhook_url", None),
    ("new_webhook_url", None),
]


def scripts():
    """The parts of scripts.js by their names."""
    parts = re.split(r"^//# (.+)\n", (FOLDER / "scripts.js").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


SCRIPTS = scripts()


def script(listen, parts):
    """A script of a request or of the collection, of these parts of scripts.js."""
    lines = "\n".join(SCRIPTS[part] for part in parts).split("\n")
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def request(name, method, url, *, status, tests=(), before=(), body=None, media=None, headers=(), about=None):
    """A request, and the status that its answer has to have."""
    made = {"method": method, "header": [{"key": key, "value": value} for key, value in headers]}
    if body is not None:
        made["header"].append({"key": "Content-Type", "value": media})
        made["body"] = {"mode": "raw", "raw": body, "options": {"raw": {"language": media.split("/")[1]}}}
    made["url"] = url
    if about:
        made["description"] = about
    test = script("test", ["status", *tests])
    test["script"]["exec"] = [line.replace("EXPECTED", str(status)) for line in test["script"]["exec"]]
    events = [script("prerequest", before)] if before else []
    return {"name": name, "event": [*events, test], "request": made, "response": []}


def folder(name, about, items):
    return {"name": name, "description": about, "item": items}


class Format:
    """The requests in one format."""

    def __init__(self, name):
        self.name, self.key = name, name.lower()
        self.media = f"application/{self.key}"

    def variable(self, name):
        """A variable in a body. The collection's script escapes it."""
        return f"{{{{{name}_{self.key}}}}}"

    def call(self, name, method, url, *, headers=(SESSION,), tests=(), **more):
        headers = [("Accept", self.media), *headers]
        tests = (self.key, *tests) if tests else ()
        return request(f"{name} ({self.name})", method, url, headers=headers, tests=tests, media=self.media, **more)

    def body(self, name, attributes, *elements):
        """A body: an element with attributes and nested elements, each of which is its name, attributes, and elements."""
        if self.key == "json":
            return json.dumps({name: as_json(attributes, elements)}, indent=2)
        return "\n".join(["<tsRequest>", *as_xml(name, attributes, elements, "  "), "</tsRequest>"])

    def sign_ins(self):
        ways = [
            ("Personal access token", "skip without pat_secret", {"personalAccessTokenName": "pat_name", "personalAccessTokenSecret": "pat_secret"}),
            ("User and password", "skip without password", {"name": "user_name", "password": "password"}),
            ("Connected app", "jwt", {"jwt": "jwt"}),
        ]
        for name, before, variables in ways:
            attributes = {attribute: self.variable(variable) for attribute, variable in variables.items()}
            body = self.body("credentials", attributes, ("site", {"contentUrl": self.variable("site_content_url")}))
            yield self.call(name, "POST", f"{API}/auth/signin", headers=(), status=200, tests=["signed in"], before=[before], body=body)

    def webhooks(self):
        name, event = self.variable("webhook_name"), self.variable("event")
        one, second = f"{WEBHOOKS}/{{{{webhook_id}}}}", f"{WEBHOOKS}/{{{{second_webhook_id}}}}"

        def webhook(attributes, *elements):
            return self.body("webhook", attributes, *elements)

        def destination(variable):
            http = {"method": "POST", "url": self.variable(variable)}
            return ("webhook-destination", {}, ("webhook-destination-http", http))

        def create(title, test, body, **more):
            return self.call(title, "POST", WEBHOOKS, status=201, tests=["one webhook", test], body=body, **more)

        def update(title, test, body, **more):
            return self.call(title, "PUT", one, status=200, tests=["one webhook", test], body=body, **more)

        return [
            self.call("List webhooks", "GET", WEBHOOKS, status=200, tests=["all webhooks", "listed"]),
            create("Create a webhook", "created", webhook({"name": name, "event": event, "isEnabled": True}, destination("webhook_url"))),
            create(
                "Create a webhook by its source element",
                "created by element",
                webhook({"name": f"{name} (element)"}, ("webhook-source", {}, ("{{source_element}}", {})), destination("webhook_url")),
                before=["source element"],
                about="The form of before REST API 3.9. Tableau has announced to remove it.",
            ),
            self.call("Get a webhook", "GET", one, status=200, tests=["one webhook", "got"]),
            update("Update its name and URL", "updated", webhook({"name": f"{name} (new)"}, destination("new_webhook_url")), before=["new URL"]),
            update("Disable it with a reason", "disabled", webhook({"isEnabled": False, "statusChangeReason": REASON})),
            update("Enable it", "enabled", webhook({"isEnabled": True}), about="Also for a webhook that Tableau switched off after four failed tries."),
            self.call("Test it", "GET", f"{one}/test", status=200, tests=["tested"], about="Tableau sends an empty body to the destination, and hands back its answer."),
            self.call("Delete it", "DELETE", one, status=204),
            self.call("Delete the second one", "DELETE", second, status=204),
            self.call("List webhooks when both are gone", "GET", WEBHOOKS, status=200, tests=["all webhooks", "gone"]),
        ]


def as_json(attributes, elements):
    """Tableau's JSON makes no difference between attributes and elements."""
    return {**attributes, **{name: as_json(inner, more) for name, inner, *more in elements}}


def as_xml(name, attributes, elements, indent):
    """The lines of an element. Values are variables, which are escaped, or need no escape."""
    text = {attribute: str(value).lower() if isinstance(value, bool) else value for attribute, value in attributes.items()}
    start = " ".join([f"{indent}<{name}", *(f'{attribute}="{value}"' for attribute, value in text.items())])
    if not elements:
        return [f"{start}/>"]
    lines = [line for inner, its, *more in elements for line in as_xml(inner, its, more, indent + "  ")]
    return [f"{start}>", *lines, f"{indent}</{name}>"]


def deliveries():
    """A delivery of each sample event, byte for byte, and what else can reach a webhook."""
    for path in sorted(EVENTS.glob("*.json")):
        body = path.read_text(encoding="utf-8")
        # Postman would take this for a variable.
        assert "{{" not in body, path
        name = json.loads(body)["event_type"]
        yield request(f"Deliver {name}", "POST", "{{webhook_url}}", status=202, tests=["accepted"], body=body, media=JSON)
    yield request("Test with an empty body", "POST", "{{webhook_url}}", status=200, tests=["taken for a test"], body="", media=JSON)
    yield request("Send a wrong token", "POST", "{{webhook_url}}-wrong", status=403, tests=["forbidden"], body="{}", media=JSON)


def collection():
    formats = [Format("JSON"), Format("XML")]
    sign_ins = [item for pair in zip(*(made.sign_ins() for made in formats), strict=True) for item in pair]
    sign_out = request("Sign out", "POST", f"{API}/auth/signout", status=204, tests=["signed out"], headers=[SESSION])
    return {
        "info": {
            "_postman_id": identity("collection"),
            "name": "Tableau webhooks",
            "description": f"Tableau's webhooks API, and a sample of each event that it delivers.\n\n{REFERENCE}",
            "schema": SCHEMA,
        },
        "event": [script("prerequest", ["before each request"])],
        "item": [
            folder("Sign in", "Each request keeps the session's token and the site's LUID in collection variables. One is enough.", sign_ins),
            *(folder(f"Webhooks ({made.name})", "Makes two webhooks, changes and tests one, and deletes both.", made.webhooks()) for made in formats),
            folder("End the session", "Removes its token from the variables.", [sign_out]),
            folder("Deliveries", "What Tableau sends for each event, to the stack at webhook_url. It acts on them: use a stack for tests.", list(deliveries())),
        ],
    }


def environment():
    values = [{"key": name, "value": value or "", "type": "secret" if value is None else "default", "enabled": True} for name, value in VARIABLES]
    return {"id": identity("environment"), "name": "Tableau webhooks", "values": values, "_postman_variable_scope": "environment"}


def identity(of):
    """An id that stays the same when the content changes."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SCHEMA}#tableau-webhooks-{of}"))


def main():
    stale = []
    for path, content in [(COLLECTION, collection()), (ENVIRONMENT, environment())]:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in sys.argv:
            stale.append(path.name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.exit(f"not up to date: {', '.join(stale)}. Run: python build.py")


if __name__ == "__main__":
    main()
