-- Lets procedures of Snowflake refresh Tableau content by name, send messages, and start jobs, through a stack of tableau-webhooks.
--
-- Before you run it, replace
--   abc123.execute-api.eu-central-1.amazonaws.com   with the host of the stack: the output WebhookUrl, without https:// and /webhook
--   twk_id_secret                                   with a key: tableau-webhooks keys create snowflake --kind workbook --kind datasource --project 'Finance/**' --events
--   ops.public                                      with your database and schema
--   pipeline_role                                   with the role that runs your pipelines
--
-- Run it as a role that may create integrations: ACCOUNTADMIN, or one with CREATE INTEGRATION on the account.
use schema ops.public;

-- The only host that the procedures reach. The key cannot go to another one, whatever CONNECTION_STRING says.
create or replace network rule tableau_webhooks_rule
  mode = egress
  type = host_port
  value_list = ('abc123.execute-api.eu-central-1.amazonaws.com:443');

create or replace secret tableau_webhooks_key
  type = generic_string
  secret_string = 'twk_id_secret';

create or replace external access integration tableau_webhooks
  allowed_network_rules = (tableau_webhooks_rule)
  allowed_authentication_secrets = (tableau_webhooks_key)
  enabled = true;

-- Optional input: resources whose LUID you know. An empty table is fine; a view of this name over your own table is too.
create table if not exists tableau_resource_mapping (
  resource_type varchar,
  resource_name varchar,
  project_name varchar,
  site_id varchar,
  resource_id varchar
);

-- Answers: `Resource refresh complete`, `Missing inputs. …`, `Resource not in mapping table: …`, `Error triggering resource refresh: …`
create or replace procedure api__tableau__refresh_resource(
  resource_type varchar,
  resource_name varchar,
  project_name varchar,
  site_id varchar,
  connection_string varchar default 'https://abc123.execute-api.eu-central-1.amazonaws.com'
)
  returns varchar
  language python
  runtime_version = '3.11'
  packages = ('snowflake-snowpark-python', 'requests')
  handler = 'refresh_resource'
  external_access_integrations = (tableau_webhooks)
  secrets = ('refresh_key' = tableau_webhooks_key)
  execute as owner
as
$$
"""The body of three procedures: refresh_resource, send_message, start_job. setup.sql contains this file, and build.py puts it there."""

import json
import time
import uuid

import _snowflake
import requests
from snowflake.snowpark.functions import col, upper

MAPPING_TABLE = "TABLEAU_RESOURCE_MAPPING"
TYPES = ("workbook", "datasource")
ENDED = ("succeeded", "failed", "cancelled", "timed_out")
# The service ends a request that has not ended by itself after so many minutes; the job at Tableau goes on.
TIMEOUT_MINUTES = 180
# The longest wait that the service allows for one request. After it the service is looked at in gaps: a request that waits costs time of a function.
WAIT_SECONDS = 25
LONGEST_GAP = 30
# How long a service that does not answer is asked again, in seconds.
PATIENCE = 300


