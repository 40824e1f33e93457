"""A store on another machine: whom importers believe, by what they are known, and where no
password is seen."""

import contextlib
import json
import os
import random
import shutil
import subprocess

from pathlib import Path

import pytest

import accounts
import certificates
import postgresql

from processes import wait_until
from test_import import some_events, truth
from test_store_postgresql import EX_NOPERM, EX_TEMPFAIL, PORTCULLIS, Host, lines, rows, stop

EX_USAGE = 64

# Of a machine in the network, for the tests' loopback device.
ADDRESS = "192.0.2.30"
NAME, OTHER_NAME = "db.example.org", "db2.example.org"
PASSWORD = "open-sesame"

ACCOUNT, NUMBER = "mailstore", 6002
USERS = "portcullis_owner", "portcullis_writer", "portcullis_operator"

ACCESS = """
local all postgres trust
local portcullis all peer map=portcullis
hostssl portcullis all all scram-sha-256
"""
MAP = f"portcullis {ACCOUNT} portcullis_writer\n"


def enable_network(server, files):
    certificates.make(NAME, files / "server.pem", files / "server.key")
    certificates.make(NAME, files / "other.pem", files / "other.key")
    for name in ("server.pem", "server.key"):
        shutil.chown(files / name, "postgres")
    (server.data / "data" / "pg_hba.conf").write_text(ACCESS)
    (server.data / "data" / "pg_ident.conf").write_text(MAP)
    server.options = [f"--{name}={value}" for name, value in {
        "listen_addresses": ADDRESS, "ssl": "on", "ssl_cert_file": files / "server.pem",
        "ssl_key_file": files / "server.key", "log_statement": "all", "log_connections": "on",
        "log_min_error_statement": "debug5",
    }.items()]  # fmt: skip
    server.restart()


@contextlib.contextmanager
def network_server():
    server = postgresql.PostgreSQL()
    files = server.folder / "files"
    files.mkdir(mode=0o711)
    hosts = Path("/etc/hosts")
    before = hosts.read_text() if hosts.exists() else ""
    hosts.write_text(f"{before}\n{ADDRESS} {NAME} {OTHER_NAME}\n")
    enable_network(server, files)
    yield server
    server.close()
    hosts.write_text(before)


@pytest.fixture(scope="module")
def _network_server():
    with network_server() as server:
        make_store(server)
        yield server


def make_store(server):
    server.make_roles()
    for user in USERS:
        server.psql("postgres", f"ALTER ROLE {user} PASSWORD '{PASSWORD}'")
    postgresql.create_store(server.uri())


@pytest.fixture
def server(_network_server):
    """Without records."""
    tables = ", ".join(f"portcullis.{name}" for (name,) in _network_server.query(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname NOT IN ('version', 'upkeep')"
        " AND relnamespace = 'portcullis'::regnamespace"))  # fmt: skip
    _network_server.psql("portcullis", f"TRUNCATE {tables}")
    return _network_server


@pytest.fixture
def home(tmp_path):
    """Of the account whose the records are, with its passwords."""
    accounts.add(ACCOUNT, NUMBER)
    home = tmp_path / "home"
    home.mkdir()
    passwd = Path("/etc/passwd")
    passwd.write_text("".join(
        line.replace("/nonexistent", str(home)) if line.startswith(ACCOUNT) else line
        for line in passwd.read_text().splitlines(keepends=True)))  # fmt: skip
    keep(home / ".pgpass", "".join(f"*:*:portcullis:{user}:{PASSWORD}\n" for user in USERS))
    yield home
    accounts.remove(ACCOUNT)


def keep(path, text):
    path.write_text(text)
    path.chmod(0o600)


def uri(server, user="portcullis_writer", host=NAME, authority="server.pem", mode="verify-full"):
    return (f"postgresql://{user}@{host}/portcullis?sslmode={mode}"
            f"&sslrootcert={server.folder}/files/{authority}")  # fmt: skip


@pytest.fixture
def host(server, home, tmp_path):
    host = Host(tmp_path, uri(server))
    host.events = list(some_events(random.Random(1), 300, 30))
    host.append(host.events)
    for parent in (tmp_path, *tmp_path.parents[:-2]):
        parent.chmod(parent.stat().st_mode | 0o011)
    for path in (home, *home.rglob("*"), host.directory, *host.directory.rglob("*")):
        os.chown(path, NUMBER, NUMBER)
    return host


def warnings(host):
    return [line for line in host.run("check-config").stderr.splitlines() if "store:" in line]


