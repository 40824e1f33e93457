"""From a real login to a mail in the person's mailbox, and what comes after: servers,
journal, import, notify, Postfix, Dovecot. The calendar goes on by --at."""

import imaplib
import json
import os
import shutil
import subprocess
import time

from email import message_from_bytes

import pytest

import clients
import dovecot

from journal import DIRECTORY as JOURNAL
from mailboxes import LMTP, mail_host, queue_is_empty  # noqa: F401 (a fixture)
from mailhost import CONFIG, USER
from mmdb import CLIENTS
from notices import TEXTS, Mail, words
from processes import wait_until
from recorded_site import day

RULES = f"""
rule encryption {{ observe = "{day(-9)}" notify = "{day(-1)}" enforce = "{day(9)}" }}
rule mechanism  {{ notify = "{day(-1)}" }}
client-settings {{
    imap-server = "imap.example.org"
    smtp-server = "smtp.example.org"
    webmail-url = "https://webmail.example.org/"
}}
notices {{
    from        = "Mail team <mail@example.org>"
    reply-to    = "helpdesk@example.org"
    texts       = "{TEXTS}"
    quiet-hours = "never"
}}
"""


def connect(user, tls, mechanism=None, password=dovecot.PASSWORD, program="Thunderbird"):
    """As the program of that name."""
    connection = clients.connect_imap(CLIENTS["DE"][0], tls)
    connection.introduce(program, "115.3")
    if mechanism is None:
        connection.login(user, password)
    else:
        connection.exchange(mechanism, user, password)
    return connection


def login(*arguments, **options):
    connect(*arguments, **options).logout()


def fetch(user):
    """Takes all mails out of a mailbox, by another program than those above."""
    connection = connect(user, "starttls", program="Test")
    connection.select("INBOX")
    _, [numbers] = connection.search(None, "ALL")
    mails = [connection.fetch(number, "(RFC822)")[1][0][1] for number in numbers.split()]
    if mails:
        connection.store("1:*", "+FLAGS", r"\Deleted")
        connection.expunge()
    connection.logout()
    return mails


def portcullis(*arguments):
    done = subprocess.run(["portcullis", *arguments], capture_output=True, text=True, timeout=180)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def ask(*arguments):
    return json.loads(portcullis(*arguments, "--json"))


def take(user, **what):
    """Imports until it is known that a user was seen so."""

    def known():
        portcullis("import", "--quiet")
        seen = ask("user", user)["programs"]
        return any(what.items() <= program.items() for program in seen)

    wait_until(known, f"{user} with {what} in the store")


def told(user, *at):
    """The mails that a run brings into a mailbox."""
    portcullis("notify", "--quiet", "--send", *at)
    wait_until(queue_is_empty, "an empty queue", interval=0.05)
    return [Mail(raw) for raw in fetch(user)]


@pytest.fixture
def site(mail_host):  # noqa: F811
    host = mail_host

    def apply(rules=RULES):
        host.dovecot.kill()
        host.policyd.stop()
        for path in [*JOURNAL.glob("*.jsonl*"), *JOURNAL.parent.glob("portcullis.db*")]:
            path.unlink()
        listen = "address" if host.dovecot.version == (2, 3) else "listen"
        host.apply(rules, dovecot=LMTP % listen)
        fetch("alice@example.org")

    yield apply
    for path in JOURNAL.parent.glob("portcullis.db*"):
        path.unlink()


