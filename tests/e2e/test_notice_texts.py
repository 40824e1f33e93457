"""What notices say, read with Python's email package; hostile names; and the
operator's own texts."""

import shutil
import subprocess

from pathlib import Path

import pytest

import notices

from mailhost import BUILD
from notices import compose, notice, sighting, try_compose, words, write_config

HOSTILE = [
    "a\r\nBcc: victim@example.net",
    "a\nSubject: Win a prize\n\nbody",
    "a\r\n\r\n<script>alert(1)</script>",
    "</p><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt; & ' \"",
    "=?utf-8?q?Bcc=3A_x?= =?utf-8?b?QmNjOiB4?=",
    "\x1b]0;title\x07\x1b[2J",
    "\u202egnp.exe",
    "{organisation} {if user}",
    "= Heading\n- item",
    "--=-boundary\r\nContent-Type: text/html",
    "a\u2028b\u2029c\x85d\x00e",
    "ü" * 5000,
    ".\r\n.\r\nMAIL FROM:<x@y>",
]


def test_headers(tmp_path):
    config = write_config(tmp_path, 'reply-to = "help@example.org"')
    mail = compose(config, notice())
    assert mail["From"].addresses[0].display_name == "Universität Beispiel"
    assert mail["From"].addresses[0].addr_spec == "mail@example.org"
    assert mail["To"].addresses[0].addr_spec == "alice@example.org"
    assert mail["Reply-To"].addresses[0].addr_spec == "help@example.org"
    assert mail["Date"].datetime.isoformat() == "2024-06-10T08:00:00+02:00"
    assert mail["Message-ID"] == "<4711@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["MIME-Version"] == "1.0"
    assert mail["List-Unsubscribe"] is None
    assert len(mail.message.keys()) == len(set(mail.message.keys()))
    # Every server takes it: short lines of ASCII.
    assert max(len(line) for line in mail.raw.split(b"\n")) <= 78
    assert mail.raw.isascii() and b"\r" not in mail.raw


def test_both_parts_say_what_was_seen_and_what_to_do(tmp_path):
    mail = compose(write_config(tmp_path), notice())
    for text in (words(mail.plain), mail.page.text):
        assert "Thunderbird 115.3.1: E-Mails lesen (IMAP)" in text
        assert "zuletzt am Sonntag, 9. Juni 2024, 02:26 Uhr, Port 143, ohne Verschl" in text
        assert "aus: Deutschland, IP-Adresse 203.0.113.5." in text
        assert "Das muss nicht das Gerät sein, das Sie meistens benutzen" in text
        assert "geht es ab Freitag, 20. September 2024 nicht mehr" in text
        assert "Server imap.example.org, Port 993, Verbindungssicherheit „SSL/TLS“" in text
        assert "Server smtp.example.org, Port 587, Verbindungssicherheit „STARTTLS“" in text
        assert "„Konten-Einstellungen“" in text and "Outlook" not in text
        assert "https://webmail.example.org/" in text
        assert "https://www.example.org/mail" in text
        assert "Wir fragen nie nach Ihrem Passwort" in text
        # And the same in English.
        assert "last on Sunday, 9 June 2024, 02:26, port 143, without encryption" in text
        assert "from: Germany, IP address 203.0.113.5." in text
        assert "Access without encryption stops working on Friday, 20 September 2024" in text
        assert "We never ask for your password" in text


def test_no_link_nothing_active(tmp_path):
    mail = compose(write_config(tmp_path), notice())
    assert mail.page.names() <= {
        "html", "head", "meta", "title", "style", "body",
        "div", "p", "h2", "h3", "ul", "ol", "li", "hr",
    }  # fmt: skip
    assert "href" not in mail.html and "src" not in mail.html and "http-equiv" not in mail.html


def test_plain_text_is_wrapped(tmp_path):
    mail = compose(write_config(tmp_path), notice())
    assert max(len(line) for line in mail.plain.splitlines()) <= 72


def test_html_is_valid(tmp_path):
    for reason in ("first", "reminder", "last-call", "moved", "brown-out", "refused", "fixed"):
        mail = compose(write_config(tmp_path), notice(reason=reason))
        _tidy(mail.html)


