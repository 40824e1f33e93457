"""forget on hosts that share a store: each forgets what is in its own journal, whether it runs
or not, and nothing that was before comes back."""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest

import postgresql

from processes import wait_until
from recorded_site import iso
from test_import import some_events
from test_store_postgresql import EX_NOPERM, EX_TEMPFAIL, Host, rows, stop

ALICE = "alice@example.org"
WHOLE_STORM = bool(os.environ.get("PORTCULLIS_WHOLE_STORM"))


class Mailhost(Host):
    """Whose servers combine nothing, unless it is told to."""

    combine = 'combine = "0"\n'

    def configure(self, uri):
        super().configure(uri)
        self.config.write_text(self.combine + self.config.read_text())

    def login(self, user=ALICE, ago=0.0, last=None, **changes):
        """A line of the journal, of a login so many seconds ago."""
        now = time.time()
        line = next(iter(some_events(random.Random(1), 1, 1, host=self.name)))
        line |= {"time": iso(now - ago), "user": user, "count": 1, "verified": True,
                 "action": "allow", "source": "dovecot", "rules": {"encryption": "notify"}}  # fmt: skip
        line.pop("until", None)
        if last is not None:
            line |= {"until": iso(now - last), "count": 5}
        self.append([line | changes])

    def broken(self, user=ALICE):
        with open(self.journal / "dovecot.jsonl", "a") as file:
            file.write(f'{{"time":"yesterday","user":"{user}"}}\n')

    def has(self, name):
        """Whether any of its files does."""
        return any(name.encode() in path.read_bytes() for path in self.journal.rglob("*")
                   if path.is_file())  # fmt: skip


@pytest.fixture
def hosts(server, tmp_path):
    """Three, that are known, and run; stopped at the end."""
    hosts = [Mailhost(tmp_path, server.uri(), f"mx{number}") for number in (1, 2, 3)]
    hosts[0].run("store", "create")
    for host in hosts:
        host.importer = host.follow()
    wait_until(lambda: len(server.query("SELECT name FROM portcullis.hosts")) == 3, "first passes")
    yield hosts
    for host in hosts:
        if host.importer.poll() is None:
            stop(host.importer)


def counts(server, user=ALICE):
    """Of all that is recorded about a user."""
    return sorted(row[0] for key, row in rows(server).items() if key[0] == user)


def orders(server):
    return server.query("SELECT o.id, o.user_name, h.host FROM portcullis.orders o"
                        " LEFT JOIN portcullis.order_hosts h ON h.order_id = o.id ORDER BY 1, 3")  # fmt: skip


def forget_without(server, host, *away, user="alice"):
    """forget on a host, until all others but these have answered: there it is interrupted."""
    before = {row[0] for row in orders(server)}
    process = subprocess.Popen(host.command("forget", user), env=postgresql.environment(), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip

    def others_have_answered():
        assert process.poll() is None, process.communicate()
        return {row[2] for row in orders(server) if row[0] not in before} == set(away)

    wait_until(others_have_answered, "answers")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)
    assert process.returncode == EX_TEMPFAIL and said[0] == "" and said[1].count("\n") == 1
    assert said[1].endswith(f"which their imports do: {', '.join(away)}\n")


def wait_for_logins(server, count, user=ALICE):
    wait_until(lambda: sum(counts(server, user)) == count, f"{count} logins", timeout=30)


def test_every_host_answers(server, hosts):
    for host in hosts:
        host.login(ago=100)
        host.login("bob@example.org", ago=100)
        host.broken()
    wait_for_logins(server, 3)
    assert hosts[0].run("forget", "alice").stdout == "removed\n"
    assert counts(server) == [] and orders(server) == []
    assert sum(counts(server, "bob@example.org")) == 3
    for host in hosts:
        assert not host.has("alice")
        host.login()
    wait_for_logins(server, 3)
    assert hosts[1].run("forget", "nobody@example.org", status=1).stdout == "nothing was known\n"


def test_what_servers_have_only_counted(server, hosts):
    """A server writes it when it finds that its file was taken."""
    host = hosts[1]
    Mailhost.combine, before = "", Mailhost.combine
    try:
        host.configure(server.uri())
    finally:
        Mailhost.combine = before
    host.login(ago=100)
    wait_for_logins(server, 1)
    stop(host.importer)
    host.login(ago=80)
    journal = host.journal / "dovecot.jsonl"
    inode = journal.stat().st_ino
    done = threading.Event()

    def server_of_host():
        while not done.is_set() and journal.exists() and journal.stat().st_ino == inode:
            time.sleep(0.01)
        time.sleep(1.5)
        host.login(ago=90, last=20)

    writer = threading.Thread(target=server_of_host)
    writer.start()
    host.importer = host.follow()
    hosts[0].run("forget", "alice")
    done.set()
    writer.join()
    assert counts(server) == [] and orders(server) == [] and not host.has("alice")


