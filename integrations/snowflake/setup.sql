-- Lets procedures of Snowflake refresh Tableau content by name, send messages, and start jobs, through a stack of tableau-webhooks.
--
-- Before you run it, replace
--   abc123.execute-api.eu-central-1.amazonaws.com   with the host of the stack: the output WebhookUrl, without https:// and /webhook
--   twk_id_secret                                   with a key: tableau-webhooks keys create snowflake --kind workbook --kind datasource --project 'Sales/**' --events
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
# A short refresh ends within the first request. After it the service is looked at in gaps: a request that waits holds an execution of a function.
WAIT_SECONDS = 2
LONGEST_GAP = 30
# How long a service that does not answer is asked again for a refresh, in seconds. It is looked at until the end.
PATIENCE = 300


class Refused(Exception):
    """An answer that another try does not change."""

    def __init__(self, status, problem):
        said = problem.get("detail") or problem.get("message") or f"HTTP status {status}"
        meant = [place for place in map(_place, problem.get("candidates") or []) if place not in said]
        super().__init__(f"{said} There are: {'; '.join(meant)}." if meant else said)
        self.status = status
        self.code = problem.get("code")


def refresh_resource(session, resource_type, resource_name, project_name, site_id, connection_string):
    """Refreshes a workbook or a data source, and returns when the refresh has ended."""
    kind = _text(resource_type).lower()
    name = _text(resource_name)
    if kind not in TYPES or not name:
        return "Missing inputs. RESOURCE_TYPE (workbook or datasource) and RESOURCE_NAME are required."
    try:
        service = _Service(connection_string)
        wanted = {"kind": kind, "timeout_minutes": TIMEOUT_MINUTES, "fresh": service.is_fresh}
        luid = _mapped(session, kind, name, _text(project_name), _text(site_id))
        if luid:
            wanted["luid"] = luid
        else:
            wanted["name"] = name
            if _text(project_name):
                wanted["project"] = _project(_text(project_name))
        if _text(site_id):
            wanted["site"] = _text(site_id)
        refresh = service.post("/refreshes", {**wanted, "wait_seconds": WAIT_SECONDS})
        limit = time.monotonic() + TIMEOUT_MINUTES * 60 + PATIENCE
        gap = 1
        while refresh["status"] not in ENDED:
            if time.monotonic() > limit:
                return f"Error triggering resource refresh: still {refresh['status']}. {refresh['message']}"
            time.sleep(service.retry_after or gap)
            gap = min(gap * 2, LONGEST_GAP)
            try:
                looked = service.look(refresh["id"])
            except Refused as refused:
                return f"Error triggering resource refresh: {_not_known(refresh)} {refused}"
            # A look without an answer says nothing about the refresh.
            if looked is None and time.monotonic() > limit:
                return f"Error triggering resource refresh: {_not_known(refresh)} The service does not answer."
            refresh = looked or refresh
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
        _Service(connection_string).post("/events", said)
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


def _not_known(refresh):
    return f"It is not known how the refresh ended (id {refresh['id']})."