def _tidy(html):
    done = subprocess.run(["tidy", "-q", "-e", "-utf8"], input=html.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    "reason, subject, sentence",
    [
        ("first", "E-Mail-Zugriff ohne Verschlüsselung: Abschaltung am Freitag, 20. September 2024",
         "eines Ihrer Geräte oder Programme greift auf das Postfach alice@example.org auf eine "
         "unsichere Weise zu, die wir abschalten."),
        ("reminder", "Erinnerung: E-Mail-Zugriff ohne Verschlüsselung, Abschaltung am Freitag, 20.",
         "schon einmal"),
        ("last-call", "Ab Freitag, 20. September 2024 abgeschaltet: E-Mail-Zugriff ohne",
         "ab Freitag, 20. September 2024 kommen Sie mit einem Ihrer Geräte oder Programme nicht "
         "mehr an das Postfach alice@example.org."),
        ("brown-out", "Probeabschaltung am Dienstag, 20. August 2024 von 10 bis 14 Uhr: E-Mail-",
         "abgeschaltet am Dienstag, 20. August 2024 von 10 bis 14 Uhr, danach geht alles wieder: "
         "E-Mail-Zugriff ohne Verschlüsselung (Postfach alice@example.org). "
         "Endgültig abgeschaltet wird am Freitag, 20. September 2024."),
        ("refused", "Abgewiesen: E-Mail-Zugriff ohne Verschlüsselung", "Ihre E-Mails sind alle da"),
        ("fixed", "Erledigt: E-Mail-Zugriff ohne Verschlüsselung", "nichts weiter tun"),
    ],
)  # fmt: skip
def test_reasons(tmp_path, reason, subject, sentence):
    mail = compose(write_config(tmp_path, 'languages = { "de" }'), notice(reason=reason))
    assert mail["Subject"].startswith(subject)
    assert sentence in words(mail.plain) and sentence in mail.page.text
    assert "Hello" not in mail.plain


def test_a_first_mail_after_the_date(tmp_path):
    """Nothing is to come: it says since when it is so."""
    config = write_config(tmp_path)
    late = compose(config, notice(date="2024-09-20 08:00"))
    assert late["Subject"] == (
        "E-Mail-Zugriff ohne Verschlüsselung: am Freitag, 20. September 2024 abgeschaltet / "
        "Mail access without encryption: switched off on Friday, 20 September 2024"
    )
    text = words(late.plain)
    assert "unsichere Weise zu, die wir am Freitag, 20. September 2024 abgeschaltet haben." in text
    assert "in an unsafe way that we switched off on Friday, 20 September 2024." in text
    abroad = notice(date="2024-09-20 08:00", rules=[{
        "rule": "abroad", "sightings": [sighting(country="US", client="198.51.100.7")]}])  # fmt: skip
    text = words(compose(config, abroad).plain)
    assert "Das ist seit Freitag, 20. September 2024 eingeschränkt." in text
    assert "Since Friday, 20 September 2024 that is restricted." in text
    # Of two rules one is to come.
    both = notice(date="2024-09-20 08:00", rules=[
        {"rule": name, "sightings": [sighting(mechanism="CRAM-MD5")]}
        for name in ("encryption", "mechanism")])  # fmt: skip
    assert "Abschaltung am Sonntag, 20. Oktober 2024" in compose(config, both)["Subject"]


def test_good_news_promises_what_is_known(tmp_path):
    """A device may have been used the old way after the last mail, and be right since."""
    text = words(compose(write_config(tmp_path), notice(reason="fixed")).plain)
    assert "Seit unserer letzten Nachricht" not in text and "Since our last" not in text
    assert "none of the devices and programs that we wrote to you about accesses" in text
    assert "keines der Geräte und Programme, wegen derer wir Ihnen geschrieben haben" in text


def test_a_protocol_that_ends_needs_no_settings(tmp_path):
    """Unless it ends later than what is to be set for it."""
    rules = notices.RULES + """
rule pop3 { kind = "protocol" services = { "pop3" } notify = "2024-06-01" enforce = "%s" }
"""
    pop3 = {"service": "pop3", "port": 110}
    both = notice(rules=[
        {"rule": name, "sightings": [sighting(**pop3)]} for name in ("encryption", "pop3")
    ])  # fmt: skip
    for date, settings in (("2024-09-20", False), ("2024-09-01", False), ("2024-12-01", True)):
        config = write_config(tmp_path, 'languages = { "en" }', rules=rules % date)
        text = words(compose(config, both).plain)
        assert "set up the mailbox anew" in text
        assert ("Access without encryption stops" in text) == settings


def test_a_login_from_abroad_is_named(tmp_path):
    """Which one it was has to be known before anybody can say that it was not theirs."""
    config = write_config(tmp_path, 'languages = { "en" }')
    away = sighting(country="US", client="198.51.100.7", last_seen="2024-06-07 02:26")
    text = words(compose(config, notice(rules=[
        {"rule": "encryption", "sightings": [sighting(), away]},
        {"rule": "abroad", "sightings": [away]}])).plain)  # fmt: skip
    assert (
        "Last login from abroad (United States): Friday, 7 June 2024, 02:26, IP address "
        "198.51.100.7. Was that not you?"
    ) in text
    # Where the device shows it as the last one, once is enough.
    text = words(compose(config, notice(rules=[{"rule": "abroad", "sightings": [away]}])).plain)
    assert "Was that not you?" in text and "Last login from abroad" not in text


