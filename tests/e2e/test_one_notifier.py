"""Notices of several hosts that share a store on PostgreSQL: each is sent once, by one of them,
whatever happens to it and to the server."""

import os
import re
import signal
import subprocess
import time

import pytest

import postgresql
import recorded_site

from processes import wait_until
from recorded_site import day
from test_notify import EX_TEMPFAIL, EX_UNAVAILABLE, SENDMAIL, Site

# How the others say it.
OTHER = r"portcullis notify: another run is under way, on host (\w+) since \d{4}-\d\d-\d\d \d\d:\d\d"


@pytest.fixture
def server(server):
    """With empty tables."""
    postgresql.create_store(server.uri())
    return server


class Hosts:
    """Their mails all lie in one directory, and one file says how mails are taken."""

    def __init__(self, server, uri, directory, monkeypatch, count=4):
        monkeypatch.setenv("PORTCULLIS_MODULES", str(postgresql.BUILD))
        monkeypatch.setattr(recorded_site, "make_store", lambda _: uri)
        self.server = server
        self.directory = directory
        self.out = directory / "out"
        self.out.mkdir()
        self.sendmail = directory / "sendmail"
        self.take_mails()
        self.sites = []
        for number in range(1, count + 1):
            folder = directory / f"mx{number}"
            folder.mkdir()
            site = Site(folder)
            text = site.config.read_text().replace(str(site.sendmail), str(self.sendmail))
            site.config.write_text(f'host = "mx{number}"\n{text}')
            self.sites.append(site)
        self.users = []

    def take_mails(self, first=""):
        """first: what is done before that, in shell."""
        text = SENDMAIL.format(directory=self.directory)
        self.sendmail.with_suffix(".new").write_text(text.replace("file=", f"{first}\nfile=", 1))
        self.sendmail.with_suffix(".new").chmod(0o755)
        self.sendmail.with_suffix(".new").rename(self.sendmail)

    def fill(self, count):
        self.users = [f"user{number}@example.org" for number in range(count)]
        for user in self.users:
            self.sites[0].record(user, "encryption")
        self.sites[0].take()

    def begin(self, number):
        """notify on one host, in a group of its own."""
        return subprocess.Popen(
            self.sites[number].command("notify", "--at", day(1), "--send"), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def run(self, number, status=0):
        done = self.begin(number)
        said = done.communicate(timeout=120)
        assert done.returncode == status, said
        return said

    def recipients(self):
        """Of all mails until now, but for the summaries."""
        found = [path.read_bytes().split(b"\n", 1)[0].decode().split(" -- ")[1]
                 for path in self.out.glob("*.mail")]  # fmt: skip
        return sorted(recipient for recipient in found if recipient != "mail@example.org")

    def states(self):
        return {notice["user"]: notice["state"] for notice in self.sites[-1].ask("notices")}

    def all_are_told_once(self):
        assert self.recipients() == sorted(self.users)
        assert self.states() == dict.fromkeys(self.users, "handed-over")


@pytest.fixture
def hosts(server, tmp_path, monkeypatch):
    return Hosts(server, server.uri(), tmp_path, monkeypatch)


def wait_for_mails(hosts, count):
    wait_until(lambda: len(hosts.recipients()) >= count, "mails")


def one_of_twelve_runs(hosts):
    hosts.fill(20)
    hosts.take_mails(f"until test -e {hosts.directory}/go; do sleep 0.01; done")
    runs = [hosts.begin(number % 4) for number in range(12)]
    wait_until(lambda: sum(run.poll() is None for run in runs) == 1, "one that is left")
    (hosts.directory / "go").touch()
    said = [run.communicate(timeout=120) for run in runs]
    [winner] = [number for number, run in enumerate(runs) if run.returncode == 0]
    for number, run in enumerate(runs):
        if number != winner:
            assert run.returncode == EX_TEMPFAIL and said[number][0] == ""
            assert re.match(OTHER, said[number][1])[1] == f"mx{winner % 4 + 1}"
    hosts.all_are_told_once()
    # When it has ended, another one may.
    hosts.run((winner + 1) % 4)
    hosts.all_are_told_once()


def test_all_at_once(hosts):
    """One runs, the others end at once, and say which one that is."""
    one_of_twelve_runs(hosts)


@pytest.fixture
def pooled(server, tmp_path, monkeypatch):
    """Hosts behind PgBouncer in transaction mode."""
    pool = postgresql.PgBouncer(server, connections=8)
    hosts = Hosts(server, server.uri(pool.folder), tmp_path, monkeypatch)
    hosts.pool = pool
    yield hosts
    pool.close()


def test_behind_a_pool(pooled):
    one_of_twelve_runs(pooled)


def lose_lock(hosts, how):
    """While nothing is in hand: the next mail is not sent."""
    hosts.fill(10)
    hosts.take_mails("sleep 0.2")
    run = hosts.begin(0)
    wait_for_mails(hosts, 3)
    how()
    run.communicate(timeout=60)
    assert run.returncode == EX_UNAVAILABLE and 3 <= len(hosts.recipients()) <= 5
    hosts.run(0)
    hosts.all_are_told_once()


def test_pool_is_started_anew(pooled):
    def start_anew():
        pooled.pool.kill()
        pooled.pool.start()

    lose_lock(pooled, start_anew)


def test_races_at_every_moment(hosts):
    """Runs that begin while another one ends."""
    hosts.fill(40)
    hosts.take_mails("sleep 0.01")
    for _ in range(6):
        runs = [hosts.begin(number) for number in range(4)]
        for run in runs:
            said = run.communicate(timeout=120)
            assert run.returncode in (0, EX_TEMPFAIL), said
    hosts.all_are_told_once()


def test_who_only_looks_does_not_wait(hosts):
    hosts.fill(3)
    hosts.take_mails(f"until test -e {hosts.directory}/go; do sleep 0.01; done")
    run = hosts.begin(0)
    wait_until(lambda: "intended" in hosts.states().values(), "mail in hand")
    assert len(hosts.sites[1].ask("notify", "--at", day(1), "--dry-run")) == 3
    hosts.sites[1].must("notify", "--at", day(1), "--preview", hosts.users[2])
    assert hosts.sites[1].ask("notify", "--untold") == []
    # Reports of bounces, and imports, go on, too.
    hosts.sites[1].fine("carol@example.org")
    hosts.sites[1].take()
    (hosts.directory / "go").touch()
    assert run.wait(timeout=60) == 0
    hosts.all_are_told_once()


@pytest.mark.parametrize("next_host", [0, 1])
def test_killed(hosts, next_host):
    """With a mail in hand that had not been taken. The same host knows that its run has ended,
    and goes on with it; another one leaves it alone until it can be under way no more."""
    hosts.fill(10)
    hosts.take_mails(f"test $(ls {hosts.out} | wc -l) -lt 4 || sleep 600")
    run = hosts.begin(0)
    wait_until(lambda: sorted(hosts.states().values()) == ["handed-over"] * 4 + ["intended"],
               "a mail in hand behind four")  # fmt: skip
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    [in_hand] = [user for user, state in hosts.states().items() if state == "intended"]
    hosts.take_mails()
    if next_host == 0:
        hosts.run(0)
        hosts.all_are_told_once()
        return
    said = hosts.run(1, status=1)[0]
    assert f"{in_hand}: the run of another host, which did not end, may be sending it" in said
    assert hosts.recipients() == sorted(set(hosts.users) - {in_hand})
    hosts.server.query("UPDATE portcullis.notices SET in_hand_since ="
                       " in_hand_since - interval '30 minutes'")  # fmt: skip
    hosts.run(1)
    hosts.all_are_told_once()


def begin_and_stop_at_the_fifth(hosts):
    """A run that has the fifth mail in hand, until the directory has "go"."""
    hosts.take_mails(
        f"test $(ls {hosts.out} | wc -l) -ne 5 || "
        f"{{ touch {hosts.directory}/fifth; until test -e {hosts.directory}/go; do sleep 0.01; done; }}"
    )
    run = hosts.begin(0)
    wait_until((hosts.directory / "fifth").exists, "mail in hand")
    return run


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_server_is_restarted(hosts, how):
    """With a mail in hand. That one is finished, and noted; then the run ends, even if another
    one has begun meanwhile, which does not touch that mail."""
    hosts.fill(20)
    run = begin_and_stop_at_the_fifth(hosts)
    hosts.server.restart(how)
    # All the others are told by another host meanwhile.
    hosts.take_mails()
    said = hosts.run(1, status=1)[0]
    assert "may be sending it" in said and len(hosts.recipients()) == 19
    (hosts.directory / "go").touch()
    said = run.communicate(timeout=120)
    assert run.returncode == EX_UNAVAILABLE and "kept other hosts from sending notices" in said[1], said
    hosts.all_are_told_once()
    hosts.run(2)
    hosts.all_are_told_once()


def test_server_is_away_while_a_mail_is_in_hand(hosts):
    """What came of it is noted when the server is back."""
    hosts.fill(10)
    run = begin_and_stop_at_the_fifth(hosts)
    hosts.server.stop()
    (hosts.directory / "go").touch()
    wait_for_mails(hosts, 6)
    time.sleep(1)
    assert run.poll() is None
    assert hosts.run(1, status=EX_UNAVAILABLE)[1].count("\n") == 1
    hosts.server.start()
    run.communicate(timeout=120)
    assert run.returncode == EX_UNAVAILABLE and len(hosts.recipients()) == 6
    hosts.run(3)
    hosts.all_are_told_once()


def test_cut_off_by_the_operator_of_the_server(hosts):
    lose_lock(hosts, lambda: hosts.server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 3"
        " AND pid <> pg_backend_pid()"))  # fmt: skip


def test_restarts_all_the_time(hosts):
    """Of many runs on all hosts, and a server that is restarted again and again."""
    hosts.fill(60)
    hosts.take_mails("sleep 0.03")
    for turn in range(6):
        runs = [hosts.begin(number) for number in range(4)]
        time.sleep(0.5)
        hosts.server.restart(signal.SIGQUIT if turn % 2 else signal.SIGINT)
        for run in runs:
            said = run.communicate(timeout=120)
            assert run.returncode in (0, 1, EX_TEMPFAIL, EX_UNAVAILABLE), said
            assert "rror" not in said[1].replace("terror", ""), said
    hosts.server.query("UPDATE portcullis.notices SET in_hand_since ="
                       " in_hand_since - interval '30 minutes'")  # fmt: skip
    hosts.run(0)
    hosts.all_are_told_once()
