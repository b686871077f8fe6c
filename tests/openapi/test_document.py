"""docs/openapi.yaml: it is valid, closed, complete, and as the code and the template say.

`python -m pytest tests/openapi`, with the packages of requirements.txt; needs no stack.
"""

import copy
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8")
DOCUMENT = yaml.safe_load(TEXT)
SCHEMAS = DOCUMENT["components"]["schemas"]
METHODS = ("get", "head", "post", "put", "patch", "delete")


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield f"{method.upper()} {path}", operation


def validator(schema):
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}, format_checker=jsonschema.FormatChecker())


def of(name):
    return validator({"$ref": f"#/components/schemas/{name}"})


def test_it_is_valid_openapi_3_1():
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_it_is_read_the_same_by_parsers_of_yaml_1_2():
    assert "<<:" not in TEXT, "merge keys are of YAML 1.1"
    assert not re.search(r"(?m):\s+(yes|no|on|off)\s*$", TEXT)


def test_every_object_is_closed():
    def look(node, where):
        if isinstance(node, dict):
            if "properties" in node or node.get("type") == "object":
                assert "additionalProperties" in node and node["additionalProperties"] is not True, where
            for name, inner in node.items():
                look(inner, f"{where}/{name}")
        elif isinstance(node, list):
            for index, inner in enumerate(node):
                look(inner, f"{where}/{index}")

    for name, schema in SCHEMAS.items():
        look(schema, name)


def test_every_component_is_used():
    used = set(re.findall(r"#/components/([\w/-]+)", TEXT))
    for kind, components in DOCUMENT["components"].items():
        if kind != "securitySchemes":
            assert {f"{kind}/{name}" for name in components} <= used


def examples():
    for where, node in [*operations(), ("callback", DOCUMENT["webhooks"]["refreshEnded"]["post"])]:
        contents = [("request", resolve(node.get("requestBody") or {}))]
        contents += [(status, resolve(response)) for status, response in node["responses"].items()]
        for part, holder in contents:
            for media, content in holder.get("content", {}).items():
                found = [resolve(example)["value"] for example in content.get("examples", {}).values()]
                found += [content["example"]] if "example" in content else []
                yield f"{where} {part} {media}", content["schema"], found


