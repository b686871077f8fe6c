"""What is read and listed: workbooks, data sources, views, users, projects, lineage."""

import tableauserverclient as TSC

from client import Operator, administrator, check, named, refused, user, where


@check("workbooks.get", "workbooks.get_by_id", "workbooks.populate_views", "workbooks.populate_connections")
def workbooks_are_read():
    """Listed, by LUID with project, owner, tags and views, with what they connect to; `404006`"""
    client = administrator()
    listed = named(client.workbooks.get()[0], "Superstore")
    workbook = client.workbooks.get_by_id(listed.id)
    assert workbook.project_name == "Sales" and workbook.tags == {"critical", "broadcast"}
    assert workbook.owner_id and workbook.webpage_url and workbook.created_at and not workbook.show_tabs
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
    """Pages of three by `Pager` and query sets; filters, sorting, more fields; `400000`, `403014`"""
    client = administrator()
    names = [workbook.name for workbook in TSC.Pager(client.workbooks, TSC.RequestOptions(pagesize=3))]
    assert len(names) == len(set(names)) == 7
    assert len(list(client.workbooks.all(page_size=2))) == 7
    page, pagination = client.workbooks.get(TSC.RequestOptions(pagenumber=3, pagesize=3))
    assert (len(page), pagination.total_available, pagination.page_number) == (1, 7, 3)
    assert [w.name for w in client.workbooks.filter(tags__in=["weekly", "daily"])] == ["Pipeline Review", "Delivery Punctuality"]
    assert [w.name for w in client.workbooks.filter(project_name="Sales").order_by("-name")] == ["Superstore", "Pipeline Review"]
    assert [w.name for w in client.workbooks.find_by_name("Superstore")] == ["Superstore"]
    assert [w.name for w in client.workbooks.order_by("name")] == sorted(names)
    assert len(client.workbooks.paginate(page_size=5, page_number=2)) == 7
    assert next(iter(client.workbooks.fields("owner.email"))).owner.email
    assert next(iter(client.workbooks.only_fields("owner.email", "owner.id", "workbook.name"))).owner.email
    assert refused(lambda: client.workbooks.get(where("colour", Operator.Equals, "red"))) == "400000"
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
    assert len(list(client.datasources.all(page_size=3))) == 7
    assert [d.name for d in client.datasources.find_by_name("Budget")] == ["Budget"]
    assert next(iter(client.datasources.order_by("-name"))).name == "Shipments"
    assert len(client.datasources.paginate(page_size=2, page_number=1)) == 7
    assert next(iter(client.datasources.fields("owner.email"))).owner.email
    assert next(iter(client.datasources.only_fields("owner.email", "owner.id"))).owner.email
    assert refused(lambda: client.datasources.get_by_id("none")) == "404004"


@check("views.get", "views.get_by_id", "views.add_tags", "views.delete_tags", "views.update_tags", "views.filter")
@check("views.all", "views.find_by_name", "views.order_by", "views.paginate", "views.fields", "views.only_fields")
def views_are_read_and_tagged():
    """Listed, filtered, by LUID with workbook, owner and project; `404011`"""
    client = administrator()
    view = client.views.get_by_id(named(client.views.get()[0], "Overview").id)
    assert view.workbook_id and view.owner_id and view.project_id and view.content_url == "Superstore/sheets/Overview"
    assert client.views.add_tags(view, "broadcast") == {"broadcast"}
    assert [v.name for v in client.views.filter(tags="broadcast")] == ["Overview"]
    client.views.delete_tags(view, "broadcast")
    view.tags = {"x"}
    client.views.update_tags(view)
    assert client.views.get_by_id(view.id).tags == {"x"}
    assert len(list(client.views.all(page_size=4))) == 9
    assert [v.name for v in client.views.find_by_name("Accruals")] == ["Accruals"]
    assert next(iter(client.views.order_by("name"))).name == "13 Weeks"
    assert len(client.views.paginate(page_size=2, page_number=1)) == 9
    assert list(client.views.fields("owner.id")) and list(client.views.only_fields("view.name"))
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
    assert next(iter(client.users.order_by("name"))).name == "ana@example.com"
    assert len(list(client.users.all(page_size=2))) == len(client.users.paginate(page_size=3, page_number=1))
    assert list(client.users.fields("user.email")) and list(client.users.only_fields("user.name"))
    other = user("yuki")
    assert other.users.get_by_id(other.user_id).id == yuki.id
    assert refused(lambda: other.users.get_by_id(client.user_id)) == "403000"
    assert refused(lambda: client.users.get_by_id("none")) == "404002"


@check("projects.get", "projects.get_by_id", "projects.get_by_path", "projects.filter", "projects.all")
@check("projects.find_by_name", "projects.update", "projects.order_by", "projects.paginate", "projects.fields", "projects.only_fields")
def projects_are_nested():
    """A path is found by following parents; a description changes; `404005`"""
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
    assert "Month End" not in [p.name for p in client.projects.filter(top_level_project=True)]
    assert len(list(client.projects.all(page_size=1))) == len(projects)
    assert [p.id for p in client.projects.find_by_name("Month End")] == [inner.id]
    assert next(iter(client.projects.order_by("name"))).name == "Finance"
    assert len(client.projects.paginate(page_size=2, page_number=1)) == len(projects)
    assert list(client.projects.fields("project.name")) and list(client.projects.only_fields("project.name"))


@check("metadata.query", "metadata.paginated_query")
def metadata_leads_from_data_sources_to_workbooks():
    """By LUID with variables, downstream workbooks with their owners, pages, errors for unknown fields"""
    client = administrator()
    orders = named(client.datasources.get()[0], "Sales Orders")
    query = """query used($luid: String) { publishedDatasources(filter: {luid: $luid}) {
        name downstreamWorkbooks { luid name owner { email } } } }"""
    found = client.metadata.query(query, {"luid": orders.id}, abort_on_error=True)["data"]["publishedDatasources"]
    assert [w["name"] for w in found[0]["downstreamWorkbooks"]] == ["Superstore", "Pipeline Review"]
    assert found[0]["downstreamWorkbooks"][0]["owner"]["email"] == "ana@example.com"
    pages = client.metadata.paginated_query(
        """query all($first: Int, $afterToken: String) { workbooksConnection(first: $first, after: $afterToken) {
        nodes { name } pageInfo { hasNextPage endCursor } } }""",
        {"first": 3},
    )["pages"]
    assert [len(page["data"]["workbooksConnection"]["nodes"]) for page in pages] == [3, 3, 1]
    assert client.metadata.query("{ workbooks { colour } }")["errors"][0]["message"].startswith("Validation error")
