"""portcullis announce: the public page, and its history of dates."""

import json
import os
import subprocess

import pytest

import notices
import service_account

from mailhost import BUILD
from notices import Page, words, write_config

RULES = """
rule encryption {{
    services  = {{ "imap", "pop3" }}
    notify    = "{notify}"
    enforce   = "{enforce}"
    brownouts = {{ {brownouts} }}
}}
rule quiet {{ kind = "mechanism" observe = "2024-01-01" }}
rule pop3 {{ kind = "protocol" services = {{ "pop3" }} enforce = "always" }}
rule abroad {{ kind = "country" services = {{ "imap" }} allow = {{ "DE" }} notify = "2090-01-01" }}
"""


UNPUBLISHED = (
    "portcullis announce: there are dates that were not published yet; --publish records them\n"
)


class Site:
    def __init__(self, directory):
        self.directory = directory
        self.history = directory / "announced.json"
        self.set()

    def set(self, enforce="2090-09-20", notify="2090-06-01", brownouts="", more=""):
        rules = RULES.format(enforce=enforce, notify=notify, brownouts=brownouts) + more
        self.config = write_config(self.directory, rules=rules)

    def run(self, *arguments):
        return subprocess.run(
            [BUILD / "portcullis", "-c", self.config, "announce", *arguments],
            capture_output=True,
            text=True,
            env={"TZ": "Europe/Berlin", "PATH": "/usr/bin:/bin"},
        )

    def publish(self, *arguments):
        done = self.run("--publish", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def look(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0
        assert done.stderr in ("", UNPUBLISHED)
        return done.stdout

    def text(self, *arguments):
        return words(self.look("--text", *arguments))

    def changes(self):
        return [
            (change["rule"], change["date"], change["from"], change["to"])
            for change in json.loads(self.history.read_text())["changes"]
        ]


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_text(site):
    text = site.text()
    assert text.startswith("Änderungen beim Zugang zu E-Mail: Universität Beispiel")
    assert "Zugriff ohne Verschlüsselung - Abschaltung: Mittwoch, 20. September 2090" in text
    assert "Betroffene bekommen E-Mails ab Donnerstag, 1. Juni 2090" in text
    assert "Betrifft: IMAP und POP3" in text
    assert "Zugang über POP3 - Abgeschaltet - Betrifft: POP3" in text
    assert "Zugriff aus anderen Ländern - Ein Tag für die Abschaltung steht noch nicht" in text
    assert "Server imap.example.org, Port 993, Verbindungssicherheit „SSL/TLS“" in text
    # A rule that is only observed is nobody's business yet.
    assert "Andere E-Mail-Anmeldung" not in text
    english = site.text("--language", "en")
    assert "Mail access without encryption - Switch-off: Wednesday, 20 September 2090" in english


def test_html(site):
    html = site.look("--html", "--language", "en")
    page = Page(html)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1 and len(page.all("title")) == 1
    assert page.names() <= {
        "html", "head", "meta", "title", "style", "body", "main",
        "h1", "h2", "h3", "p", "ul", "ol", "li", "a",
    }  # fmt: skip
    # The one link is to the instructions: none to log in with.
    assert {link["href"] for link in page.all("a")} == {"https://www.example.org/mail"}
    assert "https://webmail.example.org/" in page.text
    for title in ("Thunderbird", "Outlook", "iPhone and iPad", "Mac (Apple Mail)", "Gmail app",
                  "Samsung Email", "K-9 Mail", "In any other program"):  # fmt: skip
        assert title in page.text
    # Headings do not leave a level out.
    levels = [int(name[1]) for name, _ in page.elements if name in ("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    done = subprocess.run(["tidy", "-q", "-e", "-utf8"], input=html.encode(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_html_is_escaped(tmp_path):
    config = write_config(tmp_path, 'contact = "<b>17</b> & \'co\'"')
    config.write_text(config.read_text().replace("Universität", "<script>U</script>"))
    html = subprocess.run(
        [BUILD / "portcullis", "-c", config, "announce", "--html"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "&lt;script&gt;U&lt;/script&gt;" in html
    page = Page(html)
    assert "script" not in page.names() and "b" not in page.names()
    assert "<b>17</b> & 'co'" in page.text


def test_history(site):
    assert "Abschaltung: Mittwoch, 20. September 2090" in words(site.publish())
    first = [
        ("encryption", "notify", None, "2090-06-01 00:00"),
        ("encryption", "enforce", None, "2090-09-20 00:00"),
        ("abroad", "notify", None, "2090-01-01 00:00"),
    ]
    assert site.changes() == first
    # Nothing has changed: nothing is added.
    site.publish("--html")
    assert site.changes() == first

    site.set(enforce="2091-03-17", brownouts='"2090-10-01 10:00 +4h"')
    text = words(site.publish())
    moved = [
        ("encryption", "enforce", "2090-09-20 00:00", "2091-03-17 00:00"),
        ("encryption", "brownout", None, "2090-10-01 10:00"),
    ]
    assert site.changes() == first + moved
    assert (
        "Zugriff ohne Verschlüsselung (IMAP und POP3), Abschaltung: von Mittwoch, 20. September "
        "2090 auf Samstag, 17. März 2091 verlegt" in text
    )
    assert "Probeabschaltung: Sonntag, 1. Oktober 2090 von 10 bis 14 Uhr" in text
    # First dates are no changes, and stand above.
    assert text.count("Probeabschaltung") == 1 and "Beginn der E-Mails" not in text

    site.set(enforce="2091-03-17")
    text = words(site.publish())
    assert site.changes()[-1] == ("encryption", "brownout", "2090-10-01 10:00", None)
    assert "Probeabschaltung: Sonntag, 1. Oktober 2090, 10:00 Uhr entfällt" in text
    # The latest stands first.
    assert text.index("entfällt") < text.index("verlegt")


def test_when_mails_began_is_told_before_only(site):
    mails = "Betroffene bekommen E-Mails ab Donnerstag, 1. Juni 2090"
    assert mails in site.text("--at", "2090-05-31")
    assert mails not in site.text("--at", "2090-06-01")
    assert "Betroffene bekommen E-Mails ab Sonntag, 1. Januar 2090" not in site.text(
        "--at", "2090-05-31"
    )


def test_first_dates_are_no_changes(site):
    assert "Was sich an den Terminen geändert hat" not in words(site.publish())
    site.set(enforce="2091-03-17")
    text = words(site.publish())
    assert text.count("Zugriff ohne Verschlüsselung (IMAP und POP3)") == 1
    assert "verlegt" in text


def test_a_rule_is_called_the_same_in_changes(site):
    """Also where its name depends on what else the rule says."""
    rule = ('rule old-tls {{ kind = "encryption" minimum = "TLSv1.2" services = {{ "submission" }} '
            'enforce = "{}" }}\n')  # fmt: skip
    site.set(more=rule.format("2090-09-20"))
    site.publish()
    site.set(more=rule.format("2091-03-17"))
    name = "Zugriff ohne oder mit veralteter Verschlüsselung"
    assert words(site.publish()).count(name) == 2
    # When it is gone, nothing tells any more.
    site.set()
    assert name not in words(site.publish())


def test_a_brownout_that_is_over_may_go(site):
    site.set(notify="2020-01-01", brownouts='"2020-02-01 10:00 +4h"')
    site.publish()
    site.set(notify="2020-01-01")
    text = words(site.publish())
    assert not [change for change in site.changes() if change[1] == "brownout"]
    assert "Probeabschaltung" not in text


def test_another_day(site):
    """--at shows the page of a day, and remembers nothing."""
    text = site.text("--at", "2091-01-01")
    assert "Zugriff ohne Verschlüsselung - Abgeschaltet seit Mittwoch, 20. September 2090" in text
    assert "Stand: Montag, 1. Januar 2091, 00:00 Uhr" in text
    assert not site.history.exists()
    site.publish()
    before = site.history.read_text()
    site.set(enforce="2092-01-01")
    # What was announced later is not on the page of an earlier day.
    assert "Was sich an den Terminen geändert hat" not in site.text("--at", "2000-01-01")
    assert site.history.read_text() == before


def test_what_is_only_looked_at_is_not_published(site):
    """The page is as it would be, with what has changed; but that is not recorded."""
    for arguments in ([], ["--html"], ["--language", "en"]):
        assert site.run(*arguments).stderr == UNPUBLISHED
        assert not site.history.exists()
    site.publish()
    before = site.history.read_text()
    assert site.run().stderr == ""
    # A date is tried, and taken back, before anybody was told.
    site.set(enforce="2090-09-21")
    assert "auf Donnerstag, 21. September 2090 verlegt" in site.text()
    assert site.run("--html").stderr == UNPUBLISHED
    site.set()
    assert "verlegt" not in words(site.publish())
    assert site.history.read_text() == before


def test_brownouts_to_come(site):
    site.set(brownouts='"2090-07-01 10:00 +4h", "2090-08-01 10:00 +4h", "2090-09-01 22:00 +4h"')
    text = site.text("--at", "2090-07-15")
    assert "Dienstag, 1. August 2090 von 10 bis 14 Uhr" in text
    assert "Freitag, 1. September 2090, 22:00 Uhr bis Samstag, 2. September 2090, 02:00 Uhr" in text
    assert "1. Juli" not in text


def test_why_it_is_retired(site):
    assert "Warum: Ohne Verschlüsselung können andere unterwegs Ihr Passwort" in site.text()
    assert "Why: Stolen passwords are mostly used from" in site.text("--language", "en")


def test_a_relay_is_told_of_to_everybody(site):
    """Only the page tells of it, whose readers are not the ones who send."""
    site.set(more="""network relays { addresses = { "192.0.2.0/24" } }
rule relay { allow-networks = { "relays" } enforce = "2090-01-01" }
""")
    assert "Geräten und Programmen, die sich nicht anmelden, ab Sonntag, 1. Januar" in site.text()
    assert "devices and programs that do not log in" in site.text("--language", "en")


def test_nothing_planned(site):
    site.config = write_config(site.directory, rules='rule encryption { observe = "always" }')
    done = site.run()
    assert done.returncode == 0
    assert "Zurzeit ist nichts geplant" in done.stdout


def test_a_page_that_was_not_written_has_told_nobody(site):
    command = [BUILD / "portcullis", "-c", site.config, "announce", "--publish"]
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 74 and "cannot write the output: No space left" in done.stderr
    assert not site.history.exists()
    site.publish()
    assert site.history.exists()


def test_history_elsewhere(site, tmp_path):
    site.publish("--history", str(tmp_path / "mine.json"))
    assert (tmp_path / "mine.json").exists() and not site.history.exists()


def test_a_history_that_root_begins_belongs_to_the_service(site):
    service_account.give(site.directory)
    site.publish()
    history = site.history.stat()
    assert (history.st_uid, history.st_gid) == (65534, 65533)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"rules":{},"changes":[{}]}', '{"rules":{"a":{"notify":5}}}']
)
def test_a_damaged_history_is_not_overwritten(site, content):
    site.history.write_text(content)
    done = site.run()
    assert done.returncode == 65 and done.stdout == ""
    assert done.stderr.startswith(f"{site.history}: this is not what announce wrote")
    assert site.history.read_text() == content


def test_a_history_that_cannot_be_written(site):
    missing = site.directory / "missing/announced.json"
    done = site.run("--publish", "--history", str(missing))
    assert done.returncode == 0 and "Thunderbird" in done.stdout
    assert done.stderr == (
        f"{missing}: No such file or directory (warning: the published dates are not recorded)\n"
    )


def test_wrong_use(site):
    assert site.run("--language", "fr").returncode == 64
    done = site.run("--publish", "--at", "2091-01-01")
    assert done.returncode == 64 and "--publish and --at" in done.stderr


def test_a_mistake_in_the_texts(site, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for language in ("de", "en"):
        text = (notices.TEXTS / f"{language}.txt").read_text()
        (folder / f"{language}.txt").write_text(text.replace("{now}", "{today}"))
    site.config = write_config(tmp_path, texts=folder)
    done = site.run()
    assert done.returncode == 78 and done.stdout == ""
    assert "de.txt:" in done.stderr and "unknown placeholder {today}" in done.stderr
    assert os.listdir(tmp_path).count("announced.json") == 0
