"""fail2ban's own filters and CrowdSec's own scenarios, as their packages bring them, over what is
logged of an honest client that is out of date: whoever takes it for a password guesser stands in
the README."""

import re

import pytest

import clients
import crowdsec
import fail2ban

from mmdb import CLIENTS
from processes import wait_until

USER = "alice@example.org"
ABROAD = CLIENTS["US"][0]
# The modes of the filter postfix that take an honest client for an attacker, for what Postfix
# says of a mail that is refused, and of a login that is refused before the password. README
# names them.
OF_A_MAIL = {"ddos", "aggressive"}
OF_A_LOGIN = {"auth", "extra", "ddos", "aggressive"}
# CrowdSec's.
SCENARIO = "crowdsecurity/postfix-spam"

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


@pytest.mark.parametrize("phase", ["observe", "enforce"])
def test_our_lines_match_no_filter(honest, tmp_path, phase):
    dovecot, policyd, _ = honest(EVERY_KIND % {"phase": phase})
    ours = [line for line in dovecot.splitlines() if "portcullis" in line]
    assert len(ours) >= 15 and len(policyd.splitlines()) >= 5
    for rule in ("encryption", "implicit-tls", "mechanism", "country", "protocol"):
        assert any(f"{rule}:{phase}" in line for line in ours), rule
    lines = fail2ban.as_by_syslog("\n".join(ours), policyd)
    for name in fail2ban.stock_filters():
        assert fail2ban.matches(name, lines, tmp_path) == [], name


@pytest.mark.newer_tools
@pytest.mark.parametrize("rules, modes", [
    (EVERY_KIND % {"phase": "observe"}, set()),
    (AFTER, OF_A_MAIL),
    (BEFORE, OF_A_LOGIN),
], ids=["observe", "after", "before"])  # fmt: skip
def test_who_takes_an_honest_client_for_an_attacker(honest, tmp_path, rules, modes):
    """By the servers' own lines: of fail2ban's stock filters only those modes of Postfix'; and
    CrowdSec, when such a client does not give up."""
    dovecot, policyd, postfix = honest(rules)
    if "before" not in rules:
        # "Login:" or, since 2.4, "Logged in:".
        assert re.search(r"imap-login: Info: Log\S* ?\S*: user=<alice@example.org>", dovecot)
    lines = fail2ban.as_by_syslog(dovecot, policyd, postfix)
    filters = fail2ban.stock_filters()
    assert filters >= {"dovecot[mode=normal]", "postfix[mode=more]", "sieve[mode=normal]"}
    taking = {name for name in filters if fail2ban.matches(name, lines, tmp_path)}
    # fail2ban does not know yet how Postfix 3.10 says that a client hung up.
    unseen = OF_A_MAIL if rules == AFTER and "NOQUEUE: lost connection" in postfix else set()
    assert taking == {f"postfix[mode={mode}]" for mode in modes - unseen}
    bans = {scenario for scenario, _ in crowdsec.bans(lines * 5, tmp_path / "crowdsec")}
    assert bans == ({SCENARIO} if modes else set())


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
        matched = fail2ban.matches("dovecot", fail2ban.as_by_syslog(log), tmp_path)
        assert sum("imap-login: Disconnected" in line for line in matched) == 2, matched
    lines = fail2ban.as_by_syslog(postfix=host.postfix.log()[offsets[1] :])
    assert fail2ban.matches("postfix[mode=auth]", lines, tmp_path), lines
