"""portcullis forecast: what enforcing would do, judged by the files as they are."""

import pytest

from recorded_site import EX_NOINPUT, EX_USAGE, RecordedSite, day, fits_a_terminal, json_date

RULES = f"""
rule encryption {{
    notify  = "{day(-30)}"
    enforce = "{day(30)}"
    except-networks = {{ "campus" }}
}}
rule abroad {{
    kind = "country" services = {{ "imap" }} allow = {{ "DE" }} observe = "{day(-30)}"
    enforce = "{day(60)}" except-networks = {{ "campus" }}
}}
"""

OPEN = {"port": 143, "tls": "none"}
AMERICAN = {"client": "18.9.22.69", "country": "US", "port": 993, "tls": "implicit"}


@pytest.fixture
def site(tmp_path):
    return RecordedSite(tmp_path, RULES)


def figures(answer):
    return tuple(answer[key] for key in ("active_users", "fine", "locked_out", "partly"))


def users(answer):
    return {title: rule["users"] for title, rule in answer["rules"].items()}


def populate(site):
    """Two are fine, two are locked out, one has another way left."""
    site.fine("fine@example.org")
    site.fine("also-fine@example.org", service="submission", port=465, source="postfix")
    site.record("phone@example.org", "encryption", client_id="name=Old Phone version=2.1")
    site.record("phone@example.org", "encryption", service="pop3", port=110,
                client_id="name=Old Phone version=2.0")
    site.record("both@example.org", "encryption")
    site.fine("both@example.org", client_id="name=New Phone")
    site.record("abroad@example.org", "abroad=observe", **AMERICAN)
    # Neither of these is a person who is known to be there.
    site.record("victim@example.org", "encryption", verified=False)
    site.record("", service="smtp", port=25, mechanism="", source="postfix", verified=False)
    site.take()


def test_as_if_all_were_enforced(site):
    populate(site)
    answer = site.ask("forecast")
    assert figures(answer) == (5, 2, 2, 1)
    assert users(answer) == {"encryption": 2, "abroad": 1}
    assert answer["rules"]["encryption"] == {"phase": "enforce", "users": 2, "locked_out": 1}
    assert answer["services"] == {"imap": 3, "pop3": 1}
    # Versions of a program are taken together.
    assert answer["programs"] == {"Thunderbird": 2, "Old Phone": 1}
    assert answer["countries"] == {"DE": 2, "US": 1}
    assert answer["changed"] == 0


def test_at_a_date(site):
    populate(site)
    assert figures(site.ask("forecast", "--at", day(29))) == (5, 5, 0, 0)
    assert users(site.ask("forecast", "--at", day(29))) == {"encryption": 2, "abroad": 1}
    answer = site.ask("forecast", "--at", f"{day(30)} 00:00")
    assert figures(answer) == (5, 3, 1, 1)
    assert answer["at"] == json_date(day(30))
    assert figures(site.ask("forecast", "--at", day(60))) == (5, 2, 2, 1)


def test_one_rule(site):
    populate(site)
    answer = site.ask("forecast", "--rule", "abroad")
    assert figures(answer) == (5, 4, 1, 0)
    assert users(answer) == {"abroad": 1}
    assert figures(site.ask("forecast", "--rule", "abroad", "--at", day(59))) == (5, 5, 0, 0)
    result = site.run("forecast", "--rule", "nonsense")
    assert result.returncode == EX_USAGE
    assert "no rule is called 'nonsense'" in result.stderr


def test_another_file_is_tried(site):
    populate(site)
    new = site.directory / "new.conf"
    site.write_rules('rule no-pop3 { kind = "protocol" services = { "pop3" } observe = "always" }',
                     new)
    answer = site.ask("forecast", config=new)
    assert figures(answer) == (5, 4, 0, 1)
    assert users(answer) == {"no-pop3": 1}
    site.write_rules('rule country { allow = { "US" } notify = "always" }', new)
    assert figures(site.ask("forecast", config=new)) == (5, 1, 4, 0)