def test_host_that_is_stopped(server, hosts):
    """When it comes back, what is from before is not recorded, and what came later is."""
    away = hosts[2]
    stop(away.importer)
    hosts[0].login(ago=60)
    wait_for_logins(server, 1)
    away.login(ago=60)
    away.login(ago=60, last=30)
    away.login("bob@example.org", ago=60)
    away.broken()
    away.login(ago=60, last=-1000)  # also after it
    forget_without(server, hosts[0], "mx3")
    [(number, user, host), _] = orders(server)
    assert (user, host) == (ALICE, "mx3")
    for command in ("status", "store check"):
        said = hosts[1].run(*command.split(), status=None).stdout
        assert re.search(rf"Order {number} to forget somebody, made at \S+, waits for: mx3", said)
        assert "alice" not in said
        answer = json.loads(hosts[1].run(*command.split(), "--json", status=None).stdout)
        order = answer["orders"][0]
        assert (order["order"], order["hosts"]) == (int(number), ["mx3"]) and "alice" not in str(answer)
    # Running hosts record what is new, and nothing that is old.
    hosts[1].login(ago=50)
    hosts[1].login()
    wait_for_logins(server, 1)
    away.login()
    away.importer = away.follow()
    wait_until(lambda: orders(server) == [], "answer", timeout=30)
    # Of logins that are told of together, when the last one was is known.
    wait_for_logins(server, 3)
    assert sum(counts(server, "bob@example.org")) == 1
    assert "alice" not in (away.journal / "set-aside").read_text() if away.has("") else True
    assert json.loads(hosts[1].run("status", "--json", status=None).stdout)["orders"] == []


def test_import_that_ends(server, hosts):
    """Where a timer imports, it carries out the order, too."""
    away = hosts[2]
    stop(away.importer)
    away.login(ago=60)
    forget_without(server, hosts[0], "mx3")
    away.run("import")
    assert orders(server) == [] and counts(server) == [] and not away.has("alice")


def test_typed_again(server, hosts):
    """It then holds for what came meanwhile, and shows who is still to answer."""
    away = hosts[2]
    stop(away.importer)
    away.login(ago=60)
    forget_without(server, hosts[0], "mx3")
    [(first, _, _), _] = orders(server)
    away.login()
    hosts[1].login()
    wait_for_logins(server, 1)
    begun = time.monotonic()
    assert "mx3" in hosts[1].run("forget", "alice", status=EX_TEMPFAIL).stderr
    assert time.monotonic() - begun >= 30
    [(second, _, host), _] = orders(server)
    assert int(second) > int(first) and host == "mx3"
    away.run("import")
    assert orders(server) == [] and counts(server) == []


def test_host_that_is_gone(server, hosts):
    gone = hosts[2]
    gone.login("bob@example.org", ago=60)
    wait_for_logins(server, 1, "bob@example.org")
    stop(gone.importer)
    hosts[0].login(ago=60)
    wait_for_logins(server, 1)
    forget_without(server, hosts[0], "mx3")
    assert hosts[0].run("store", "forget-host", "mx4", status=1).stdout == "nothing was known\n"
    assert hosts[0].run("store", "forget-host", "mx3").stdout == "removed\n"
    assert orders(server) == [] and sum(counts(server, "bob@example.org")) == 1
    hosts[0].login(ago=60)
    wait_for_logins(server, 1)
    hosts[0].run("forget", "alice")
    assert hosts[0].run("store", "forget-host", status=64).stderr


def test_both_names(server, hosts):
    """As it is recorded, and as it was given: some server may not know the domain."""
    away = hosts[2]
    stop(away.importer)
    for host in hosts[1:]:
        host.login("alice", ago=60)
        host.login(ago=60)
        host.login("alice2@example.org", ago=60)
    wait_for_logins(server, 1)
    forget_without(server, hosts[0], "mx3")
    assert [row[1:] for row in orders(server)] == [(ALICE, "mx3"), ("alice", "mx3")]
    away.run("import")
    assert orders(server) == [] and counts(server) == [] and counts(server, "alice") == []
    assert sum(counts(server, "alice2@example.org")) == 2


def log_line(user, ago):
    moment = time.strftime("%b %e %H:%M:%S", time.localtime(time.time() - ago))
    return (f"{moment} mx2 dovecot: imap-login: Login: user=<{user}>, method=PLAIN, rip=203.0.113.5,"
            f" lip=192.0.2.1, mpid=77, session=<abc{ago}>\n")  # fmt: skip


def test_logs(server, hosts, tmp_path):
    """Of lines from before, no log brings anything back while the order is open."""
    stop(hosts[2].importer)
    forget_without(server, hosts[0], "mx3")
    log = tmp_path / "mail.log"
    log.write_text(log_line(ALICE, 300) + log_line("bob@example.org", 300) + log_line(ALICE, -2))
    time.sleep(3)
    hosts[1].run("import", "--log", log)
    assert sum(counts(server)) == 1 and sum(counts(server, "bob@example.org")) == 1


