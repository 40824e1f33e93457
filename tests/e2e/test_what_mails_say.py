"""What a person reads first, and that it is right: each reason, each kind, in German and
English."""

import itertools
import subprocess
import textwrap

import pytest

import sample_mails

from mailhost import BUILD, ROOT
from notices import BLOCKS, CLIENT_SETTINGS, compose, notice, sighting, words, write_config

RULES = """
rule encryption { notify = "2024-06-01" enforce = "2024-09-20"
                  brownouts = { "2024-08-20 10:00 +4h" } }
rule starttls { kind = "implicit-tls" services = { "imap", "pop3" } notify = "2024-06-01"
                enforce = "2024-09-20" brownouts = { "2024-08-20 10:00 +4h" } }
rule mechanism { notify = "2024-06-01" enforce = "2024-10-20 06:00"
                 brownouts = { "2024-08-20 10:00 +4h" } }
rule abroad { kind = "country" services = { "imap" } allow = { "DE", "AT", "CH", "FR" }
              notify = "2024-06-01" enforce = "2024-09-20"
              brownouts = { "2024-08-20 10:00 +4h" } }
rule pop3 { kind = "protocol" services = { "pop3" } notify = "2024-06-01" enforce = "2024-09-20"
            brownouts = { "2024-08-20 10:00 +4h" } }
rule port { kind = "submission-port" notify = "2024-06-01" enforce = "2024-09-20"
            brownouts = { "2024-08-20 10:00 +4h" } }
"""
SENDING = {"client_id": "", "service": "submission"}
# Of each rule: what breaks it, and what is to be done, in German and English.
BREACHES = {
    "encryption": (sighting(), "ein, nicht „Keine“, und Port 993.",
                   "not “None”, and port 993."),
    "starttls": (sighting(tls="starttls"), "Stellen Sie „SSL/TLS“ ein, nicht „STARTTLS“, und "
                 "Port 993.", "Choose “SSL/TLS”, not “STARTTLS”, and port 993."),
    "mechanism": (sighting(tls="starttls", mechanism="CRAM-MD5"),
                  "als Authentifizierung „Passwort, normal“ ein", "Choose “normal password”"),
    "abroad": (sighting(country="US"), "Benutzen Sie unterwegs Webmail;", "use webmail;"),
    "pop3": (sighting(service="pop3", port=110), "mit IMAP neu ein;", "anew in your program, with IMAP;"),
    "port": (sighting(**SENDING, port=25), "Port 587 und „STARTTLS“ ein.",
             "choose port 587 and “STARTTLS”."),
}  # fmt: skip
REASONS = ["first", "reminder", "last-call", "moved", "brown-out", "refused"]
DATES = {"de": ("20. September 2024", "20. Oktober 2024"),
         "en": ("20 September 2024", "20 October 2024")}  # fmt: skip
COLUMNS, LINES = 40, 13


def _mail(tmp_path, language, policy=RULES, settings=CLIENT_SETTINGS, **values):
    config = write_config(tmp_path, f'languages = {{ "{language}" }}', policy, settings)
    return compose(config, notice(**values))


def _first_screen(mail):
    """What a small phone shows before anybody scrolls."""
    lines = itertools.chain(*(textwrap.wrap(block, COLUMNS) for block in mail.page.blocks))
    return " ".join(itertools.islice(lines, LINES))


@pytest.mark.parametrize("rule", BREACHES)
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("language", ["de", "en"])
def test_what_has_to_change_stands_on_the_first_screen(tmp_path, language, reason, rule):
    seen, *instructions = BREACHES[rule]
    told = {"rule": rule, "sightings": [seen]}
    if reason == "moved":
        told["moved_from"] = "2024-09-06"
    date = "2024-06-10 08:00" if reason != "refused" else "2024-10-21 08:00"
    mail = _mail(tmp_path, language, reason=reason, rules=[told], date=date)
    screen = _first_screen(mail)
    assert instructions[language == "en"] in screen
    # And until when, if not in the line before.
    if reason != "refused":
        assert DATES[language][rule == "mechanism"] in f"{mail['Subject']} {screen}"


