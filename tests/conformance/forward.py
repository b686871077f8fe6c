"""Other people's libraries of Standard Webhooks verify what forward-event has signed.

  forward.py verify FILE     JSON: requests with headers and body (base64), the right secrets, and a wrong one

Prints one line per check; ends with 1 at the first that fails.
"""

import base64
import json
import sys

import standardwebhooks.webhooks
import svix.webhooks


def check(what, holds):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        sys.exit(1)


def verify(file):
    with open(file, encoding="utf-8") as opened:
        given = json.load(opened)
    check("there are requests", len(given["requests"]) > 20)
    libraries = {
        "standardwebhooks": (standardwebhooks.webhooks.Webhook, standardwebhooks.webhooks.WebhookVerificationError),
        "svix": (svix.webhooks.Webhook, svix.webhooks.WebhookVerificationError),
    }
    for name, (webhook, refused) in libraries.items():

        def takes(secret, body, headers):
            try:
                webhook(secret).verify(body, headers)
                return True
            except refused:
                return False

        for request in given["requests"]:
            body = base64.b64decode(request["body"])
            headers = request["headers"]
            for secret in given["secrets"]:
                check(f"{name} verifies the bytes with each secret: {len(body)} bytes", takes(secret, body, headers))
            check(f"{name} refuses another secret", not takes(given["wrong"], body, headers))
            check(f"{name} refuses other bytes", not takes(given["secrets"][0], body + b" ", headers))
            other = dict(headers, **{"webhook-id": "msg_other"})
            check(f"{name} refuses another id", not takes(given["secrets"][0], body, other))


{"verify": verify}[sys.argv[1]](*sys.argv[2:])
