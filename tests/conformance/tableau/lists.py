"""What is read and listed: workbooks, data sources, views, users, projects, lineage."""

import datetime
import re

import tableauserverclient as TSC

from client import Operator, administrator, check, named, names, page, refused, user, where

# Who owns what on the sample site, in the order of names.
WORKBOOKS = {
    "Cash Flow Forecast": "jonas@example.com",
    "Delivery Punctuality": "marcus@example.com",
    "Month-End Close": "jonas@example.com",
    "Pipeline Review": "priya@example.com",
    "R&D <Spend> | Q3 *draft*": "ana@example.com",
    "Superstore": "ana@example.com",
    "Warehouse Throughput": "marcus@example.com",
}
DATASOURCES = {
    "Budget": "jonas@example.com",
    "Customer Master": "priya@example.com",
    "Exchange Rates": "ana@example.com",
    "General Ledger": "jonas@example.com",
    "Inventory Positions": "marcus@example.com",
    "Sales Orders": "ana@example.com",
    "Shipments": "marcus@example.com",
}
# Views and the workbooks that they are in.
VIEWS = {
    "13 Weeks": "Cash Flow Forecast",
    "Accruals": "Month-End Close",
    "Close Checklist": "Month-End Close",
    "On Time": "Delivery Punctuality",
    "Overview": "Superstore",
    "Pipeline": "Pipeline Review",
    "Returns by Region": "Superstore",
    "Spend": "R&D <Spend> | Q3 *draft*",
    "Throughput": "Warehouse Throughput",
}
PROJECTS = ["Finance", "Month End", "Operations", "Sales", "default"]


def owners(items):
    """The owners' addresses by name, as answers to `fields` have them."""
    return {item.name: item.owner.email for item in items}


@check("workbooks.get", "workbooks.get_by_id", "workbooks.populate_views", "workbooks.populate_connections")
def workbooks_are_read():
    """Listed, by LUID with project, owner, tags and views, with what they connect to; `404006`"""
    client = administrator()
    listed = named(client.workbooks.get()[0], "Superstore")
    workbook = client.workbooks.get_by_id(listed.id)
    assert workbook.project_name == "Sales" and workbook.tags == {"critical", "broadcast"}
    assert workbook.owner_id == named(client.users.get()[0], "ana@example.com").id
    assert workbook.webpage_url == listed.webpage_url
    assert re.fullmatch(r"\S+/#/site/marketing/workbooks/\d+(/views)?", workbook.webpage_url), workbook.webpage_url
    assert workbook.created_at == listed.created_at < datetime.datetime.now(datetime.timezone.utc) and not workbook.show_tabs
    assert [view.name for view in workbook.views] == ["Overview", "Returns by Region"]
    client.workbooks.populate_views(listed)
    assert [view.name for view in listed.views] == ["Overview", "Returns by Region"]
    client.workbooks.populate_connections(workbook)
    assert [c.datasource_name for c in workbook.connections] == ["Sales Orders"]
    odd = named(client.workbooks.get()[0], "R&D <Spend> | Q3 *draft*")
    assert odd.content_url == "RDSpendQ3draft"
    assert refused(lambda: client.workbooks.get_by_id("none")) == "404006"


