"""What a store on PostgreSQL does where something is not as it should be."""

import random
import subprocess
import time

import pytest

import postgresql

from processes import wait_until
from test_import import event, iso, some_events, truth
from test_store_postgresql import (  # noqa: F401
    EX_CONFIG,
    Host,
    _server,
    lines,
    rows,
    server,
    stop,
)

EX_USAGE = 64


@pytest.mark.parametrize("authority", ["alice:se%same@127.0.0.1:1", "alice:54321/7@127.0.0.1:1"])
def test_password_that_is_not_encoded(tmp_path, authority):
    """libpq shows what it does not understand."""
    host = Host(tmp_path, f"postgresql://{authority}/portcullis")
    said = host.run("import", status=EX_CONFIG).stderr
    assert "alice" in said and said.count("\n") == 1
    assert "se%same" not in said and "54321" not in said


def test_database_of_another_encoding(server, tmp_path):
    """It would stop the importer at the first name that it cannot write."""
    for encoding in ("LATIN1", "SQL_ASCII"):
        server.psql("postgres", "DROP DATABASE IF EXISTS other")
        server.psql("postgres", f"CREATE DATABASE other ENCODING '{encoding}' TEMPLATE template0")
        host = Host(tmp_path / encoding, server.uri(database="other"))
        said = host.run("store", "create", status=EX_CONFIG).stderr
        assert encoding in said and "createdb -E UTF8" in said and said.count("\n") == 1


# ---- moving ----


# ---- who ends ----
