"""What a journal can suffer while Dovecot and the policy daemon go on: its disk
stands still, is full, cannot be written to, or the importer takes the file away.
No login waits for it, and every sighting is either written or counted as lost."""

import json
import os
import re
import shutil
import subprocess
import time

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import clients

from auth_client import AuthClient
from journal import DIRECTORY as JOURNAL_DIRECTORY
from mailhost import LAST_VALID, SITE
from policy_client import ask_all, request
from policyd import USER as GROUP
from processes import wait_until

DISK = Path("/var/lib/portcullis/disk")
IMAGE = Path("/run/journal-disk.img")
SOURCES = ("dovecot", "postfix")

# So many rules, with such titles, make a line of more than four thousand bytes,
# and the bounded memory is full after some five hundred.
RULES = "".join(
    f"""
rule {"encryption".ljust(60, "-")}{number} {{
    kind     = "encryption"
    services = {{ "imap", "smtp" }}
    enforce  = "always"
    reject   = "before-password"
    message  = "no TLS"
}}
"""
    for number in range(60)
)
FITS, TOO_MANY = 200, 900

SLOW = 30

# So many attempts are by real mail programs, which take their time.
PROGRAMS = 5


@contextmanager
def _mounted(*mount):
    """The journal's directory on a disk of its own."""
    DISK.mkdir(exist_ok=True)
    subprocess.run(["mount", *mount, DISK], check=True)
    try:
        shutil.chown(DISK, GROUP, GROUP)
        DISK.chmod(0o2770)
        yield
    finally:
        # Whoever still has a file open there keeps the disk until he ends.
        subprocess.run(["umount", "--lazy", DISK], check=True)


@contextmanager
def _frozen():
    """The disk stands still. Whatever becomes of this process, it is thawed: the
    other one waits for the end of its input."""
    thaw = subprocess.Popen(
        ["sh", "-c", 'read -r end; fsfreeze --unfreeze "$0"', DISK], stdin=subprocess.PIPE
    )
    try:
        subprocess.run(["fsfreeze", "--freeze", DISK], check=True)
        yield
    finally:
        thaw.stdin.close()
        thaw.wait()


def _login(number):
    reply = clients.imap(f"user{number}@example.org")
    assert reply.text == "[ALERT] no TLS", reply


def _mail(number):
    reply = clients.smtp(25, client=_client(number))
    assert reply.text.startswith("530 5.7.0 ") and reply.text.endswith("no TLS"), reply


def _client(number):
    """An address for each, so that none is delayed for another."""
    return f"141.0.{number // 250}.{number % 250 + 1}"


def _log_in_all(numbers):
    attempts = [(f"user{number}@example.org", "x", _client(number)) for number in numbers]
    auth = AuthClient()
    try:
        for answer in auth.log_in(attempts):
            assert answer[0] == "FAIL" and "reason=no TLS" in answer, answer
    finally:
        auth.close()


def _mail_all(numbers):
    requests = (
        request(
            client_address=_client(number),
            server_port=25,
            sasl_method="",
            sasl_username="",
            encryption_protocol="",
            instance=f"asked.{number}",
        )
        for number in numbers
    )
    assert set(ask_all(requests)) == {"530 5.7.0 no TLS"}


def _attempts(numbers):
    """Logins and mails, some by mail programs, the others at full speed. One that waited
    for a disk would get no answer: what ails the disk is mended only behind them all."""
    for number in numbers[:PROGRAMS]:
        _login(number)
        _mail(number)
    _log_in_all(numbers[PROGRAMS:])
    _mail_all(numbers[PROGRAMS:])


def _slow_attempts(numbers):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_login, numbers))
        list(pool.map(_mail, numbers))


def _site():
    return SITE.replace(str(JOURNAL_DIRECTORY), str(DISK))


def _apply(host):
    """A fresh start, and attempt 0, for which the servers' processes are made."""
    host.apply(RULES, site=_site())
    # An smtpd that still has a connection to the daemon before would try that
    # one first and then rest a second (smtpd_policy_service_retry_delay).
    host.postfix.restart()
    _login(0)
    _mail(0)


def _events(source, directory=DISK):
    """All whole lines of a writer, whatever his file is called by now. One that a
    full disk has cut off is followed by a newline."""
    events = []
    for path in directory.glob(f"{source}.jsonl*"):
        for line in path.read_bytes().split(b"\n"):
            try:
                events.append(json.loads(line))
            except ValueError:
                continue
    return events


def _lost(events):
    return sum(event.get("lost", 0) for event in events)


def _all_accounted_for(numbers):
    """Waits until each attempt is written or lost, and looks for doubles."""
    for source in SOURCES:
        wait_until(
            lambda: len(_events(source)) + _lost(_events(source)) >= len(numbers),
            f"{len(numbers)} events of {source}",
        )
        events = _events(source)
        assert len(events) + _lost(events) == len(numbers), source
        key = "user" if source == "dovecot" else "client"
        assert len({event[key] for event in events}) == len(events), source
        assert all(len(event["rules"]) == 60 for event in events)


