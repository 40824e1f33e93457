"""What Dovecot's log tells of logins, beside what the gate has recorded of the same ones."""

import base64
import imaplib
import json
import re
import ssl
import struct
import subprocess
import time

import pytest

import clients

from clients import PASSWORD
from dovecot import ETC, LAST_USER, LOG, OLD_TLS, USER_FILE, recommended_log_elements
from journal import moment_of
from mailhost import BUILD
from mmdb import CLIENTS
from namespaces import DOVECOT_ADDRESSES
from processes import log_size

TOOL = BUILD / "tests/e2e/log-tool"
USER = "alice@example.org"
IPV4, IPV6 = CLIENTS["DE"]

# What every login breaks, so that the gate records each.
EVERYTHING = """rule everything {
  kind = "protocol"
  observe = "always"
  services = { "imap", "pop3", "sieve", "submission" }
}
"""
# Refuses a right password, and one that nobody looked at.
REFUSING = """
rule encryption { enforce = "always" }
rule protocol { enforce = "always" services = { "pop3" } }
"""

# What it is by default, and what docs/survey-lines.md says to make of it.
FORMATS = ["default", "recommended"]


def _settings(host, form):
    return recommended_log_elements(host.dovecot.version) if form == "recommended" else ""


@pytest.fixture
def read_log(host, tmp_path):
    """A function for what the log tells since the test began: logins, but for the one that
    ends a test, and the rest."""
    begin = log_size(LOG)
    path = tmp_path / "dovecot.log"

    def read():
        path.write_bytes(host.dovecot.log().encode()[begin:])
        output = subprocess.run([TOOL, path], check=True, capture_output=True, timeout=30).stdout
        *logins, rest = map(json.loads, output.splitlines())
        assert not [line for line in rest["unknown"] if "-login: " in line]
        return [login for login in logins if login["user"] != LAST_USER], rest

    return read


def _recorded(event, form, version):
    """A sighting as a log would tell it."""
    told = {key: event[key] for key in ("user", "service", "mechanism", "client", "verified")}
    told["tls"] = event["tls"] != "none"
    # Before 2.4 it may have been another one's password on the same connection.
    if version < (2, 4) and event["action"] == "reject":
        told["verified"] = False
    if form == "recommended":
        told["port"] = event["port"]
    return told


def _told(login, form):
    told = {key: login[key] for key in ("service", "mechanism", "client", "verified")}
    told["user"] = login["user"] if "@" in login["user"] else login["user"] + "@example.org"
    told["tls"] = login["tls"] == "tls"
    if form == "recommended":
        told["port"] = login["port"]
    else:
        assert login["port"] == 0 and login["tls_version"] == "unknown", login
    return told


def _assert_alike(told, recorded):
    """Each a description, and a time in seconds: logs leave parts of it out, and what is
    refused comes when the connection ends."""
    order = lambda login: (json.dumps(login[0], sort_keys=True), login[1])  # noqa: E731
    told, recorded = sorted(told, key=order), sorted(recorded, key=order)
    assert [login for login, _ in told] == [login for login, _ in recorded]
    for (login, time), (_, recorded_time) in zip(told, recorded):
        assert abs(time - recorded_time) < 60, (login, time, recorded_time)


def _log_in_everywhere(user, password=PASSWORD):
    for tls in ("none", "starttls", "implicit"):
        clients.imap(user, password, tls=tls)
        clients.pop3(user, password, tls=tls)
        clients.submission(user, password, tls=tls)
    for tls in ("none", "starttls"):
        clients.sieve(user, password, tls=tls)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("rules", [EVERYTHING, EVERYTHING + REFUSING], ids=["allowed", "refused"])