def _place(candidate):
    """Where an object is: `Finance/Europe/Orders`, with `\\/` for a slash in a name."""
    names = [*(candidate.get("project") or []), candidate.get("name") or ""]
    return "/".join(name.replace("/", "\\/") for name in names)


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
        # The pipeline has loaded data before it calls: a refresh that began before may have read those of before. `?fresh=false` joins it all the same.
        url, _, option = _text(connection_string).partition("?")
        if option not in ("", "fresh=true", "fresh=false"):
            raise ValueError("CONNECTION_STRING may end with ?fresh=false, and with no other option")
        self.is_fresh = option != "fresh=false"
        self.url = url.rstrip("/")
        if "://" not in self.url:
            self.url = f"https://{self.url}"
        # The key must not cross a network in clear text. http only reaches this machine, in tests.
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("CONNECTION_STRING has to begin with https://")
        self.key = _snowflake.get_generic_secret_string("refresh_key")
        # What the last answer asks for, in seconds.
        self.retry_after = None

    def post(self, path, body):
        """The answer of the service. Each try has the same key, so that one whose answer was lost is not a second request."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        began = time.monotonic()
        gap = 1
        while True:
            said, answer = self._ask("POST", path, body, headers)
            if said is not None:
                return said
            wait = self.retry_after or gap
            if time.monotonic() - began + wait > PATIENCE:
                if answer is not None:
                    raise Refused(answer.status_code, _problem(answer))
                raise requests.exceptions.ConnectionError()
            time.sleep(wait)
            gap = min(gap * 2, 60)

    def look(self, refresh_id):
        """How a refresh goes; `None` if the service does not answer now."""
        return self._ask("GET", f"/refreshes/{refresh_id}", None, {})[0]

    def _ask(self, method, path, body, headers):
        """What the service says, if another try does not change it, and its answer, if there is one."""
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        self.retry_after = None
        try:
            answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60, allow_redirects=False)
        except requests.exceptions.RequestException:
            return None, None
        asked = answer.headers.get("Retry-After", "")
        self.retry_after = int(asked) if asked.isdigit() else None
        if answer.status_code == 429 or answer.status_code >= 500:
            return None, answer
        if answer.status_code >= 300:
            raise Refused(answer.status_code, _problem(answer))
        try:
            return answer.json(), answer
        except ValueError:
            return None, answer


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
# A short refresh ends within the first request. After it the service is looked at in gaps: a request that waits holds an execution of a function.
WAIT_SECONDS = 2
LONGEST_GAP = 30
# How long a service that does not answer is asked again for a refresh, in seconds. It is looked at until the end.
PATIENCE = 300


class Refused(Exception):
    """An answer that another try does not change."""

    def __init__(self, status, problem):
        said = problem.get("detail") or problem.get("message") or f"HTTP status {status}"
        meant = [place for place in map(_place, problem.get("candidates") or []) if place not in said]
        super().__init__(f"{said} There are: {'; '.join(meant)}." if meant else said)
        self.status = status
        self.code = problem.get("code")


def refresh_resource(session, resource_type, resource_name, project_name, site_id, connection_string):
    """Refreshes a workbook or a data source, and returns when the refresh has ended."""
    kind = _text(resource_type).lower()
    name = _text(resource_name)
    if kind not in TYPES or not name:
        return "Missing inputs. RESOURCE_TYPE (workbook or datasource) and RESOURCE_NAME are required."
    try:
        service = _Service(connection_string)
        wanted = {"kind": kind, "timeout_minutes": TIMEOUT_MINUTES, "fresh": service.is_fresh}
        luid = _mapped(session, kind, name, _text(project_name), _text(site_id))
        if luid:
            wanted["luid"] = luid
        else:
            wanted["name"] = name
            if _text(project_name):
                wanted["project"] = _project(_text(project_name))
        if _text(site_id):
            wanted["site"] = _text(site_id)
        refresh = service.post("/refreshes", {**wanted, "wait_seconds": WAIT_SECONDS})
        limit = time.monotonic() + TIMEOUT_MINUTES * 60 + PATIENCE
        gap = 1
        while refresh["status"] not in ENDED:
            if time.monotonic() > limit:
                return f"Error triggering resource refresh: still {refresh['status']}. {refresh['message']}"
            time.sleep(service.retry_after or gap)
            gap = min(gap * 2, LONGEST_GAP)
            try:
                looked = service.look(refresh["id"])
            except Refused as refused:
                return f"Error triggering resource refresh: {_not_known(refresh)} {refused}"
            # A look without an answer says nothing about the refresh.
            if looked is None and time.monotonic() > limit:
                return f"Error triggering resource refresh: {_not_known(refresh)} The service does not answer."
            refresh = looked or refresh
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
        _Service(connection_string).post("/events", said)
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


def _not_known(refresh):
    return f"It is not known how the refresh ended (id {refresh['id']})."


def _place(candidate):
    """Where an object is: `Finance/Europe/Orders`, with `\\/` for a slash in a name."""
    names = [*(candidate.get("project") or []), candidate.get("name") or ""]
    return "/".join(name.replace("/", "\\/") for name in names)


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
        # The pipeline has loaded data before it calls: a refresh that began before may have read those of before. `?fresh=false` joins it all the same.
        url, _, option = _text(connection_string).partition("?")
        if option not in ("", "fresh=true", "fresh=false"):
            raise ValueError("CONNECTION_STRING may end with ?fresh=false, and with no other option")
        self.is_fresh = option != "fresh=false"
        self.url = url.rstrip("/")
        if "://" not in self.url:
            self.url = f"https://{self.url}"
        # The key must not cross a network in clear text. http only reaches this machine, in tests.
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("CONNECTION_STRING has to begin with https://")
        self.key = _snowflake.get_generic_secret_string("refresh_key")
        # What the last answer asks for, in seconds.
        self.retry_after = None

    def post(self, path, body):
        """The answer of the service. Each try has the same key, so that one whose answer was lost is not a second request."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        began = time.monotonic()
        gap = 1
        while True:
            said, answer = self._ask("POST", path, body, headers)
            if said is not None:
                return said
            wait = self.retry_after or gap
            if time.monotonic() - began + wait > PATIENCE:
                if answer is not None:
                    raise Refused(answer.status_code, _problem(answer))
                raise requests.exceptions.ConnectionError()
            time.sleep(wait)
            gap = min(gap * 2, 60)

    def look(self, refresh_id):
        """How a refresh goes; `None` if the service does not answer now."""
        return self._ask("GET", f"/refreshes/{refresh_id}", None, {})[0]

    def _ask(self, method, path, body, headers):
        """What the service says, if another try does not change it, and its answer, if there is one."""
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        self.retry_after = None
        try:
            answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60, allow_redirects=False)
        except requests.exceptions.RequestException:
            return None, None
        asked = answer.headers.get("Retry-After", "")
        self.retry_after = int(asked) if asked.isdigit() else None
        if answer.status_code == 429 or answer.status_code >= 500:
            return None, answer
        if answer.status_code >= 300:
            raise Refused(answer.status_code, _problem(answer))
        try:
            return answer.json(), answer
        except ValueError:
            return None, answer


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
# A short refresh ends within the first request. After it the service is looked at in gaps: a request that waits holds an execution of a function.
WAIT_SECONDS = 2
LONGEST_GAP = 30
# How long a service that does not answer is asked again for a refresh, in seconds. It is looked at until the end.
PATIENCE = 300


