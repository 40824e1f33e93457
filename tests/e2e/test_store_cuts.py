"""Connections to a store that are cut at each kind of statement: in it, before its answer, and
in that."""

import json
import os
import random
import subprocess
import time

import pytest

import postgresql

from mailhost import ROOT
from notices import TEXTS
from test_import import some_events, truth
from test_notify import NOTICES
from test_store_postgresql import EX_TEMPFAIL, Host, rows

WHOLE_STORM = bool(os.environ.get("PORTCULLIS_WHOLE_STORM"))

# The timer of notices takes a temporary failure for none.
AWAY = {"notify": 69}

SENDMAIL = """#!/bin/sh
for recipient; do :; done
echo "$recipient $(sed -n 's/^Message-I[dD]: //p')" >>"%s"
"""


@pytest.fixture
def cutter(server):
    cutter = postgresql.StatementCutter(server, at_all=WHOLE_STORM)
    yield cutter
    cutter.close()


def insist(host, cutter, *words):
    """Asks until nothing is cut. Each time before, one line says so."""
    for _ in range(400):
        before = cutter.cuts
        done = host.run(*words, status=None)
        if cutter.cuts == before:
            assert done.returncode in (0, 1), done.stderr
            return done
        assert done.returncode in (0, 1, AWAY.get(words[0], EX_TEMPFAIL)), (words, done.stderr)
        if done.returncode > 1:
            said = [line for line in done.stderr.splitlines() if "store postgresql:" in line]
            # Grace is a matter of its own.
            assert 1 <= len(said) <= 1 + (words[0] == "notify"), done.stderr
    raise AssertionError("it is cut without end")


def test_journals_and_questions(server, cutter, tmp_path):
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    host.configure(server.uri(cutter.folder))
    events = list(some_events(random.Random(1), 1000, 200))
    for i in range(0, len(events), 500):
        host.append(events[i : i + 500])
        insist(host, cutter, "import")
    assert rows(server) == truth(events)
    assert len(cutter.places) > 15 and "COMMIT" in cutter.places
    direct = Host(tmp_path, server.uri(), "direct")
    for words in (["offenders", "--json"], ["forecast", "--json"], ["user", "user7@example.org"]):
        at = time.strftime("%Y-%m-%d %H:%M")
        answer = insist(host, cutter, *words, "--at", at).stdout
        assert answer == direct.run(*words, "--at", at, status=None).stdout
    for words in (["status"], ["store", "check"], ["store", "expire"]):
        insist(host, cutter, *words)
    # Which waits for servers, each time.
    if WHOLE_STORM:
        insist(host, cutter, "forget", "user7@example.org")
        assert not [key for key in rows(server) if key[0] == "user7@example.org"]
    assert cutter.cuts > 60


def test_logs(server, cutter, tmp_path):
    """The same as of an import that nobody has cut."""
    log = tmp_path / "mail.log"
    with open(log, "wb") as file:
        subprocess.run([ROOT / "tests/bench/make-mail-log", "2000", "60"], stdout=file, check=True)
    whole = Host(tmp_path, f"sqlite:{tmp_path}/store.db", "whole")
    whole.run("import", "--log", log)
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    host.configure(server.uri(cutter.folder))
    insist(host, cutter, "import", "--log", log)
    assert cutter.cuts > 20
    host.configure(server.uri())
    answers = [json.loads(one.run("offenders", "--json").stdout) for one in (host, whole)]
    assert answers[0] == answers[1] != []


def test_notices(server, cutter, tmp_path):
    """Whom the store does not know to be told, is told the same again, by the same Message-ID."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    host.append(some_events(random.Random(2), 2000, 100))
    host.run("import")
    sendmail, sent = tmp_path / "sendmail", tmp_path / "sent"
    sendmail.write_text(SENDMAIL % sent)
    sendmail.chmod(0o755)
    host.configure(server.uri(cutter.folder))
    with open(host.config, "a") as file:
        file.write(NOTICES % (TEXTS, sendmail, ""))
    insist(host, cutter, "notify", "--dry-run")
    insist(host, cutter, "notify")
    # Of a run, mail@example.org is told.
    told = {line for line in sent.read_text().splitlines() if "user" in line}
    people = {line.split()[0] for line in told}
    assert len(told) == len(people) > 20
    noted = server.query("SELECT recipient, '<' || message_id || '>' FROM portcullis.notices")
    assert sorted(" ".join(row) for row in noted) == sorted(told)
