"""Runs schemathesis against a stack, from docs/openapi.yaml: python run.py [OPTION OF schemathesis …]

REFRESH_URL is the address of the stack, REFRESH_KEY a key that may do all at no rate, REFRESH_WEBHOOK_TOKEN the token of the webhook secret. At least 200
cases for each operation, or it fails; and every check of schemathesis holds, or it fails. The run is at a stack that is there for it: events
and refreshes are real. OPENAPI_SEED repeats a run.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parent
DOCUMENT = FOLDER.parents[1] / "docs" / "openapi.yaml"
CASES = 200
ROUNDS = 6
METHODS = ("get", "head", "post", "put", "patch", "delete")


def operations():
    """`POST /refreshes` and so on."""
    paths = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods if method in METHODS]


def run(options, counted):
    """Runs schemathesis, and adds its cases to `counted`."""
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.json"
        command = [Path(sys.executable).with_name("schemathesis"), "--config-file", FOLDER / "schemathesis.toml", "run", DOCUMENT]
        command += ["--url", os.environ["REFRESH_URL"], "--max-examples", str(CASES), "--continue-on-failure", "--request-timeout", "40"]
        # One worker: with two, CPython 3.11 now and then fails to parse what hypothesis gives it.
        command += ["--workers", "1", "--warnings", "off", "--no-color", "--suppress-health-check", "too_slow"]
        environment = {**os.environ, "OPENAPI_COUNTS": str(counts), "PYTHONPATH": str(FOLDER)}
        code = subprocess.run([*command, *options], env=environment, cwd=folder).returncode
        for operation, statuses in json.loads(counts.read_text(encoding="utf-8")).items() if counts.exists() else ():
            counted[operation].update(statuses)
    return code


def main(options):
    missing = [name for name in ("REFRESH_URL", "REFRESH_KEY", "REFRESH_WEBHOOK_TOKEN") if not os.environ.get(name)]
    if missing:
        sys.exit(f"{', '.join(missing)} not set")
    seed = os.environ.get("OPENAPI_SEED")
    counted = {operation: Counter() for operation in operations()}
    code = run([*(["--seed", seed] if seed else []), *options], counted)
    # An operation with few parameters has few cases that differ in a run, so it gets further runs, each with another seed.
    for further in range(1, ROUNDS):
        few = [operation for operation, statuses in counted.items() if statuses.total() < CASES]
        if not few or code:
            break
        names = [option for operation in few for option in ("--include-name", operation)]
        code = run(["--phases", "fuzzing", "--seed", str(further), *names, *options], counted)
    for operation, statuses in counted.items():
        print(f"{statuses.total():6} cases  {operation}  " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    few = [operation for operation, statuses in counted.items() if statuses.total() < CASES]
    if few:
        print(f"fewer than {CASES} cases: {', '.join(few)}")
    sys.exit(code or (1 if few else 0))


if __name__ == "__main__":
    main(sys.argv[1:])
