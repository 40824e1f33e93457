"""What Postfix's log tells of logins, beside what the policy daemon has recorded of the same
mails."""

import json
import re
import ssl
import subprocess

import pytest

import clients

from clients import PASSWORD
from dovecot import LAST_USER
from mailhost import BUILD
from mmdb import CLIENTS
from postfix import ETC, LOG
from processes import log_size, wait_until

TOOL = BUILD / "tests/e2e/log-tool"
USER = "alice@example.org"
IPV4, IPV6 = CLIENTS["DE"]

# What every mail breaks, so that the daemon records each.
EVERYTHING = """rule everything {
  kind = "protocol"
  observe = "always"
  services = { "submission" }
}
"""

# What docs/survey-lines.md says makes the log tell more; and versions that OpenSSL 3 takes no
# more by itself, but for the oldest; in the words of Postfix 3.5.
SETTINGS = {
    "smtpd_tls_loglevel": "1",
    "smtpd_tls_protocols": "!SSLv2, !SSLv3, !TLSv1",
    "smtpd_tls_mandatory_protocols": "!SSLv2, !SSLv3, !TLSv1",
    "tls_medium_cipherlist": "ALL:@SECLEVEL=0",
}


@pytest.fixture(scope="module")
def _configured_postfix(_installed_host):
    postfix = _installed_host.postfix
    postfix.postconf("-e", *(f"{name}={value}" for name, value in SETTINGS.items()))
    postfix.restart()
    yield
    postfix.postconf("-X", *SETTINGS)
    postfix.restart()


@pytest.fixture
def talkative_host(host, _configured_postfix):
    host.apply(EVERYTHING)
    return host


@pytest.fixture
def read_log(host, tmp_path):
    """A function for what the log tells since the test began: logins, each as often as it was
    counted, but for the one that ends a test; and the rest."""
    begin = log_size(LOG)
    path = tmp_path / "mail.log"

    def log():
        return host.postfix.log().encode()[begin:]

    def all_ended():
        return log().count(b": connect from ") == log().count(b": disconnect from ")

    def read():
        wait_until(all_ended, "the end of all connections in Postfix's log")
        path.write_bytes(log())
        output = subprocess.run([TOOL, path], check=True, capture_output=True, timeout=30).stdout
        *logins, rest = map(json.loads, output.splitlines())
        assert rest["unknown"] == []
        logins = [login for login in logins if login["user"] != LAST_USER]
        return [login for login in logins for _ in range(login["count"])], rest

    return read


KEYS = ("user", "service", "mechanism", "client", "verified", "tls", "port")


def _sorted(logins):
    logins = [{key: login[key] for key in KEYS} for login in logins]
    return sorted(logins, key=lambda login: json.dumps(login, sort_keys=True))


def _recorded(host):
    return [event for event in host.recorded() if event["source"] == "postfix"]


def _send_several(number):
    connection = clients.connect_smtp(587, IPV6, "starttls")
    try:
        connection.exchange("LOGIN", USER, PASSWORD)
        for _ in range(number):
            connection.sendmail(USER, ["someone@example.org"], "Subject: a test\r\n\r\nA test.\r\n")
    finally:
        connection.close()


def _log_in_everywhere():
    for port in (25, 587):
        for tls in ("none", "starttls"):
            clients.smtp(port, USER, tls=tls)
    clients.smtp(465, USER, client=IPV6)
    clients.smtp(587, "frank@example.org", mechanism="CRAM-MD5")
    clients.smtp(587, "grace@example.org", tls="starttls", mechanism="SCRAM-SHA-256")
    _send_several(3)
    # Nobody's.
    clients.smtp(25, client=IPV4)


def _check_agreement(host, read_log):
    """Gives the versions of TLS that the log tells, which the daemon does not record."""
    _log_in_everywhere()
    recorded = _recorded(host)
    told, _ = read_log()
    assert _sorted(told) == _sorted(recorded)
    assert len(told) == 10
    return sorted(login["tls_version"] for login in told)


def test_log_and_daemon_agree(host, read_log):
    host.apply(EVERYTHING)
    assert _check_agreement(host, read_log) == ["unknown"] * 10


def test_with_versions_of_tls(talkative_host, read_log):
    # Three are without TLS.
    assert _check_agreement(talkative_host, read_log) == ["TLSv1.3"] * 7 + ["unknown"] * 3


def test_refused_passwords(talkative_host, read_log):
    assert not clients.smtp(587, USER, "wrong", tls="starttls").login.accepted
    assert not clients.smtp(465, USER, "wrong", mechanism="LOGIN").login.accepted
    assert not clients.smtp(25, USER, "wrong", tls="none").login.accepted
    talkative_host.recorded()
    told = [
        (login["port"], login["tls"], login["mechanism"], login["verified"])
        for login in read_log()[0]
    ]
    assert sorted(told) == [
        (25, "none", "PLAIN", False),
        (465, "implicit", "LOGIN", False),
        (587, "starttls", "PLAIN", False),
    ]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_of_tls(talkative_host, read_log, monkeypatch):
    versions = ["TLSv1.1", "TLSv1.2", "TLSv1.3"]
    for version in versions:
        number = ssl.TLSVersion[version.replace(".", "_")]
        monkeypatch.setattr(clients, "TLS_CONTEXT", clients.make_tls_context(number))
        assert clients.smtp(587, USER, tls="starttls").accepted
        assert clients.smtp(465, USER).accepted
    monkeypatch.undo()
    talkative_host.recorded()
    told = [(login["tls_version"], login["port"]) for login in read_log()[0]]
    assert sorted(told) == [(version, port) for version in versions for port in (465, 587)]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_no_version_in_common(talkative_host, read_log, monkeypatch):
    monkeypatch.setattr(clients, "TLS_CONTEXT", clients.make_tls_context(ssl.TLSVersion.TLSv1))
    for port in (25, 587, 465):
        with pytest.raises(ssl.SSLError):
            clients.smtp(port, USER, tls="starttls")
    monkeypatch.undo()
    talkative_host.recorded()
    told, rest = read_log()
    assert told == [] and rest["no_common_tls"] == 2