def test_exemptions_and_networks(site):
    populate(site)
    site.record("campus@example.org", client="192.0.2.7", country="", **OPEN)
    site.take()
    assert figures(site.ask("forecast")) == (6, 3, 2, 1)
    site.exemptions.write_text(
        f"phone@example.org encryption {day(10)}\nabroad@example.org abroad=US {day(50)}\n")
    assert figures(site.ask("forecast")) == (6, 5, 0, 1)
    assert figures(site.ask("forecast", "--at", day(30))) == (6, 4, 1, 1)
    assert figures(site.ask("forecast", "--at", day(60))) == (6, 3, 2, 1)


def test_an_address_that_was_erased(site):
    """What it was is still told by what was recorded."""
    site.record("campus@example.org", client="192.0.2.7", country="", days_ago=20, **OPEN)
    site.record("home@example.org", "encryption", days_ago=20)
    site.record("traveller@example.org", "abroad=observe", days_ago=20, **AMERICAN)
    site.record("hidden@example.org", "abroad=observe", days_ago=20, port=993, tls="implicit",
                client="203.0.113.5", country="")
    site.fine("loopback@example.org", client="127.0.0.1", country="", days_ago=20)
    site.fine("today@example.org")
    site.take()
    assert not any(row["last_client"] for row in site.ask("offenders"))
    answer = site.ask("forecast")
    assert figures(answer) == (6, 3, 3, 0)
    assert users(answer) == {"encryption": 1, "abroad": 2}


def test_who_was_let_off_when_the_address_was_known(site):
    """That nothing was recorded as broken then says nothing of where it was."""
    site.exemptions.write_text(f"alice@example.org encryption {day(40)}\n")
    site.record("alice@example.org", days_ago=20)
    site.fine("today@example.org")
    site.take()
    assert figures(site.ask("forecast", "--at", day(39))) == (2, 2, 0, 0)
    assert figures(site.ask("forecast", "--at", day(41))) == (2, 1, 1, 0)
    [program] = site.ask("user", "alice", "--at", day(41))["programs"]
    assert not program["fine"] and not program["last_client"]
    assert [rule["rule"] for rule in program["rules"]] == ["encryption"]


@pytest.mark.parametrize("rule", (
    'rule tls { kind = "encryption" enforce = "always" except-networks = { "campus" } }',
    'rule encryption { services = { "imap" } enforce = "2000-01-01"'
    ' except-networks = { "campus" } }',
    'rule port { kind = "implicit-tls" notify = "2000-01-01" except-networks = { "campus" } }',
    'network more { addresses = { "192.0.2.0/25", "192.0.2.128/25", "198.51.100.0/24" } }'
    ' rule encryption { enforce = "always" except-networks = { "more" } }',
))  # fmt: skip
def test_another_file_with_erased_addresses(site, rule):
    """Another title, another scope and date, another network that holds the same."""
    site.record("campus@example.org", client="192.0.2.7", country="", days_ago=20)
    site.record("home@example.org", days_ago=20)
    site.record("abroad@example.org", days_ago=20, client="18.9.22.69", country="US")
    site.fine("today@example.org")
    site.take()
    new = site.directory / "new.conf"
    site.write_rules(rule, new)
    assert figures(site.ask("forecast", config=new)) == (4, 2, 2, 0)


@pytest.mark.parametrize(("minimum", "refused"), (("1.1", 0), ("1.2", 1), ("1.3", 1)))
def test_another_file_with_old_tls(site, minimum, refused):
    """A version that was too old is so for another rule, too."""
    site.write_rules('rule encryption { minimum = "TLSv1.2" notify = "always" }')
    submission = {"service": "submission", "port": 587, "tls": "starttls", "source": "postfix"}
    site.record("old@example.org", "encryption", **submission)
    site.record("new@example.org", **submission)
    site.take()
    new = site.directory / "new.conf"
    site.write_rules(f'rule tls {{ kind = "encryption" minimum = "TLSv{minimum}"'
                     ' enforce = "always" }', new)
    assert figures(site.ask("forecast", config=new)) == (2, 2 - refused, refused, 0)


def test_a_network_that_became_smaller(site):
    """Who was in it may be outside now, and is told so rather than not."""
    site.record("campus@example.org", client="192.0.2.7", country="", days_ago=20)
    site.fine("today@example.org")
    site.take()
    new = site.directory / "new.conf"
    site.write_rules('network half { addresses = { "192.0.2.0/25" } } rule encryption {'
                     ' enforce = "always" except-networks = { "half" } }', new)
    assert figures(site.ask("forecast", config=new)) == (2, 1, 1, 0)


