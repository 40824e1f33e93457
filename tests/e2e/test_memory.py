"""The plugin in Dovecot's real auth process, and the daemon behind a real
Postfix, under valgrind: logins of every kind, until a clean end."""

import shutil

from pathlib import Path
from xml.etree import ElementTree

import pytest

import clients
import sql_users

from dovecot import MASTER_USER
from mailhost import EXEMPTIONS
from mmdb import CLIENTS
from processes import Timeout, wait_until

USER = "alice@example.org"
REPORTS = Path("/var/log/valgrind")
AUTH = "/usr/lib/dovecot/auth"

RULES = """
rule country      { enforce = "always" allow = { "DE" } services = { "imap", "submission" } }
rule encryption   { enforce = "always" }
rule implicit-tls { enforce = "always" services = { "pop3" } }
rule mechanism    { observe = "always" }
rule protocol     { enforce = "always" services = { "sieve" } }
rule relay        { observe = "always" allow-networks = { "webmail" } }
"""


def _valgrind(name):
    return [
        "/usr/bin/valgrind",
        "--leak-check=full",
        "--show-leak-kinds=definite",
        "--num-callers=40",
        "--vgdb=no",
        "--child-silent-after-fork=yes",
        "--xml=yes",
        f"--xml-file={REPORTS}/{name}-%p.xml",
    ]


@pytest.fixture(autouse=True)
def reports():
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir()
    REPORTS.chmod(0o777)
    return REPORTS


def _finished(name):
    """The reports of a program, once all are there to the last line."""

    def read():
        paths = list(REPORTS.glob(f"{name}-*.xml"))
        try:
            trees = [ElementTree.parse(path) for path in paths]
        except ElementTree.ParseError:
            return None
        return trees or None

    try:
        # Dovecot 2.4.5 keeps an old auth process for a minute.
        return wait_until(read, f"end of {name}", 90)
    except Timeout:
        sizes = {path.name: path.stat().st_size for path in REPORTS.iterdir()}
        raise AssertionError(f"{name} did not come to a clean end: {sizes}") from None


def _describe(error):
    frames = [
        f"{frame.findtext('fn', '?')} ({frame.findtext('file', frame.findtext('obj', '?'))}"
        f":{frame.findtext('line', '')})"
        for frame in error.iter("frame")
    ]
    text = error.findtext("what") or error.findtext("xwhat/text")
    return f"{error.findtext('kind')}: {text}\n  " + "\n  ".join(frames)


def _touches(error, *objects):
    """Whether one of the functions on the way there is ours."""
    return any(
        name in frame.findtext("obj", "") for frame in error.iter("frame") for name in objects
    )


def _check(trees, *objects):
    for tree in trees:
        errors = list(tree.iter("error"))
        leaks = [e for e in errors if e.findtext("kind").startswith("Leak_")]
        faults = [e for e in errors if e not in leaks]
        assert not faults, "\n".join(map(_describe, faults))
        ours = [e for e in leaks if _touches(e, *objects)]
        assert not ours, "\n".join(map(_describe, ours))


def _half_an_imap_login(mechanism, client=clients.GERMANY):
    """Hangs up while the server waits for the answer to its challenge."""
    connection = clients.connect_imap(client=client)
    connection.send(b"a AUTHENTICATE " + mechanism + b"\r\n")
    assert connection.readline().startswith(b"+ ")
    connection.shutdown()


def _half_an_smtp_login():
    connection = clients.connect_smtp(587)
    assert connection.docmd("AUTH", "CRAM-MD5")[0] == 334
    connection.close()