def test_logs_of_the_host_that_forgets(server, hosts, tmp_path):
    """They are read first, so that they do not tell of it later."""
    log = tmp_path / "mail.log"
    log.write_text(log_line(ALICE, 300) + log_line("bob@example.org", 300))
    stop(hosts[0].importer)
    hosts[0].config.write_text(f'logs = {{ "{log}" }}\n' + hosts[0].config.read_text())
    hosts[0].run("forget", "alice")
    hosts[0].run("import")
    assert counts(server) == [] and sum(counts(server, "bob@example.org")) == 1


def write_all_the_time(host, ended):
    chance = random.Random(host.name)
    while not ended.is_set():
        for user in (ALICE, "bob@example.org"):
            host.login(user, verified=chance.random() < 0.9)
        time.sleep(0.01)


def first_seen(server, user):
    first = server.query("SELECT extract(epoch FROM min(first_seen)) FROM portcullis.sightings s"
                         f" JOIN portcullis.users u ON u.id = s.user_id WHERE name = '{user}'")[0][0]  # fmt: skip
    return float(first) if first else None


def test_storm(server, hosts, tmp_path):
    """While all import all the time, and are killed. PORTCULLIS_WHOLE_STORM=1: on eight hosts,
    20 times, with a server that is restarted meanwhile."""
    turns = 20 if WHOLE_STORM else 3
    for number in range(4, 9 if WHOLE_STORM else 4):
        hosts.append(Mailhost(tmp_path, server.uri(), f"mx{number}"))
        hosts[-1].importer = hosts[-1].follow()
    ended = threading.Event()
    threads = [threading.Thread(target=write_all_the_time, args=(host, ended)) for host in hosts]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: sum(counts(server)) > 100, "lines")
        for turn in range(turns):
            victim = hosts[1 + turn % (len(hosts) - 1)]
            victim.importer.kill()
            victim.importer.communicate()
            victim.importer = victim.follow()
            if WHOLE_STORM and turn % 4 == 3:
                process = subprocess.Popen(hosts[0].command("forget", ALICE),
                                           env=postgresql.environment())  # fmt: skip
                time.sleep(turn / 10)
                server.restart(signal.SIGQUIT)
                process.wait(timeout=120)
            begun = time.time()
            done = hosts[0].run("forget", ALICE, status=None)
            assert done.returncode in (0, 1), done
            assert orders(server) == []
            first = first_seen(server, ALICE)
            assert first is None or first >= begun - 0.1
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_killed_at_any_moment(server, hosts):
    """Whatever was done by then; typed again, it is whole."""
    chance = random.Random(5)
    for _ in range(12):
        for host in hosts:
            host.login(ago=20)
            host.login()
            host.broken()
        process = subprocess.Popen(hosts[0].command("forget", "alice"), env=postgresql.environment(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(chance.uniform(0, 1.2))
        process.kill()
        process.wait()
    hosts[0].run("forget", "alice", status=None)
    assert counts(server) == [] and orders(server) == []
    time.sleep(2)
    assert counts(server) == [] and not any(host.has("alice") for host in hosts)


def test_orders_are_not_copied(server, hosts, tmp_path):
    stop(hosts[2].importer)
    forget_without(server, hosts[0], "mx3")
    done = hosts[0].run("store", "copy", server.uri(), f"sqlite:{tmp_path}/copy.db", status=EX_TEMPFAIL)
    assert "still to forget somebody" in done.stderr and "alice" not in done.stderr


def test_clock_of_a_host(server, hosts):
    """Its lines are dated by its own clock, so that is what counts."""
    stop(hosts[2].importer)
    hosts[2].login(ago=60)
    forget_without(server, hosts[0], "mx3")
    hosts[2].login()
    hosts[2].run("import")
    assert counts(server) == [1]


def test_rights(roles, tmp_path):
    """A writer answers orders; it makes and removes none."""
    hosts = [Mailhost(tmp_path, roles.uri(user=f"portcullis_{role}"), name)
             for role, name in (("operator", "desk"), ("writer", "mx1"))]  # fmt: skip
    hosts[0].run("store", "create", roles.uri(user="portcullis_owner"))
    hosts[1].run("import")
    hosts[1].login(ago=60)
    forget_without(roles, hosts[0], "mx1")
    for sql in ("DELETE FROM portcullis.orders", "DELETE FROM portcullis.order_hosts",
                "INSERT INTO portcullis.orders (user_name, made) VALUES ('bob', now())",
                "UPDATE portcullis.orders SET made = now()",
                "UPDATE portcullis.order_hosts SET host = 'mx2'",
                "INSERT INTO portcullis.order_hosts SELECT id, 'mx2' FROM portcullis.orders",
                "DELETE FROM portcullis.hosts", "SELECT * FROM portcullis.notifier"):  # fmt: skip
        done = subprocess.run(["psql", "-X", "-h", roles.data, "-U", "portcullis_writer",
                               "portcullis", "-c", sql], capture_output=True, text=True)  # fmt: skip
        assert "denied" in done.stderr, (sql, done)
    hosts[1].run("forget", "alice", status=EX_NOPERM)
    hosts[1].run("store", "forget-host", "mx1", status=EX_NOPERM)
    hosts[1].run("import")
    assert orders(roles) == [] and counts(roles) == []
