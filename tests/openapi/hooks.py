"""Counts the cases of each operation by the status of their answers, for run.py; and reads pages as texts."""

import atexit
import json
import os
import threading
from collections import Counter, defaultdict

import schemathesis

COUNTED = defaultdict(Counter)
LOCK = threading.Lock()


@schemathesis.deserializer("text/html")
def page(_, response):
    return response.text


@schemathesis.hook
def after_call(_, case, response):
    with LOCK:
        COUNTED[case.operation.label][str(response.status_code)] += 1


@atexit.register
def write():
    if file := os.environ.get("OPENAPI_COUNTS"):
        with open(file, "w", encoding="utf-8") as opened:
            json.dump(COUNTED, opened)