def test_behind_a_proxy(talkative_host, read_log):
    """The TLS that the daemon is told of is that of the proxy."""
    connection = clients.connect_smtp_by_xclient(25, IPV4, tls="starttls")
    try:
        connection.exchange("PLAIN", USER, PASSWORD)
        connection.sendmail(USER, ["someone@example.org"], "Subject: a test\r\n\r\nA test.\r\n")
    finally:
        connection.close()
    talkative_host.recorded()
    told, _ = read_log()
    assert [(login["client"], login["tls"], login["port"]) for login in told] == [
        (IPV4, "unknown", 0)
    ]


def test_mails_turned_away(talkative_host, read_log):
    """Since 3.10 the log names whose they were."""
    version = subprocess.run(
        ["postconf", "-h", "mail_version"], check=True, capture_output=True, text=True
    ).stdout
    talkative_host.apply('rule encryption { enforce = "always" }')
    assert not clients.smtp(587, USER, tls="none").accepted
    recorded = _recorded(talkative_host)
    assert [event["action"] for event in recorded] == ["reject"]
    told, _ = read_log()
    named = tuple(map(int, version.split(".")[:2])) >= (3, 10)
    assert _sorted(told) == (_sorted(recorded) if named else [])


def test_nobody_speaks_for_somebody_else(talkative_host, read_log):
    """What a program calls itself, its user and his sender look like another one's login."""
    login = "x> sasl_method=PLAIN sasl_username=bob@example.org"
    talkative_host.apply('rule encryption { enforce = "always" }')
    connection = clients.connect_smtp(587, IPV4, "none", helo=login)
    try:
        connection.exchange("PLAIN", f"bob@example.org, sasl_method=PLAIN, {login}", "wrong")
        connection.exchange("PLAIN", USER, PASSWORD)
        for sender in (f'"{login} sasl_sender="', f'"{login}, sasl_sender="', f"<<{login}>"):
            connection.docmd("MAIL", f"FROM:<{USER}> AUTH={sender}")
            connection.docmd("RCPT", "TO:<someone@example.org>")
            connection.docmd("RSET")
    finally:
        connection.close()
    talkative_host.recorded()
    told, _ = read_log()
    assert {login["user"] for login in told if login["verified"]} <= {USER}
    assert sum(not login["verified"] for login in told) == 1


@pytest.fixture
def postfix_to_change(host):
    files = {path: path.read_text() for path in (ETC / "main.cf", ETC / "master.cf")}
    host.apply("")
    yield host.postfix
    for path, before in files.items():
        path.write_text(before)
    host.postfix.restart()


def _add_line(place, line):
    """Where a survey says, and as it stands there."""
    file, _, services = place.partition(", below ")
    path = ETC / file
    if not services:
        path.write_text(path.read_text() + line.strip() + "\n")
        return
    names = "|".join(services.split(" or "))
    text, count = re.subn(rf"^(?:{names})\s+inet.*\n", rf"\g<0>{line}\n", path.read_text(), flags=re.M)
    assert count == 1
    path.write_text(text)


@pytest.mark.parametrize("lacks", ["names", "versions"])
def test_survey_asks_for_what_is_missing(host, postfix_to_change, tmp_path, lacks):
    """Its very lines, in the very places, are all that it takes."""
    postfix = postfix_to_change
    path = tmp_path / "mail.log"

    def survey():
        begin = log_size(LOG)
        # What comes before the first one with TLS is not told.
        for port, tls in ((587, "starttls"), (587, "none"), (465, "implicit")):
            assert clients.smtp(port, USER, tls=tls).accepted
        log = lambda: postfix.log()[begin:]  # noqa: E731
        wait_until(lambda: log().count(": disconnect from ") == 3, "end of the connections")
        path.write_text(log())
        command = [BUILD / "portcullis", "survey", path]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    # Of other tests.
    postfix.postconf("-X", "smtpd_tls_loglevel")
    if lacks == "names":
        names = subprocess.run(["postconf", "-P", "*/inet/syslog_name"], check=True,
                               capture_output=True, text=True).stdout  # fmt: skip
        postfix.postconf("-PX", *(line.split(" = ")[0] for line in names.splitlines()))
        postfix.postconf("-e", "smtpd_tls_loglevel=1")
    postfix.restart()
    asked = survey()
    lines = re.findall(r"In (.*) \(then: postfix reload\):\n(    .*)$", asked, re.M)
    assert len(lines) == {"names": 2, "versions": 1}[lacks], asked
    for place, line in lines:
        _add_line(place, line)
    # A reload would do, but processes from before may serve a client more.
    postfix.restart()
    content = survey()
    assert "their logins      3" in content and "do not tell" not in content, content
