"""The warehouse's modules, stubbed: `_snowflake` gives the key; `snowflake.snowpark` is the real library in local mode."""

import importlib.util
import sys
import types
from pathlib import Path

import pytest
from snowflake.snowpark import Session

FOLDER = Path(__file__).resolve().parents[1]


@pytest.fixture
def body(monkeypatch, keys):
    """The body of the procedures, in a warehouse whose secret has the key of this name, with no long waits."""

    def load(may="all"):
        warehouse = types.ModuleType("_snowflake")
        warehouse.get_generic_secret_string = {"refresh_key": keys[may]}.__getitem__
        monkeypatch.setitem(sys.modules, "_snowflake", warehouse)
        spec = importlib.util.spec_from_file_location("tableau_webhooks", FOLDER / "tableau_webhooks.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def session():
    """Snowpark's local mode, with an empty mapping table."""
    session = Session.builder.config("local_testing", True).create()
    columns = ["RESOURCE_TYPE", "RESOURCE_NAME", "PROJECT_NAME", "SITE_ID", "RESOURCE_ID"]

    def mapping(*rows):
        from snowflake.snowpark.types import StringType, StructField, StructType

        shape = StructType([StructField(name, StringType()) for name in columns])
        session.create_dataframe(list(rows), schema=shape).write.save_as_table("TABLEAU_RESOURCE_MAPPING", mode="overwrite")

    session.mapping = mapping
    mapping()
    yield session
    session.close()
