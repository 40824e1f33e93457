"""Somebody sets the clock of servers that run: from then on that is the time."""

import datetime

import pytest

import clients

from auth_client import AuthClient
from dovecot import PASSWORD
from faked_clock import FakedClock
from journal import moment_of
from mailhost import SITE
from mmdb import CLIENTS
from policy_client import ask_all, request

USER = "alice@example.org"
DATE = datetime.datetime(2024, 9, 20, tzinfo=datetime.timezone.utc).timestamp()
DAY = 86400
RULE = 'rule encryption { observe = "2024-05-01" enforce = "2024-09-20" }\n'


@pytest.fixture
def clock(host):
    clock = FakedClock(host.dovecot, DATE - 100 * DAY)
    host.apply(RULE, timezone="UTC0", clock=clock)
    yield clock
    # Nobody shall wait for a clock that no server has any more.
    host.apply("")


# There and back. Dovecot's master starts no process for a while when time runs backwards.
DAYS = (-90, -1, 1, 30, 31, -2, 2, 400)


def _see(event, clock, moment):
    before = moment < DATE
    assert event["action"] == ("allow" if before else "reject"), event
    assert event["rules"] == {"encryption": "observe" if before else "enforce"}
    assert -0.01 <= moment_of(event) - moment <= clock.now() - moment, event


def test_the_gate_goes_by_a_clock_that_was_set_at_once(host, clock):
    login_process = AuthClient()
    for moment in (DATE + days * DAY for days in DAYS):
        clock.set(moment)
        login_process.log_in([(USER, PASSWORD, CLIENTS["DE"][0])])
        _see(host.dovecot_journal.wait_one(), clock, moment)
    login_process.close()


def test_the_daemon_goes_by_a_clock_that_was_set_at_once(host, clock):
    for moment in (DATE + days * DAY for days in DAYS):
        clock.set(moment)
        mail = request(sasl_username=USER, encryption_protocol="", instance=moment)
        assert (ask_all([mail]) == ["DUNNO"]) == (moment < DATE)
        _see(host.postfix_journal.wait_one(), clock, moment)


def test_who_is_fine_is_recorded_on_each_day_that_the_clock_shows(host, clock):
    for days in (1, 2, 9):
        clock.set(DATE + days * DAY)
        for _ in range(2):
            assert clients.imap(USER, tls="implicit").accepted
            ask_all([request(sasl_username=USER)])
        assert host.dovecot_journal.wait_one()["rules"] == {}
        assert host.postfix_journal.wait_one()["rules"] == {}


def test_equal_attempts_are_counted_however_the_clock_leaps(host, clock):
    """Ten minutes are those of the clock that nobody sets; none comes twice, or is lost."""
    site = SITE.replace("combine          = 0", 'combine = "10m"')
    host.apply(RULE, timezone="UTC0", site=site, clock=clock)
    login_process = AuthClient()
    for moment in (DATE - days * DAY for days in (90, 60, 61, 30)):
        clock.set(moment)
        login_process.log_in([(USER, PASSWORD, CLIENTS["DE"][0])])
        ask_all([request(sasl_username=USER, encryption_protocol="", instance=moment)])
    login_process.close()
    host.policyd.stop()
    host.dovecot.stop()
    for journal in (host.dovecot_journal, host.postfix_journal):
        first, others = journal.read()
        assert (first["count"], others["count"]) == (1, 3)
        assert [round(moment_of(event) - DATE) // DAY for event in (first, others)] == [-90, -60]
        assert others["until"].startswith("2024-08-21T00:00:0")


def test_nothing_is_lost_when_a_server_ends_whatever_its_clock_says(host, clock):
    """How long it may take to write what is left has nothing to do with the time."""
    clients.imap(USER)
    ask_all([request(sasl_username=USER, encryption_protocol="")])
    host.policyd.stop()
    host.dovecot.stop()
    assert len(host.dovecot_journal.read()) == len(host.postfix_journal.read()) == 1
    for log in (host.policyd.log(), host.dovecot.log()):
        assert "does not respond" not in log
