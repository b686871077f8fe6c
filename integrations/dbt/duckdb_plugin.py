"""A plugin of dbt-duckdb: the SQL function api__tableau__refresh_resource(kind, name, project, site, fresh), for the on-run-end hook.

It answers what the procedure of integrations/snowflake answers. profiles.yml: `plugins: [{module: duckdb_plugin}]`, with this folder in `module_paths`.
"""

import json
import os

from dbt.adapters.duckdb.plugins import BasePlugin
from refresh_after_run import Refused, Service, refresh_all


def refresh_resource(kind, name, project, site, fresh):
    wanted = {"kind": kind, "name": name, "fresh": fresh != "false"}
    if project:
        wanted["project"] = json.loads(project) if project.startswith("[") else project
    if site:
        wanted["site"] = site
    try:
        service = Service(os.environ.get("REFRESH_URL", ""), os.environ.get("REFRESH_KEY", ""))
        wrong = refresh_all(service, {"it": wanted}, say=lambda _: None)
    except Refused as refused:
        wrong = {"it": str(refused)}
    return f"Error triggering resource refresh: {wrong['it']}" if wrong else "Resource refresh complete"


class Plugin(BasePlugin):
    def configure_connection(self, conn):
        texts = ["VARCHAR"] * 5
        # It has an effect, so DuckDB may not leave a call out.
        conn.create_function("api__tableau__refresh_resource", refresh_resource, texts, "VARCHAR", side_effects=True)