def test_only_the_right_server_is_believed(host, server):
    for wrong in (uri(server, host=OTHER_NAME), uri(server, authority="other.pem")):
        host.configure(wrong)
        done = host.run("import", status=EX_TEMPFAIL)
        assert "does not match" in done.stderr or "verify failed" in done.stderr, done
        assert done.stderr.count("\n") == 1 and lines(server) == 0
    # The one in the certificate of the one in the list that answers.
    host.configure(uri(server, host=f"{NAME}:1,{OTHER_NAME}:2,{NAME}:5432"))
    host.run("import")
    assert rows(server) == truth(host.events)
    answer = json.loads(host.run("store", "check", "--json", status=None).stdout)
    assert answer["encrypted"] and answer["connection"].startswith("TLSv1.3, ")
    assert warnings(host) == []


def test_less_is_warned_of(host, server):
    for mode, word in (("verify-ca", "any certificate"), ("require", "in between"),
                       ("prefer", "in clear"), ("disable", "in clear")):  # fmt: skip
        host.configure(uri(server, mode=mode))
        [warning] = warnings(host)
        assert word in warning and "sslmode=verify-full" in warning and NAME in warning
    host.configure(uri(server, mode="disable"))
    host.run("import", status=EX_NOPERM)
    host.configure(uri(server, host=f"localhost,{NAME}", mode="require"))
    assert len(warnings(host)) == 1
    # Not of what stays on this machine.
    for here in (server.uri(user="portcullis_writer"), "postgresql:///portcullis",
                 "postgresql://localhost,[::1],127.0.0.1/portcullis?sslmode=disable"):  # fmt: skip
        host.configure(here)
        assert warnings(host) == []


def test_a_service_file_says_it(host, server, home):
    path = home / ".pg_service.conf"
    settings = (f"[mail]\nhost={NAME}\ndbname=portcullis\nuser=portcullis_writer\n"
                f"sslrootcert={server.folder}/files/server.pem\n")  # fmt: skip
    host.configure("postgresql:///?service=mail")
    assert "not found" in warnings(host)[0]
    keep(path, settings + "sslmode=require\n")
    os.chown(path, NUMBER, NUMBER)
    assert "sslmode is require for " + NAME in warnings(host)[0]
    path.write_text(settings + "sslmode=verify-full\n")
    assert warnings(host) == []
    host.run("import")
    assert rows(server) == truth(host.events)


def test_the_environment_says_it(host, server, monkeypatch):
    monkeypatch.setenv("PGHOST", NAME)
    host.configure("postgresql:///portcullis")
    assert NAME in warnings(host)[0]
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert warnings(host) == []


def test_an_account_of_this_machine_needs_no_password(host, server, home):
    (home / ".pgpass").unlink()
    host.configure(server.uri(user="portcullis_writer"))
    host.run("import")
    assert rows(server) == truth(host.events)
    for user in ("portcullis_operator", "portcullis_owner"):
        host.configure(server.uri(user=user))
        assert "Peer authentication failed" in host.run("offenders", status=EX_NOPERM).stderr
    # Another account than that which is in the map.
    done = subprocess.run(["psql", "-X", server.uri(user="portcullis_writer"), "-c", "SELECT 1"],
                          capture_output=True, text=True)  # fmt: skip
    assert "Peer authentication failed" in done.stderr


def everything_of(process):
    for name in ("cmdline", "environ", "comm"):
        yield Path(f"/proc/{process.pid}/{name}").read_bytes().decode()


def test_no_password_is_seen(host, server):
    log = server.folder / "log"
    begin = log.stat().st_size
    importer = host.follow()
    wait_until(lambda: lines(server) == len(host.events), "all lines")
    seen = list(everything_of(importer))
    seen += [str(row) for row in server.query("SELECT * FROM pg_stat_activity")]
    server.restart()
    host.append(host.events)
    wait_until(lambda: lines(server) == 2 * len(host.events), "all lines", timeout=120)
    seen.append(stop(importer))
    for command in (["status"], ["offenders"], ["store", "check"], ["import"], ["check-config"]):
        done = host.run(*command, status=None)
        seen += [done.stdout, done.stderr]
    seen.append(log.read_bytes()[begin:].decode(errors="replace"))
    assert "connection authorized: user=portcullis_writer" in seen[-1]
    for text in seen:
        assert PASSWORD not in text


def test_a_password_in_the_configuration(host, server):
    for written in (uri(server, user=f"portcullis_writer:{PASSWORD}"),
                    uri(server) + f"&password={PASSWORD}"):  # fmt: skip
        host.configure(written)
        [warning] = warnings(host)
        assert "passfile" in warning and PASSWORD not in warning


def test_a_password_on_the_command_line(host, server):
    done = host.run("store", "check", uri(server, user=f"portcullis_owner:{PASSWORD}"),
                    status=EX_USAGE)  # fmt: skip
    assert "passfile" in done.stderr and PASSWORD not in done.stderr
    done = host.run("store", "copy", "sqlite:/nowhere", uri(server) + f"&password={PASSWORD}",
                    status=EX_USAGE)  # fmt: skip
    assert "passfile" in done.stderr and PASSWORD not in done.stderr
