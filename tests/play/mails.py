"""What stands in the mails, as a reader would see it."""

import collections
import datetime
import email
import email.header
import email.policy
import email.utils
import re

from dataclasses import dataclass

# "Thunderbird 115.3: reading mail (IMAP)", and below it what was seen. Lines are wrapped.
DEVICE = re.compile(r"^([^-\n][^:]*): .*\n- ", re.DOTALL)
SEEN = re.compile(r"^- Seen: (?:.|\n {2})+", re.MULTILINE)
ABROAD = re.compile(r"^Last login from abroad [^.]+\.", re.MULTILINE)
VERSION = re.compile(r" [0-9][0-9A-Za-z.]*$")
MONTHS = ("January February March April May June July August September October November"
          " December").split()  # fmt: skip
DATE = re.compile(r"(\w+day),\s+(\d{1,2})\s+(" + "|".join(MONTHS) + r")\s+(\d{4})")

# A mail system's report that a notice could not be delivered (RFC 3464).
BOUNCE = """From: MAILER-DAEMON@{domain}
To: mail@{domain}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mailbox is full.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.{domain}

Final-Recipient: rfc822; {user}
Action: failed
Status: 5.2.2

--b
Content-Type: text/rfc822-headers

From: mail@{domain}
To: {user}
Message-ID: <{message_id}>

--b--
"""


@dataclass
class Mail:
    user: str
    moment: float
    message_id: str
    subject: str
    text: str


def read(path, moment):
    """Of a mail of ours, whose text is its first part. Faster than the email module's own
    policies. None where it breaks off."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if not content.rstrip().endswith(b"--"):
        return None
    mail = email.message_from_bytes(content, policy=email.policy.compat32)
    text = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    recipient = email.utils.parseaddr(mail["To"])[1]
    return Mail(recipient, moment, mail["Message-ID"].strip("<> "),
                str(email.header.make_header(email.header.decode_header(mail["Subject"]))),
                text.get_payload(decode=True).decode())  # fmt: skip


def bounce(mail, domain):
    return BOUNCE.format(domain=domain, user=mail.user, message_id=mail.message_id)


def seen(text):
    """What it says of when and how each device was seen, and of a login from abroad."""
    return SEEN.findall(text) + ABROAD.findall(text)


def devices(text):
    """Those that a mail lists: their names, and what stands of them."""
    return [(DEVICE.match(part).group(1), part) for part in text.split("\n\n")
            if SEEN.search(part)]  # fmt: skip


def names_versions_twice(text):
    """One program, once for each of its versions."""
    programs = collections.Counter()
    for name in {name for name, _ in devices(text)}:
        if VERSION.search(name):
            programs[VERSION.sub("", name)] += 1
    return any(count > 1 for count in programs.values())


def names_nobody(text, nameless):
    """No device has a name. nameless: what stands in its place."""
    names = [name for name, _ in devices(text)]
    return bool(names) and all(name == nameless for name in names)


def dates(text):
    """All of them; None for one that there is not, such as Monday, 2 September 2025."""
    return [date_of(*match.groups()) for match in DATE.finditer(text)]


def date_of(weekday, day, month, year):
    try:
        date = datetime.date(int(year), MONTHS.index(month) + 1, int(day))
    except ValueError:
        return None
    return date if date.strftime("%A") == weekday else None