class Refused(Exception):
    """An answer that another try does not change."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail") or problem.get("message") or f"HTTP status {status}")
        self.status = status
        self.code = problem.get("code")


def refresh_resource(session, resource_type, resource_name, project_name, site_id, connection_string):
    """Refreshes a workbook or a data source, and returns when the refresh has ended."""
    kind = _text(resource_type).lower()
    name = _text(resource_name)
    if kind not in TYPES or not name:
        return "Missing inputs. RESOURCE_TYPE (workbook or datasource) and RESOURCE_NAME are required."
    try:
        wanted = {"kind": kind, "timeout_minutes": TIMEOUT_MINUTES}
        luid = _mapped(session, kind, name, _text(project_name), _text(site_id))
        if luid:
            wanted["luid"] = luid
        else:
            wanted["name"] = name
            if _text(project_name):
                wanted["project"] = _project(_text(project_name))
        if _text(site_id):
            wanted["site"] = _text(site_id)
        service = _Service(connection_string)
        refresh = service.call("POST", "/refreshes", {**wanted, "wait_seconds": WAIT_SECONDS}, idempotent=True)
        limit = time.monotonic() + TIMEOUT_MINUTES * 60 + PATIENCE
        gap = 1
        while refresh["status"] not in ENDED:
            if time.monotonic() > limit:
                return f"Error triggering resource refresh: still {refresh['status']}. {refresh['message']}"
            time.sleep(gap)
            gap = min(gap * 2, LONGEST_GAP)
            refresh = service.call("GET", f"/refreshes/{refresh['id']}")
    except Refused as refused:
        if refused.code in ("not_found", "other_site"):
            return f"Resource not in mapping table: {refused}"
        return f"Error triggering resource refresh: {refused}"
    except Exception as error:
        return f"Error triggering resource refresh: {_plain(error)}"
    if refresh["status"] == "succeeded":
        return "Resource refresh complete"
    cause = refresh["cause"]
    said = [refresh["message"], cause["line"], cause["next_step"]] if cause else [refresh["message"]]
    return f"Error triggering resource refresh: {' '.join(said)}"


def send_message(session, event, name, text, severity, connection_string):
    """Sends an event; the rules of the stack say which channel of Slack or Teams gets a message about it."""
    return _event("Message sent", "Error sending message", connection_string, event, name, text, severity, None)


def start_job(session, job_name, variables, connection_string):
    """Sends the event MatillionJobRequested; a rule of the stack hands it to Matillion."""
    return _event("Job requested", "Error requesting job", connection_string, "MatillionJobRequested", job_name, None, None, variables)


def _event(done, failed, connection_string, event, name, text, severity, data):
    if not _text(event) or not _text(name):
        missing = "JOB_NAME is required." if event == "MatillionJobRequested" else "EVENT and NAME are required."
        return f"Missing inputs. {missing}"
    said = {"event": _text(event), "name": _text(name)}
    if _text(text):
        said["text"] = _text(text)
    if _text(severity):
        said["severity"] = _text(severity).lower()
    if data:
        said["data"] = {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()}
    try:
        # Not tried again after a lost answer: there would be two messages.
        _Service(connection_string).call("POST", "/events", said)
    except Exception as error:
        return f"{failed}: {error if isinstance(error, Refused) else _plain(error)}"
    return done


def _text(value):
    return str(value).strip() if value is not None else ""


def _plain(error):
    """An error of the connection, without the addresses and objects that `requests` prints."""
    if isinstance(error, requests.exceptions.RequestException):
        return "the service does not answer. Look whether the network rule has its host."
    return str(error)


def _project(text):
    """`Finance/Europe`, or a list as JSON: `["Ops", "Q1/Q2"]`."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _mapped(session, kind, name, project, site):
    """The LUID that the mapping table has for this resource; `None` if it has none. What the caller left out is not compared."""
    rows = session.table(MAPPING_TABLE).filter((upper(col("RESOURCE_TYPE")) == kind.upper()) & (col("RESOURCE_NAME") == name))
    if project:
        rows = rows.filter(col("PROJECT_NAME") == project)
    if site:
        rows = rows.filter(col("SITE_ID") == site)
    found = sorted({row[0] for row in rows.select("RESOURCE_ID").collect()})
    if len(found) > 1:
        raise ValueError(f"the mapping table has {len(found)} resources with this name. Say PROJECT_NAME and SITE_ID.")
    return found[0] if found else None


