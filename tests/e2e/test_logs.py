"""fail2ban's own filters, as its package brings them, over what is logged of an
honest client that is out of date: it must not be taken for a password guesser."""

import re
import subprocess

import pytest

import clients

from mmdb import CLIENTS
from processes import wait_until

USER = "alice@example.org"
ABROAD = CLIENTS["US"][0]
FILTERS = [
    "dovecot",
    "dovecot[mode=aggressive]",
    "postfix",
    "postfix[mode=auth]",
    "postfix[mode=aggressive]",
    "postfix[mode=ddos]",
]

EVERY_KIND = """
rule encryption      { %(phase)s = "always" }
rule implicit-tls    { %(phase)s = "always" }
rule mechanism       { %(phase)s = "always" }
rule country         { %(phase)s = "always" allow = { "DE" } }
rule protocol        { %(phase)s = "always" services = { "pop3" } }
rule submission-port { %(phase)s = "always" }
rule relay           { %(phase)s = "always" allow-networks = { "webmail" } }
"""

# Those that refuse a right password after it was verified.
AFTER = """
rule encryption      { enforce = "always" }
rule implicit-tls    { enforce = "always" }
rule mechanism       { enforce = "always" }
rule submission-port { enforce = "always" }
"""

# Those that refuse whoever comes, before the password is looked at.
BEFORE = """
rule encryption { services = { "imap", "pop3" } enforce = "always" reject = "before-password" }
rule country    { enforce = "always" allow = { "DE" } }
rule protocol   { services = { "pop3" } enforce = "always" }
"""


@pytest.fixture
def honest(host):
    """Function: puts a policy in force, lets all kinds of honest clients try, and
    returns what the servers then have logged."""

    def run(rules):
        host.apply(rules)
        servers = (host.dovecot, host.policyd, host.postfix)
        offsets = [len(server.log()) for server in servers]
        for login in (clients.imap, clients.pop3):
            for tls in ("none", "starttls", "implicit"):
                login(USER, tls=tls)
                login(USER, tls=tls, mechanism="CRAM-MD5")
            login(USER, client=ABROAD, tls="implicit")
        clients.sieve(USER)
        clients.submission(USER)
        for port in (25, 587):
            clients.smtp(port, USER)
            clients.smtp(port, USER, tls="starttls", mechanism="CRAM-MD5")
            clients.smtp(port, USER, client=ABROAD, tls="starttls")
        clients.smtp(25)
        connections = lambda word: host.postfix.log()[offsets[2] :].count(f": {word} from")
        wait_until(lambda: connections("connect") == connections("disconnect") > 0, "last line")
        return [server.log()[offset:] for server, offset in zip(servers, offsets)]

    return run


def _as_by_syslog(dovecot="", policyd="", postfix=""):
    """Lines as they stand in /var/log/mail.log: there each begins with time, host
    and program, and Dovecot leaves the word "Info" out."""
    begin = "Nov 21 12:00:00 mx1"
    lines = []
    for line in dovecot.splitlines():
        text = re.sub(r"^\w{3} \d\d \d\d:\d\d:\d\d ", "", line)
        lines.append(f"{begin} dovecot: {text.replace(': Info: ', ': ', 1)}")
    for line in policyd.splitlines():
        lines.append(f"{begin} {line.replace('portcullis-policyd:', 'portcullis-policyd[99]:')}")
        # Nor would they, were they Postfix's.
        lines.append(f"{begin} {line.replace('portcullis-policyd:', 'postfix/smtpd[99]:')}")
    for line in postfix.splitlines():
        text = re.sub(r"^\w{3} \d\d \d\d:\d\d:\d\d \S+ ", "", line)
        lines.append(f"{begin} {text}")
    return lines


def _matches(name, lines, tmp_path):
    """The lines that a filter of fail2ban's takes for an attack."""
    log = tmp_path / "mail.log"
    log.write_text("".join(line + "\n" for line in lines))
    output = subprocess.run(
        ["fail2ban-regex", "--print-all-matched", log, name],
        check=False,  # 255: nothing matched
        capture_output=True,
        text=True,
    ).stdout
    counted = re.search(r"Lines: (\d+) lines, \d+ ignored, (\d+) matched", output)
    assert counted and int(counted[1]) == len(lines), output
    section = output.partition("|- Matched line(s):")[2].partition("`-")[0]
    matched = re.findall(r"^\|  (\w{3} .*)$", section, re.MULTILINE)
    assert len(matched) == int(counted[2]), output
    return matched


@pytest.mark.parametrize("phase", ["observe", "enforce"])
def test_our_lines_match_no_filter(honest, tmp_path, phase):
    dovecot, policyd, _ = honest(EVERY_KIND % {"phase": phase})
    ours = [line for line in dovecot.splitlines() if "portcullis" in line]
    assert len(ours) >= 15 and len(policyd.splitlines()) >= 5
    for rule in ("encryption", "implicit-tls", "mechanism", "country", "protocol"):
        assert any(f"{rule}:{phase}" in line for line in ours), rule
    lines = _as_by_syslog("\n".join(ours), policyd)
    for name in FILTERS:
        assert _matches(name, lines, tmp_path) == [], name


def test_no_line_of_a_right_password_matches(honest, tmp_path):
    """Not even the servers' own lines about a login that is refused after the
    password, or only observed."""
    for rules in (AFTER, EVERY_KIND % {"phase": "observe"}):
        dovecot, policyd, postfix = honest(rules)
        # "Login:" or, since 2.4, "Logged in:".
        assert re.search(r"imap-login: Info: Log\S* ?\S*: user=<alice@example.org>", dovecot)
        lines = _as_by_syslog(dovecot, policyd, postfix)
        for name in ("dovecot", "postfix", "postfix[mode=auth]"):
            assert _matches(name, lines, tmp_path) == [], name


def test_a_refusal_before_the_password_is_no_guess(honest, tmp_path):
    """In the eyes of Dovecot's filters, and of those of Postfix's that README names, the
    servers' own lines about it are none either."""
    dovecot, policyd, postfix = honest(BEFORE)
    assert dovecot.count("portcullis") >= 5
    lines = _as_by_syslog(dovecot, policyd, postfix)
    for name in ("dovecot", "dovecot[mode=aggressive]", "postfix"):
        assert _matches(name, lines, tmp_path) == [], name
    assert _matches("postfix[mode=auth]", lines, tmp_path)


def test_guessers_are_still_seen(host, tmp_path):
    """Wrong passwords look as ever, in the eyes of the same filters; the gate
    takes nothing away. And the filters do understand these lines."""
    host.apply(AFTER)
    offsets = len(host.dovecot.log()), len(host.postfix.log())
    clients.imap(USER, "wrong", tls="none")
    clients.imap(USER, "wrong", tls="implicit")
    clients.smtp(587, USER, "wrong", tls="starttls")
    # Both servers log by processes of their own.
    wait_until(
        lambda: host.dovecot.log()[offsets[0] :].count("(auth failed, 1 attempts") == 2
        and "authentication failed" in host.postfix.log()[offsets[1] :],
        "lines of failed logins",
    )
    log = host.dovecot.log()[offsets[0] :]
    if host.dovecot.version == (2, 3):
        # fail2ban does not know yet how 2.4 says it ("Login aborted").
        matched = _matches("dovecot", _as_by_syslog(log), tmp_path)
        assert sum("imap-login: Disconnected" in line for line in matched) == 2, matched
    lines = _as_by_syslog(postfix=host.postfix.log()[offsets[1] :])
    assert _matches("postfix[mode=auth]", lines, tmp_path), lines