@check("workbooks.all", "workbooks.filter", "workbooks.find_by_name", "workbooks.order_by", "workbooks.paginate")
@check("workbooks.fields", "workbooks.only_fields")
def lists_are_filtered_sorted_and_paged():
    """Pages of three by `Pager` and query sets; filters, sorting, more fields; `400065`, `403014`, `400006`"""
    client = administrator()
    listed = names(TSC.Pager(client.workbooks, TSC.RequestOptions(pagesize=3)))
    assert sorted(listed) == list(WORKBOOKS) and names(client.workbooks.all(page_size=2)) == listed
    last, pagination = client.workbooks.get(TSC.RequestOptions(pagenumber=3, pagesize=3))
    assert (names(last), pagination.total_available, pagination.page_number) == (listed[6:], 7, 3)
    assert [w.name for w in client.workbooks.filter(tags__in=["weekly", "daily"])] == ["Pipeline Review", "Delivery Punctuality"]
    assert [w.name for w in client.workbooks.filter(project_name="Sales").order_by("-name")] == ["Superstore", "Pipeline Review"]
    for name in ("Superstore", "SUPERSTORE"):
        assert [w.name for w in client.workbooks.find_by_name(name)] == ["Superstore"]
    assert names(client.workbooks.order_by("name")) == list(WORKBOOKS)
    assert names(client.workbooks.order_by("-name")) == list(WORKBOOKS)[::-1]
    assert names(page(client.workbooks.paginate(page_size=5, page_number=2).order_by("name"), 5, 2)) == list(WORKBOOKS)[5:]
    assert owners(client.workbooks.fields("owner.email")) == WORKBOOKS
    assert owners(client.workbooks.only_fields("owner.email", "owner.id", "workbook.name")) == WORKBOOKS
    assert client.workbooks.get()[0][0].owner.email is None
    assert refused(lambda: client.workbooks.get(where("colour", Operator.Equals, "red"))) == "400065"
    assert refused(lambda: list(client.workbooks.only_fields("workbook.colour"))) == "400008"
    assert refused(lambda: client.workbooks.get(TSC.RequestOptions(pagesize=1001))) == "403014"
    assert refused(lambda: client.workbooks.get(TSC.RequestOptions(pagenumber=99))) == "400006"


@check("datasources.get", "datasources.get_by_id", "datasources.populate_connections", "datasources.filter")
@check("datasources.all", "datasources.find_by_name", "datasources.order_by", "datasources.paginate")
@check("datasources.fields", "datasources.only_fields")
def data_sources_are_read():
    """Listed, filtered, sorted, by LUID with certification; `404004`"""
    client = administrator()
    ledger = client.datasources.get_by_id(named(client.datasources.get()[0], "General Ledger").id)
    assert ledger.certified and ledger.certification_note == "Ties to the trial balance" and ledger.has_extracts
    assert ledger.tags == {"critical", "month-end"} and ledger.project_name == "Month End"
    client.datasources.populate_connections(ledger)
    assert ledger.connections[0].connection_type == "sqlserver"
    assert {d.name for d in client.datasources.filter(is_certified=True)} == {"General Ledger", "Sales Orders"}
    assert [d.name for d in client.datasources.filter(type="snowflake").order_by("name")] == ["Exchange Rates", "Sales Orders"]
    assert sorted(names(client.datasources.all(page_size=3))) == list(DATASOURCES)
    assert [d.name for d in client.datasources.find_by_name("Budget")] == ["Budget"]
    assert names(client.datasources.order_by("-name")) == list(DATASOURCES)[::-1]
    assert names(page(client.datasources.paginate(page_size=2, page_number=3).order_by("name"), 2, 3)) == list(DATASOURCES)[4:6]
    assert owners(client.datasources.fields("owner.email")) == DATASOURCES
    assert owners(client.datasources.only_fields("owner.email", "owner.id", "datasource.name")) == DATASOURCES
    assert client.datasources.get()[0][0].owner.email is None
    assert refused(lambda: client.datasources.get_by_id("none")) == "404004"


@check("views.get", "views.get_by_id", "views.add_tags", "views.delete_tags", "views.update_tags", "views.filter")
@check("views.all", "views.find_by_name", "views.order_by", "views.paginate", "views.fields", "views.only_fields")
def views_are_read_and_tagged():
    """Listed, filtered, by LUID with workbook, owner and project; `404011`"""
    client = administrator()
    view = client.views.get_by_id(named(client.views.get()[0], "Overview").id)
    superstore = named(client.workbooks.get()[0], "Superstore")
    assert (view.workbook_id, view.owner_id, view.project_id) == (superstore.id, superstore.owner_id, superstore.project_id)
    assert view.content_url == "Superstore/sheets/Overview"
    assert client.views.add_tags(view, "broadcast") == {"broadcast"}
    assert [v.name for v in client.views.filter(tags="broadcast")] == ["Overview"]
    client.views.delete_tags(view, "broadcast")
    view.tags = {"x"}
    client.views.update_tags(view)
    assert client.views.get_by_id(view.id).tags == {"x"}
    assert sorted(names(client.views.all(page_size=4))) == list(VIEWS)
    assert [v.name for v in client.views.find_by_name("Accruals")] == ["Accruals"]
    assert names(client.views.order_by("name")) == list(VIEWS)
    assert names(page(client.views.paginate(page_size=4, page_number=2).order_by("name"), 4, 2)) == list(VIEWS)[4:8]
    workbooks = {workbook.id: workbook for workbook in client.workbooks.get()[0]}
    views = list(client.views.fields("owner.id"))
    assert {view.name: workbooks[view.workbook_id].name for view in views} == VIEWS
    assert all(view.owner_id == workbooks[view.workbook_id].owner_id for view in views)
    assert sorted(names(client.views.only_fields("view.name"))) == list(VIEWS)
    assert refused(lambda: client.views.get_by_id("none")) == "404011"


