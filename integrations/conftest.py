"""What the tests of all callers share: the service that the environment names, and a proxy that loses and refuses what it is told to."""

import json
import os
import sys
import threading
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER / "testing"))

from proxy import Proxy  # noqa: E402


def variable(name):
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: run the tests at a stack, or under tests/openapi/double.py", returncode=2)
    return value


@pytest.fixture(scope="session")
def keys():
    """Keys by what they may: all, nothing any more, 2 requests a minute, projects of Sales only and no events."""
    names = {"all": "REFRESH_KEY", "revoked": "REFRESH_KEY_REVOKED", "limited": "REFRESH_KEY_LIMITED", "narrow": "REFRESH_KEY_NARROW"}
    return {may: variable(name) for may, name in names.items()}


@pytest.fixture(scope="session")
def scene():
    """The objects at Tableau that tests name, and how their refreshes end."""
    file = os.environ.get("REFRESH_SCENE") or FOLDER / "testing" / "scene.json"
    return json.loads(Path(file).read_text(encoding="utf-8"))


@pytest.fixture
def service():
    """The service, behind a proxy of this test."""
    proxy = Proxy(variable("REFRESH_URL"))
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    yield proxy
    proxy.shutdown()
    proxy.server_close()