@pytest.mark.parametrize("reason", ["first", "reminder", "last-call"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_the_end_of_an_exemption_comes_first(tmp_path, language, reason):
    rules = [{"rule": "encryption", "enforce": "2025-02-01", "sightings": [sighting()]}]
    mail = _mail(tmp_path, language, reason=reason, rules=rules, exempt_until="2025-01-31")
    ends = {"de": "hre Ausnahme endet am Freitag, 31. Januar 2025",
            "en": "our exemption ends on Friday, 31 January 2025"}[language]  # fmt: skip
    assert ends in mail["Subject"]
    sentence = {"de": "hre Ausnahme für das Postfach alice@example.org endet am Freitag, 31. Januar",
                "en": "our exemption for the mailbox alice@example.org ends on Friday, 31 January"}
    assert sentence[language] in mail.page.blocks[1]
    assert "993." in _first_screen(mail)


# ---- devices ----


def _devices(mail):
    """What stands of each device, by its heading."""
    found, heading = {}, None
    levels = [name for name, _ in mail.page.elements if name in BLOCKS]
    for level, text in zip(levels, mail.page.blocks):
        heading = text if level == "h3" else None if level == "h2" else heading
        if heading:
            found.setdefault(heading, []).append(text)
    return {heading: " ".join(texts[1:]) for heading, texts in found.items() if "Seen:" in
            " ".join(texts) or "Gesehen:" in " ".join(texts)}  # fmt: skip


def _english(tmp_path, sightings, rule="encryption", **values):
    return _mail(tmp_path, "en", rules=[{"rule": rule, "sightings": sightings}], **values)


def test_a_program_is_one_device_whatever_its_versions_and_countries(tmp_path):
    versions = [
        sighting(client_id=f"name=Thunderbird version={version}", country=country, days=1,
                 last_seen=f"2024-06-0{day} 08:00", first_seen=f"2024-06-0{day} 08:00")
        for day, (version, country) in enumerate(
            [("115.3.1", "DE"), ("115.10.0", "FR"), ("115.9.0", "AT")], 1)
    ]  # fmt: skip
    devices = _devices(_english(tmp_path, versions))
    assert list(devices) == ["Thunderbird 115.10.0: reading mail (IMAP)"]
    [text] = devices.values()
    assert "Seen: almost daily since Saturday, 1 June 2024, last on Monday, 3 June 2024" in text


@pytest.mark.parametrize(
    "helo, name",
    [
        ("DESKTOP-33C70B8", "DESKTOP-33C70B8"),
        ("scanner0A1B2C", "scanner0A1B2C"),
        ("annas-mbp.fritz.box", "annas-mbp"),
        ("Your-account-is-locked-call-0190", "Your-accountislockedcall"),
        ("localhost", None),
        ("[192.168.0.7]", None),
        ("192.168.0.7", None),
        ("", None),
    ],
)
def test_who_sends_goes_by_the_name_of_the_machine(tmp_path, helo, name):
    seen = sighting(client_id=helo, service="submission", port=587)
    [heading] = _devices(_english(tmp_path, [seen]))
    if name:
        assert heading == f"{name}: sending mail (SMTP)"
    else:
        assert heading == "A device or program without a name: sending mail (SMTP), from: Germany"


@pytest.mark.parametrize(
    "days, first_seen, rhythm",
    [
        (1, "2024-06-09 02:00", "on one day so far, "),
        (30, "2024-05-01 02:00", "almost daily, "),
        (5, "2024-05-09 02:00", "about once a week, "),
        (3, "2024-04-09 02:00", "about once a month, "),
        (2, "2024-03-09 02:00", "now and then, "),
    ],
)
def test_what_has_no_name_is_described(tmp_path, days, first_seen, rhythm):
    policy = RULES + 'network campus { addresses = { "203.0.113.0/24" } }\n'
    seen = sighting(client_id="", service="submission", port=25, days=days, first_seen=first_seen)
    for place, values in (
        ("from the network “campus”", {}),
        ("from the network “campus”",
         {"client": "", "whereabouts": "public 203.0.113.0-203.0.113.255"}),
        ("from: Germany", {"client": "192.0.2.1"}),
        ("from: Germany", {"client": "", "whereabouts": "public"}),
    ):  # fmt: skip
        mail = _english(tmp_path, [seen | values], policy=policy)
        [heading] = _devices(mail)
        assert heading == f"A device or program without a name: sending mail (SMTP), {rhythm}{place}"


def test_all_countries_are_told(tmp_path):
    seen = [sighting(country=country, last_seen=f"2024-06-0{day} 08:00")
            for day, country in enumerate(["US", "JP", "US"], 1)]  # fmt: skip
    [text] = _devices(_english(tmp_path, seen, "abroad")).values()
    assert "from: United States and Japan, IP address" in text


def test_a_protocol_that_is_not_pop3(tmp_path):
    policy = """rule sieve { kind = "protocol" services = { "sieve" } notify = "2024-06-01" }"""
    [text] = _devices(_english(tmp_path, [sighting(service="sieve", port=4190)], "sieve",
                               policy=policy)).values()  # fmt: skip
    assert text.startswith("Please ask us what you can use instead. Access via ManageSieve")


def test_each_device_says_what_is_wrong_with_it(tmp_path):
    """By several rules, with dates of their own; and not what is wrong with the others."""
    outlook = sighting(client_id="name=Outlook version=16.0", tls="starttls", mechanism="CRAM-MD5",
                       last_seen="2024-06-08 10:00")  # fmt: skip
    sending = sighting(client_id="DESKTOP-33C70B8", service="submission", port=587,
                       last_seen="2024-06-07 10:00")  # fmt: skip
    rules = [
        {"rule": "encryption", "sightings": [sighting(), sending]},
        {"rule": "starttls", "enforce": "2024-12-01", "sightings": [sighting(), outlook]},
        {"rule": "mechanism", "sightings": [outlook]},
    ]
    devices = _devices(_mail(tmp_path, "en", rules=rules))
    assert [heading.split(":")[0] for heading in devices] == [
        "Thunderbird 115.3.1", "Outlook 16.0", "DESKTOP-33C70B8"
    ]  # fmt: skip
    thunderbird, outlook, desktop = devices.values()
    assert "without encryption stops working on Friday, 20 September 2024" in thunderbird
    assert "begins unencrypted, stops working on Sunday, 1 December 2024" in thunderbird
    assert "normal password” as" not in thunderbird
    assert "begins unencrypted, stops working on Sunday, 1 December 2024" in outlook
    assert "(CRAM-MD5) stops working on Sunday, 20 October 2024, 06:00" in outlook
    assert "Access without" not in outlook and "CRAM-MD5" not in desktop
    # Each as the settings have it.
    assert "“SSL/TLS”, not “None”, and port 993" in thunderbird
    assert "“STARTTLS”, not “None”, and port 587" in desktop
    for port in ("143", "110", "993"):
        assert port not in desktop


def test_a_program_for_two_services_is_told_of_both(tmp_path):
    seen = [sighting(), sighting(service="pop3", port=110)]
    policy = 'rule encryption { notify = "2024-06-01" }\n'
    devices = _devices(_english(tmp_path, seen, policy=policy))
    assert list(devices) == ["Thunderbird 115.3.1: reading mail (IMAP) and fetching mail (POP3)"]
    [text] = devices.values()
    assert "reading mail (IMAP): Choose “SSL/TLS”, not “None”, and port 993." in text
    assert "fetching mail (POP3): Choose “SSL/TLS”, not “None”, and port 995." in text
    # Where POP3 itself goes, no port of it is recommended.
    [text] = _devices(_english(tmp_path, seen)).values()
    assert "fetching mail (POP3): Switch encryption on in your program." in text


def test_old_encryption_is_not_called_none(tmp_path):
    policy = 'rule encryption { minimum = "TLSv1.2" notify = "2024-06-01" }\n'
    [text] = _devices(_english(tmp_path, [sighting(port=993, tls="implicit")], policy=policy)).values()
    assert "Update the program or the device" in text
    assert "Encryption older than TLSv1.2 will soon" in text
    assert "None" not in text
    [text] = _devices(_english(tmp_path, [sighting()], policy=policy)).values()
    assert "Choose “SSL/TLS”, not “None”, and port 993, or update it." in text


@pytest.mark.parametrize(
    "language, subject, change, why",
    [
        ("en", "Mail access without encryption or with an outdated one",
         "if there is no update for it any more, use another one", "outdated encryption does not"),
        ("de", "E-Mail-Zugriff ohne oder mit veralteter Verschlüsselung",
         "gibt es dafür keine Aktualisierung mehr, nehmen Sie ein anderes",
         "eine veraltete hält sie davon nicht sicher ab"),
    ],
)  # fmt: skip
def test_what_to_do_about_an_old_program(tmp_path, language, subject, change, why):
    old = [{"rule": "encryption", "sightings": [sighting(port=993, tls="implicit")]}]
    policy = 'rule encryption { minimum = "TLSv1.2" notify = "2024-06-01" }\n'
    mail = _mail(tmp_path, language, policy, rules=old)
    assert mail["Subject"].startswith(subject)
    assert change in words(mail.page.text) and why in words(mail.page.text)
    # Where no version is too old, none is spoken of.
    mail = _mail(tmp_path, language, 'rule encryption { notify = "2024-06-01" }\n')
    for word in ("outdated", "veraltet", "update for it", "Aktualisierung mehr"):
        assert word not in mail["Subject"] + mail.page.text


def test_the_refused_one_comes_first(tmp_path):
    seen = [
        sighting(client_id="name=Outlook version=16.0"),
        sighting(client_id="name=K-9 Mail", last_seen="2024-06-01 10:00", refused=True),
        sighting(last_seen="2024-05-01 10:00"),
    ]
    mail = _english(tmp_path, seen, reason="refused", date="2024-09-21 08:00")
    names = [heading.split(":")[0] for heading in _devices(mail)]
    assert names == ["K-9 Mail", "Outlook 16.0", "Thunderbird 115.3.1"]
    assert mail["Subject"].startswith("Refused on Saturday, 1 June 2024: Mail access without")
    assert "a device or program logged in" in mail.page.text
    both = _english(tmp_path, [seen[1], seen[0] | {"refused": True}], reason="refused")
    assert "devices or programs logged in" in both.page.text
    # In any other mail, the latest does.
    assert next(iter(_devices(_english(tmp_path, seen)))).startswith("Outlook")


def test_what_has_changed_is_told_and_not_listed(tmp_path):
    changed = [sighting(client_id="name=iPhone Mail version=20A362", port=993, tls="implicit"),
               sighting(client_id="", service="submission", port=465, tls="implicit")]  # fmt: skip
    mail = _english(tmp_path, [sighting()], reason="reminder", changed=changed)
    assert "Already right: iPhone Mail and sending mail (SMTP). Thank you!" in mail.page.text
    assert len(_devices(mail)) == 1
    assert "Already right" not in _english(tmp_path, [sighting()], reason="reminder").page.text


# ---- what agrees with what ----


@pytest.mark.parametrize("port, encryption", [(587, "STARTTLS"), (465, "SSL/TLS")])
def test_instructions_agree_with_the_settings(tmp_path, port, encryption):
    settings = f'client-settings {{ smtp-server = "smtp.example.org" smtp-port = {port} }}\n'
    seen = sighting(client_id="DESKTOP-33C70B8", service="submission", port=25)
    for rule in ("encryption", "port"):
        text = _english(tmp_path, [seen], rule, settings=settings).page.text
        assert f"ort {port}" in text.split("Seen:")[0] and encryption in text.split("Seen:")[0]
        assert f"port {port}, connection security “{encryption}”" in text


def test_a_vpn_helps_against_countries_only(tmp_path):
    settings = 'client-settings { vpn-url = "https://vpn.example.org/" }\n'
    seen = [sighting(country="US")]
    assert "https://vpn.example.org/" in _english(tmp_path, seen, "abroad", settings=settings).plain
    assert "VPN" not in _english(tmp_path, seen, settings=settings).plain


@pytest.mark.parametrize(
    "reason, rule, seen, told",
    [
        ("first", "abroad", {"country": "US"}, True),
        ("refused", "encryption", {"refused": True}, True),
        ("reminder", "encryption", {"refused": True}, True),
        # Where a rule says which countries are home, another one is abroad.
        ("first", "encryption", {"country": "US"}, True),
        ("first", "encryption", {"country": "FR"}, False),
        ("first", "encryption", {"country": ""}, False),
        ("fixed", "abroad", {"country": "US"}, False),
    ],
)
def test_who_it_was_not_changes_the_password(tmp_path, reason, rule, seen, told):
    settings = 'client-settings { password-url = "https://password.example.org/" }\n'
    values = {"reason": reason, "rules": [{"rule": rule, "sightings": [sighting(**seen)]}]}
    for language, warning in (("en", "Was that not you? Then somebody knows your password"),
                              ("de", "Waren Sie das nicht? Dann kennt jemand Ihr Passwort")):  # fmt: skip
        text = _mail(tmp_path, language, settings=settings, **values).page.text
        assert (warning in text, "https://password.example.org/" in text) == (told, told)
        assert "password.example.org" not in _mail(tmp_path, language, **values).page.text


def test_why_is_told_once_of_each_kind(tmp_path):
    policy = RULES + 'rule sending { kind = "encryption" services = { "submission" } ' \
                     'notify = "2024-06-01" }\n'  # fmt: skip
    rules = [{"rule": rule, "sightings": [sighting(mechanism="CRAM-MD5")]}
             for rule in ("encryption", "sending", "mechanism")]  # fmt: skip
    text = _mail(tmp_path, "de", policy, rules=rules).page.text
    assert text.count("Ohne Verschlüsselung können andere unterwegs Ihr Passwort") == 1
    assert text.count("müssen wir Ihr Passwort lesbar aufbewahren") == 1


@pytest.mark.parametrize("language", ["de", "en"])
def test_words(tmp_path, language):
    def text(**values):
        return _mail(tmp_path, language, **values).page.text

    settings, country = text(), text(rules=[{"rule": "abroad", "sightings": [sighting()]}])
    for word in {"de": ("einen Scanner, der", "nur in Ihrem Mailprogramm"),
                 "en": ("a scanner that", "only in your mail program")}[language]:  # fmt: skip
        assert word in settings and word not in country
    alone, other = {"de": ("In Ihrem Programm", "In jedem anderen Programm"),
                    "en": ("In your program", "In any other program")}[language]  # fmt: skip
    unknown = sighting(client_id="name=Mutt", last_seen="2024-06-08 10:00")
    one, two = ([{"rule": "encryption", "sightings": seen}]
                for seen in ([unknown], [unknown, sighting()]))  # fmt: skip
    assert alone in text(rules=one) and other not in text(rules=one)
    assert other in text(rules=two) and alone not in text(rules=two)
    plural = {"de": "mehrere Ihrer Geräte oder Programme greifen",
              "en": "several of your devices or programs access"}[language]  # fmt: skip
    assert plural in text(rules=two) and plural not in text(rules=one)
    end = {"de": "Freundliche Grüße", "en": "Kind regards"}[language]
    assert text().endswith(f"{end} Universität Beispiel")


# ---- brown-outs ----


def _brownout(tmp_path, language, *brownouts, more=""):
    listed = ", ".join(f'"{brownout}"' for brownout in brownouts)
    policy = f'rule encryption {{ notify = "2024-06-01" enforce = "2024-09-20" brownouts = ' \
             f'{{ {listed} }} }}\n{more}'  # fmt: skip
    rules = [{"rule": "encryption", "sightings": [sighting()]}]
    if more:
        rules.append({"rule": "mechanism", "sightings": [sighting(mechanism="CRAM-MD5")]})
    return _mail(tmp_path, language, policy, reason="brown-out", rules=rules,
                 date="2024-08-19 08:00")  # fmt: skip


@pytest.mark.parametrize(
    "brownouts, german, english",
    [
        (["2024-08-20 10:00 +4h"], "am Dienstag, 20. August 2024 von 10 bis 14 Uhr, danach",
         "on Tuesday, 20 August 2024 from 10:00 to 14:00; after"),
        (["2024-08-20 08:30 +90m"], "von 8:30 bis 10 Uhr, danach", "from 8:30 to 10:00; after"),
        (["2024-08-20 20:00 +4h"], "von 20 bis 24 Uhr, danach", "from 20:00 to 24:00; after"),
        (["2024-08-20 00:00 +24h"], "von 0 bis 24 Uhr, danach", "from 0:00 to 24:00; after"),
        (["2024-08-20 14:00 +2h", "2024-08-20 10:00 +2h", "2024-09-10 10:00 +2h"],
         "am Dienstag, 20. August 2024 von 10 bis 12 Uhr und von 14 bis 16 Uhr, danach",
         "on Tuesday, 20 August 2024 from 10:00 to 12:00 and from 14:00 to 16:00; after"),
        # Over midnight.
        (["2024-08-20 22:00 +8h"],
         "- von Dienstag, 20. August 2024, 22:00 Uhr bis Mittwoch, 21. August 2024, 06:00 Uhr",
         "- from Tuesday, 20 August 2024, 22:00 to Wednesday, 21 August 2024, 06:00"),
        (["2024-08-20 22:00 +8h", "2024-08-20 10:00 +2h"],
         "- am Dienstag, 20. August 2024 von 10 bis 12 Uhr - von Dienstag, 20. August 2024, 22",
         "- on Tuesday, 20 August 2024 from 10:00 to 12:00 - from Tuesday, 20 August 2024, 22"),
    ],
)  # fmt: skip
def test_brownouts(tmp_path, brownouts, german, english):
    for language, expected, final in (
        ("de", german, "Endgültig abgeschaltet wird am Freitag, 20. September 2024."),
        ("en", english, "The final switch-off is on Friday, 20 September 2024."),
    ):
        text = words(_brownout(tmp_path, language, *brownouts).plain)
        assert expected in text and final in text
        # The day stands there once.
        if "- " not in expected:
            assert text.split("Seen:")[0].split("Gesehen:")[0].count("August 2024") == 1


def test_brownouts_of_two_rules_on_one_day(tmp_path):
    more = 'rule mechanism { notify = "2024-06-01" brownouts = { "2024-08-20 13:00 +2h" } }\n'
    mail = _brownout(tmp_path, "de", "2024-08-20 10:00 +2h", more=more)
    assert mail["Subject"] == (
        "Probeabschaltung am Dienstag, 20. August 2024 von 10 bis 12 Uhr und von 13 bis 15 Uhr: "
        "E-Mail-Zugriff ohne Verschlüsselung und Andere E-Mail-Anmeldung als „Passwort, normal“"
    )


def test_the_samples_are_what_is_sent():
    """If not: python3 tests/e2e/sample_mails.py > docs/mails.md, and read them."""
    assert (ROOT / "docs/mails.md").read_text() == sample_mails.page()


# ---- texts of the operator's that know nothing of all this ----


@pytest.mark.parametrize("reason", REASONS + ["fixed"])
def test_older_texts_stay_as_good_as_they_were(tmp_path, reason):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "eo.txt").write_text((ROOT / "tests/e2e/older-texts.txt").read_text())
    config = write_config(tmp_path, 'languages = { "eo" }', RULES, texts=texts)
    done = subprocess.run([BUILD / "portcullis", "-c", config, "check-config"],
                          capture_output=True, text=True)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    mail = compose(config, notice(reason=reason))
    assert "{" not in mail.plain
    text = words(mail.plain)
    if reason != "fixed":
        assert "- Thunderbird 115.3.1: reading mail (IMAP), port 143, without encryption" in text
        assert "Access without encryption stops working on Friday, 20 September 2024." in text


@pytest.mark.parametrize("section", ["details", "first", "change-encryption", "settings", "help"])
def test_an_older_section_among_newer_ones(tmp_path, host, section):
    """What the operator replaced is used, and what is not used for that is no mistake."""
    older = (ROOT / "tests/e2e/older-texts.txt").read_text()
    body = older.split(f"\n[{section}]\n")[1].split("\n[")[0]
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "en.txt").write_text(f"[{section}]\n{body}\n")
    config = write_config(tmp_path, 'languages = { "en" }', RULES, texts=texts)
    done = subprocess.run([BUILD / "portcullis", "-c", config, "check-config"],
                          capture_output=True, text=True)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert compose(config, notice()).plain.startswith("Hello,")