@pytest.mark.parametrize("where, schema, found", list(examples()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_body_has_an_example_that_its_schema_takes(where, schema, found):
    assert found, where
    for example in found:
        errors = [error.message for error in validator(schema).iter_errors(example)]
        assert errors == [], where


def test_the_status_of_a_problem_is_that_of_its_answer():
    seen = set()
    for _, operation in operations():
        for status, response in operation["responses"].items():
            content = resolve(response).get("content", {}).get("application/problem+json")
            if content:
                found = [resolve(example)["value"] for example in content.get("examples", {}).values()]
                found += [content["example"]] if "example" in content else []
                assert all(str(problem["status"]) == status for problem in found)
                seen |= {problem["code"] for problem in found}
    said = set(re.findall(r"`([a-z_]+)`:", TEXT)) | set(re.findall(r"`([a-z_]+)`", TEXT)) | {"method_not_allowed"}
    codes = set(SCHEMAS["Problem"]["properties"]["code"]["enum"])
    assert seen <= codes and codes <= said, codes - said


REFRESHES = [
    ({"kind": "workbook", "name": "x"}, True),
    ({"kind": "workbook", "name": "x", "project": "A/B"}, True),
    ({"kind": "workbook", "name": "x", "project": ["A", "B/C"]}, True),
    ({"url": "https://10ax.online.tableau.com/#/workbooks/1"}, True),
    ({"kind": "workbook", "url": "https://10ax.online.tableau.com/#/workbooks/1"}, True),
    ({"kind": "flow", "luid": "0a8b5a3c-91e6-4f1c-9d57-2f9f3a1b7c22"}, True),
    ({"kind": "flow", "luid": "0a8b5a3c-91e6-4f1c-9d57-2f9f3a1b7c22", "wait_seconds": 25, "timeout_minutes": 1440}, True),
    ({"name": "x"}, False),
    ({"kind": "workbook"}, False),
    ({"kind": "view", "name": "x"}, False),
    ({"kind": "workbook", "name": ""}, False),
    ({"kind": "workbook", "name": "x", "luid": "0a8b5a3c-91e6-4f1c-9d57-2f9f3a1b7c22"}, False),
    ({"kind": "workbook", "name": "x", "url": "https://10ax.online.tableau.com/#/workbooks/1"}, False),
    ({"kind": "workbook", "luid": "0a8b5a3c-91e6-4f1c-9d57-2f9f3a1b7c22", "url": "https://h/#/workbooks/1"}, False),
    ({"kind": "flow", "luid": "0a8b5a3c-91e6-4f1c-9d57-2f9f3a1b7c22", "project": "A"}, False),
    ({"kind": "flow", "luid": "130"}, False),
    ({"kind": "workbook", "name": "x", "project": []}, False),
    ({"kind": "workbook", "name": "x", "fresh": True}, True),
    ({"kind": "workbook", "name": "x", "fresh": "yes"}, False),
    ({"kind": "workbook", "name": "x", "wait_seconds": 26}, False),
    ({"kind": "workbook", "name": "x", "wait_seconds": -1}, False),
    ({"kind": "workbook", "name": "x", "wait_seconds": "5"}, False),
    ({"kind": "workbook", "name": "x", "timeout_minutes": 0}, False),
    ({"kind": "workbook", "name": "x", "timeout_minutes": 1441}, False),
    ({"kind": "workbook", "name": "x", "callback_url": "http://hooks.example.com"}, False),
    ({"kind": "workbook", "name": "x", "other": 1}, False),
    ([], False),
]


@pytest.mark.parametrize("body, taken", REFRESHES)
def test_exactly_one_of_luid_url_and_name_says_what_to_refresh(body, taken):
    assert of("RefreshRequest").is_valid(body) is taken


@pytest.mark.parametrize(
    "body, taken",
    [
        ({"event": "PipelineFinished", "name": "x"}, True),
        ({"event": "PipelineFinished", "name": "x", "data": {f"k{n}": "v" for n in range(20)}}, True),
        ({"event": "PipelineFinished", "name": "x", "data": {f"k{n}": "v" for n in range(21)}}, False),
        ({"event": "PipelineFinished", "name": "x", "data": {"k": 1}}, False),
        ({"event": "PipelineFinished", "name": "x", "data": {"a-b": "v"}}, False),
        ({"event": "pipelineFinished", "name": "x"}, False),
        ({"event": "Ab", "name": "x"}, False),
        ({"event": "A" * 51, "name": "x"}, False),
        ({"event": "WorkbookUpdated", "name": "x"}, False),
        ({"event": "PipelineFinished", "name": "x", "severity": "loud"}, False),
        ({"event": "PipelineFinished"}, False),
    ],
)
def test_an_event_has_a_name_of_its_own(body, taken):
    assert of("EventRequest").is_valid(body) is taken


def test_an_event_may_have_no_name_that_means_something_else():
    names = re.findall(r"^## ([A-Z][a-z]+[A-Z]\w+)$", (ROOT / "docs" / "events.md").read_text(encoding="utf-8"), re.MULTILINE)
    table = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8").split("\n### Events\n")[1].split("\n### ")[0]
    families = re.findall(r"^\| `([A-Z]\w+)` \|", table, re.MULTILINE)
    assert {"WorkbookRefreshFailed", "WeeklyReport"} <= set(names), names
    assert {"RefreshFailed", "Any"} <= set(families), families
    taken = {*names, *families, "Test", "Unknown", "Unreadable"}
    assert SCHEMAS["EventRequest"]["properties"]["event"]["not"]["enum"] == sorted(taken)


def test_no_name_of_an_event_begins_as_those_of_tableau_do():
    code = (ROOT / "shared" / "tableau" / "src" / "own.rs").read_text(encoding="utf-8")
    reserved = re.findall(r'"(\w+)"', re.search(r"RESERVED[^=]*=\s*\[(.*?)\];", code, re.DOTALL).group(1))
    assert "Workbook" in reserved
    assert SCHEMAS["EventRequest"]["properties"]["event"]["pattern"] == f"^(?!{'|'.join(reserved)})[A-Z][A-Za-z0-9]{{2,49}}$"


def test_the_causes_are_those_of_tableau_client():
    code = (ROOT / "shared" / "tableau-client" / "src" / "cause" / "class.rs").read_text(encoding="utf-8")
    names = list(dict.fromkeys(re.findall(r'Self::(\w+) => "\1",', code)))
    assert len(names) > 10 and SCHEMAS["Cause"]["properties"]["class"]["enum"] == names


def test_the_routes_are_those_of_the_template():
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    routes = set(re.findall(r"RouteKey: (?:ANY|POST|GET|DELETE) (\S+)", template))
    assert len(routes) > 20 and "/webhook/{token}" in routes
    documented = set()
    for path in DOCUMENT["paths"]:
        workflows = SCHEMAS["Workflow"]["enum"] if "{workflow}" in path else [""]
        documented |= {path.replace("{workflow}", workflow) for workflow in workflows}
    missing = routes - documented
    assert missing == set(), "docs/openapi.yaml lacks routes of template.yaml"
    # Routes whose functions are not in the template yet.
    open_ones = {"/refreshes", "/refreshes/{id}", "/events", "/webhooks/refresh-extract", "/webhooks/refresh-extract/{token}"}
    assert documented - routes <= open_ones


def test_the_limits_of_webhooks_and_pages_are_those_of_the_code():
    ingress = (ROOT / "shared" / "runtime" / "src" / "ingress.rs").read_text(encoding="utf-8")
    pages = (ROOT / "shared" / "runtime" / "src" / "pages.rs").read_text(encoding="utf-8")
    assert "BODY_LIMIT: usize = 64 * 1024" in ingress and "over 65536 bytes" in TEXT
    assert "FORM_LIMIT: usize = 16 * 1024" in pages and "over 16384 bytes" in TEXT


def test_a_schema_that_is_opened_is_recognised():
    broken = copy.deepcopy(SCHEMAS["Refresh"])
    del broken["additionalProperties"]
    whole = {**broken, "components": DOCUMENT["components"]}
    refresh = resolve(DOCUMENT["components"]["examples"]["Running"])["value"]
    assert jsonschema.Draft202012Validator(whole).is_valid({**refresh, "more": 1})
    assert not of("Refresh").is_valid({**refresh, "more": 1})
    for member in refresh:
        assert not of("Refresh").is_valid({name: value for name, value in refresh.items() if name != member}), member