def test_a_date_that_moved(tmp_path):
    config = write_config(tmp_path)
    rule = {"rule": "encryption", "sightings": [sighting()], "moved_from": "2024-09-06"}
    moved = compose(config, notice(reason="moved", rules=[rule]))
    assert moved["Subject"] == (
        "Neuer Termin Freitag, 20. September 2024: E-Mail-Zugriff ohne Verschlüsselung / "
        "New date Friday, 20 September 2024: Mail access without encryption"
    )
    german = (
        "Zugriff ohne Verschlüsselung: vom Freitag, 6. September 2024 auf "
        "Freitag, 20. September 2024 verlegt."
    )
    english = (
        "Mail access without encryption: moved from Friday, 6 September 2024 to "
        "Friday, 20 September 2024."
    )
    assert german in words(moved.plain) and english in words(moved.plain)
    # A mail for another reason says it, too.
    for reason in ("first", "reminder", "last-call", "brown-out", "refused"):
        mail = compose(config, notice(reason=reason, rules=[rule]))
        assert german in words(mail.plain) and english in words(mail.plain)
    assert "moved" not in compose(config, notice()).plain


def test_one_language_or_both(tmp_path):
    both = compose(write_config(tmp_path, 'languages = { "en", "de" }'), notice())
    assert both.plain.index("Hello") < both.plain.index("Guten Tag")
    assert both.plain.startswith("Deutsche Fassung: siehe unten")
    assert [attributes["lang"] for attributes in both.page.all("div")] == ["en", "de"]
    assert both.page.all("p")[0] == {"lang": "de"}
    assert both["Subject"].startswith("Mail access") and "2024 / E-Mail-Zug" in both["Subject"]
    english = compose(write_config(tmp_path, 'languages = { "en" }'), notice())
    assert "Guten Tag" not in english.plain and "Guten Tag" not in english.html


def test_a_device_that_breaks_two_rules_stands_once(tmp_path):
    rules = [
        {"rule": "encryption", "sightings": [sighting(mechanism="CRAM-MD5")]},
        {"rule": "mechanism", "sightings": [sighting(mechanism="CRAM-MD5")]},
    ]
    mail = compose(write_config(tmp_path, 'languages = { "en" }'), notice(rules=rules))
    assert mail.plain.count("reading mail (IMAP)") == 1
    text = words(mail.plain)
    assert "Access without encryption stops working on Friday, 20 September 2024" in text
    assert "“encrypted password” (CRAM-MD5) stops working on Sunday, 20 October 2024, 06:00" in text
    assert mail["Subject"].endswith("without encryption: switch-off on Friday, 20 September 2024")


def test_the_list_is_bounded(tmp_path):
    many = [
        sighting(client_id="", port=1000 + i, last_seen=f"2024-06-09 0{i % 10}:00")
        for i in range(300)
    ]
    mail = compose(
        write_config(tmp_path, 'languages = { "en" }'),
        notice(rules=[{"rule": "encryption", "sightings": many}]),
    )
    assert mail.plain.count("reading mail (IMAP)") == 8
    assert "More devices or programs: 292" in mail.plain
    # The latest ones.
    assert mail.plain.count("09:00") == 8


def test_what_is_not_known_is_left_out(tmp_path):
    bare = sighting(client_id="", port=0, mechanism="", country="", client="")
    mail = compose(
        write_config(tmp_path, 'languages = { "en" }', settings=""),
        notice(rules=[{"rule": "encryption", "sightings": [bare]}]),
    )
    text = words(mail.plain)
    assert "A device or program without a name: reading mail (IMAP) - Choose" in text
    assert "- Seen: last on Sunday, 9 June 2024, 02:26, without encryption." in text
    # There is no other one.
    assert "In your program" in text and "Thunderbird" not in text
    assert "Keep the server that you have entered" in text
    assert "Webmail" not in text


def test_a_country_needs_no_other_settings(tmp_path):
    mail = compose(
        write_config(tmp_path, 'languages = { "de" }'),
        notice(rules=[{"rule": "abroad", "sightings": [sighting(country="US")]}]),
    )
    text = words(mail.plain)
    assert "aus: Vereinigte Staaten" in text
    assert "anderen Ländern als Deutschland und Frankreich" in text
    assert "imap.example.org" not in text and "So geht es" not in text
    assert "Webmail" in text


