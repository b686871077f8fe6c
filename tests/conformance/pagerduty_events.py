"""PagerDuty's own client against our simulated account, and the events that page-on-call sends through that client.

  pagerduty_events.py client URL ROUTING_KEY
  pagerduty_events.py events URL ROUTING_KEY FILE    a JSON list of the events that page-on-call sends, without a routing key

Prints one line per check; ends with 1 at the first that fails.
"""

import json
import pathlib
import sys

from pagerduty import Error, EventsApiV2Client


class Client(EventsApiV2Client):
    """The client itself. Only its check that an address is https is left out: an account on loopback has no certificate."""

    url = property(lambda self: self._url, lambda self, url: setattr(self, "_url", url))


def check(what, holds, why=""):
    print(("ok      " if holds else "FAILED  ") + what + (f": {why}" if not holds else ""), flush=True)
    if not holds:
        sys.exit(1)


def refused(call):
    try:
        call()
    except Error as error:
        return error.response.status_code if error.response is not None else None
    return None


def client(url, key):
    events = Client(key, base_url=url)
    link = {"href": "https://tableau.example/#/datasources/1", "text": "Open in Tableau"}
    details = {"text": "Refresh failed: Sales"}
    sent = events.trigger("Refresh failed: Sales", "tableau.example", dedup_key="tableau:1", severity="error",
                          custom_details=details, links=[link])
    check("a trigger is accepted with its key", sent == "tableau:1", sent)
    made = events.trigger("Refresh failed: Sales", "tableau.example")
    check("one without a key gets one", len(made) == 32, made)
    check("the alert is acknowledged", events.acknowledge("tableau:1") == "tableau:1")
    check("and resolved", events.resolve("tableau:1") == "tableau:1")
    other = Client("x" * 20, base_url=url)
    check("a REST key is refused", refused(lambda: other.resolve("tableau:1")) == 400)
    check("an unknown severity too", refused(lambda: events.trigger("x", "y", severity="none")) == 400)


def paths(value, prefix=""):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield prefix + name
            # The names of details are free.
            if name != "custom_details":
                yield from paths(inner, prefix + name + ".")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, prefix)


def events(url, key, file):
    sends = {"event_action", "dedup_key", "payload", "payload.summary", "payload.source", "payload.severity",
             "payload.custom_details", "links", "links.href", "links.text"}
    pagerduty = Client(key, base_url=url)
    for event in json.loads(pathlib.Path(file).read_text(encoding="utf-8")):
        what = event["payload"]["summary"][:60]
        missing = {path for path in sends if path not in set(paths(event)) and not path.startswith("links")}
        check(f"our event has what the client's trigger has: {what}", not missing, missing)
        wrong = {path for path in paths(event) if path.startswith("links.") and path not in sends}
        check(f"its links are the client's: {what}", not wrong, wrong)
        action, dedup_key = event.pop("event_action"), event.pop("dedup_key")
        answered = pagerduty.send_event(action, dedup_key=dedup_key, **event)
        check(f"the client sends it: {action} {dedup_key}", answered == dedup_key, answered)


{"client": client, "events": events}[sys.argv[1]](*sys.argv[2:])
