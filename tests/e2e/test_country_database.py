"""The country database, replaced and damaged while it is in use: logins go on
with the last good one, and the log says what happened."""

import os
import random

import pytest

import clients
import mmdb

from mailhost import COUNTRY_DATABASE
from mmdb import CLIENTS
from processes import wait_until

USER = "alice@example.org"
RULES = """
rule country {
    services = { "imap", "submission" }
    allow    = { "DE" }
    enforce  = "always"
    message  = "wrong country"
}
"""
NETWORKS = mmdb.COUNTRIES["DE"], mmdb.COUNTRIES["US"]

# What was German is American, and the other way round.
SWAPPED = {**mmdb.COUNTRIES, "DE": NETWORKS[1], "US": NETWORKS[0]}


@pytest.fixture
def database(host):
    """A good one at the start, and again at the end."""
    mmdb.write(COUNTRY_DATABASE)
    yield COUNTRY_DATABASE
    mmdb.write(COUNTRY_DATABASE)


def _check(open_for):
    """Who gets in, by IMAP and by Postfix, IPv4 and IPv6."""
    for country in ("DE", "US"):
        for client in CLIENTS[country]:
            reply = clients.imap(USER, client=client, tls="implicit")
            assert reply.accepted == (country == open_for), (client, reply)
            assert reply.accepted or reply.text == "[ALERT] wrong country"
    # The daemon judges by a database of its own: a client without login.
    for country in ("DE", "US"):
        reply = clients.smtp(587, USER, client=CLIENTS[country][0], tls="starttls")
        assert reply.accepted == (country == open_for), reply


def _noticed(host, *texts):
    """Waits for all the texts in the logs of both servers, from now on."""
    offsets = [len(server.log()) for server in (host.dovecot, host.policyd)]

    def wait():
        wait_until(
            lambda: all(
                text in server.log()[offset:]
                for server, offset in zip((host.dovecot, host.policyd), offsets)
                for text in texts
            ),
            f"{texts} in the logs of both",
        )

    return wait


def test_replaced_by_a_good_one(host, database):
    host.apply(RULES)
    _check("DE")
    wait = _noticed(host, f"country-database {database}: read again, built 2024-05-06")
    mmdb.write(database, SWAPPED, flat=True, built=1715000000)
    wait()
    _check("US")


def _random(path):
    # The same bytes each time, and not by chance a database.
    path.with_suffix(".new").write_bytes(random.Random(4711).randbytes(200_000))
    os.replace(path.with_suffix(".new"), path)


def _truncated(path):
    data = mmdb.build(SWAPPED)
    path.with_suffix(".new").write_bytes(data[: len(data) // 2])
    os.replace(path.with_suffix(".new"), path)


def _removed(path):
    path.unlink()


def _overwritten_in_place(path):
    """Under a process that might have mapped it; first cut short."""
    with open(path, "r+b") as file:
        file.truncate(100)
        file.write(b"no database")


DAMAGES = [_random, _truncated, _removed, _overwritten_in_place]


def test_damaged_in_every_way(host, database):
    """One after the other, the same servers all the time."""
    host.apply(RULES)
    _check("DE")
    servers = host.dovecot.processes("auth"), host.policyd.pid
    for damage in DAMAGES:
        wait = _noticed(host, f"country-database {database}: the one read before stays in use")
        if not database.exists():
            mmdb.write(database)
        damage(database)
        _check("DE")  # before it is noticed
        wait()
        _check("DE")
    assert (host.dovecot.processes("auth"), host.policyd.pid) == servers

    # And out of it again by a good one.
    wait = _noticed(host, f"country-database {database}: read again")
    mmdb.write(database, SWAPPED)
    wait()
    _check("US")


@pytest.mark.parametrize("flat", [False, True], ids=["nested", "flat"])
def test_both_layouts_at_start(host, database, flat):
    mmdb.write(database, SWAPPED, flat=flat)
    host.apply(RULES)
    _check("US")


def test_missing_at_start(host, database):
    """Country rules cannot be judged; logins go on, and the log says so."""
    database.unlink()
    wait = _noticed(
        host,
        f"country-database {database}: No such file or directory",
        f"country-database {database}: country rules are not judged",
    )
    host.apply(RULES + 'rule encryption { enforce = "always" }\n')
    for country in ("DE", "US"):
        client = CLIENTS[country][0]
        assert clients.imap(USER, client=client, tls="implicit").accepted
        assert not clients.imap(USER, client=client, tls="none").accepted
        assert clients.smtp(587, USER, client=client, tls="starttls").accepted
    wait()

    wait = _noticed(host, f"country-database {database}: read again")
    mmdb.write(database)
    wait()
    _check("DE")
