"""The procedures' Python, at the service: what each answer is, and what was asked."""

import time

import pytest


@pytest.fixture
def refresh(body, session, service):
    def call(kind, name, project=None, site=None, may="all", url=None):
        return body(may).refresh_resource(session, kind, name, project, site, url or service.url)

    return call


def of(scene, which):
    return scene[which]["kind"], scene[which]["name"], scene[which].get("project")


@pytest.mark.parametrize("which", ["found", "workbook"])
def test_a_refresh_that_succeeds_is_complete_when_the_procedure_returns(refresh, scene, service, which):
    assert refresh(*of(scene, which), scene["site"]) == "Resource refresh complete"
    asked = service.bodies()
    assert len(asked) == 1 and asked[0]["name"] == scene[which]["name"] and asked[0]["site"] == scene["site"]
    assert asked[0]["fresh"] is True and asked[0]["wait_seconds"] <= 2


def test_a_refresh_that_began_before_is_joined_if_the_caller_says_so(refresh, scene, service):
    assert refresh(*of(scene, "found"), url=f"{service.url}/?fresh=false") == "Resource refresh complete"
    assert refresh(*of(scene, "found"), url=f"{service.url}?fresh=true") == "Resource refresh complete"
    assert [body["fresh"] for body in service.bodies()] == [False, True]
    answer = refresh(*of(scene, "found"), url=f"{service.url}?fresh=no")
    assert answer == "Error triggering resource refresh: CONNECTION_STRING may end with ?fresh=false, and with no other option"


def test_the_type_is_taken_in_capitals_and_the_site_and_project_may_be_left_out(refresh, scene):
    assert refresh(scene["found"]["kind"].upper(), scene["found"]["name"]) == "Resource refresh complete"


def test_a_project_whose_name_has_a_slash_is_given_as_a_list(refresh, scene):  # N06
    project = '["{}"]'.format('", "'.join(scene["slash"]["project"]))
    assert refresh(scene["slash"]["kind"], scene["slash"]["name"], project) == "Resource refresh complete"
    escaped = "/".join(part.replace("/", "\\/") for part in scene["slash"]["project"])
    assert refresh(scene["slash"]["kind"], scene["slash"]["name"], escaped) == "Resource refresh complete"


@pytest.mark.parametrize(
    "kind, name",
    [(None, "Sales Orders"), ("", "Sales Orders"), ("datasource", None), ("datasource", "  "), ("flow", "Nightly Prep"), ("view", "Overview")],
)
def test_missing_inputs_are_named_and_nothing_is_asked(refresh, service, kind, name):
    said = "Missing inputs. RESOURCE_TYPE (workbook or datasource) and RESOURCE_NAME are required."
    assert refresh(kind, name) == said
    assert service.seen == []


def test_what_is_not_found_is_answered_with_near_names(refresh, scene):
    answer = refresh(*of(scene, "near"))
    assert answer.startswith("Resource not in mapping table: ") and scene["near"]["meant"] in answer


def test_a_name_in_another_project_is_not_taken(refresh, scene):  # N03
    answer = refresh(scene["found"]["kind"], scene["found"]["name"], "Finance")
    assert answer.startswith("Resource not in mapping table: ") and scene["found"]["project"] in answer


def test_another_site_is_not_found_and_the_answer_names_the_site_of_the_stack(refresh, scene):
    answer = refresh(*of(scene, "found"), "another-site")
    assert answer.startswith("Resource not in mapping table: ") and scene["site"] in answer


def test_an_ambiguous_name_is_an_error_until_the_project_is_said(refresh, scene):  # N01
    kind, name, _ = of(scene, "ambiguous")
    answer = refresh(kind, name)
    assert answer.startswith("Error triggering resource refresh: ") and name in answer
    for project in scene["ambiguous"]["projects"]:
        assert f"{project}/{name}" in answer, "all that are meant, with their paths"
    for project in scene["ambiguous"]["projects"]:
        assert refresh(kind, name, project) == "Resource refresh complete"


def test_a_failed_refresh_is_answered_with_its_cause(refresh, scene):
    answer = refresh(*of(scene, "failing"))
    assert answer.startswith("Error triggering resource refresh: ") and scene["failing"]["says"] in answer


def test_a_live_connection_is_refused_with_the_reason(refresh, scene):
    answer = refresh(*of(scene, "live"))
    assert answer.startswith("Error triggering resource refresh: ") and "live" in answer


@pytest.mark.parametrize("which", ["cancelled", "timed_out"])
def test_a_refresh_that_does_not_end_well_is_an_error(refresh, scene, which):  # R13
    if which not in scene:
        pytest.skip(f"the scene has no object whose refresh is {which}")
    answer = refresh(*of(scene, which))
    assert answer.startswith("Error triggering resource refresh: ") and scene[which]["name"] in answer


def test_a_luid_of_the_mapping_table_is_used_in_the_place_of_the_name(refresh, session, scene, service):
    luid = next(it["luid"] for it in scene["content"] if it["name"] == scene["found"]["name"])
    session.mapping(["DATASOURCE", "orders of the day", "P", scene["site"], luid], ["workbook", "orders of the day", "P", scene["site"], "other"])
    assert refresh("datasource", "orders of the day", "P", scene["site"]) == "Resource refresh complete"
    asked = service.bodies()[0]
    assert asked["luid"] == luid and "name" not in asked and "project" not in asked


