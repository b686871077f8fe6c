"""Why a method of Tableau's client is not checked against the simulator."""

# Endpoints of which nothing is simulated.
ENDPOINTS = {
    "custom_views": "custom views are not simulated",
    "data_acceleration_report": "removed from Tableau in 2022.1",
    "data_alerts": "data alerts are not simulated",
    "databases": "needs Tableau Catalog, which is not simulated",
    "extensions": "dashboard extensions are not simulated",
    "favorites": "favorites are not simulated",
    "fileuploads": "nothing is published to the simulator over REST",
    "flow_tasks": "tasks of flows are not simulated",
    "group_sets": "sets of groups are not simulated",
    "groups": "groups are not listed or changed over REST, but for those of a user",
    "linked_tasks": "linked tasks are not simulated",
    "metrics": "removed from Tableau in 2024.2",
    "oidc": "sign-in configuration is not simulated",
    "schedules": "schedules of Tableau Server are not simulated; tasks have theirs, as on Tableau Cloud",
    "subscriptions": "subscriptions are not simulated",
    "tables": "needs Tableau Catalog, which is not simulated",
    "virtual_connections": "virtual connections are not simulated",
}

# Parts of names, the first that fits.
PARTS = {
    "default_permission": "default permissions of projects are not simulated",
    "revision": "revisions are not simulated",
    "crypt_extracts": "encryption of extracts is not simulated",
    "_extract": "extracts are not created or deleted over REST",
    "hyper": "nothing is published to the simulator over REST",
    "publish": "nothing is published to the simulator over REST",
    "download": "nothing is published to the simulator over REST",
    "update_connection": "connections cannot be changed",
    "favorites": "favorites are not simulated",
    "_status": "the state of the Metadata API's store is not simulated",
    "get_by_content_url": "broken in the client: it looks for the content URL in the server's own address",
    "auth_configurations": "sign-in configuration is not simulated",
    "revoke_all": "an administrator's emergency brake; `TableauSimulator::revoke_pat` revokes one",
}

# What is left, by name: a method that the client gains is in none of these.
METHODS = {
    "flow_runs.fields": "runs are not listed with other fields",
    "flow_runs.find_by_name": "runs have no names",
    "flow_runs.only_fields": "runs are not listed with other fields",
    "flows.add_dqw": "warnings are on data sources only",
    "flows.add_tags": "flows are not changed over REST",
    "flows.delete": "flows are not deleted over REST",
    "flows.delete_dqw": "warnings are on data sources only",
    "flows.delete_permission": "permissions of flows are not changed over REST",
    "flows.delete_tags": "flows are not changed over REST",
    "flows.fields": "flows are not listed with other fields",
    "flows.only_fields": "flows are not listed with other fields",
    "flows.populate_connections": "connections of flows are not simulated",
    "flows.populate_dqw": "warnings are on data sources only",
    "flows.populate_permissions": "permissions of flows are not changed over REST",
    "flows.schedule_flow_run": "tasks of flows are not simulated",
    "flows.update": "flows are not changed over REST",
    "flows.update_dqw": "warnings are on data sources only",
    "flows.update_permissions": "permissions of flows are not changed over REST",
    "flows.update_tags": "flows are not changed over REST",
    "jobs.find_by_name": "jobs have titles, not names",
    "projects.create": "projects are not created over REST",
    "projects.delete": "projects are not deleted over REST",
    "sites.create": "sites are not created over REST",
    "sites.delete": "sites are not deleted over REST",
    "sites.get": "sites are not listed: a session is for one site",
    "sites.update": "sites are not changed over REST",
    "tasks.create": "tasks are not created over REST",
    "tasks.delete": "tasks are not deleted over REST",
    "users.add": "users are not created over REST",
    "users.add_all": "users are not created over REST",
    "users.bulk_add": "users are not created over REST",
    "users.bulk_remove": "users are removed one by one",
    "users.create_from_file": "users are not created over REST",
    "users.populate_workbooks": "workbooks are listed for the site, not for a user",
    "users.update": "users are not changed over REST",
    "views.delete": "views go with their workbook",
    "views.update": "views are not renamed over REST",
}

used = set()


def reason(endpoint, method):
    """Why not, or nothing."""
    full = f"{endpoint}.{method}"
    part = next((part for part in PARTS if part in method), None)
    for key, reasons in ((endpoint, ENDPOINTS), (part, PARTS), (full, METHODS)):
        if key in reasons:
            used.add(key)
            return reasons[key]
    return None


def unused():
    """Reasons that no method of the client needs any more."""
    return sorted(({*ENDPOINTS, *PARTS, *METHODS}) - used)
