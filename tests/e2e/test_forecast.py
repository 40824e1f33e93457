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


def test_lately_and_who_has_changed(site):
    site.record("changed@example.org", "encryption", days_ago=50)
    site.fine("changed@example.org", days_ago=1)
    site.record("gone@example.org", "encryption", days_ago=50)
    site.record("still@example.org", "encryption", days_ago=20)
    site.take()
    answer = site.ask("forecast")
    assert figures(answer) == (2, 1, 1, 0)
    assert answer["changed"] == 1
    assert figures(site.ask("forecast", "--since", day(-60))) == (3, 0, 2, 1)
    assert figures(site.ask("forecast", "--since", day(-10))) == (1, 1, 0, 0)


@pytest.mark.parametrize("moment", (-45, -1, 1, 100))
def test_lately_is_not_moved_by_a_date(site, moment):
    site.record("lately@example.org", "encryption", days_ago=1)
    site.record("before@example.org", "encryption", days_ago=40)
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
