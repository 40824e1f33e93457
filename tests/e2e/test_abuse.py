"""Whom the examples for fail2ban and CrowdSec ban: an address that goes through a list of names,
and nobody else, whatever it calls itself. On lines that the servers write, by the real ones."""

import base64
import contextlib
import imaplib
import re
import smtplib
import socket
import subprocess

from concurrent.futures import ThreadPoolExecutor

import pytest

import clients
import crowdsec
import fail2ban

from auth_client import AuthClient
from dovecot import LOG as DOVECOT_LOG
from mmdb import CLIENTS
from processes import wait_until

STRANGER, STRANGER_6 = CLIENTS["US"]
OFFICE = CLIENTS["DE"][0]
VICTIM = "203.0.113.77"
NAMES = "portcullis-names"
SCENARIO = "portcullis/portcullis-names"
JOURNAL_REMOTE = "/usr/lib/systemd/systemd-journal-remote"

RULES = """
rule country { enforce = "always" allow = { "DE" } }
rule pop3    { kind = "protocol" services = { "pop3" } enforce = "always" }
"""


def new_lines(host, offset, count):
    """What the gate refused, in Dovecot's log behind offset, when there are so many lines."""
    lines = lambda: re.findall(r"^.* portcullis: refused .*$", host.dovecot.log()[offset:], re.M)
    return wait_until(lambda: lines() if len(lines()) >= count else None, "lines of the gate")


@pytest.fixture
def refused(host):
    """Lines of every service, of two addresses, two names, and a rule of all."""
    host.apply(RULES)
    offset = len(host.dovecot.log())
    for client in (STRANGER, STRANGER_6):
        clients.imap("alice", client=client, tls="implicit")
        clients.sieve("alice", client=client)
        clients.submission("bob", client=client)
        clients.smtp(587, "bob", client=client, tls="starttls")
        clients.pop3("bob", client=client)
    clients.pop3("carol", client=OFFICE)
    return new_lines(host, offset, 11)


EXPECTED = [
    f"user=<{name}@example.org> client={client}"
    for client in (STRANGER, STRANGER_6)
    for name in ("alice", "alice", "bob", "bob", "bob")
]


def journal(lines, directory, unit="dovecot.service"):
    """systemd's, with these messages of Dovecot's, or of who calls himself so."""
    entries = "".join(
        f"__REALTIME_TIMESTAMP={1790000000000000 + number}\n_BOOT_ID={'1' * 32}\n"
        f"_MACHINE_ID={'2' * 32}\n_HOSTNAME=mx1\nSYSLOG_IDENTIFIER=dovecot\n_PID=99\n"
        f"_SYSTEMD_UNIT={unit}\nMESSAGE={line.partition(' dovecot: ')[2]}\n\n"
        for number, line in enumerate(lines)
    )
    path = directory / f"{unit}.journal"
    subprocess.run([JOURNAL_REMOTE, "-o", path, "-"], input=entries, check=True, text=True)
    return f"systemd-journal[journalfiles={path}]"


def test_the_filter_reads_what_the_gate_writes(refused, tmp_path):
    fail2ban.install()
    syslog = fail2ban.as_by_syslog("\n".join(refused))
    log = tmp_path / "mail.log"
    for lines in (refused, syslog,
                  fail2ban.as_by_syslog("\n".join(refused), stamp="2026-11-21T12:00:00.123+01:00"),
                  [line.replace(" dovecot:", " dovecot[7]:") for line in syslog],
                  [f"{line} count=7 until=2026-11-21T12:00:00Z" for line in syslog]):  # fmt: skip
        log.write_text("".join(f"{line}\n" for line in lines))
        assert fail2ban.whom(NAMES, log) == EXPECTED
    assert fail2ban.whom(NAMES, journal(syslog, tmp_path)) == EXPECTED
    assert fail2ban.whom(NAMES, journal(syslog, tmp_path, "user@1000.service")) == []


def test_rules_that_count_are_named(refused, tmp_path):
    fail2ban.install()
    log = tmp_path / "dovecot.log"
    log.write_text("".join(f"{line}\n" for line in refused))
    office = f"user=<carol@example.org> client={OFFICE}"
    bob = [line for line in EXPECTED if "bob" in line]
    assert fail2ban.whom(f'{NAMES}[rules="pop3"]', log) == [bob[2], bob[5], office]
    assert fail2ban.whom(f'{NAMES}[rules="country|pop3"]', log) == [*EXPECTED, office]
    assert fail2ban.whom(f'{NAMES}[rules="count|ountry|op3"]', log) == []


