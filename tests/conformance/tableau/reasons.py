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
    "flow_runs": "flows are not simulated",
    "flow_tasks": "flows are not simulated",
    "flows": "flows are not simulated",
    "group_sets": "groups are not simulated",
    "groups": "groups are not simulated",
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
    "permission": "permissions that are given one by one are not simulated",
    "revision": "revisions are not simulated",
    "_extract": "extracts are not created or deleted over REST",
    "schedule_": "tasks are not created over REST",
    "hyper": "nothing is published to the simulator over REST",
    "publish": "nothing is published to the simulator over REST",
    "download": "nothing is published to the simulator over REST",
    "update_connection": "connections cannot be changed",
    "favorites": "favorites are not simulated",
    "groups": "groups are not simulated",
    "_status": "the state of the Metadata API's store is not simulated",
    "get_by_content_url": "broken in the client: it looks for the content URL in the server's own address",
    "encrypt": "encryption of extracts is not simulated",
    "auth_configurations": "sign-in configuration is not simulated",
    "revoke_all": "an administrator's emergency brake; `TableauSimulator::revoke_pat` revokes one",
}

# What is left.
METHODS = {
    "sites": "sites are not listed, created or changed: a session is for one site",
    "tasks": "tasks are not created or deleted over REST",
    "jobs": "jobs have titles, not names",
    "users": "users are removed over REST, not created or changed",
    "projects": "projects are not created or changed over REST",
    "views": "views are not deleted or renamed over REST",
}


def reason(endpoint, method):
    """Why not, or nothing."""
    part = next((why for part, why in PARTS.items() if part in method), None)
    return ENDPOINTS.get(endpoint) or part or METHODS.get(endpoint)
