"""Phases begin with the first second of their date, on servers that run across
it: at midnight, at an hour, and when daylight-saving time begins and ends."""

import clients

from clock import Clock, in_time
from mmdb import CLIENTS
from processes import wait_until

USER = "alice@example.org"


def _rules_of(journal):
    """The rules of the next event that breaks one."""
    events = []
    while not events:
        events = [event for event in journal.wait(1) if event["rules"]]
    assert len(events) == 1
    return events[0]["rules"]


def _rules(phases):
    """Rules that every login without TLS breaks, under their own titles."""
    return "".join(
        f'rule {title} {{ kind = "encryption" {dates} }}\n' for title, dates in phases.items()
    )


def _attempt(host):
    """By Dovecot and by Postfix. Whether it was accepted, and the rules that it
    broke: the same for both."""
    imap = clients.imap(USER)
    smtp = clients.smtp(587, USER)
    rules = _rules_of(host.dovecot_journal)
    assert rules == _rules_of(host.postfix_journal)
    assert imap.accepted == smtp.accepted, (imap, smtp)
    return imap.accepted, rules


@in_time
def test_every_phase_begins_at_midnight(host, seconds):
    clock = Clock.shortly_before("24:00:00", seconds)
    today, tomorrow = clock.day(), clock.day(1)
    host.apply(
        _rules(
            {
                "to-observe": f'observe = "{tomorrow}"',
                "to-notify": f'observe = "{today}" notify = "{tomorrow}"',
                "to-enforce": f'notify = "{today}" enforce = "{tomorrow}"',
                "later": f'observe = "{today}" enforce = "{clock.day(2)}"',
                "since-today": f'observe = "{clock.day(-1)}" notify = "{today} 00:00"',
            }
        ),
        timezone=clock.timezone,
    )
    with clock.before("24:00:00"):
        accepted, rules = _attempt(host)
        assert accepted
        assert rules == {
            "to-notify": "observe",
            "to-enforce": "notify",
            "later": "observe",
            "since-today": "notify",
        }
    accepted, rules = _attempt(host)
    assert not accepted
    assert rules == {
        "to-observe": "observe",
        "to-notify": "notify",
        "to-enforce": "enforce",
        "later": "observe",
        "since-today": "notify",
    }


@in_time
def test_every_kind_is_enforced_from_midnight(host, seconds):
    clock = Clock.shortly_before("24:00:00", seconds)
    dates = f'notify = "{clock.day()}" enforce = "{clock.day(1)}"'
    host.apply(
        f"""
rule encryption      {{ {dates} services = {{ "imap" }} }}
rule implicit-tls    {{ {dates} services = {{ "pop3" }} }}
rule mechanism       {{ {dates} services = {{ "sieve" }} }}
rule country         {{ {dates} services = {{ "imap", "submission" }} allow = {{ "DE" }} }}
rule sieve           {{ {dates} kind = "protocol" services = {{ "sieve" }} }}
rule submission-port {{ {dates} }}
rule relay           {{ {dates} allow-networks = {{ "webmail" }} }}
""",
        timezone=clock.timezone,
    )
    abroad = CLIENTS["US"][1]
    attempts = [
        (lambda: clients.imap(USER), {"encryption"}),
        (lambda: clients.imap(USER, tls="implicit", client=abroad), {"country"}),
        (lambda: clients.pop3(USER, tls="starttls"), {"implicit-tls"}),
        (lambda: clients.sieve(USER, mechanism="CRAM-MD5"), {"mechanism", "sieve"}),
        (lambda: clients.smtp(25, USER, tls="starttls"), {"submission-port"}),
        (lambda: clients.smtp(587, USER, tls="starttls", client=abroad), {"country"}),
        (lambda: clients.smtp(25), {"relay"}),
    ]

    def phases():
        """Each attempt's outcome, and the phase of the rules that it breaks."""
        result = []
        for attempt, titles in attempts:
            accepted = attempt().accepted
            events = []

            def recorded():
                for journal in (host.dovecot_journal, host.postfix_journal):
                    events.extend(event for event in journal.read() if event["rules"])
                return events

            wait_until(recorded, "record")
            assert len(events) == 1 and set(events[0]["rules"]) == titles, events
            result.append((accepted, set(events[0]["rules"].values())))
        return result

    with clock.before("24:00:00"):
        assert phases() == [(True, {"notify"})] * len(attempts)
    assert phases() == [(False, {"enforce"})] * len(attempts)


@in_time
def test_brownouts_begin_and_end_on_time(host, seconds):
    clock = Clock.shortly_before("10:00:00", seconds)
    day = clock.day()
    notify = f'notify = "{clock.day(-1)}"'
    host.apply(
        _rules(
            {
                "begins": f'{notify} brownouts = {{ "{day} 10:00 +4h" }}',
                "ends": f'{notify} brownouts = {{ "{day} 09:00 +60m", "{day} 12:00 +1h" }}',
                # Days are 24 hours, from any minute on.
                "ends-too": f'{notify} brownouts = {{ "{clock.day(-1)} 10:00 +1d" }}',
                # Enforced all the same when the brown-out has ended.
                "date": f'{notify} brownouts = {{ "{day} 09:00 +1h" }} enforce = "{day} 10:00"',
            }
        ),
        timezone=clock.timezone,
    )
    with clock.before("10:00:00"):
        accepted, rules = _attempt(host)
        assert not accepted
        assert rules == {
            "begins": "notify",
            "ends": "enforce",
            "ends-too": "enforce",
            "date": "enforce",
        }
    accepted, rules = _attempt(host)
    assert not accepted
    assert rules == {
        "begins": "enforce",
        "ends": "notify",
        "ends-too": "notify",
        "date": "enforce",
    }