# ---- the jails ----

JAILS = f"""
[{NAMES}]
enabled = true
backend = auto
logpath = {DOVECOT_LOG} tail
[portcullis]
enabled = true
"""


@pytest.mark.parametrize("local", ["", JAILS])
def test_they_are_off(local):
    """Until somebody switches them on."""
    fail2ban.LOG.touch()
    DOVECOT_LOG.touch()
    fail2ban.configure(local)
    done = subprocess.run(["fail2ban-client", "-d"], capture_output=True, text=True)
    assert done.returncode == 0 and "dbfile" in done.stdout, done
    assert ("portcullis" in done.stdout) == bool(local)


@pytest.fixture
def jails(host):
    """fail2ban, and the servers under the rules, with a log that nothing stands in yet."""
    host.apply(RULES)
    server = fail2ban.Fail2ban(JAILS)
    yield server
    server.stop()


def attempts(*tried, fields=("service=imap", "lport=993", "secured=tls")):
    """Logs in by (user, client), as a login process would ask."""
    client = AuthClient()
    answers = client.log_in([(user, "wrong", address) for user, address in tried], fields)
    client.close()
    assert all(answer[0] == "FAIL" for answer in answers)


def settle(jails, names):
    """Waits until so many names were taken in, and each of them was counted."""
    wait_until(lambda: jails.log().count(f"[{NAMES}] Ban ") >= names, "names")
    wait_until(lambda: jails.found("portcullis") >= names, "counted names")
    assert jails.log().count(f"[{NAMES}] Ban ") == jails.found("portcullis") == names


def names(count):
    return [f"user{number}@example.org" for number in range(count)]


def bans_by_crowdsec(host, offset, directory):
    """Of what stands behind the offset in Dovecot's log."""
    return crowdsec.bans(fail2ban.as_by_syslog(host.dovecot.log()[offset:]), directory)


@pytest.mark.newer_tools
def test_who_goes_through_a_list_is_banned(host, jails, tmp_path):
    offset = len(host.dovecot.log())
    honest = CLIENTS["FR"][0]
    for _ in range(20):
        attempts(("alice", honest), ("ALICE@example.org", honest), ("bob", honest))
        attempts(("bob", honest), fields=("service=submission", "lport=587"))
    attempts(*((name, STRANGER) for name in names(19)))
    attempts(*((name, STRANGER_6) for name in names(20)))
    settle(jails, 2 + 19 + 20)
    wait_until(lambda: jails.banned("portcullis"), "ban")
    assert jails.banned("portcullis") == {STRANGER_6}
    assert bans_by_crowdsec(host, offset, tmp_path / "1") == {(SCENARIO, STRANGER_6)}
    attempts(*((name, STRANGER) for name in names(20)))
    settle(jails, 2 + 20 + 20)
    wait_until(lambda: len(jails.banned("portcullis")) == 2, "ban")
    assert jails.banned("portcullis") == {STRANGER, STRANGER_6}
    assert bans_by_crowdsec(host, offset, tmp_path / "2") == {
        (SCENARIO, STRANGER), (SCENARIO, STRANGER_6)}  # fmt: skip


@pytest.mark.newer_tools
def test_an_office_that_is_out_of_date_is_not(host, jails, tmp_path):
    offset = len(host.dovecot.log())
    attempts(*((name, OFFICE) for name in names(60)), fields=("service=pop3", "lport=995"))
    attempts(("alice", STRANGER))
    settle(jails, 1)
    assert jails.banned("portcullis") == set()
    assert bans_by_crowdsec(host, offset, tmp_path / "1") == set()


# ---- attacks: another one's address ----

def line(name="x"):
    """As the gate writes it."""
    return (f"auth: portcullis: refused before the password: user=<{name}> client={VICTIM} "
            "country=US service=imap port=993 tls=implicit mechanism=<PLAIN> "
            "rules=country:enforce")  # fmt: skip