class _Service:
    def __init__(self, connection_string):
        self.url = _text(connection_string).rstrip("/")
        if "://" not in self.url:
            self.url = f"https://{self.url}"
        # The key must not cross a network in clear text. http only reaches this machine, in tests.
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("CONNECTION_STRING has to begin with https://")
        self.key = _snowflake.get_generic_secret_string("refresh_key")

    def call(self, method, path, body=None, idempotent=False):
        """The answer of the service. What may be repeated is repeated while the service does not answer: a GET, and a POST with a key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if idempotent:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        began = time.monotonic()
        gap = 1
        while True:
            answer = None
            try:
                answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60, allow_redirects=False)
            except requests.exceptions.RequestException:
                if method == "POST" and not idempotent:
                    raise
            wait = gap
            if answer is not None:
                if answer.status_code < 300:
                    return answer.json()
                # A 500 of the gateway does not say what became of the request, so what may not be repeated ends with it.
                passes = answer.status_code in (429, 503) or (answer.status_code >= 500 and (method == "GET" or idempotent))
                if not passes:
                    raise Refused(answer.status_code, _problem(answer))
                asked = answer.headers.get("Retry-After", "")
                wait = int(asked) if asked.isdigit() else gap
            if time.monotonic() - began + wait > PATIENCE:
                if answer is not None:
                    raise Refused(answer.status_code, _problem(answer))
                raise requests.exceptions.ConnectionError()
            time.sleep(wait)
            gap = min(gap * 2, 60)


def _problem(answer):
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
$$;

-- Answers: `Message sent`, `Missing inputs. …`, `Error sending message: …`
create or replace procedure api__message__send(
  event varchar,
  name varchar,
  text varchar default null,
  severity varchar default 'info',
  connection_string varchar default 'https://abc123.execute-api.eu-central-1.amazonaws.com'
)
  returns varchar
  language python
  runtime_version = '3.11'
  packages = ('snowflake-snowpark-python', 'requests')
  handler = 'send_message'
  external_access_integrations = (tableau_webhooks)
  secrets = ('refresh_key' = tableau_webhooks_key)
  execute as owner
as
$$
"""The body of three procedures: refresh_resource, send_message, start_job. setup.sql contains this file, and build.py puts it there."""

import json
import time
import uuid

import _snowflake
import requests
from snowflake.snowpark.functions import col, upper

MAPPING_TABLE = "TABLEAU_RESOURCE_MAPPING"
TYPES = ("workbook", "datasource")
ENDED = ("succeeded", "failed", "cancelled", "timed_out")
# The service ends a request that has not ended by itself after so many minutes; the job at Tableau goes on.
TIMEOUT_MINUTES = 180
# The longest wait that the service allows for one request. After it the service is looked at in gaps: a request that waits costs time of a function.
WAIT_SECONDS = 25
LONGEST_GAP = 30
# How long a service that does not answer is asked again, in seconds.
PATIENCE = 300


class Refused(Exception):
    """An answer that another try does not change."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail") or problem.get("message") or f"HTTP status {status}")
        self.status = status
        self.code = problem.get("code")


def refresh_resource(session, resource_type, resource_name, project_name, site_id, connection_string):
    """Refreshes a workbook or a data source, and returns when the refresh has ended."""
    kind = _text(resource_type).lower()
    name = _text(resource_name)
    if kind not in TYPES or not name:
        return "Missing inputs. RESOURCE_TYPE (workbook or datasource) and RESOURCE_NAME are required."
    try:
        wanted = {"kind": kind, "timeout_minutes": TIMEOUT_MINUTES}
        luid = _mapped(session, kind, name, _text(project_name), _text(site_id))
        if luid:
            wanted["luid"] = luid
        else:
            wanted["name"] = name
            if _text(project_name):
                wanted["project"] = _project(_text(project_name))
        if _text(site_id):
            wanted["site"] = _text(site_id)
        service = _Service(connection_string)
        refresh = service.call("POST", "/refreshes", {**wanted, "wait_seconds": WAIT_SECONDS}, idempotent=True)
        limit = time.monotonic() + TIMEOUT_MINUTES * 60 + PATIENCE
        gap = 1
        while refresh["status"] not in ENDED:
            if time.monotonic() > limit:
                return f"Error triggering resource refresh: still {refresh['status']}. {refresh['message']}"
            time.sleep(gap)
            gap = min(gap * 2, LONGEST_GAP)
            refresh = service.call("GET", f"/refreshes/{refresh['id']}")
    except Refused as refused:
        if refused.code in ("not_found", "other_site"):
            return f"Resource not in mapping table: {refused}"
        return f"Error triggering resource refresh: {refused}"
    except Exception as error:
        return f"Error triggering resource refresh: {_plain(error)}"
    if refresh["status"] == "succeeded":
        return "Resource refresh complete"
    cause = refresh["cause"]
    said = [refresh["message"], cause["line"], cause["next_step"]] if cause else [refresh["message"]]
    return f"Error triggering resource refresh: {' '.join(said)}"


