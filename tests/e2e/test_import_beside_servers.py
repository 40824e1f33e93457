"""What the gate and the policy daemon record of real logins, and what the servers' logs tell of
the same: in the store, each counts once."""

import sqlite3
import subprocess

import pytest

import clients

from dovecot import LOG as DOVECOT_LOG
from journal import DIRECTORY as JOURNAL
from mailhost import BUILD
from mmdb import CLIENTS
from postfix import LOG as POSTFIX_LOG
from processes import log_size, wait_until

USER = "alice@example.org"

# Some logins break it, others do not; these are recorded once a day.
RULES = """rule implicit-tls {
  observe = "always"
  services = { "imap", "pop3", "submission", "sieve" }
}
"""

SOURCES = [JOURNAL / "dovecot.jsonl", JOURNAL / "postfix.jsonl"]


def _log_in(user):
    for tls in ("none", "starttls", "implicit", "implicit", "implicit"):
        clients.imap(user, tls=tls)
        clients.pop3(user, tls=tls)
    clients.imap(user, "wrong", tls="starttls")
    clients.smtp(587, user, tls="starttls")
    clients.smtp(465, user, client=CLIENTS["DE"][1])


@pytest.fixture
def told(host):
    """What journals and logs have of the logins, by their names."""
    host.apply(RULES)
    paths = [*SOURCES, DOVECOT_LOG, POSTFIX_LOG]
    begins = {path: log_size(path) if path.exists() else 0 for path in paths}
    for user in (USER, "dave@example.org"):
        _log_in(user)
    host.recorded()
    text = lambda: POSTFIX_LOG.read_bytes()[begins[POSTFIX_LOG] :]  # noqa: E731
    wait_until(
        lambda: text().count(b": connect from ") == text().count(b": disconnect from "),
        "the end of all connections in Postfix's log",
    )
    return {path.name: path.read_bytes()[begins[path] :] for path in paths}


class Store:
    def __init__(self, directory, told):
        self.directory = directory
        self.told = told
        self.journal = directory / "journal"
        self.journal.mkdir(parents=True)
        self.config = directory / "portcullis.conf"
        self.config.write_text(
            f'journal = "{self.journal}"\nstore = "sqlite:{directory}/store.db"\n'
            f'default-domain = "example.org"\n{RULES}'
        )

    def _run(self, *words):
        command = [BUILD / "portcullis", "-c", self.config, "import", "-q", *words]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stderr == "", done.stderr

    def add_journals(self):
        for path in SOURCES:
            (self.journal / path.name).write_bytes(self.told[path.name])
        self._run()

    def add_logs(self):
        for path in (DOVECOT_LOG, POSTFIX_LOG):
            (self.directory / path.name).write_bytes(self.told[path.name])
            self._run("--log", self.directory / path.name)

    def rows(self):
        database = sqlite3.connect(self.directory / "store.db")
        try:
            return sorted(database.execute(
                "SELECT name, sightings.verified, source, service, port, tls, of_log, count"
                " FROM sightings LEFT JOIN users ON users.id = user"
                " JOIN habits ON habits.id = habit"
            ), key=str)  # fmt: skip
        finally:
            database.close()


def test_what_both_saw_counts_once(told, tmp_path):
    alone, first, last, logs = (Store(tmp_path / name, told) for name in "1234")
    alone.add_journals()
    assert len([row for row in alone.rows() if row[0] == USER]) >= 9
    first.add_journals()
    first.add_logs()
    assert first.rows() == alone.rows()
    last.add_logs()
    # Of a server that records nothing, the log counts.
    assert len([row for row in last.rows() if row[0] == USER]) >= 6
    last.add_journals()
    assert last.rows() == alone.rows()
    for store in (first, last):
        store.add_logs()
        assert store.rows() == alone.rows()
    logs.add_logs()
    assert all(row[6] for row in logs.rows())