def test_log_and_gate_agree(host, read_log, form, rules):
    host.apply(rules, dovecot=_settings(host, form))
    _log_in_everywhere(USER)
    clients.imap("dave", client=IPV6, tls="implicit", mechanism="LOGIN")
    clients.imap("frank@example.org", mechanism="CRAM-MD5")
    clients.imap("grace@example.org", tls="starttls", mechanism="SCRAM-SHA-256")
    clients.imap(USER, client="127.0.0.1")
    clients.imap(USER, client="::1")
    clients.imap(USER, proxy=1)
    clients.imap(USER, proxy=2, tls="implicit")
    clients.imap(USER, "wrong", tls="starttls")
    clients.pop3("nobody@example.org", "wrong", client=IPV6)
    clients.submission(USER, "wrong", tls="implicit")
    clients.sieve(USER, "wrong")
    version = host.dovecot.version
    recorded = [(_recorded(event, form, version), moment_of(event)) for event in host.recorded()]
    told = [(_told(login, form), login["time"] / 1000) for login in read_log()[0]]
    _assert_alike(told, recorded)
    assert len(told) == 22


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("form", FORMATS)
def test_versions_of_tls(host, read_log, monkeypatch, form):
    host.apply("", dovecot=_settings(host, form) + OLD_TLS)
    expected = []
    for name in ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"):
        monkeypatch.setattr(clients, "TLS_CONTEXT", clients.make_tls_context(ssl.TLSVersion[name]))
        assert clients.imap(USER, tls="implicit").accepted
        assert clients.pop3(USER, tls="starttls").accepted
        told = name.replace("_", ".") if form == "recommended" else "unknown"
        expected += [("imap", told), ("pop3", told)]
    monkeypatch.undo()
    host.recorded()
    told = [(login["service"], login["tls_version"]) for login in read_log()[0]]
    assert told == expected


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_no_version_in_common(host, read_log, monkeypatch):
    least = "ssl_min_protocol = TLSv1.2\n"
    host.apply("", dovecot=_settings(host, "recommended") + least)
    monkeypatch.setattr(clients, "TLS_CONTEXT", clients.make_tls_context(ssl.TLSVersion.TLSv1_1))
    with pytest.raises(ssl.SSLError):
        clients.imap(USER, tls="implicit")
    with pytest.raises(ssl.SSLError):
        clients.pop3(USER, tls="starttls")
    monkeypatch.undo()
    host.recorded()
    logins, rest = read_log()
    assert logins == [] and rest["no_common_tls"] == 2


def test_several_attempts(host, read_log):
    """One line for those of a connection."""
    host.apply(EVERYTHING)
    connection = clients.connect_imap(IPV4)
    for password in ("wrong", "false"):
        with pytest.raises(Exception, match="AUTHENTICATIONFAILED|failed"):
            connection.login(USER, password)
    connection.shutdown()
    assert len(host.recorded()) == 2
    [login], _ = read_log()
    assert login["count"] == 2 and not login["verified"] and login["user"] == USER


def test_nobody_makes_an_offender_of_somebody_else(host, read_log):
    """Who has a password of his own, with which he is refused, tries another one's name on the
    same connection: the line is about both."""
    host.apply(REFUSING)
    connection = clients.connect_imap(IPV4)
    for user, password in ((USER, PASSWORD), ("bob@example.org", "wrong")):
        with pytest.raises(imaplib.IMAP4.error):
            connection.exchange("PLAIN", user, password)
    connection.shutdown()
    host.recorded()
    [login], _ = read_log()
    assert login["user"] == "bob@example.org" and not login["verified"]


