"""Slack's own Python client against our recorder, and its own message models against our messages.

  slack.py webhook WEBHOOK_URL
  slack.py web-api API_URL TOKEN CHANNEL    the first call of which must be answered 429
  slack.py models FILE                      a JSON list of the bodies that notify-slack posts

Prints one line per check; ends with 1 at the first that fails.
"""

import json
import sys

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.webhook import WebhookClient

blocks = [
    HeaderBlock(text=PlainTextObject(text="Extract refresh failed")),
    SectionBlock(text=MarkdownTextObject(text="*Cause* – Credentials refused")),
    SectionBlock(fields=[MarkdownTextObject(text="*Project*\nFinance"), MarkdownTextObject(text="*Owner*\nAna")]),
    ContextBlock(elements=[MarkdownTextObject(text="event 1")]),
]


def check(what, holds):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        sys.exit(1)


def refused(call):
    try:
        call()
    except SlackApiError as error:
        return error.response["error"]
    return None


def webhook(url):
    answer = WebhookClient(url).send(text="Refresh failed: Sales", blocks=blocks)
    check("an incoming webhook takes a message", (answer.status_code, answer.body) == (200, "ok"))
    answer = WebhookClient(url + "x").send(text="Refresh failed: Sales")
    check("an unknown webhook is no_service", (answer.status_code, answer.body) == (404, "no_service"))
    answer = WebhookClient(url).send(attachments=[])
    check("a webhook message needs a text", (answer.status_code, answer.body) == (400, "no_text"))


def web_api(api_url, token, channel):
    def client(token):
        once_more = RateLimitErrorRetryHandler(max_retry_count=1)
        return WebClient(token=token, base_url=api_url + "/", retry_handlers=[once_more])

    def post(**message):
        return client(token).chat_postMessage(**{"channel": channel, "text": "Refresh failed: Sales", **message})

    posted = post(blocks=blocks)
    check("a bot token posts, after the wait that a 429 asks for", posted["ok"] and posted["ts"])
    reply = post(thread_ts=posted["ts"])
    check("a reply goes into the thread", reply["message"]["thread_ts"] == posted["ts"])
    updated = client(token).chat_update(channel=posted["channel"], ts=posted["ts"], text="Recovered")
    check("a message is updated in place", updated["ts"] == posted["ts"])
    stranger = lambda: client("xoxb-unknown").chat_postMessage(channel=channel, text="x")
    check("an unknown token is invalid_auth", refused(stranger) == "invalid_auth")
    check("an unknown channel is channel_not_found", refused(lambda: post(channel="C0NOWHERE")) == "channel_not_found")
    ana = client(token).users_lookupByEmail(email="ana@example.com")["user"]
    check("a person is found by the e-mail address", (ana["profile"]["email"], ana["deleted"]) == ("ana@example.com", False))
    stranger = lambda: client(token).users_lookupByEmail(email="no.one@example.com")
    check("an unknown address is users_not_found", refused(stranger) == "users_not_found")
    mentioned = post(text=f"<@{ana['id']}> <!here>")
    check("a mention is taken as it is", mentioned["message"]["text"] == f"<@{ana['id']}> <!here>")
    too_long = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    check("a header that is too long is invalid_blocks", refused(lambda: post(blocks=too_long)) == "invalid_blocks")


def models(file):
    for body in json.load(open(file, encoding="utf-8")):
        parsed = Block.parse_all(body["blocks"])
        for block in parsed:
            block.validate_json()
        same = [block.to_dict() for block in parsed] == body["blocks"]
        check(f"Slack's models take our message: {body['text'][:60]}", same)


{"webhook": webhook, "web-api": web_api, "models": models}[sys.argv[1]](*sys.argv[2:])
