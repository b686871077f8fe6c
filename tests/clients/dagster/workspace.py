"""A dagster workspace of the Tableau that the environment names."""

import os
import sys

from dagster_tableau import TableauServerWorkspace

CLIENT_ID, SECRET_ID, SECRET = sys.argv[1:4]


def workspace(**changes):
    settings = {
        "connected_app_client_id": CLIENT_ID,
        "connected_app_secret_id": SECRET_ID,
        "connected_app_secret_value": SECRET,
        "username": os.environ["TABLEAU_USER"],
        "site_name": os.environ["TABLEAU_SITE"],
        "server_name": os.environ["TABLEAU_HOST"],
        **changes,
    }
    return TableauServerWorkspace(**settings)


def named(items, name):
    return next(item.id for item in items if item.name == name)


def check(text):
    print(f"passed: {text}", flush=True)


def raises(kind, call):
    """The error of this kind that the call raises."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")