@check("users.get", "users.get_by_id", "users.all", "users.filter", "users.find_by_name", "users.order_by")
@check("users.paginate", "users.fields", "users.only_fields")
def users_are_read():
    """Administrators see everybody, others themselves (`403000`); `404002`"""
    client = administrator()
    yuki = client.users.get_by_id(named(client.users.get()[0], "yuki@example.com").id)
    assert (yuki.fullname, yuki.site_role) == ("Yuki Tanaka", "Viewer")
    assert [u.name for u in client.users.filter(site_role="Viewer")] == ["yuki@example.com"]
    assert [u.name for u in client.users.find_by_name("ana@example.com")] == ["ana@example.com"]
    everybody = sorted(f"{name}@example.com" for name in ("ana", "bea", "jonas", "marcus", "priya", "root", "yuki"))
    assert sorted(names(client.users.all(page_size=2))) == everybody
    assert names(client.users.order_by("name")) == everybody
    assert names(page(client.users.paginate(page_size=3, page_number=2).order_by("name"), 3, 2)) == everybody[3:6]
    assert {u.name: u.fullname for u in client.users.fields("user.fullName")} == {u.name: u.fullname for u in client.users.get()[0]}
    assert sorted(names(client.users.only_fields("user.name"))) == everybody
    other = user("yuki")
    assert other.users.get_by_id(other.user_id).id == yuki.id
    assert refused(lambda: other.users.get_by_id(client.user_id)) == "403000"
    assert refused(lambda: client.users.get_by_id("none")) == "404002"


@check("users.populate_groups")
def groups_of_a_user_are_listed():
    """The groups that a user is in, with that of all users; for administrators, others get `403000`"""
    client = administrator()
    jonas = named(client.users.get()[0], "jonas@example.com")
    client.users.populate_groups(jonas)
    assert names(jonas.groups) == ["All Users", "Finance Analysts"]
    client.users.populate_groups(jonas, TSC.RequestOptions(pagesize=1))
    assert names(jonas.groups) == ["All Users", "Finance Analysts"]
    other = user("jonas")

    def of_oneself():
        other.users.populate_groups(jonas)
        list(jonas.groups)

    assert refused(of_oneself) == "403000"


@check("projects.get", "projects.get_by_id", "projects.get_by_path", "projects.filter", "projects.all")
@check("projects.find_by_name", "projects.update", "projects.order_by", "projects.paginate", "projects.fields", "projects.only_fields")
def projects_are_nested():
    """A path is found by following parents; a description changes; every site has `default`, which keeps its name (`403005`); `404005`"""
    client = administrator()
    projects = {project.id: project for project in client.projects.get()[0]}
    inner = named(projects.values(), "Month End")
    assert projects[inner.parent_id].name == "Finance" and projects[inner.parent_id].parent_id is None
    assert client.projects.get_by_path("Finance/Month End").id == inner.id
    assert client.projects.get_by_id(inner.id).name == "Month End"
    inner.description = "Closing the books"
    client.projects.update(inner)
    assert client.projects.get_by_path("Finance/Month End").description == "Closing the books"
    assert refused(lambda: client.projects.get_by_id("none")) == "404005"
    assert refused(lambda: user("yuki").projects.update(inner)) == "403004"
    assert [p.name for p in client.projects.filter(parent_project_id=inner.parent_id)] == ["Month End"]
    default = named(projects.values(), "default")
    assert default.owner_id in {user.id for user in client.users.get()[0]}
    default.name = "main"
    assert refused(lambda: client.projects.update(default)) == "403005"
    assert "Month End" not in [p.name for p in client.projects.filter(top_level_project=True)]
    assert sorted(names(client.projects.all(page_size=1))) == PROJECTS
    assert [p.id for p in client.projects.find_by_name("Month End")] == [inner.id]
    assert names(client.projects.order_by("-name")) == PROJECTS[::-1]
    assert names(page(client.projects.paginate(page_size=2, page_number=2).order_by("name"), 2, 2)) == PROJECTS[2:4]
    assert {p.id: p.parent_id for p in client.projects.fields("project.name")} == {p.id: p.parent_id for p in projects.values()}
    assert sorted(names(client.projects.only_fields("project.name"))) == PROJECTS


