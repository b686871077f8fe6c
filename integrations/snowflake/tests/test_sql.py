"""setup.sql: it has the body that the tests run, and each statement is what Snowflake's grammar says.

Run: the table in fakesnow, the procedures in Snowpark's local mode. Parsed only: network rule, secret, integration, grants.
"""

import importlib.util
import re
from pathlib import Path

import fakesnow
import pytest
import snowflake.connector
import sqlglot
from sqlglot import exp

FOLDER = Path(__file__).resolve().parents[1]
SQL = (FOLDER / "setup.sql").read_text(encoding="utf-8")
BODY = (FOLDER / "tableau_webhooks.py").read_text(encoding="utf-8")
HOST = "abc123.execute-api.eu-central-1.amazonaws.com"


def statements():
    """The statements of setup.sql. A semicolon in a body ends none."""
    parts = re.split(r"(\$\$.*?\$\$)", SQL, flags=re.DOTALL)
    bodies = [part for part in parts if part.startswith("$$")]
    text = "".join("$$BODY$$" if part.startswith("$$") else re.sub(r"--[^\n]*", "", part) for part in parts)
    found = [statement.strip() for statement in text.split(";") if statement.strip()]
    return found, bodies


def one(start):
    found = [statement for statement in statements()[0] if statement.lower().startswith(start)]
    assert len(found) == 1, (start, found)
    return re.sub(r"\s+", " ", found[0])


def procedures():
    return [statement for statement in statements()[0] if "procedure" in statement.lower() and statement.lower().startswith("create")]


def test_each_procedure_has_the_body_that_is_tested():
    bodies = statements()[1]
    assert len(bodies) == len(procedures()) == 3
    assert all(body == f"$$\n{BODY}$$" for body in bodies), "run: python build.py"
    assert "$$" not in BODY


def test_each_statement_is_one_of_these():
    starts = [" ".join(statement.lower().split()[:5]) for statement in statements()[0]]
    kinds = ["use schema", "create or replace network rule", "create or replace secret", "create or replace external access"]
    kinds += ["create table if not exists"] + ["create or replace procedure"] * 3 + ["grant usage on procedure"] * 3
    assert [start.startswith(kind) for start, kind in zip(starts, kinds, strict=True)] == [True] * len(kinds), starts


# https://docs.snowflake.com/en/sql-reference/sql/create-network-rule
def test_the_network_rule_lets_out_to_the_stack_alone():
    rule = one("create or replace network rule")
    shape = r"create or replace network rule (\w+) mode = egress type = host_port value_list = \('([^',]+)'\)"
    found = re.fullmatch(shape, rule, re.IGNORECASE)
    assert found and found[2] == f"{HOST}:443"


# https://docs.snowflake.com/en/sql-reference/sql/create-secret
def test_the_secret_is_a_placeholder():
    found = re.fullmatch(r"create or replace secret (\w+) type = generic_string secret_string = '([^']*)'", one("create or replace secret"), re.IGNORECASE)
    assert found and found[2] == "twk_id_secret"


# https://docs.snowflake.com/en/sql-reference/sql/create-external-access-integration
def test_the_integration_has_the_rule_and_the_secret_and_nothing_else():
    shape = r"create or replace external access integration tableau_webhooks allowed_network_rules = \(tableau_webhooks_rule\) "
    shape += r"allowed_authentication_secrets = \(tableau_webhooks_key\) enabled = true"
    assert re.fullmatch(shape, one("create or replace external access integration"), re.IGNORECASE)


@pytest.mark.parametrize("statement", statements()[0], ids=lambda statement: " ".join(statement.split()[:6]))
def test_sqlglot_parses_each_statement(statement):
    parsed = sqlglot.parse(statement, dialect="snowflake")
    assert len(parsed) == 1 and parsed[0] is not None


def test_the_procedure_has_the_signature_that_pipelines_call_today():
    sql = next(statement for statement in procedures() if "refresh_resource(" in statement)
    parsed = sqlglot.parse_one(sql, dialect="snowflake")
    name = re.search(r"procedure\s+(\w+)\(", sql)[1].upper()
    assert name == "API__TABLEAU__REFRESH_RESOURCE"
    if isinstance(parsed, exp.Create):
        columns = [column.name.upper() for column in parsed.this.expressions]
    else:
        columns = [line.split()[0].upper() for line in sql[sql.index("(") + 1 : sql.index("\n)")].strip().splitlines()]
    assert columns == ["RESOURCE_TYPE", "RESOURCE_NAME", "PROJECT_NAME", "SITE_ID", "CONNECTION_STRING"]
    assert f"connection_string varchar default 'https://{HOST}'" in sql and "returns varchar" in sql


def test_each_procedure_names_a_function_of_the_body_with_its_parameters():
    source = compile(BODY, "tableau_webhooks.py", "exec")
    functions = {code.co_name: code.co_varnames[: code.co_argcount] for code in source.co_consts if hasattr(code, "co_argcount")}
    for sql in procedures():
        handler = re.search(r"handler = '(\w+)'", sql)[1]
        columns = [line.split()[0] for line in sql[sql.index("(") + 1 : sql.index("\n)")].strip().splitlines()]
        assert list(functions[handler]) == ["session", *columns], handler
        # https://docs.snowflake.com/en/sql-reference/sql/create-procedure
        for clause in ["language python", "runtime_version = '3.11'", "external_access_integrations = (tableau_webhooks)"]:
            assert clause in sql
        assert "secrets = ('refresh_key' = tableau_webhooks_key)" in sql
        types = ", ".join(line.split()[1].rstrip(",") for line in sql[sql.index("(") + 1 : sql.index("\n)")].strip().splitlines())
        name = re.search(r"procedure\s+(\w+)\(", sql)[1]
        assert f"grant usage on procedure {name}({types}) to role pipeline_role" in SQL


def test_the_mapping_table_is_made_once_and_takes_rows_in_fakesnow():
    table = one("create table if not exists")
    with fakesnow.patch():
        connection = snowflake.connector.connect(database="OPS", schema="PUBLIC")
        cursor = connection.cursor()
        cursor.execute(one("use schema"))
        cursor.execute(table)
        cursor.execute("insert into tableau_resource_mapping values ('workbook', 'Superstore', 'Sales', 'acme', '5998aaaf')")
        cursor.execute(table)
        cursor.execute("select resource_id from TABLEAU_RESOURCE_MAPPING where upper(resource_type) = 'WORKBOOK' and resource_name = 'Superstore'")
        assert cursor.fetchall() == [("5998aaaf",)]


def test_the_procedure_is_registered_and_called_in_snowparks_local_mode(session, body, scene, service):
    from snowflake.snowpark.types import StringType

    module = body()
    name = "api__tableau__refresh_resource"
    session.sproc.register(module.refresh_resource, return_type=StringType(), input_types=[StringType()] * 5, name=name, packages=["requests"])
    found = scene["found"]
    assert session.call(name, found["kind"], found["name"], found["project"], scene["site"], service.url) == "Resource refresh complete"
    assert session.call(name, "", "", None, None, service.url).startswith("Missing inputs. ")
