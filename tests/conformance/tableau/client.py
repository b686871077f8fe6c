"""Clients with sessions, and what the checks have in common."""

import base64
import hashlib
import hmac
import json
import sys
import time
import uuid

import tableauserverclient as TSC

URL, OLD_URL, MOVED_URL, DESTINATION = sys.argv[1:5]
PAT = ("webhook-automations", "pat-secret-for-local-use")
# Client id, secret id and secret of the sample site's connected app.
APP = (
    "0f6b2c1e-8d1a-4f0e-9a53-6c2b7f0a4d11",
    "5a1b9c3d-2e4f-4a6b-8c7d-9e0f1a2b3c4d",
    "connected-app-secret-for-local-use",
)
Field, Operator = TSC.RequestOptions.Field, TSC.RequestOptions.Operator

checks = []


def check(*methods):
    """A function that calls these methods of the client; its docstring says what holds."""

    def register(function):
        checks.append((function, methods))
        return function

    return register


def server(url=None):
    client = TSC.Server(url or URL)
    client.use_server_version()
    return client


def administrator():
    """A client with a session of its own: another sign-in with the PAT would end it."""
    client = server()
    client.auth.sign_in(TSC.TableauAuth("bea@example.com", "correct horse battery staple", site_id="marketing"))
    return client


def user(name):
    client = server()
    client.auth.sign_in(TSC.TableauAuth(f"{name}@example.com", f"{name}'s password", site_id="marketing"))
    return client


def jwt(scopes, subject="bea@example.com", minutes=5, secret=APP[2], **changes):
    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    header = {"alg": "HS256", "typ": "JWT", "kid": APP[1], "iss": APP[0]}
    claims = {"iss": APP[0], "sub": subject, "aud": "tableau", "jti": str(uuid.uuid4()), "scp": scopes}
    claims = {**claims, "exp": int(time.time()) + minutes * 60, **changes}
    signed = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    return (signed + b"." + encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())).decode()


def refused(call, error=TSC.ServerResponseError):
    """The code of the error that a call ends with."""
    try:
        call()
    except error as raised:
        return raised.code
    return None


def named(items, name):
    return next(item for item in items if item.name == name)


def names(items):
    return [item.name for item in items]


def page(query, size, number):
    """The elements of one page of a query set that was asked to begin there. To go through it would begin again at the first."""
    assert (query.page_number, query.page_size) == (number, size)
    first = (number - 1) * size
    return [query[at] for at in range(first, min(first + size, len(query)))]


def where(field, operator, value):
    options = TSC.RequestOptions()
    options.filter.add(TSC.Filter(field, operator, value))
    return options