def test_from_the_login_to_the_mailbox(site):
    site()
    # Alice's Thunderbird has no encryption; Bob is fine, whatever strangers try.
    login("alice@example.org", "none")
    login("bob@example.org", "implicit")
    for user in ("bob@example.org", "carol@example.org"):
        with pytest.raises(imaplib.IMAP4.error):
            login(user, "none", password="a guess")
        take(user, port=143, verified=False)
    take("alice@example.org", port=143, tls="none", verified=True)
    take("bob@example.org", port=993, verified=True)
    assert [due["user"] for due in ask("notify", "--dry-run")] == ["alice@example.org"]

    [mail] = told("alice@example.org")
    check_notice(mail)
    [sent] = ask("notices")
    assert mail["Message-ID"] == f'<{sent["message_id"]}>'
    assert sent["state"] == "handed-over"
    assert sent["reason"] == "first" and sent["rules"] == ["encryption"]
    assert told("alice@example.org") == []
    # Shortly before the day, nothing has changed.
    [mail] = told("alice@example.org", "--at", f"{day(7)} 09:00")
    assert mail["Subject"].startswith("Ab ") and "/ Switched off from " in mail["Subject"]
    assert told("alice@example.org", "--at", f"{day(7)} 10:00") == []

    # Then the settings are, in another second than they were old.
    second = time.time() // 1
    wait_until(lambda: time.time() // 1 > second, "next second")
    login("alice@example.org", "implicit")
    take("alice@example.org", port=993, client_id="name=Thunderbird version=115.3")
    for days in (8, 9, 16, 30, 60):
        assert told("alice@example.org", "--at", f"{day(days)} 09:00") == []
    assert [notice["state"] for notice in ask("notices")] == ["handed-over"] * 2 + ["noted"]
    assert fetch("bob@example.org") == fetch("carol@example.org") == []


def test_a_refused_login(site):
    site(RULES.replace(day(9), day(-1)))
    with pytest.raises(imaplib.IMAP4.error, match="CONTACTADMIN"):
        login("alice@example.org", "none")
    with pytest.raises(imaplib.IMAP4.error):
        login("bob@example.org", "none", password="a guess")
    take("alice@example.org", port=143, tls="none", verified=True)
    take("bob@example.org", port=143, tls="none", verified=False)
    [mail] = told("alice@example.org")
    assert "/ Refused on " in mail["Subject"]
    assert "(refused)" in words(mail.plain) and "(refused)" in mail.page.text
    assert told("alice@example.org", "--at", f"{day(20)} 09:00") == []
    assert fetch("bob@example.org") == []


def test_as_the_service_does_it(site):
    """Without the right to change its group, which Postfix's sendmail has otherwise."""
    site()
    login("alice@example.org", "none")
    take("alice@example.org", port=143, tls="none", verified=True)
    folder = JOURNAL.parent
    owner = (folder.stat().st_uid, folder.stat().st_gid)
    paths = [folder, *folder.glob("portcullis.db*"), *folder.glob("notify.lock")]
    for path in paths:
        shutil.chown(path, USER, USER)
    try:
        subprocess.run(
            ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--groups=postdrop"]
            + ["--no-new-privs", "portcullis", "notify", "--quiet"],
            check=True,
            timeout=180,
        )
    finally:
        os.chown(folder, *owner)
    wait_until(queue_is_empty, "an empty queue", interval=0.05)
    assert len(fetch("alice@example.org")) == 1


PIPE = "portcullis-bounce"
# As the manual says.
MASTER_CF = f"{PIPE}/unix={PIPE} unix - n n - 1 pipe user={USER} argv=%s notices --bounce"
MAPS = {
    "virtual_alias_maps": "inline:{ { mail@example.org = bob@example.org, "
    f"{PIPE}@example.org }} }}",
    "transport_maps": f"inline:{{ {{ {PIPE}@example.org = {PIPE}: }} }}",
}


@pytest.fixture
def with_bounce_pipe(mail_host):  # noqa: F811
    postfix = mail_host.postfix
    before = {name: postfix_setting(name) for name in MAPS}
    postfix.postconf("-M", MASTER_CF % shutil.which("portcullis"))
    postfix.postconf("-e", *(f"{name}={value}" for name, value in MAPS.items()))
    # After a reload, some processes still go by the old settings for a while.
    postfix.restart()
    yield
    postfix.postconf("-MX", f"{PIPE}/unix")
    postfix.postconf("-e", *(f"{name}={value}" for name, value in before.items()))
    postfix.restart()


def postfix_setting(name):
    return subprocess.run(
        ["postconf", "-h", name], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_mail_that_comes_back(site, with_bounce_pipe):
    """By Postfix and its pipe, to the people behind the sender's address as well."""
    addresses = CONFIG.parent / "addresses"
    addresses.write_text("carol@example.org gone@example.org\n")
    site(RULES.replace("notices {", f'notices {{ address-map = "file:{addresses}"'))
    fetch("bob@example.org")
    for user in ("alice@example.org", "carol@example.org"):
        login(user, "none")
        take(user, port=143, tls="none", verified=True)
    folder = JOURNAL.parent
    owner = (folder.stat().st_uid, folder.stat().st_gid)
    for path in [folder, *folder.glob("portcullis.db*"), *folder.glob("notify.lock")]:
        shutil.chown(path, USER, USER)
    try:
        portcullis("notify", "--quiet")
        wait_until(lambda: ask("notices", "--failed"), "a notice that came back")
        wait_until(queue_is_empty, "an empty queue", interval=0.05)
        # Whatever else comes there is nothing to it, and does not come back.
        for text in ("Subject: Hello\n\nWhat is this?\n", ""):
            subprocess.run(["sendmail", "-i", "-f", "", "mail@example.org"], check=True,
                           input=text.encode())  # fmt: skip
        wait_until(queue_is_empty, "an empty queue", interval=0.05)
        [failed] = ask("notices", "--failed")
        states = {notice["user"]: notice["state"] for notice in ask("notices")}
        untold = [(row["user"], row["address"], row["why"], row["devices"])
                  for row in ask("notify", "--untold")]  # fmt: skip
    finally:
        os.chown(folder, *owner)
        addresses.unlink()
    assert failed["user"] == "carol@example.org" and failed["recipient"] == "gone@example.org"
    assert failed["error"].startswith("it came back: 5.1.1 ")
    assert states == {"alice@example.org": "handed-over", "carol@example.org": "failed"}
    assert untold == [("carol@example.org", "gone@example.org", "mail failed", ["Thunderbird imap:143"])]
    assert len(fetch("alice@example.org")) == 1
    kinds = [message_from_bytes(raw).get_content_type() for raw in fetch("bob@example.org")]
    # The summary came back, too: there is no helpdesk.
    assert kinds.count("multipart/report") == 2 and len(kinds) == 4


def check_notice(mail):
    assert mail["To"] == "alice@example.org"
    assert mail["From"] == "Mail team <mail@example.org>"
    assert mail["Reply-To"] == "helpdesk@example.org"
    assert mail["Return-Path"] == "<mail@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    assert abs(mail["Date"].datetime.timestamp() - time.time()) < 60
    for text in (words(mail.plain), mail.page.text):
        assert "alice@example.org" in text
        # What was seen: by what, how, from where, in both languages.
        for detail in ("Thunderbird 115.3", "143", "without encryption", "ohne Verschlüsselung",
                       CLIENTS["DE"][0], "Germany", "Deutschland"):  # fmt: skip
            assert detail in text, detail
        # What to change, and what works meanwhile.
        for detail in ("imap.example.org", "993", "SSL/TLS", "webmail.example.org"):
            assert detail in text, detail
    assert not {"a", "form", "script", "img"} & mail.page.names()
