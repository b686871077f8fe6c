"""What is changed: webhooks, tags, certification, warnings."""

import xml.etree.ElementTree

import tableauserverclient as TSC

from client import DESTINATION, administrator, check, named, refused, user


@check("webhooks.create", "webhooks.get", "webhooks.get_by_id", "webhooks.test", "webhooks.delete")
def webhooks_are_managed():
    """Made, listed, tested and deleted; `400118` for a bad destination, `404034` for a missing one"""
    client = administrator()
    new = TSC.WebhookItem()
    new.name, new.url, new.event = "refresh failed", DESTINATION, "datasource-refresh-failed"
    made = client.webhooks.create(new)
    assert made.id and made.owner_id == client.user_id and made.event == "datasource-refresh-failed"
    assert [webhook.id for webhook in client.webhooks.get()[0]] == [made.id]
    found = client.webhooks.get_by_id(made.id)
    assert (found.name, found.url) == (new.name, new.url)
    result = xml.etree.ElementTree.fromstring(client.webhooks.test(made.id).content)[0]
    assert (result.get("id"), result.get("status")) == (made.id, "200")
    new.url = "ftp://example.com/"
    assert refused(lambda: client.webhooks.create(new)) == "400118"
    new.url, new.event = DESTINATION, "nothing-happened"
    assert refused(lambda: client.webhooks.create(new)) == "400000"
    client.webhooks.delete(made.id)
    assert client.webhooks.get()[0] == []
    assert refused(lambda: client.webhooks.get_by_id(made.id)) == "404034"
    assert refused(user("yuki").webhooks.get) == "403000"


@check("workbooks.add_tags", "workbooks.delete_tags", "workbooks.update_tags", "workbooks.update")
def workbooks_are_tagged_and_changed():
    """Tags with spaces, slashes and commas come and go; description and tabs change; `403004` for who only looks"""
    client = administrator()
    workbook = named(client.workbooks.get()[0], "Warehouse Throughput")
    assert client.workbooks.add_tags(workbook, ["two words", "a/b", "x,y"]) == {"two words", "a/b", "x,y"}
    assert client.workbooks.get_by_id(workbook.id).tags == {"two words", "a/b", "x,y"}
    client.workbooks.delete_tags(workbook, ["a/b", "two words"])
    workbook = client.workbooks.get_by_id(workbook.id)
    assert workbook.tags == {"x,y"}
    workbook.tags = {"daily"}
    client.workbooks.update_tags(workbook)
    assert client.workbooks.get_by_id(workbook.id).tags == {"daily"}
    workbook.description, workbook.show_tabs = "Pallets per hour", True
    changed = client.workbooks.update(workbook)
    assert changed.show_tabs and client.workbooks.get_by_id(workbook.id).description == "Pallets per hour"
    assert refused(lambda: user("yuki").workbooks.add_tags(workbook, "mine")) == "403004"


@check("datasources.update", "datasources.add_tags", "datasources.delete_tags", "datasources.update_tags")
def a_data_source_is_certified():
    """Certified and no longer, tagged; an owner who leads no project gets `403004`"""
    client = administrator()
    budget = named(client.datasources.get()[0], "Budget")
    budget.certified, budget.certification_note = True, "Approved"
    assert client.datasources.update(budget).certification_note == "Approved"
    assert client.datasources.get_by_id(budget.id).certified
    budget.certified = False
    client.datasources.update(budget)
    assert not client.datasources.get_by_id(budget.id).certified
    budget.certified = True
    assert refused(lambda: user("jonas").datasources.update(budget)) == "403004"
    assert client.datasources.add_tags(budget, "plan") == {"plan"}
    client.datasources.delete_tags(budget, "plan")
    budget.tags = {"yearly"}
    client.datasources.update_tags(budget)
    assert client.datasources.get_by_id(budget.id).tags == {"yearly"}


@check("datasources.add_dqw", "datasources.populate_dqw", "datasources.update_dqw", "datasources.delete_dqw")
def a_data_source_is_warned_of():
    """A quality warning comes, changes and goes"""
    client = administrator()
    orders = named(client.datasources.get()[0], "Sales Orders")
    warning = TSC.DQWItem("WARNING", "Numbers are late", True, False)
    added = client.datasources.add_dqw(orders, warning)
    assert (added[0].message, added[0].active, added[0].severe) == ("Numbers are late", True, False)
    warning.warning_type, warning.severe = "STALE", True
    client.datasources.update_dqw(orders, warning)
    client.datasources.populate_dqw(orders)
    assert [(w.warning_type, w.severe) for w in orders.dqws] == [("STALE", True)]
    client.datasources.delete_dqw(orders)
    client.datasources.populate_dqw(orders)
    assert orders.dqws == []