@check("metadata.query", "metadata.paginated_query")
def metadata_leads_from_data_sources_to_workbooks():
    """By LUID with variables, downstream workbooks with their owners, orders, pages with counts, a warning for a page that is too large, errors for unknown fields and arguments"""
    client = administrator()
    orders = named(client.datasources.get()[0], "Sales Orders")
    query = """query used($luid: String) { publishedDatasources(filter: {luid: $luid}) {
        name downstreamWorkbooks(orderBy: {field: NAME, direction: DESC}) { luid name owner { email } } } }"""
    found = client.metadata.query(query, {"luid": orders.id}, abort_on_error=True)["data"]["publishedDatasources"]
    assert [w["name"] for w in found[0]["downstreamWorkbooks"]] == ["Superstore", "Pipeline Review"]
    assert found[0]["downstreamWorkbooks"][0]["owner"]["email"] == "ana@example.com"
    pages = client.metadata.paginated_query(
        """query all($first: Int, $afterToken: String) { workbooksConnection(first: $first, after: $afterToken) {
        nodes { name } pageInfo { hasNextPage endCursor } } }""",
        {"first": 3},
    )["pages"]
    assert [len(page["data"]["workbooksConnection"]["nodes"]) for page in pages] == [3, 3, 1]
    dependents = """query dependents($luid: String, $after: String) { publishedDatasources(filter: {luid: $luid}) {
        downstreamWorkbooksConnection(first: 1, after: $after, orderBy: {field: NAME, direction: ASC}, permissionMode: FILTER_RESULTS) {
        totalCount pageInfo { hasNextPage endCursor } nodes { name } } } }"""
    after = None
    for name, more in (("Pipeline Review", True), ("Superstore", False)):
        answer = client.metadata.query(dependents, {"luid": orders.id, "after": after}, abort_on_error=True)
        connection = answer["data"]["publishedDatasources"][0]["downstreamWorkbooksConnection"]
        assert (connection["totalCount"], [w["name"] for w in connection["nodes"]]) == (2, [name])
        assert connection["pageInfo"]["hasNextPage"] is more
        after = connection["pageInfo"]["endCursor"]
    large = client.metadata.query("{ workbooksConnection(first: 1001) { totalCount } }")
    assert (large["data"]["workbooksConnection"]["totalCount"], large["errors"][0]["extensions"]["code"]) == (7, "MAX_PAGE_SIZE_EXCEEDED")
    ordered = client.metadata.query("{ workbooks(orderBy: [{field: PROJECT_NAME, direction: ASC}, {field: NAME, direction: DESC}]) { name } }")
    finance = ["R&D <Spend> | Q3 *draft*", "Cash Flow Forecast", "Month-End Close"]
    assert [w["name"] for w in ordered["data"]["workbooks"]][:3] == finance
    for name, found in (("Superstore", 1), ("SUPERSTORE", 0)):
        asked = client.metadata.query(f'{{ workbooks(filter: {{name: "{name}"}}) {{ name }} }}')
        assert len(asked["data"]["workbooks"]) == found
    for wrong in ("{ workbooks { colour } }", "{ workbooks(limit: 1) { name } }", '{ workbooks(filter: {colour: "x"}) { name } }'):
        assert client.metadata.query(wrong)["errors"][0]["message"].startswith("Validation error")