def send_message(session, event, name, text, severity, connection_string):
    """Sends an event; the rules of the stack say which channel of Slack or Teams gets a message about it."""
    return _event("Message sent", "Error sending message", connection_string, event, name, text, severity, None)


def start_job(session, job_name, variables, connection_string):
    """Sends the event MatillionJobRequested; a rule of the stack hands it to Matillion."""
    return _event("Job requested", "Error requesting job", connection_string, "MatillionJobRequested", job_name, None, None, variables)


def _event(done, failed, connection_string, event, name, text, severity, data):
    if not _text(event) or not _text(name):
        missing = "JOB_NAME is required." if event == "MatillionJobRequested" else "EVENT and NAME are required."
        return f"Missing inputs. {missing}"
    said = {"event": _text(event), "name": _text(name)}
    if _text(text):
        said["text"] = _text(text)
    if _text(severity):
        said["severity"] = _text(severity).lower()
    if data:
        said["data"] = {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()}
    try:
        # Not tried again after a lost answer: there would be two messages.
        _Service(connection_string).call("POST", "/events", said)
    except Exception as error:
        return f"{failed}: {error if isinstance(error, Refused) else _plain(error)}"
    return done


def _text(value):
    return str(value).strip() if value is not None else ""


def _plain(error):
    """An error of the connection, without the addresses and objects that `requests` prints."""
    if isinstance(error, requests.exceptions.RequestException):
        return "the service does not answer. Look whether the network rule has its host."
    return str(error)


def _project(text):
    """`Finance/Europe`, or a list as JSON: `["Ops", "Q1/Q2"]`."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _mapped(session, kind, name, project, site):
    """The LUID that the mapping table has for this resource; `None` if it has none. What the caller left out is not compared."""
    rows = session.table(MAPPING_TABLE).filter((upper(col("RESOURCE_TYPE")) == kind.upper()) & (col("RESOURCE_NAME") == name))
    if project:
        rows = rows.filter(col("PROJECT_NAME") == project)
    if site:
        rows = rows.filter(col("SITE_ID") == site)
    found = sorted({row[0] for row in rows.select("RESOURCE_ID").collect()})
    if len(found) > 1:
        raise ValueError(f"the mapping table has {len(found)} resources with this name. Say PROJECT_NAME and SITE_ID.")
    return found[0] if found else None


class _Service:
    def __init__(self, connection_string):
        self.url = _text(connection_string).rstrip("/")
        if "://" not in self.url:
            self.url = f"https://{self.url}"
        # The key must not cross a network in clear text. http only reaches this machine, in tests.
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("CONNECTION_STRING has to begin with https://")
        self.key = _snowflake.get_generic_secret_string("refresh_key")

    def call(self, method, path, body=None, idempotent=False):
        """The answer of the service. What may be repeated is repeated while the service does not answer: a GET, and a POST with a key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if idempotent:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        began = time.monotonic()
        gap = 1
        while True:
            answer = None
            try:
                answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60, allow_redirects=False)
            except requests.exceptions.RequestException:
                if method == "POST" and not idempotent:
                    raise
            wait = gap
            if answer is not None:
                if answer.status_code < 300:
                    return answer.json()
                # A 500 of the gateway does not say what became of the request, so what may not be repeated ends with it.
                passes = answer.status_code in (429, 503) or (answer.status_code >= 500 and (method == "GET" or idempotent))
                if not passes:
                    raise Refused(answer.status_code, _problem(answer))
                asked = answer.headers.get("Retry-After", "")
                wait = int(asked) if asked.isdigit() else gap
            if time.monotonic() - began + wait > PATIENCE:
                if answer is not None:
                    raise Refused(answer.status_code, _problem(answer))
                raise requests.exceptions.ConnectionError()
            time.sleep(wait)
            gap = min(gap * 2, 60)