def test_networks_that_change_while_addresses_are_kept(site):
    """A network that is added is known of them, even once they are erased."""
    site.record("office@example.org", client="203.0.113.5", country="", days_ago=2)
    site.take()
    rules = ('network office { addresses = { "203.0.113.0/24" } } rule encryption {'
             ' enforce = "always" except-networks = { "office" } }')
    site.write_rules(rules)
    site.take()
    site.fine("today@example.org")
    site.write_rules('keep-addresses = "24h"' + rules)
    site.take()
    assert site.ask("user", "office")["programs"][0]["last_client"] == ""
    assert figures(site.ask("forecast")) == (2, 2, 0, 0)


def test_all_of_ipv6_is_not_all(site):
    site.write_rules('network ipv6 { addresses = { "::/0" } } rule encryption {'
                     ' enforce = "always" except-networks = { "ipv6" } }')
    site.record("ipv4@example.org", days_ago=20)
    site.record("ipv6@example.org", days_ago=20, client="2a01:4f8::1")
    site.take()
    assert figures(site.ask("forecast")) == (2, 1, 1, 0)


def test_unknown_country_of_an_erased_address(site):
    """A local address has no country, and breaks no rule about it; a public one that the
    database does not know may."""
    site.write_rules('rule country { allow = { "DE" } enforce = "2000-01-01" }')
    site.fine("local@example.org", client="192.168.1.1", country="", days_ago=20)
    site.fine("hidden@example.org", client="203.0.113.5", country="", days_ago=20)
    site.take()
    assert figures(site.ask("forecast")) == (2, 1, 1, 0)


def daily(site, user, first, last, *rules, every=1, **form):
    """From so many days ago to so many."""
    for days_ago in range(first, last - 1, -every):
        site.record(user, *rules, days_ago=days_ago, **form)


FINE = {"port": 993, "tls": "implicit"}


def test_who_has_changed(site):
    """One who has repaired what he uses does not count from that moment."""
    daily(site, "changed@example.org", 50, 2, "encryption")
    site.record("changed@example.org", days_ago=1, **FINE)
    daily(site, "still@example.org", 50, 1, "encryption", every=7)
    site.take()
    answer = site.ask("forecast")
    assert figures(answer) == (2, 1, 1, 0)
    assert answer["changed"] == 1
    assert answer["affected"] == 1


def test_another_device_repairs_nothing(site):
    """A second one of the same name, that was right before; another program; a device of
    another purpose."""
    for user, form in (
        ("twin", FINE),
        ("other", {"client_id": "name=Mutt", **FINE}),
        ("sends", {"service": "submission", "port": 465, "tls": "implicit", "source": "postfix"}),
    ):
        daily(site, f"{user}@example.org", 40, 2, "encryption")
        daily(site, f"{user}@example.org", 40, 1, every=5, **form)
    site.take()
    assert figures(site.ask("forecast")) == (3, 0, 0, 3)


def test_what_rests_has_its_own_rhythm(site):
    """What came daily is over after a week, and what comes every two weeks is not."""
    daily(site, "daily@example.org", 60, 12, "encryption")
    site.fine("daily@example.org", client_id="name=Mutt")
    daily(site, "rarely@example.org", 70, 13, "encryption", every=14)
    site.fine("rarely@example.org", client_id="name=Mutt")
    # Nobody else was seen to give up anything.
    for number in range(20):
        daily(site, f"user{number}@example.org", 70, 1, "encryption", every=3)
    site.take()
    answer = site.ask("forecast")
    assert figures(answer) == (22, 1, 20, 1)
    assert answer["rules"]["encryption"]["users"] == 21


def test_who_comes_once_a_month(site):
    """Is not seen lately, and will come again."""
    daily(site, "monthly@example.org", 125, 35, "encryption", every=30)
    daily(site, "fine@example.org", 125, 1, every=5, **FINE)
    site.take()
    assert figures(site.ask("forecast")) == (2, 1, 1, 0)
    assert figures(site.ask("forecast", "--since", day(-30))) == (1, 1, 0, 0)
    assert figures(site.ask("forecast", "--since", day(-40))) == (2, 1, 1, 0)