def test_nobody_tells_the_year(host, read_log):
    """A name that looks like a session of years ago, where the format has none."""
    host.apply("", dovecot="login_log_format_elements = user=<%u> method=%m rip=%r\n"
               if host.dovecot.version < (2, 4) else "login_log_format_elements = "
               "user=<%{user}> method=%{mechanism} rip=%{remote_ip}\n")  # fmt: skip
    years_ago = int(time.time() - 3 * 365 * 86400) * 1000000
    session = base64.b64encode(struct.pack("<Q", years_ago)[:6] + b"\x11\x22" +
                               bytes(map(int, IPV4.split("."))))  # fmt: skip
    name = f"x>, session=<{session.decode()}"
    assert not clients.imap(name, "wrong", client=IPV4, mechanism="PLAIN").accepted
    assert clients.imap(USER).accepted
    host.recorded()
    logins = read_log()[0]
    assert [login["user"] for login in logins if login["verified"]] == [USER]
    assert all(abs(login["time"] / 1000 - time.time()) < 2 * 86400 for login in logins)


@pytest.fixture
def dovecot_conf():
    path = ETC / "dovecot.conf"
    before = path.read_text()
    yield path
    path.write_text(before)


def test_survey_asks_for_what_is_missing(host, dovecot_conf, tmp_path):
    """Its very line, in the very file, is all that it takes."""
    log = tmp_path / "dovecot.log"

    def survey(begin):
        log.write_bytes(host.dovecot.log().encode()[begin:])
        command = [BUILD / "portcullis", "survey", log]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    begin = log_size(LOG)
    host.apply("")
    _log_in_everywhere(USER)
    asked = survey(begin)
    version = ".".join(map(str, host.dovecot.version))
    [(file, line)] = re.findall(r"In (.*), replacing .* \(then: doveadm reload\):\n    (.*\n)", asked)
    assert f"dovecot {version}: which port" in asked and file == dovecot_conf.name
    assert line == recommended_log_elements(host.dovecot.version)
    dovecot_conf.write_text(dovecot_conf.read_text() + line)
    host.dovecot.reload()
    begin = log_size(LOG)
    # What comes before the first one of a service with TLS is not told.
    for log_in in (clients.imap, clients.pop3, clients.submission, clients.sieve):
        assert log_in(USER, tls="starttls").accepted
    _log_in_everywhere(USER)
    content = survey(begin)
    assert "their logins      15" in content and "do not tell" not in content, content


@pytest.fixture
def proxied_users():
    """Two whose mail is on another server: this one, under another name, and nobody's."""
    before = USER_FILE.read_text()
    field = f"proxy=y host={DOVECOT_ADDRESSES[0]} destuser"
    USER_FILE.write_text(
        before
        + f"peter@example.org:{{PLAIN}}{PASSWORD}::::::{field}={USER}\n"
        + f"paula@example.org:{{PLAIN}}{PASSWORD}::::::{field}=nobody@example.org\n"
    )
    yield "peter@example.org", "paula@example.org"
    USER_FILE.write_text(before)


def test_proxied_logins(host, read_log, proxied_users):
    """The proxy's line counts: whose login it was, and how he came to it."""
    known, unknown = proxied_users
    host.apply("", dovecot=_settings(host, "recommended"))
    assert clients.imap(known, tls="implicit").accepted
    assert clients.pop3(known).accepted
    assert clients.submission(known, tls="starttls").accepted
    assert clients.sieve(known).accepted
    assert not clients.imap(known, "wrong").accepted
    assert not clients.imap(unknown).accepted
    host.recorded()
    logins = read_log()[0]
    told = {(login["service"], login["port"], login["tls"], login["verified"])
            for login in logins if login["user"] == known}  # fmt: skip
    assert told == {
        ("imap", 993, "tls", True),
        ("pop3", 110, "unmentioned", True),
        ("submission", 587, "tls", True),
        ("sieve", 4190, "unmentioned", True),
        ("imap", 143, "unmentioned", False),
    }
    [refused] = [login for login in logins if login["user"] == unknown]
    assert not refused["verified"] and refused["client"] == IPV4
    # What the server behind it writes tells of the proxy.
    behind = [login for login in logins if login["user"] == USER]
    assert len(behind) == 4
    assert all(login["verified"] and login["tls"] == "none" for login in behind)
    assert {login["client"] for login in behind} == {DOVECOT_ADDRESSES[0]}