class Refused(Exception):
    """An answer that another try does not change."""

    def __init__(self, status, problem):
        said = problem.get("detail") or problem.get("message") or f"HTTP status {status}"
        meant = [place for place in map(_place, problem.get("candidates") or []) if place not in said]
        super().__init__(f"{said} There are: {'; '.join(meant)}." if meant else said)
        self.status = status
        self.code = problem.get("code")


def refresh_resource(session, resource_type, resource_name, project_name, site_id, connection_string):
    """Refreshes a workbook or a data source, and returns when the refresh has ended."""
    kind = _text(resource_type).lower()
    name = _text(resource_name)
    if kind not in TYPES or not name:
        return "Missing inputs. RESOURCE_TYPE (workbook or datasource) and RESOURCE_NAME are required."
    try:
        service = _Service(connection_string)
        wanted = {"kind": kind, "timeout_minutes": TIMEOUT_MINUTES, "fresh": service.is_fresh}
        luid = _mapped(session, kind, name, _text(project_name), _text(site_id))
        if luid:
            wanted["luid"] = luid
        else:
            wanted["name"] = name
            if _text(project_name):
                wanted["project"] = _project(_text(project_name))
        if _text(site_id):
            wanted["site"] = _text(site_id)
        refresh = service.post("/refreshes", {**wanted, "wait_seconds": WAIT_SECONDS})
        limit = time.monotonic() + TIMEOUT_MINUTES * 60 + PATIENCE
        gap = 1
        while refresh["status"] not in ENDED:
            if time.monotonic() > limit:
                return f"Error triggering resource refresh: still {refresh['status']}. {refresh['message']}"
            time.sleep(service.retry_after or gap)
            gap = min(gap * 2, LONGEST_GAP)
            try:
                looked = service.look(refresh["id"])
            except Refused as refused:
                return f"Error triggering resource refresh: {_not_known(refresh)} {refused}"
            # A look without an answer says nothing about the refresh.
            if looked is None and time.monotonic() > limit:
                return f"Error triggering resource refresh: {_not_known(refresh)} The service does not answer."
            refresh = looked or refresh
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
        _Service(connection_string).post("/events", said)
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


def _not_known(refresh):
    return f"It is not known how the refresh ended (id {refresh['id']})."


def _place(candidate):
    """Where an object is: `Finance/Europe/Orders`, with `\\/` for a slash in a name."""
    names = [*(candidate.get("project") or []), candidate.get("name") or ""]
    return "/".join(name.replace("/", "\\/") for name in names)


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
        # The pipeline has loaded data before it calls: a refresh that began before may have read those of before. `?fresh=false` joins it all the same.
        url, _, option = _text(connection_string).partition("?")
        if option not in ("", "fresh=true", "fresh=false"):
            raise ValueError("CONNECTION_STRING may end with ?fresh=false, and with no other option")
        self.is_fresh = option != "fresh=false"
        self.url = url.rstrip("/")
        if "://" not in self.url:
            self.url = f"https://{self.url}"
        # The key must not cross a network in clear text. http only reaches this machine, in tests.
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("CONNECTION_STRING has to begin with https://")
        self.key = _snowflake.get_generic_secret_string("refresh_key")
        # What the last answer asks for, in seconds.
        self.retry_after = None

    def post(self, path, body):
        """The answer of the service. Each try has the same key, so that one whose answer was lost is not a second request."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        began = time.monotonic()
        gap = 1
        while True:
            said, answer = self._ask("POST", path, body, headers)
            if said is not None:
                return said
            wait = self.retry_after or gap
            if time.monotonic() - began + wait > PATIENCE:
                if answer is not None:
                    raise Refused(answer.status_code, _problem(answer))
                raise requests.exceptions.ConnectionError()
            time.sleep(wait)
            gap = min(gap * 2, 60)

    def look(self, refresh_id):
        """How a refresh goes; `None` if the service does not answer now."""
        return self._ask("GET", f"/refreshes/{refresh_id}", None, {})[0]

    def _ask(self, method, path, body, headers):
        """What the service says, if another try does not change it, and its answer, if there is one."""
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        self.retry_after = None
        try:
            answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60, allow_redirects=False)
        except requests.exceptions.RequestException:
            return None, None
        asked = answer.headers.get("Retry-After", "")
        self.retry_after = int(asked) if asked.isdigit() else None
        if answer.status_code == 429 or answer.status_code >= 500:
            return None, answer
        if answer.status_code >= 300:
            raise Refused(answer.status_code, _problem(answer))
        try:
            return answer.json(), answer
        except ValueError:
            return None, answer


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