def test_two_rows_of_the_mapping_table_are_not_chosen_between(refresh, session, service):
    session.mapping(["datasource", "Twice", "A", "s", "1"], ["datasource", "Twice", "B", "s", "2"])
    answer = refresh("datasource", "Twice")
    assert answer.startswith("Error triggering resource refresh: the mapping table has 2 resources")
    assert service.seen == []


# What a key may not refresh is not found, as if it did not exist.
@pytest.mark.parametrize("may, said", [("revoked", "Error triggering resource refresh: "), ("narrow", "Resource not in mapping table: ")])
def test_a_key_that_may_not_is_refused_and_is_in_no_answer(refresh, scene, keys, may, said):
    answer = refresh(*of(scene, "failing"), may=may)
    assert answer.startswith(said)
    assert keys[may] not in answer and keys[may].split("_", 2)[2] not in answer


def test_a_lost_answer_starts_nothing_twice(refresh, scene, service):  # R02
    service.faults = ["lost"]
    assert refresh(*of(scene, "workbook")) == "Resource refresh complete"
    posts = [seen for seen in service.seen if seen.method == "POST"]
    assert len(posts) == 2 and len({seen.headers["Idempotency-Key"] for seen in posts}) == 1


def test_a_failed_look_is_not_a_failed_refresh(refresh, scene, service):  # R14
    service.at_once = True
    service.faults = [None, "lost", (503, {"Retry-After": "0"}), (500, {})]
    assert refresh(*of(scene, "workbook")) == "Resource refresh complete"
    assert service.faults == [] and service.statuses("POST") == [202]


def test_a_service_that_is_silent_for_long_is_looked_at_until_the_limit(body, session, scene, service):  # R14
    module = body()
    module.PATIENCE = 1
    service.at_once = True
    # More looks are lost than the patience with a POST lasts.
    service.faults = [None] + ["lost"] * 4
    assert module.refresh_resource(session, *of(scene, "workbook"), None, service.url) == "Resource refresh complete"
    assert service.faults == []


@pytest.mark.parametrize("fault, said", [("lost", "The service does not answer."), ((401, {}), "Service Unavailable")])
def test_an_end_that_is_not_known_is_told_as_that_with_the_id(body, session, scene, service, fault, said):
    module = body()
    module.TIMEOUT_MINUTES = 1
    module.PATIENCE = -58
    service.at_once = True
    service.faults = [None] + [fault] * 9
    answer = module.refresh_resource(session, *of(scene, "workbook"), None, service.url)
    assert answer.startswith("Error triggering resource refresh: It is not known how the refresh ended (id ")
    assert answer.endswith(said)


def test_retry_after_is_kept(refresh, scene, service):
    service.faults = [(429, {"Retry-After": "2"})]
    began = time.monotonic()
    assert refresh(*of(scene, "workbook")) == "Resource refresh complete"
    assert time.monotonic() - began >= 2


def test_a_service_that_does_not_answer_is_an_error_without_addresses(refresh, body, scene, session):
    module = body()
    module.PATIENCE = 0
    answer = module.refresh_resource(session, *of(scene, "found"), None, "http://127.0.0.1:9")
    assert answer == "Error triggering resource refresh: the service does not answer. Look whether the network rule has its host."


def test_the_key_goes_nowhere_in_clear_text(refresh, scene):
    answer = refresh(*of(scene, "found"), url="http://stack.example.com")
    assert answer == "Error triggering resource refresh: CONNECTION_STRING has to begin with https://"


def test_a_message_is_sent_as_an_event(body, service):
    said = body().send_message(None, "PipelineFinished", "nightly load", "412 tables", "WARNING", service.url)
    assert said == "Message sent"
    event = {"event": "PipelineFinished", "name": "nightly load", "text": "412 tables", "severity": "warning"}
    assert service.bodies("/events") == [event] and service.statuses() == [202]


@pytest.mark.parametrize(
    "event, name, severity, said",
    [
        (None, "x", None, "Missing inputs. EVENT and NAME are required."),
        ("PipelineFinished", " ", None, "Missing inputs. EVENT and NAME are required."),
        ("WorkbookRefreshFailed", "x", None, "Error sending message: "),
        ("PipelineFinished", "x", "loud", "Error sending message: "),
    ],
)
def test_a_message_that_cannot_be_sent_says_why(body, service, event, name, severity, said):
    answer = body().send_message(None, event, name, None, severity, service.url)
    assert answer.startswith(said) and 202 not in service.statuses()


def test_a_message_whose_answer_was_lost_is_sent_again_as_the_same_event(body, service):
    service.faults = ["lost", (503, {"Retry-After": "0"})]
    assert body().send_message(None, "PipelineFinished", "nightly load", None, None, service.url) == "Message sent"
    posts = [seen for seen in service.seen if seen.path == "/events"]
    assert len(posts) == 3 and len({seen.headers["Idempotency-Key"] for seen in posts}) == 1


def test_a_key_without_the_right_sends_no_message(body, service):
    answer = body("narrow").send_message(None, "PipelineFinished", "nightly load", None, None, service.url)
    assert answer.startswith("Error sending message: ") and service.statuses() == [403]


def test_a_matillion_job_is_an_event_with_its_variables(body, service):
    variables = {"environment": "production", "full": True, "days": 3}
    assert body().start_job(None, "load_sales", variables, service.url) == "Job requested"
    data = {"environment": "production", "full": "true", "days": "3"}
    assert service.bodies("/events") == [{"event": "MatillionJobRequested", "name": "load_sales", "data": data}]
    assert body().start_job(None, "load_sales", None, service.url) == "Job requested"
    assert body().start_job(None, "", None, service.url) == "Missing inputs. JOB_NAME is required."
