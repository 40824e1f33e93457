"""A program that is too old for today's TLS: from Dovecot's log, which alone knows the version, to
a notice that tells its owner what to do."""

import ssl

import pytest

import clients

from dovecot import LOG, OLD_TLS, recommended_log_elements
from notices import words
from processes import log_size
from recorded_site import day
from test_notify import Site

OLD, NEW = "alice@example.org", "bob@example.org"

RULES = f"""
rule old-tls {{
    kind = "encryption" minimum = "TLSv1.2"
    observe = "{day(-60)}" notify = "{day(-30)}" enforce = "{day(30)}"
}}
"""


@pytest.fixture
def log(host, tmp_path, monkeypatch):
    """What Dovecot writes of one who comes by TLS 1.0, and of one who does not."""
    begin = log_size(LOG)
    host.apply("", dovecot=recommended_log_elements(host.dovecot.version) + OLD_TLS)
    for user, version in ((OLD, ssl.TLSVersion.TLSv1), (NEW, ssl.TLSVersion.TLSv1_3)):
        monkeypatch.setattr(clients, "TLS_CONTEXT", clients.make_tls_context(version))
        assert clients.imap(user, tls="implicit").accepted
    monkeypatch.undo()
    host.recorded()
    path = tmp_path / "dovecot.log"
    path.write_bytes(host.dovecot.log().encode()[begin:])
    return path


@pytest.fixture
def site(tmp_path):
    directory = tmp_path / "site"
    directory.mkdir()
    return Site(directory, rules=RULES)


def _assert_offender(rows):
    [row] = rows
    assert (row["user"], row["rule"], row["phase"]) == (OLD, "old-tls", "notify")
    assert (row["service"], row["port"], row["tls"]) == ("imap", 993, "implicit")
    assert row["tls_version"] == "TLSv1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_survey(site, log):
    answer = site.ask("survey", log)
    [rule] = answer["rules"]
    assert rule["judged"] and (rule["people"], rule["locked_out"]) == (1, 1)
    _assert_offender(site.ask("survey", "--offenders", log))
    forecast = site.ask("survey", "--forecast", log)
    assert forecast["rules"]["old-tls"]["users"] == 1 and forecast["locked_out"] == 1
    assert forecast["fine"] >= 1


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_notice(site, log):
    site.must("import", "--quiet", "--log", log)
    _assert_offender(site.ask("offenders"))
    assert site.ask("forecast")["rules"]["old-tls"]["users"] == 1
    site.notify(1)
    mails = site.mails()
    assert list(mails) == [OLD]
    text = words(mails[OLD].plain)
    assert mails[OLD]["Subject"].startswith("Mail access without encryption or with an outdated one")
    assert "Update the program or the device; if there is no update for it any more" in text
    assert "Encryption older than TLSv1.2 stops working on" in text
