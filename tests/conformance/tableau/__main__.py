"""Tableau's own Python client against our simulator of Tableau. Its methods are watched, not changed.

  python tableau SERVER OLD_SERVER MOVED_SERVER DESTINATION PAGE

SERVER runs refreshes by itself, in about two seconds; those of `Budget` fail. OLD_SERVER speaks up to 3.8, MOVED_SERVER
answers with redirects to SERVER, webhooks are sent to DESTINATION. The table of what was checked is written to PAGE.

Prints one line per method of the client; ends with 1 if a check fails, or if there is a method that is neither checked
nor has a reason why not.
"""

import functools
import sys
import traceback
from importlib import metadata

import tableauserverclient as TSC
from tableauserverclient.server.endpoint import Endpoint

# Importing them registers their checks, which run in this order.
import signing_in, lists, samples, work, changes
from client import checks
from reasons import reason, unused

called = set()


def endpoints():
    """The endpoints of the client by name, with their public methods."""
    found = {}
    for name, endpoint in sorted(vars(TSC.Server("http://127.0.0.1")).items()):
        if isinstance(endpoint, Endpoint):
            names = [n for n in dir(type(endpoint)) if not n.startswith("_") and n not in dir(Endpoint)]
            found[name] = (type(endpoint), [n for n in names if callable(getattr(type(endpoint), n)) and n != "contextmgr"])
    return found


def watch(endpoints):
    """Notes which methods return without an error."""
    for name, (kind, methods) in endpoints.items():
        for method in methods:
            original = getattr(kind, method)

            @functools.wraps(original)
            def watched(self, *args, _original=original, _name=f"{name}.{method}", **kwargs):
                answer = _original(self, *args, **kwargs)
                called.add(_name)
                return answer

            setattr(kind, method, watched)


def page(endpoints, passed):
    """The table as Markdown."""
    version = metadata.version("tableauserverclient")
    lines = [
        "# What Tableau's own client finds in the simulator",
        "",
        f"`tableauserverclient` {version}, the Python client that Tableau publishes, runs unmodified against",
        "[local/simulator](../local/simulator/README.md), in XML. This page is written by the run itself, and the check",
        "fails where the two differ. To write it anew:",
        "",
        "```",
        "CONFORMANCE_WRITE=1 cargo xtask check --step conformance",
        "```",
        "",
        "## Passed",
        "",
        "| Methods | What holds |",
        "| --- | --- |",
    ]
    rows = {}
    for function, methods in checks:
        rows.setdefault(function, []).extend(methods)
    for function, methods in rows.items():
        lines.append(f"| {', '.join(f'`{method}`' for method in sorted(methods))} | {function.__doc__} |")
    lines += ["", "## Not applicable", "", "What the simulator leaves out, since no automation here asks for it.", ""]
    lines += ["| Endpoint | Methods | Why |", "| --- | --- | --- |"]
    count = 0
    for name, (_, methods) in endpoints.items():
        reasons = {}
        for method in methods:
            if f"{name}.{method}" not in passed:
                reasons.setdefault(reason(name, method), []).append(method)
        for why, rest in sorted(reasons.items()):
            count += len(rest)
            listed = f"all {len(rest)}" if len(rest) == len(methods) else ", ".join(f"`{method}`" for method in rest)
            lines.append(f"| `{name}` | {listed} | {why} |")
    lines += ["", f"{len(passed)} methods passed, {count} are not applicable.", "", "## What the client does not have", ""]
    lines += [
        "The Recycle Bin (REST API 3.29): the client has no methods for it, and none of its tests has a sample. The simulator's routes",
        "`GET /sites/{site}/recyclebin/…` follow Tableau's page, <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_recycle_bin.htm>,",
        "of which only a part was to be had; the [simulator's README](../local/simulator/README.md) lists the guesses.",
        "",
        "## The other way",
        "",
    ]
    lines += [
        "Our own client meets answers in the shapes that other clients of Tableau have recorded or read: numbers and flags as",
        "texts, lists empty, single or flattened, a job that shows a finish code while it runs, errors beside",
        "data, pages of proxies. They are in `shared/tableau-client/tests/http/`, each written in the shape that its test names;",
        "answers of a real server were not to be had.",
    ]
    return "\n".join(lines) + "\n"


def main(target):
    found = endpoints()
    watch(found)
    passed, failed = set(), []
    for function in dict.fromkeys(function for function, _ in checks):
        called.clear()
        try:
            function()
        except Exception:
            failed.append(function.__name__)
            traceback.print_exc()
            continue
        methods = {method for other, methods in checks if other is function for method in methods}
        assert methods <= called, f"{function.__name__} does not call {methods - called}"
        passed |= methods
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    for name, (_, methods) in found.items():
        for method in methods:
            full = f"{name}.{method}"
            why = None if full in passed else reason(name, method)
            print(f"passed          {full}" if full in passed else f"not applicable  {full}: {why}", flush=True)
            assert full in passed or why, f"{full} is neither checked nor has a reason why not"
    assert not unused(), f"no method needs the reasons for {unused()}"
    with open(target, "w", encoding="utf-8") as file:
        file.write(page(found, passed))


main(sys.argv[5])