def _logins():
    abroad = CLIENTS["US"][1]
    for password in (clients.PASSWORD, "wrong"):
        for user in (USER, "nobody@example.org", sql_users.USERS[0]):
            for mechanism in (None, "CRAM-MD5", "SCRAM-SHA-256"):
                right = password == clients.PASSWORD and user != "nobody@example.org"
                reply = clients.imap(user, password, mechanism=mechanism, tls="starttls")
                assert reply.accepted == right, (user, password, mechanism, reply)
                assert not clients.imap(user, password, mechanism=mechanism).accepted
        assert not clients.imap(USER, password, client=abroad, tls="implicit").accepted
        assert not clients.pop3(USER, password, tls="starttls").accepted
        clients.pop3(USER, password, tls="implicit")
        clients.imap(f"{USER}*{MASTER_USER}", password, tls="starttls")
        assert not clients.imap(f"{USER}*{MASTER_USER}", password).accepted
        for mechanism in ("PLAIN", "CRAM-MD5", "SCRAM-SHA-256"):
            assert not clients.sieve(USER, password, tls="starttls", mechanism=mechanism).accepted
        clients.submission(USER, password)
        for port in (25, 587, 465):
            clients.smtp(port, USER, password, tls="starttls", mechanism="CRAM-MD5")
            clients.smtp(port, USER, password, tls="none")
        clients.smtp(587, USER, password, client=abroad, tls="starttls")
    for mechanism in (b"CRAM-MD5", b"SCRAM-SHA-256", b"PLAIN", b"LOGIN"):
        _half_an_imap_login(mechanism)
    _half_an_smtp_login()
    connection = clients.connect_imap(tls="starttls")
    connection.authenticate("ANONYMOUS", lambda challenge: b"sirhc")
    connection.shutdown()
    # What a program says of itself, with a quote in its name.
    connection = clients.connect_imap()
    connection.send(b'a ID ("name" "Thun\\"derbird" "os" NIL "vendor" "")\r\n')
    while not connection.readline().startswith(b"a "):
        pass
    with pytest.raises(connection.error):
        connection.login(USER, clients.PASSWORD)
    connection.shutdown()


@pytest.mark.newer_tools  # an older valgrind has no sealed memory
def test_plugin_in_the_auth_process(host):
    version = host.dovecot.version
    command = " ".join(_valgrind("auth") + [AUTH])
    # Without any delay, Dovecot 2.4.1 itself uses failed SCRAM requests after they
    # are gone.
    delay = "auth_failure_delay = 1s\n" if version == (2, 4) else ""
    settings = f"""{delay}
auth_mechanisms = plain login cram-md5 scram-sha-256 anonymous
auth_cache_size = 1M
service auth {{
  executable = {command}
  vsz_limit = {"0" if version == (2, 3) else "unlimited"}
}}
"""
    host.apply(RULES, dovecot=settings + sql_users.install(version))
    offset = len(host.dovecot.log())
    clients.imap(USER)
    # The exemptions change while logins go on.
    EXEMPTIONS.write_text(f"bob@example.org encryption 2037-12-31\n{USER} country=US 2020-01-01\n")
    _logins()
    wait_until(lambda: "exemptions: read again" in host.dovecot.log()[offset:], "new edition")
    assert clients.imap("bob@example.org").accepted
    # One is still in hand when the process ends.
    connection = clients.connect_imap()
    connection.send(b"a AUTHENTICATE CRAM-MD5\r\n")
    assert connection.readline().startswith(b"+ ")
    host.dovecot.reload()
    connection.shutdown()
    _check(_finished("auth"), "libauthdb_portcullis")


def test_daemon(host):
    host.apply(RULES)
    host.policyd.stop()
    host.policyd.start(wrapper=_valgrind("policyd"))
    pid, offset = host.policyd.pid, len(host.policyd.log())
    recipients = ("one@example.org", "two@example.org", "three@example.org")
    for port in (25, 587, 465):
        for tls in ("none", "starttls"):
            reply = clients.smtp(port, USER, tls=tls, recipients=recipients)
            assert reply.accepted == (port == 465 or tls == "starttls"), reply
    for clients_of_country in CLIENTS.values():
        for client in clients_of_country:
            clients.smtp(25, client=client)
    host.write_policy("rule nonsense { }\n")
    host.policyd.reload()
    assert not clients.smtp(587, USER, tls="none").accepted
    host.write_policy('rule encryption { observe = "always" }\n', f"{USER} encryption 2037-12-31\n")
    host.policyd.reload()
    wait_until(lambda: clients.smtp(587, USER, tls="none").accepted, "new policy")
    assert host.policyd.pid == pid
    assert "error" in host.policyd.log()[offset:]
    host.policyd.stop()
    _check(_finished("policyd"), "portcullis-policyd")