def test_since(site):
    """Only what was used since counts."""
    daily(site, "moved@example.org", 50, 40, "encryption")
    site.fine("moved@example.org", client_id="name=Mutt", days_ago=1)
    site.record("still@example.org", "encryption", days_ago=20)
    site.take()
    assert figures(site.ask("forecast", "--since", day(-60))) == (2, 1, 1, 0)
    assert figures(site.ask("forecast", "--since", day(-10))) == (1, 1, 0, 0)


def test_people_who_give_up_are_found_by_what_is_recorded(site):
    """Where most have stopped, who was not seen for the same time has too, probably."""
    for number in range(30):
        daily(site, f"stays{number}@example.org", 60, 1, "encryption", every=6)
        daily(site, f"rests{number}@example.org", 60, 12, "encryption", every=6)
    site.take()
    few = site.ask("forecast")["affected"]
    for number in range(60):
        daily(site, f"gone{number}@example.org", 60, 11, "encryption")
    site.take()
    fewer = site.ask("forecast")["affected"]
    assert 30 < fewer < few - 5
    assert few <= 60


def test_interval(site):
    """Around what is expected, and the wider the more devices rest."""
    for number in range(40):
        daily(site, f"user{number}@example.org", 60, 1, "encryption", every=3)
    site.take()
    sure = site.ask("forecast")
    assert sure["affected"] == 40
    assert 38 <= sure["affected_low"] <= 40 <= sure["affected_high"] <= 42
    for number in range(40):
        daily(site, f"rests{number}@example.org", 60, 18, "encryption", every=7)
    site.take()
    unsure = site.ask("forecast")
    assert unsure["affected_low"] < unsure["affected"] < unsure["affected_high"]
    assert (unsure["affected_high"] - unsure["affected_low"]
            > sure["affected_high"] - sure["affected_low"] + 5)  # fmt: skip
    assert f"or between {unsure['affected_low']} and {unsure['affected_high']}" in (
        " ".join(site.must("forecast").split()))


def test_no_interval_of_what_is_certain(site):
    daily(site, "alice@example.org", 60, 1, "encryption", every=1)
    site.take()
    said = " ".join(site.must("forecast", "--rule", "abroad").split())
    assert "0 people would lose a way to their mail. 60 days are recorded." in said
    assert "between" not in said


@pytest.mark.parametrize(("days", "too_early"), ((0, True), (12, True), (13, False), (40, False)))
def test_too_early(site, days, too_early):
    """Nothing is known of people who come rarely."""
    site.record("alice@example.org", "encryption", days_ago=days)
    site.record("alice@example.org", "encryption")
    site.take()
    answer = site.ask("forecast")
    assert (answer["days_recorded"], answer["too_early"]) == (days + 1, too_early)
    text = " ".join(site.must("forecast").split())
    assert ("too early to say" in text) == too_early
    assert ("between" in text) != too_early
    assert f"{days + 1} day{'' if days == 0 else 's'}" in text


def course(answer):
    return [(date["date"], date["rules"]) for date in answer["course"]]


def test_course(site):
    """Of those who are told, most give up soon."""
    for number in range(60):
        # The first ten after 20 days ago, when people were told for ten days.
        last = 1 if number < 30 else 20 - (number - 30) // 2
        daily(site, f"user{number}@example.org", 50, last, "encryption", every=2)
    site.take()
    answer = site.ask("forecast")
    assert course(answer) == [(json_date(day(30)), ["encryption"]),
                              (json_date(day(60)), ["abroad"])]  # fmt: skip
    now, first, second = answer["affected"], *(date["affected"] for date in answer["course"])
    assert 30 <= now <= 36
    assert now / 2 < first < now
    # People were refused for a month by then.
    assert 0 < second < first / 3
    text = site.must("forecast")
    assert "If it goes on like this:" in text
    assert [line.split() for line in text.splitlines() if "encryption" in line][0] == [
        day(30), "00:00", "encryption", str(first)]
    # As the rules stand on a day, there is none.
    assert not site.ask("forecast", "--at", day(31))["course"]
    assert "goes on" not in site.must("forecast", "--at", day(31))
    [date] = site.ask("forecast", "--rule", "encryption")["course"]
    assert date["date"] == json_date(day(30))