@check("tags.batch_add", "tags.batch_delete")
def tags_come_in_batches():
    """Several tags on several things in one call"""
    client = administrator()
    workbook, view = client.workbooks.get()[0][0], client.views.get()[0][0]
    assert client.tags.batch_add(["q3", "two words"], [workbook, view]) == {"q3", "two words"}
    assert {"q3", "two words"} <= client.workbooks.get_by_id(workbook.id).tags
    client.tags.batch_delete(["q3", "two words"], [workbook, view])
    assert not {"q3", "two words"} & client.views.get_by_id(view.id).tags


KINDS = ("workbooks", "datasources", "views", "projects")


@check(*(f"{kind}.{method}" for kind in KINDS for method in ("populate_permissions", "update_permissions")))
@check(*(f"{kind}.delete_permission" for kind in KINDS))
def permissions_are_given_one_by_one():
    """Given, denied, listed and taken away: `403004` for who may set none, `400009` and `404013` for what is no capability"""
    client = administrator()
    yuki, priya = (named(client.users.get()[0], f"{name}@example.com") for name in ("yuki", "priya"))
    Allow, Deny = TSC.Permission.Mode.Allow, TSC.Permission.Mode.Deny
    rule = lambda user, **capabilities: TSC.PermissionsRule(TSC.UserItem.as_reference(user.id), capabilities)
    items = {
        "workbooks": named(client.workbooks.get()[0], "Pipeline Review"),
        "datasources": named(client.datasources.get()[0], "Shipments"),
        "views": named(client.views.get()[0], "Overview"),
        "projects": named(client.projects.get()[0], "Sales"),
    }
    for kind, item in items.items():
        endpoint = getattr(client, kind)
        endpoint.populate_permissions(item)
        assert item.permissions == []
        given = [rule(yuki, Read=Allow, Write=Deny), rule(priya, Read=Allow)]
        endpoint.update_permissions(item, given)
        endpoint.populate_permissions(item)
        assert item.permissions == given, f"{item.permissions} of {kind}"
        endpoint.delete_permission(item, given[0])
        endpoint.populate_permissions(item)
        assert item.permissions == given[1:]
        assert refused(lambda: endpoint.delete_permission(item, given[0])) in ("404013", "404014")
        endpoint.delete_permission(item, given[1])
        assert refused(lambda: endpoint.update_permissions(item, [rule(yuki, Fly=Allow)])) == "404013"
        assert refused(lambda: getattr(user("yuki"), kind).update_permissions(item, given)) == "403004"
    assert refused(lambda: client.projects.update_permissions(items["projects"], [rule(yuki, Delete=Allow)])) == "400009"
    group = TSC.PermissionsRule(TSC.GroupItem.as_reference("none"), {"Read": Allow})
    assert refused(lambda: client.workbooks.update_permissions(items["workbooks"], [group])) == "404012"


@check("workbooks.update_permissions", "datasources.update_permissions", "projects.update_permissions")
def a_capability_decides():
    """What is denied is refused, and out of lists; leading a project lets its data sources be certified"""
    client, priya = administrator(), user("priya")
    rule = lambda **capabilities: [TSC.PermissionsRule(TSC.UserItem.as_reference(priya.user_id), capabilities)]
    workbook = named(client.workbooks.get()[0], "Warehouse Throughput")
    orders = named(client.datasources.get()[0], "Sales Orders")
    client.workbooks.update_permissions(workbook, rule(Read="Deny"))
    client.datasources.update_permissions(orders, rule(ExtractRefresh="Deny"))
    assert refused(lambda: priya.workbooks.get_by_id(workbook.id)) == "403004"
    assert workbook.id not in [seen.id for seen in priya.workbooks.get()[0]]
    assert refused(lambda: priya.datasources.refresh(orders)) == "403077"
    orders.certified = not orders.certified
    assert refused(lambda: priya.datasources.update(orders)) == "403004"
    project = next(project for project in client.projects.get()[0] if project.id == orders.project_id)
    client.projects.update_permissions(project, rule(ProjectLeader="Allow"))
    assert priya.datasources.update(orders).certified == orders.certified


@check("workbooks.delete", "datasources.delete", "users.remove")
def what_is_deleted_is_gone():
    """Workbooks, data sources and users; `403004` for who does not own them"""
    client = administrator()
    workbook = named(client.workbooks.get()[0], "Delivery Punctuality")
    assert refused(lambda: user("ana").workbooks.delete(workbook.id)) == "403004"
    client.workbooks.delete(workbook.id)
    assert refused(lambda: client.workbooks.get_by_id(workbook.id)) == "404006"
    datasource = named(client.datasources.get()[0], "Customer Master")
    client.datasources.delete(datasource.id)
    assert refused(lambda: client.datasources.get_by_id(datasource.id)) == "404004"
    jonas = named(client.users.get()[0], "jonas@example.com")
    client.users.remove(jonas.id)
    assert refused(lambda: client.users.get_by_id(jonas.id)) == "404002"