@pytest.fixture(autouse=True)
def _end(host):
    """The next test has its journal in the usual place again."""
    yield
    host.dovecot.kill()
    host.policyd.kill()


def test_a_disk_that_stands_still(host):
    with open(IMAGE, "wb") as image:
        image.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", IMAGE], check=True)
    with _mounted("-o", "loop", IMAGE):
        _apply(host)
        for source in SOURCES:
            wait_until(lambda: len(_events(source)) == 1, f"event of {source}")
        servers = host.dovecot.processes("auth"), host.policyd.pid
        with _frozen():
            _attempts(range(1, FITS))
            for source in SOURCES:
                assert len(_events(source)) == 1, f"{source} wrote to a disk that stands still"
        _all_accounted_for(range(FITS))
        assert not any(_lost(_events(source)) for source in SOURCES)
        assert (host.dovecot.processes("auth"), host.policyd.pid) == servers

        offsets = [len(server.log()) for server in (host.dovecot, host.policyd)]
        with _frozen():
            _attempts(range(FITS, TOO_MANY))
        # The count is carried by the first line that can be written.
        _all_accounted_for(range(TOO_MANY))
        for server, offset, source in zip((host.dovecot, host.policyd), offsets, SOURCES):
            assert 0 < _lost(_events(source)) < TOO_MANY - FITS, source
            said = rf"journal {DISK}/{source}.jsonl: \d+ sightings lost"
            wait_until(lambda: re.search(said, server.log()[offset:]), f"count of {source}")
        # A copy of each new configuration may lie on such a disk.
        subprocess.run(["mount", "--bind", DISK, LAST_VALID], check=True)
        with _frozen():
            host.write_policy(RULES.replace("no TLS", "no TLS either"), site=_site())
            host.dovecot.reload()
            assert clients.imap("user0@example.org").text == "[ALERT] no TLS either"
            # Neither does the log wait for that disk; the old process does, for a while.
            wait_until(
                lambda: "the disk does not respond" in host.dovecot.log(), "complaint in the log"
            )
        copies = lambda: [path.read_text() for path in DISK.glob("last-valid-*[!0-9]")]
        wait_until(lambda: any("no TLS either" in copy for copy in copies()), "copy")
        subprocess.run(["umount", "--lazy", LAST_VALID], check=True)
    IMAGE.unlink()


def test_a_full_disk(host):
    with _mounted("-t", "tmpfs", "-o", "size=256k", "tmpfs"):
        _apply(host)
        offsets = [len(server.log()) for server in (host.dovecot, host.policyd)]
        _attempts(range(1, FITS))
        for server, offset, source in zip((host.dovecot, host.policyd), offsets, SOURCES):
            wait_until(
                lambda: f"{source}.jsonl: cannot write: No space left on device; sightings "
                "wait in memory" in server.log()[offset:],
                f"complaint about {source}",
            )
            assert len(_events(source)) < FITS
        subprocess.run(["mount", "-o", "remount,size=64m", DISK], check=True)
        _all_accounted_for(range(FITS))
        for server, offset, source in zip((host.dovecot, host.policyd), offsets, SOURCES):
            assert not _lost(_events(source))
            wait_until(
                lambda: f"{source}.jsonl: writing again" in server.log()[offset:],
                f"end of the complaint about {source}",
            )
            # At most once a minute.
            assert server.log()[offset:].count("cannot write") == 1


def test_a_directory_that_is_not_writable(host):
    with _mounted("-t", "tmpfs", "tmpfs"):
        shutil.chown(DISK, "root", "root")
        DISK.chmod(0o755)
        offsets = [len(server.log()) for server in (host.dovecot, host.policyd)]
        _apply(host)
        _attempts(range(1, FITS))
        for server, offset, source in zip((host.dovecot, host.policyd), offsets, SOURCES):
            wait_until(
                lambda: f"{source}.jsonl: cannot open: Permission denied (is this process in the"
                " directory's group?)" in server.log()[offset:],
                f"complaint about {source}",
            )
        shutil.chown(DISK, GROUP, GROUP)
        DISK.chmod(0o2770)
        _all_accounted_for(range(FITS))
        assert not any(_lost(_events(source)) for source in SOURCES)


def test_a_file_that_is_renamed_away(host):
    """As the importer does, in the midst of the traffic."""
    with _mounted("-t", "tmpfs", "tmpfs"):
        _apply(host)
        _all_accounted_for(range(1))
        with ThreadPoolExecutor(1) as pool:
            traffic = pool.submit(_slow_attempts, range(1, SLOW))
            count = 0
            while not traffic.done():
                for source in SOURCES:
                    path = DISK / f"{source}.jsonl"
                    if path.exists():
                        os.rename(path, f"{path}.{count}")
                        count += 1
                time.sleep(0.1)
            traffic.result()
        assert count >= len(SOURCES)
        _all_accounted_for(range(SLOW))
        assert not any(_lost(_events(source)) for source in SOURCES)