def _problem(answer):
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
$$;

-- Answers: `Job requested`, `Missing inputs. …`, `Error requesting job: …`
create or replace procedure api__matillion__start_job(
  job_name varchar,
  variables object default null,
  connection_string varchar default 'https://abc123.execute-api.eu-central-1.amazonaws.com'
)
  returns varchar
  language python
  runtime_version = '3.11'
  packages = ('snowflake-snowpark-python', 'requests')
  handler = 'start_job'
  external_access_integrations = (tableau_webhooks)
  secrets = ('refresh_key' = tableau_webhooks_key)
  execute as owner
as
$$
"""The body of three procedures: refresh_resource, send_message, start_job. setup.sql contains this file, and build.py puts it there."""

import json
import time
import uuid

import _snowflake
import requests
from snowflake.snowpark.functions import col, upper

MAPPING_TABLE = "TABLEAU_RESOURCE_MAPPING"
TYPES = ("workbook", "datasource")
ENDED = ("succeeded", "failed", "cancelled", "timed_out")
# The service ends a request that has not ended by itself after so many minutes; the job at Tableau goes on.
TIMEOUT_MINUTES = 180
# The longest wait that the service allows for one request. After it the service is looked at in gaps: a request that waits costs time of a function.
WAIT_SECONDS = 25
LONGEST_GAP = 30
# How long a service that does not answer is asked again, in seconds.
PATIENCE = 300


class Refused(Exception):
    """An answer that another try does not change."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail") or problem.get("message") or f"HTTP status {status}")
        self.status = status
        self.code = problem.get("code")


def refresh_resource(session, resource_type, resource_name, project_name, site_id, connection_string):
    """Refreshes a workbook or a data source, and returns when the refresh has ended."""
    kind = _text(resource_type).lower()
    name = _text(resource_name)
    if kind not in TYPES or not name:
        return "Missing inputs. RESOURCE_TYPE (workbook or datasource) and RESOURCE_NAME are required."
    try:
        wanted = {"kind": kind, "timeout_minutes": TIMEOUT_MINUTES}
        luid = _mapped(session, kind, name, _text(project_name), _text(site_id))
        if luid:
            wanted["luid"] = luid
        else:
            wanted["name"] = name
            if _text(project_name):
                wanted["project"] = _project(_text(project_name))
        if _text(site_id):
            wanted["site"] = _text(site_id)
        service = _Service(connection_string)
        refresh = service.call("POST", "/refreshes", {**wanted, "wait_seconds": WAIT_SECONDS}, idempotent=True)
        limit = time.monotonic() + TIMEOUT_MINUTES * 60 + PATIENCE
        gap = 1
        while refresh["status"] not in ENDED:
            if time.monotonic() > limit:
                return f"Error triggering resource refresh: still {refresh['status']}. {refresh['message']}"
            time.sleep(gap)
            gap = min(gap * 2, LONGEST_GAP)
            refresh = service.call("GET", f"/refreshes/{refresh['id']}")
    except Refused as refused:
        if refused.code in ("not_found", "other_site"):
            return f"Resource not in mapping table: {refused}"
        return f"Error triggering resource refresh: {refused}"
    except Exception as error:
        return f"Error triggering resource refresh: {_plain(error)}"
    if refresh["status"] == "succeeded":
        return "Resource refresh complete"
    cause = refresh["cause"]
    said = [refresh["message"], cause["line"], cause["next_step"]] if cause else [refresh["message"]]
    return f"Error triggering resource refresh: {' '.join(said)}"


def send_message(session, event, name, text, severity, connection_string):
    """Sends an event; the rules of the stack say which channel of Slack or Teams gets a message about it."""
    return _event("Message sent", "Error sending message", connection_string, event, name, text, severity, None)


def start_job(session, job_name, variables, connection_string):
    """Sends the event MatillionJobRequested; a rule of the stack hands it to Matillion."""
    return _event("Job requested", "Error requesting job", connection_string, "MatillionJobRequested", job_name, None, None, variables)


def _event(done, failed, connection_string, event, name, text, severity, data):
    if not _text(event) or not _text(name):
        missing = "JOB_NAME is required." if event == "MatillionJobRequested" else "EVENT and NAME are required."
        return f"Missing inputs. {missing}"
    said = {"event": _text(event), "name": _text(name)}
    if _text(text):
        said["text"] = _text(text)
    if _text(severity):
        said["severity"] = _text(severity).lower()
    if data:
        said["data"] = {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()}
    try:
        # Not tried again after a lost answer: there would be two messages.
        _Service(connection_string).call("POST", "/events", said)
    except Exception as error:
        return f"{failed}: {error if isinstance(error, Refused) else _plain(error)}"
    return done


def _text(value):
    return str(value).strip() if value is not None else ""


def _plain(error):
    """An error of the connection, without the addresses and objects that `requests` prints."""
    if isinstance(error, requests.exceptions.RequestException):
        return "the service does not answer. Look whether the network rule has its host."
    return str(error)


def _project(text):
    """`Finance/Europe`, or a list as JSON: `["Ops", "Q1/Q2"]`."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _mapped(session, kind, name, project, site):
    """The LUID that the mapping table has for this resource; `None` if it has none. What the caller left out is not compared."""
    rows = session.table(MAPPING_TABLE).filter((upper(col("RESOURCE_TYPE")) == kind.upper()) & (col("RESOURCE_NAME") == name))
    if project:
        rows = rows.filter(col("PROJECT_NAME") == project)
    if site:
        rows = rows.filter(col("SITE_ID") == site)
    found = sorted({row[0] for row in rows.select("RESOURCE_ID").collect()})
    if len(found) > 1:
        raise ValueError(f"the mapping table has {len(found)} resources with this name. Say PROJECT_NAME and SITE_ID.")
    return found[0] if found else None