def test_the_course_beyond_a_date(site):
    """Who is refused acts soon, and in most cases changes what breaks other rules, too."""
    site.write_rules(RULES.replace(f'"{day(30)}"', f'"{day(10)}"'))
    for number in range(20):
        daily(site, f"user{number}@example.org", 50, 1, "encryption", country="JP")
        daily(site, f"abroad{number}@example.org", 50, 1, **{**FINE, "country": "JP"})
    site.take()
    first, second = (date["affected"] for date in site.ask("forecast")["course"])
    assert first == 40
    assert 25 < second < 30


def test_no_course_before_anybody_is_told(site):
    site.write_rules(RULES.replace(f'"{day(-30)}"', f'"{day(-5)}"'))
    daily(site, "alice@example.org", 50, 1, "encryption")
    site.take()
    assert "goes on" not in site.must("forecast")
    assert not site.ask("forecast")["course"]


@pytest.mark.parametrize("moment", (-45, -1, 1, 100))
def test_lately_is_not_moved_by_a_date(site, moment):
    site.record("lately@example.org", "encryption", days_ago=1)
    site.fine("before@example.org", days_ago=40)
    site.take()
    answer = site.ask("forecast", "--at", day(moment))
    assert answer["active_users"] == 1
    assert answer["weeks"] == site.ask("forecast", "--at", day(moment + 1))["weeks"]
    since = site.ask("forecast", "--at", day(moment), "--since", day(-41))
    assert since["active_users"] == 2


def test_lately_is_before_the_latest_sighting(site):
    """A store that got nothing new for long still answers."""
    site.record("alice@example.org", "encryption", days_ago=100)
    site.fine("bob@example.org", days_ago=120)
    site.fine("carol@example.org", days_ago=150)
    site.take()
    assert figures(site.ask("forecast")) == (2, 1, 1, 0)


def test_weeks(site):
    for days_ago in (0.01, 7, 14):
        site.record("alice@example.org", "encryption", days_ago=days_ago)
        site.fine("bob@example.org", days_ago=days_ago)
    site.record("carol@example.org", "encryption", days_ago=14)
    site.take()
    weeks = site.ask("forecast")["weeks"]
    assert len(weeks) == 8
    assert [(week["active_users"], week["affected"]) for week in weeks[-4:]] == [
        (0, 0), (3, 2), (2, 1), (2, 1)]


def test_fail_above(site):
    populate(site)  # 60 %
    assert site.run("forecast", "--fail-above", "60").returncode == 0
    assert site.run("forecast", "--fail-above", "59.9").returncode == 1
    assert site.run("forecast", "--fail-above", "0", "--at", day(1)).returncode == 0
    for wrong in ("x", "-1", "101", "5%", "nan"):
        assert site.run("forecast", "--fail-above", wrong).returncode == EX_USAGE


def test_text(site):
    populate(site)
    text = site.show("forecast")
    fits_a_terminal(text)
    assert "wholly locked out" in text and "40.0 %" in text
    # What is supposed is said.
    assert text.splitlines()[0].endswith(", if all rules were enforced now:")
    text = site.must("forecast", "--rule", "encryption", "--at", day(3))
    assert text.splitlines()[0].endswith(f", as the rule stands at {day(3)} 00:00:")


def test_nobody_at_all(site):
    site.take()
    answer = site.ask("forecast")
    assert figures(answer) == (0, 0, 0, 0)
    assert users(answer) == {"encryption": 0, "abroad": 0}
    # For a script, that is no good news.
    for options in ([], ["--json"], ["--rule", "abroad"], ["--since", "1h"], ["--at", "+7d"]):
        for percent in ("0", "100"):
            result = site.run("forecast", "--fail-above", percent, *options)
            assert result.returncode == EX_NOINPUT
            assert "nobody was seen since" in result.stderr
            assert "--fail-above" in result.stderr
    # Whom the password did not prove to be somebody, or who came before, is not seen.
    site.record("alice@example.org", "encryption", verified=False)
    site.record("bob@example.org", "encryption", days_ago=5)
    site.take()
    assert site.run("forecast", "--fail-above", "0", "--since", "2d").returncode == EX_NOINPUT
    assert site.run("forecast", "--fail-above", "100", "--since", "6d").returncode == 0
    assert site.run("forecast", "--fail-above", "0", "--since", "6d").returncode == 1