@pytest.mark.parametrize("reason", ["first", "reminder", "last-call", "refused"])
def test_nobody_is_sent_to_settings_because_of_a_country(tmp_path, reason):
    config = write_config(tmp_path)
    abroad = notice(reason=reason, rules=[{"rule": "abroad", "sightings": [sighting()]}])
    mail = compose(config, abroad)
    for text in (str(mail["Subject"]), words(mail.plain)):
        for word in ("Einstellungen ändern", "Mailprogramm um", "umgestellt", "seine Einst",
                     "your settings", "change the settings", "its settings", "wenigen Minuten",
                     "few minutes"):  # fmt: skip
            assert word not in text


def test_the_port_to_send_by_is_the_one_of_the_settings(tmp_path):
    rules = """rule smtp { kind = "submission-port" allow-ports = { 465, 587, 2525 }
                           notify = "2024-06-01" }"""
    mail = compose(
        write_config(tmp_path, rules=rules),
        notice(rules=[{"rule": "smtp", "sightings": [sighting(service="submission", port=25)]}]),
    )
    assert "Port 587 und „STARTTLS“ ein. Über Port 25 geht" in words(mail.plain)
    assert "choose port 587 and “STARTTLS”. Sending through port 25" in words(mail.plain)
    assert "465" not in mail.plain and "2525" not in mail.plain


def test_what_is_retired_is_not_recommended(tmp_path):
    settings = 'client-settings { pop3-server = "pop3.example.org" }'
    pop3 = """rule pop3 { kind = "protocol" services = { "pop3" } notify = "2024-06-01" }"""
    seen = sighting(service="pop3", port=995, tls="implicit")
    for rules, title in ((notices.RULES, "encryption"), (pop3, "pop3")):
        mail = compose(
            write_config(tmp_path, rules=rules, settings=settings),
            notice(rules=[{"rule": title, "sightings": [seen]}]),
        )
        assert ("pop3.example.org" in mail.plain) == (title == "encryption")


def test_a_brownout_has_its_own_date(tmp_path):
    """Another rule ends sooner."""
    rules = """
rule encryption { notify = "2024-06-01" enforce = "2024-09-20"
                  brownouts = { "2024-06-12 10:00 +4h" } }
rule mechanism  { notify = "2024-06-01" enforce = "2024-06-30" }
"""
    mail = compose(
        write_config(tmp_path, 'languages = { "en" }', rules=rules),
        notice(
            reason="brown-out",
            rules=[
                {"rule": "encryption", "sightings": [sighting(mechanism="CRAM-MD5")]},
                {"rule": "mechanism", "sightings": [sighting(mechanism="CRAM-MD5")]},
            ],
        ),
    )
    assert "The final switch-off is on Friday, 20 September 2024." in words(mail.plain)


def test_an_exemption_moves_the_date(tmp_path):
    mail = compose(
        write_config(tmp_path, 'languages = { "en" }'),
        notice(
            exempt_until="2025-01-31",
            rules=[
                {"rule": "encryption", "enforce": "2025-02-01", "sightings": [sighting()]},
            ],
        ),
    )
    assert "alice@example.org ends on Friday, 31 January 2025." in words(mail.plain)
    assert "stops working on Saturday, 1 February 2025." in words(mail.plain)


def _assert_harmless(mail, config):
    """The mail has the headers and elements of any other one, and its text no
    character that is not seen."""
    plain = compose(config, notice())
    assert mail.message.keys() == plain.message.keys()
    assert mail["To"] == "alice@example.org" and mail["Bcc"] is None
    assert mail["Subject"] == plain["Subject"]
    assert mail.page.names() <= plain.page.names() | {"ol", "h3"}
    assert "<script" not in mail.html and "<img" not in mail.html
    for text in (mail.plain, mail.page.text):
        assert not [
            c for c in text if (ord(c) < 32 and c != "\n") or ord(c) in (0x7F, 0x85, 0x202E, 0x2028)
        ]
    assert max(len(line) for line in mail.raw.split(b"\n")) <= 78
    assert mail.raw.isascii()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_user_names(tmp_path, text):
    config = write_config(tmp_path)
    _assert_harmless(compose(config, notice(user=text)), config)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_programs(tmp_path, text):
    config = write_config(tmp_path)
    for client_id in (text, f"name={text} version={text}", f"name=Thunderbird{text}"):
        seen = sighting(client_id=client_id, mechanism=text, client=text)
        mail = compose(config, notice(rules=[{"rule": "encryption", "sightings": [seen]}]))
        _assert_harmless(mail, config)
        assert "Win a prize" not in mail.plain.split("\n")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_recipients_are_refused(tmp_path, text):
    config = write_config(tmp_path)
    for address in (text, text + "@example.org", "alice@" + text, '"' + text + '"@example.org'):
        done = try_compose(config, notice(recipient=address))
        if done.returncode != 0:
            assert done.stdout == b"" and b"not a valid mail address" in done.stderr
            continue
        # What is printable may stand between quotes.
        mail = notices.Mail(done.stdout)
        assert address.isprintable() and address.isascii() and address.startswith('"')
        assert mail.message.keys() == compose(config, notice()).message.keys()