class _Service:
    def __init__(self, connection_string):
        self.url = _text(connection_string).rstrip("/")
        if "://" not in self.url:
            self.url = f"https://{self.url}"
        # The key must not cross a network in clear text. http only reaches this machine, in tests.
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("CONNECTION_STRING has to begin with https://")
        self.key = _snowflake.get_generic_secret_string("refresh_key")

    def call(self, method, path, body=None, idempotent=False):
        """The answer of the service. What may be repeated is repeated while the service does not answer: a GET, and a POST with a key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if idempotent:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        began = time.monotonic()
        gap = 1
        while True:
            answer = None
            try:
                answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60, allow_redirects=False)
            except requests.exceptions.RequestException:
                if method == "POST" and not idempotent:
                    raise
            wait = gap
            if answer is not None:
                if answer.status_code < 300:
                    return answer.json()
                # A 500 of the gateway does not say what became of the request, so what may not be repeated ends with it.
                passes = answer.status_code in (429, 503) or (answer.status_code >= 500 and (method == "GET" or idempotent))
                if not passes:
                    raise Refused(answer.status_code, _problem(answer))
                asked = answer.headers.get("Retry-After", "")
                wait = int(asked) if asked.isdigit() else gap
            if time.monotonic() - began + wait > PATIENCE:
                if answer is not None:
                    raise Refused(answer.status_code, _problem(answer))
                raise requests.exceptions.ConnectionError()
            time.sleep(wait)
            gap = min(gap * 2, 60)


def _problem(answer):
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
$$;

grant usage on procedure api__tableau__refresh_resource(varchar, varchar, varchar, varchar, varchar) to role pipeline_role;
grant usage on procedure api__message__send(varchar, varchar, varchar, varchar, varchar) to role pipeline_role;
grant usage on procedure api__matillion__start_job(varchar, object, varchar) to role pipeline_role;
