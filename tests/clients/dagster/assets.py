"""What is on the site as assets, and a run that refreshes some of them.

  python assets.py CLIENT_ID SECRET_ID SECRET
"""

from dagster import AssetExecutionContext, AssetKey, materialize
from dagster_tableau import TableauServerWorkspace, load_tableau_asset_specs, tableau_assets

from workspace import check, workspace

tableau = workspace()
data = tableau.fetch_tableau_workspace_data()
counts = [len(data.workbooks_by_id), len(data.sheets_by_id), len(data.dashboards_by_id), len(data.data_sources_by_id)]
assert counts == [7, 7, 2, 7], counts
check("reads workbooks, sheets, dashboards and data sources through REST and the Metadata API")

specs = {tuple(spec.key.path): spec for spec in load_tableau_asset_specs(workspace=tableau)}
orders, sheet = ("sales_orders",), ("superstore", "sheet", "returns_by_region")
dashboard = ("superstore", "dashboard", "overview")
assert {orders, sheet, dashboard, ("exchange_rates",)} <= specs.keys(), sorted(specs)
upstream = lambda key: {tuple(dep.asset_key.path) for dep in specs[key].deps}
assert upstream(sheet) == {orders} and upstream(dashboard) == {sheet}, (upstream(sheet), upstream(dashboard))
assert {"extract", "published datasource"} <= specs[orders].kinds
assert "live" in specs[("exchange_rates",)].kinds
check("a dashboard depends on its sheets, and a sheet on the published data source that it uses")

superstore = next(w.properties["luid"] for w in data.workbooks_by_id.values() if w.properties["name"] == "Superstore")


@tableau_assets(workspace=tableau, name="superstore", workbook_selector_fn=lambda workbook: workbook.id == superstore)
def assets(context: AssetExecutionContext, tableau: TableauServerWorkspace):
    yield from tableau.refresh_and_poll(context=context)


result = materialize([assets], resources={"tableau": tableau})
assert result.success
materialized = {tuple(event.asset_key.path) for event in result.get_asset_materialization_events()}
observed = {tuple(event.asset_key.path) for event in result.get_asset_observation_events()}
assert materialized == {orders} and observed == {sheet, dashboard}, (materialized, observed)
check("a run refreshes the data source, waits for it, and observes what shows it")