LINE = line()
HOSTILE = [
    f"x> client={VICTIM} country=US service=imap port=993 tls=implicit mechanism=<PLAIN> "
    "rules=country:enforce",
    LINE,
    f"\nNov 30 08:00:00 {LINE}",
    f"\nNov 30 08:00:00 mx1 dovecot: {LINE}\n",
    f"\r\n\x00Nov 30 08:00:00 {LINE}",
    f"\u2028\u0085\x0b\x0cNov 30 08:00:00 {LINE}",
    f"client={VICTIM}",
    f"client={VICTIM}>",
    f"user=<x>client={VICTIM}",
    f"\\x20client={VICTIM}\\x20country",
    f"] Ban {VICTIM}",
    f"]\tBan\t{VICTIM}",
    f"]\u00a0Ban\u00a0{VICTIM}",
    f"\n2026-11-30 08:00:00,123 fail2ban.actions [1]: NOTICE  [{NAMES}] Ban user=<x> client={VICTIM}",
    f"\n2026-11-30 08:00:00,123 fail2ban.actions [1]: NOTICE  [x] Ban {VICTIM}\n",
    "$(touch made)", "`touch made`", "'; touch made; '", "%(known)s", "<HOST>", "<F-ID>", "x" * 400,
    VICTIM, f"@{VICTIM}", f"{VICTIM}@example.org", f"{VICTIM}/24", f"/{VICTIM}", f"x/> client={VICTIM}",
    # As many as it takes to be banned.
    *map(line, range(20)),
]  # fmt: skip


def say_it_everywhere(text, client):
    """As name in all protocols, as name of the program and the machine, as sender."""
    response = b"\0".join((b"", text.replace("\0", "").encode(), b"wrong"))
    encoded = base64.b64encode(response).decode()
    with contextlib.suppress(imaplib.IMAP4.error):
        imap = clients.connect_imap(client, "implicit")
        with contextlib.suppress(imaplib.IMAP4.error):
            imap.introduce(re.sub(r'[^ -~]|["\\]', " ", text), "1")
        answers = iter([response])
        imap.authenticate("PLAIN", lambda _: next(answers, b""))
    imap.shutdown()
    with contextlib.suppress(smtplib.SMTPException, OSError, ValueError):
        smtp = clients.connect_smtp(587, client, helo=re.sub(r"[^ -~]", " ", text))
        smtp.docmd("AUTH", f"PLAIN {encoded}")
        quoted = re.sub(r'([\\"])', r"\\\1", re.sub(r"[^ -~]", " ", text))
        smtp.docmd("MAIL", f'FROM:<"{quoted}"@example.org>')
        smtp.docmd("RCPT", f'TO:<"{quoted}"@example.net>')
        smtp.close()
    with contextlib.suppress(ConnectionError, socket.timeout):
        sieve = clients.Sieve(
            clients.open_socket(clients.DOVECOT_ADDRESSES, 4190, client, "none"))
        sieve.send(f'AUTHENTICATE "PLAIN" "{encoded}"')
        sieve.read_reply()
        sieve.close()


@pytest.mark.newer_tools
@pytest.mark.parametrize("allowed", ["", "auth_username_chars =\n"], ids=["usual", "any"])
def test_no_name_is_another_ones_address(host, jails, tmp_path, allowed):
    host.apply(RULES, dovecot=allowed)
    servers = (host.dovecot, host.policyd, host.postfix)
    offsets = [len(server.log()) for server in servers]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: say_it_everywhere(text, STRANGER), HOSTILE))
    attempts(("last", STRANGER_6))
    wait_until(lambda: f"Ban user=<last@example.org> client={STRANGER_6}" in jails.log(), "last")
    settle(jails, jails.log().count(f"[{NAMES}] Ban "))

    # They came as far as the gate, and as far as fail2ban.
    taken = re.findall(rf"\[{NAMES}\] Ban (.*)", jails.log())
    assert len(taken) >= (40 if allowed else 4), taken
    assert {name.rpartition(" client=")[2] for name in taken} == {STRANGER, STRANGER_6}
    assert jails.banned("portcullis") <= {STRANGER}
    if allowed:
        assert jails.banned("portcullis") == {STRANGER}

    logs = [server.log()[offset:] for server, offset in zip(servers, offsets)]
    assert VICTIM in logs[0] and VICTIM in logs[2]
    for lines in (logs[0].splitlines(), fail2ban.as_by_syslog(*logs)):
        (tmp_path / "log").write_text("".join(f"{line}\n" for line in lines))
        ids = fail2ban.whom(NAMES, tmp_path / "log")
        assert {name.rpartition(" client=")[2] for name in ids} == {STRANGER, STRANGER_6}
    for name in ("portcullis", "recidive"):
        assert set(fail2ban.whom(name, fail2ban.LOG)) <= {STRANGER, STRANGER_6}
    # The collections' parsers keep some lines from ours.
    by_crowdsec = crowdsec.bans(
        fail2ban.as_by_syslog(*logs), tmp_path / "crowdsec", mail=not allowed)
    assert {address for _, address in by_crowdsec} <= {STRANGER}, by_crowdsec
    assert ((SCENARIO, STRANGER) in by_crowdsec) == bool(allowed)
