"""Who is recorded, and let off: the account whose password was right, whatever was
typed. Only Dovecot's passdbs know whose an alias is."""

import pytest

import clients
import clock
import sql_users

from dovecot import PASSWORD
from processes import wait_until
from sasl import Exchange

RULES = """
rule encryption { enforce = "always" message = "no TLS" }
rule country    { enforce = "always" allow = { "DE" } message = "abroad" }
"""
ABROAD = "73.1.2.3"

# What is typed, the account, and whether Dovecot itself refuses it.
NAMES = {
    "exempt@example.org": ("exempt@example.org", None),
    "exempt-alias@example.org": ("exempt@example.org", None),
    "alias-exempt@example.org": ("plain@example.org", None),
    "plain@example.org": ("plain@example.org", None),
    "plain-alias@example.org": ("plain@example.org", None),
    "closed-alias@example.org": ("exempt@example.org", "y"),
    "mallory": ("mallory", None),
}
EXEMPTIONS = """
exempt@example.org       encryption,country  2999-12-31
alias-exempt@example.org encryption          2999-12-31
mallory@victim.example   encryption          2999-12-31
"""

_QUERY = (
    "SELECT account AS user, password, 'yes' AS nodelay, nologin, "
    "CASE nologin WHEN 'y' THEN 'closed' END AS reason FROM names WHERE name ="
)
LOCAL_PART_ONLY = {
    (2, 3): "auth_username_format = %Ln\n",
    (2, 4): "auth_username_format = %{user | username | lower}\n",
}


def _apply(host, rules=RULES, more=""):
    rows = [(name, *account, "{PLAIN}" + PASSWORD) for name, account in NAMES.items()]
    version = host.dovecot.version
    table = "names (name, account, nologin, password)"
    settings = sql_users.install_table(version, "accounts", table, rows, _QUERY)
    host.apply(rules, EXEMPTIONS, dovecot="auth_cache_size = 10M\n" + settings + more)


@pytest.mark.parametrize("mechanism", [None, "PLAIN", "CRAM-MD5"])
def test_an_alias_is_its_account(host, mechanism):
    """The second time, the password comes from the auth cache."""
    _apply(host)
    log_in = lambda name, **where: clients.imap(name, mechanism=mechanism, **where)
    for _ in range(2):
        assert log_in("exempt-alias@example.org", tls="none").accepted
        reply = log_in("plain-alias@example.org", tls="none")
        assert not reply.accepted and reply.text.endswith("no TLS"), reply
        assert log_in("plain-alias@example.org", tls="implicit").accepted
        assert log_in("alias-exempt@example.org", tls="none").accepted


def test_recorded_is_the_account(host):
    _apply(host)
    assert clients.imap("exempt-alias@example.org", tls="none").accepted
    event = host.dovecot_journal.wait_one()
    assert event["user"] == "exempt@example.org" and event["verified"]
    assert event["rules"] == {} and event["action"] == "allow"
    # Who is let off under the name that he typed has an account that is not.
    assert clients.imap("alias-exempt@example.org", tls="none").accepted
    event = host.dovecot_journal.wait_one()
    assert event["user"] == "plain@example.org" and event["verified"]
    assert event["rules"] == {"encryption": "enforce"} and event["action"] == "allow"
    assert not clients.imap("plain-alias@example.org", tls="none").accepted
    event = host.dovecot_journal.wait_one()
    assert event["user"] == "plain@example.org" and event["verified"]
    assert event["rules"] == {"encryption": "enforce"} and event["action"] == "reject"
    # With a wrong password it is only what was typed.
    assert not clients.imap("plain-alias@example.org", "wrong", tls="none").accepted
    event = host.dovecot_journal.wait_one()
    assert event["user"] == "plain-alias@example.org" and not event["verified"]


def test_another_policy_before_the_login_ends(host):
    """The client answers the challenge when dates mean other times."""
    _apply(host)
    connection = clients.connect_imap(tls="implicit")
    exchange = Exchange("SCRAM-SHA-256", "plain-alias@example.org", PASSWORD)
    offset = len(host.dovecot.log())
    with clock.host_time_zone() as set_zone:

        def answer(challenge):
            if challenge.startswith(b"r="):
                set_zone("Pacific/Niue")
                wait_until(
                    lambda: ": read again, 2 rules" in host.dovecot.log()[offset:], "time zone"
                )
            return exchange.answer(challenge)

        assert connection.authenticate("SCRAM-SHA-256", answer)[0] == "OK"
    connection.shutdown()
    event = host.dovecot_journal.wait_one()
    assert event["verified"] and event["user"] == "plain@example.org"
    assert f"(edition {event['edition']})" in host.dovecot.log()[offset:]


def test_what_a_passdb_refuses_stays_refused(host):
    _apply(host)
    for tls in ("none", "implicit"):
        reply = clients.imap("closed-alias@example.org", tls=tls)
        assert not reply.accepted and "closed" in reply.text, reply


def test_before_the_password_only_the_typed_name_is_known(host):
    _apply(host)
    assert clients.imap("exempt@example.org", client=ABROAD, tls="implicit").accepted
    reply = clients.imap("exempt-alias@example.org", client=ABROAD, tls="implicit")
    assert not reply.accepted and reply.text.endswith("abroad")
    _apply(host, RULES.replace("rule country    {", 'rule country { reject = "after-password"'))
    assert clients.imap("exempt-alias@example.org", client=ABROAD, tls="implicit").accepted
    assert not clients.imap("plain-alias@example.org", client=ABROAD, tls="implicit").accepted


def test_where_dovecot_takes_the_local_part_only(host):
    """Somebody with an account here names somebody of another domain."""
    _apply(host, more=LOCAL_PART_ONLY[host.dovecot.version])
    assert not clients.imap("mallory@victim.example", tls="none").accepted
    event = host.dovecot_journal.wait_one()
    assert event["user"] == "mallory@example.org" and event["verified"]
    assert clients.imap("mallory@victim.example", tls="implicit").accepted
    assert host.dovecot_journal.wait_one()["user"] == "mallory@example.org"