@in_time
def test_exemptions_hold_from_the_first_to_the_last_second_of_their_days(host, seconds):
    clock = Clock.shortly_before("24:00:00", seconds)
    today, tomorrow = clock.day(), clock.day(1)
    host.apply(
        _rules({"encryption": 'enforce = "always"'}),
        exemptions=f"""
alice@example.org  encryption  {today}
bob@example.org    encryption  {tomorrow}..{clock.day(9)}
carol@example.org  encryption  {clock.day(-9)}..{clock.day(-1)}
dave@example.org   encryption  {today}..{tomorrow}
""",
        timezone=clock.timezone,
    )

    def accepted():
        users = ("alice@example.org", "bob@example.org", "carol@example.org", "dave")
        return [clients.imap(user).accepted for user in users]

    with clock.before("24:00:00"):
        assert accepted() == [True, False, False, True]
    assert accepted() == [False, True, False, True]


@in_time
def test_daylight_saving_begins(host, seconds):
    """From 02:00 the clock is put on to 03:00: what begins at 03:00 begins at
    once, and what lasts an hour from 01:30 on ends at 03:30."""
    clock = Clock.shortly_before("02:00:00", seconds, jump=("02:00:00", 3600))
    day = clock.day()
    notify = f'notify = "{clock.day(-1)}"'
    host.apply(
        _rules(
            {
                "at-two": f'{notify} enforce = "{day} 01:59"',
                "at-three": f'{notify} enforce = "{day} 03:00"',
                "past-three": f'{notify} enforce = "{day} 03:01"',
                "brownout": f'{notify} brownouts = {{ "{day} 01:30 +60m" }}',
                "short": f'{notify} brownouts = {{ "{day} 01:30 +30m" }}',
            }
        ),
        timezone=clock.timezone,
    )
    with clock.before("02:00:00"):
        _, rules = _attempt(host)
        assert rules == {
            "at-two": "enforce",
            "at-three": "notify",
            "past-three": "notify",
            "brownout": "enforce",
            "short": "enforce",
        }
    _, rules = _attempt(host)
    assert rules == {
        "at-two": "enforce",
        "at-three": "enforce",
        "past-three": "notify",
        "brownout": "enforce",
        "short": "notify",
    }


@in_time
def test_a_day_whose_midnight_does_not_exist(host, seconds):
    """Where daylight-saving time begins at midnight, the day begins at 01:00."""
    clock = Clock.shortly_before("24:00:00", seconds, jump=("24:00:00", 3600))
    host.apply(
        _rules({"tomorrow": f'observe = "{clock.day()}" enforce = "{clock.day(1)}"'}),
        exemptions=f"bob@example.org  tomorrow  {clock.day(1)}\n",
        timezone=clock.timezone,
    )
    with clock.before("24:00:00"):
        assert _attempt(host) == (True, {"tomorrow": "observe"})
    assert _attempt(host) == (False, {"tomorrow": "enforce"})
    assert clients.imap("bob@example.org").accepted


@in_time
def test_daylight_saving_ends(host, seconds):
    """At 03:00 the clock is put back to 02:00: of an hour that comes twice the
    first is meant, and what has begun does not go back with the clock."""
    clock = Clock.shortly_before("03:00:00", seconds, jump=("03:00:00", -3600))
    day = clock.day()
    notify = f'notify = "{clock.day(-1)}"'
    host.apply(
        _rules(
            {
                "at-two": f'{notify} enforce = "{day} 02:00"',
                "at-three": f'{notify} enforce = "{day} 03:00"',
                # An hour and a half, from 01:30 on.
                "brownout": f'{notify} brownouts = {{ "{day} 01:30 +90m" }}',
            }
        ),
        timezone=clock.timezone,
    )
    with clock.before("03:00:00"):
        _, rules = _attempt(host)
        assert rules == {"at-two": "enforce", "at-three": "notify", "brownout": "enforce"}
    _, rules = _attempt(host)
    assert rules == {"at-two": "enforce", "at-three": "notify", "brownout": "notify"}


@in_time
def test_an_hour_that_the_clock_shows_again(host, seconds):
    """The clock is put back by seconds only, so that both can be waited for."""
    clock = Clock.shortly_before("03:00:00", seconds, jump=("03:00:00", -seconds))
    host.apply(
        _rules({"at-three": f'notify = "{clock.day(-1)}" enforce = "{clock.day()} 03:00"'}),
        timezone=clock.timezone,
    )
    with clock.before("03:00:00"):
        assert _attempt(host) == (True, {"at-three": "notify"})
        # Now it is 02:59:57 again ...
    with clock.before(f"03:00:{seconds:02}"):
        assert _attempt(host) == (True, {"at-three": "notify"})
        # ... and now three o'clock for the first time.
    assert _attempt(host) == (False, {"at-three": "enforce"})