# --- Texts of the operator's ---


def check_config(config):
    return subprocess.run(
        [BUILD / "portcullis", "-c", config, "check-config"], capture_output=True, text=True
    )


@pytest.fixture
def texts(tmp_path):
    folder = tmp_path / "texts"
    shutil.copytree(notices.TEXTS, folder)
    return folder


@pytest.fixture
def nothing_installed():
    """Without the texts behind those of the configuration, which an earlier test
    may have installed."""
    installed = Path("/usr/share/portcullis/notices")
    aside = installed.with_name("aside")
    was_there = installed.exists()
    if was_there:
        installed.rename(aside)
    yield
    if was_there:
        aside.rename(installed)


def test_the_texts_that_are_shipped_are_right(tmp_path):
    done = check_config(write_config(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_changed_text(tmp_path, texts):
    german = texts / "de.txt"
    german.write_text(german.read_text().replace("Guten Tag,", "Liebe Leute ({user}),"))
    mail = compose(write_config(tmp_path, texts=texts), notice())
    assert "Liebe Leute (alice@example.org)," in mail.plain
    assert "Liebe Leute (alice@example.org)," in mail.page.text


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("{user} auf eine uns", "{usr} auf eine uns", "unknown placeholder {usr}"),
        ("\n[reminder]\n", "\n[remind]\n", "there is no section [reminder]"),
        ("[help]\n= Hilfe\n{if contact}", "[help]\n= Hilfe\n{if kontakt}", "unknown placeholder in {if kontakt}"),
        ("weekdays = Sonntag Montag", "weekdays = Montag", "'weekdays' must be 7 names"),
        ("and = und\n", "", "[words] has no 'and'"),
        ("Subject: Erledigt: {matter}\n", "", "does not begin with a line"),
    ],
)
def test_mistakes_are_told_with_their_line(
    tmp_path, texts, nothing_installed, old, new, problem
):
    german = texts / "de.txt"
    text = german.read_text()
    assert old in text
    german.write_text(text.replace(old, new, 1))
    done = check_config(write_config(tmp_path, texts=texts))
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if problem in line]
    assert line.startswith(str(german))
    if problem == "unknown placeholder {usr}":
        number = german.read_text().split("{usr}")[0].count("\n") + 1
        assert done.stderr == f"{german}:{number}: {problem}\n"


def test_a_text_that_is_not_utf8(tmp_path, texts):
    german = texts / "de.txt"
    german.write_bytes(german.read_bytes().replace("Grüß".encode(), b"") + b"\n# \xff\n")
    done = check_config(write_config(tmp_path, texts=texts))
    assert done.returncode == 1
    number = german.read_bytes().count(b"\n")
    assert done.stderr == f"{german}:{number}: invalid UTF-8\n"


def test_a_language_without_texts(tmp_path):
    done = check_config(write_config(tmp_path, 'languages = { "de", "fr" }'))
    assert done.returncode == 1
    assert "fr.txt: there are no texts for this language" in done.stderr


def test_a_wrong_line_of_the_address_map(tmp_path):
    addresses = tmp_path / "addresses"
    addresses.write_text("alice alice@example.net\nbob\n")
    config = write_config(tmp_path, f'address-map = "file:{addresses}"')
    done = check_config(config)
    assert done.returncode == 1
    assert done.stderr == f"{addresses}:2: no address after the user name\n"


def test_some_sections_only(host, tmp_path):
    """What the operator's file leaves out comes from the installed one."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "de.txt").write_text("[help]\nRufen Sie an: 17\n[words]\nservice.imap = Lesen\n")
    config = write_config(tmp_path, 'languages = { "de" }', texts=folder)
    assert check_config(config).stderr == ""
    mail = compose(config, notice())
    assert "Rufen Sie an: 17" in mail.plain and "Wir fragen nie" not in mail.plain
    assert "Thunderbird 115.3.1: Lesen\n" in mail.plain
