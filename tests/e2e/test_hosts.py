"""Several hosts with one store on PostgreSQL: who is who, and what `status` says of them."""

import random
import time

import pytest

from processes import wait_until
from test_import import RULES, some_events
from test_store_postgresql import EX_CONFIG, Host, lines, stop
from test_store_postgresql import _server, server  # fixtures  # noqa: F401

# ---- who is who ----


def renamed(host, name):
    """The same machine by another name."""
    host.name = name
    host.configure(host.uri)
    return host


class Member(Host):
    """One of several."""

    def configure(self, uri, more=""):
        self.uri = uri
        self.config.write_text(
            f'journal = "{self.journal}"\nstore = "{uri}"\nhost = "{self.name}"\n'
            f'default-domain = "example.org"\n{more}{RULES}'
        )


def assert_refused(host, *words, of="mx1"):
    said = host.run(*(words or ["import"]), status=EX_CONFIG).stderr
    assert f'put host = "{of}" into its portcullis.conf' in said and said.count("\n") == 1


def test_a_host_with_another_name(server, tmp_path):
    """It would import once more what is still in its journal."""
    host = Member(tmp_path, server.uri())
    host.run("store", "create")
    host.append(some_events(random.Random(1), 50, 20))
    importer = host.follow()
    wait_until(lambda: lines(server) == 50, "import")
    # It begins by giving the servers a new file, which then stays for an hour.
    host.append(some_events(random.Random(3), 50, 20))
    wait_until(lambda: lines(server) == 100, "import")
    stop(importer)
    host.append(some_events(random.Random(2), 50, 20))
    assert_refused(renamed(host, "mx9"))
    assert lines(server) == 100
    # Nor when it was removed on the host that this is a copy of.
    server.query("UPDATE portcullis.files SET dropped = true")
    assert_refused(host)
    server.query("UPDATE portcullis.files SET dropped = false")
    renamed(host, "mx1").run("import")
    assert lines(server) == 150


def test_logs_of_a_host_with_another_name(server, tmp_path):
    host = Member(tmp_path, server.uri())
    log = tmp_path / "mail.log"
    logged = time.strftime("%b %e %H:%M:%S", time.localtime(time.time() - 3600))
    log.write_text("".join(
        f"{logged} mx1 dovecot: imap-login: Login: user=<user{i}@example.org>, method=PLAIN,"
        f" rip=192.0.2.7, lip=192.0.2.1, mpid={i}, TLS, session=<abc>\n" for i in range(20)
    ))  # fmt: skip
    host.run("store", "create")
    host.run("import", "--log", str(log))
    count = server.query("SELECT sum(count) FROM portcullis.sightings")
    assert count != [("",)]
    assert_refused(renamed(host, "mx9"), "import", "--log", str(log))
    assert server.query("SELECT sum(count) FROM portcullis.sightings") == count


def test_equal_lines_of_two_hosts(server, tmp_path):
    """As of two machines that were installed in the same way."""
    hosts = [Member(tmp_path, server.uri(), name) for name in ("mx1", "mx2")]
    hosts[0].run("store", "create")
    for host in hosts:
        host.append(some_events(random.Random(1), 100, 20))
        host.run("import")
    assert lines(server) == 200
