"""pysnc, a client of ServiceNow by ServiceNow, against our simulated instance, and against what our function has written there.

  servicenow.py client URL USER PASSWORD CLIENT_ID CLIENT_SECRET
  servicenow.py read URL USER PASSWORD NUMBER SHORT_DESCRIPTION

Prints one line per check; ends with 1 at the first that fails.
"""

import sys

from pysnc import ServiceNowClient
from pysnc.auth import ServiceNowClientCredentialsFlow
from pysnc.exceptions import AuthenticationException, RoleException
from requests.adapters import HTTPAdapter

send = HTTPAdapter.send


def unencrypted(self, request, **options):
    # pysnc takes https only; the simulator listens on this machine.
    request.url = request.url.replace("https://127.0.0.1:", "http://127.0.0.1:", 1)
    return send(self, request, **options)


HTTPAdapter.send = unencrypted


def check(what, holds, why=""):
    print(("ok      " if holds else "FAILED  ") + what + (f": {why}" if not holds else ""), flush=True)
    if not holds:
        sys.exit(1)


def raises(what, expected, call):
    try:
        call()
    except expected:
        return check(what, True)
    except Exception as error:
        return check(what, False, repr(error))
    return check(what, False, "nothing was raised")


def connect(url, auth):
    return ServiceNowClient(url.replace("http://", "https://"), auth, auto_retry=False)


def find(connection, query, limit=10):
    record = connection.GlideRecord("incident")
    for field, value in query.items():
        record.add_query(field, value)
    record.limit = limit
    record.query()
    return record


def client(url, user, password, client_id, client_secret):
    connection = connect(url, (user, password))
    record = connection.GlideRecord("incident")
    record.initialize()
    record.short_description = "Made by pysnc"
    record.correlation_id = "pysnc:1"
    record.urgency = "2"
    sys_id = str(record.insert())
    check("an incident is created, with an id and a number", len(sys_id) == 32 and str(record.number).startswith("INC"), sys_id)

    found = find(connection, {"correlation_id": "pysnc:1"})
    check("a search by correlation_id finds it", len(found) == 1 and found.next() and str(found.sys_id) == sys_id, len(found))
    check("its choices have display values", found.get_display_value("urgency") == "2 - Medium", found.get_display_value("urgency"))
    check("a search without a match finds nothing", len(find(connection, {"correlation_id": "pysnc:2"})) == 0)
    unknown = find(connection, {"u_no_such_field": "x"})
    check("a condition about an unknown field is left out", len(unknown) >= 1, len(unknown))

    found.work_notes = "A note of pysnc"
    check("a work note is added", str(found.update()) == sys_id)
    found.state = "6"
    raises("it is not resolved without code and notes", RoleException, found.update)
    found.close_code = "Solution provided"
    found.close_notes = "By pysnc"
    found.update()
    check("it is resolved with both", str(found.state) == "6" and str(found.active) == "true", str(found.state))
    again = connection.GlideRecord("incident")
    check("it is read by its id", again.get(sys_id) and str(again.close_notes) == "By pysnc")
    check("another id is none", not connection.GlideRecord("incident").get("0" * 32))

    wrong = connect(url, (user, "wrong"))
    raises("a wrong password is refused", AuthenticationException, lambda: wrong.GlideRecord("incident").get(sys_id))
    flow = ServiceNowClientCredentialsFlow(client_id, client_secret)
    by_token = connect(url, flow).GlideRecord("incident")
    check("a token by client credentials is accepted", by_token.get(sys_id))
    raises(
        "an application with a wrong secret gets none",
        AuthenticationException,
        lambda: connect(url, ServiceNowClientCredentialsFlow(client_id, "wrong")),
    )


def read(url, user, password, number, short_description):
    found = find(connect(url, (user, password)), {"number": number})
    check("the incident of our function is found by its number", len(found) == 1 and found.next(), len(found))
    check("its title is ours", str(found.short_description) == short_description, str(found.short_description))
    check("its group is a record", found.get_display_value("assignment_group") == "BI Platform")
    check("its key is ours", str(found.correlation_id).startswith("tableau:"), str(found.correlation_id))
    check("it is resolved with code and notes", str(found.state) == "6" and "Recovered after" in str(found.close_notes))


if __name__ == "__main__":
    {"client": client, "read": read}[sys.argv[1]](*sys.argv[2:])
