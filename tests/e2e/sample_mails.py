"""Prints docs/mails.md: each kind of mail, as the program makes it of an example.

python3 tests/e2e/sample_mails.py > docs/mails.md
"""

import pathlib
import re
import sys
import tempfile

from notices import compose, notice, sighting, write_config

RULES = """
rule encryption {
    notify    = "2024-06-01"
    enforce   = "2024-09-20"
    brownouts = { "2024-08-20 10:00 +2h", "2024-08-20 14:00 +2h" }
}
rule mechanism { notify = "2024-06-01" enforce = "2024-10-20 06:00" }
rule abroad {
    kind = "country" services = { "imap" } allow = { "DE", "AT", "CH", "FR" }
    notify = "2024-06-01" enforce = "2024-09-20"
}
network campus { addresses = { "192.0.2.0/24" } }
"""
SETTINGS = """
client-settings {
    imap-server  = "imap.example.org"
    smtp-server  = "smtp.example.org"
    smtp-port    = 587
    user-name    = %s
    webmail-url  = "https://webmail.example.org/"
    vpn-url      = "https://vpn.example.org/"
    password-url = "https://password.example.org/"
}
"""
THUNDERBIRD = sighting(days=36, first_seen="2024-05-02 08:00", client="192.0.2.44")
OUTLOOK = sighting(client_id="name=Outlook version=16.0", mechanism="CRAM-MD5", days=20,
                   first_seen="2024-05-06 08:00", last_seen="2024-06-09 01:03")  # fmt: skip
LAPTOP = sighting(client_id="DESKTOP-33C70B8", service="submission", port=587, days=6,
                  first_seen="2024-05-02 08:00", last_seen="2024-06-08 23:40")  # fmt: skip
SCANNER = sighting(client_id="", service="submission", port=25, client="192.0.2.9", days=3,
                   first_seen="2024-04-02 08:00", last_seen="2024-06-05 11:20")  # fmt: skip
ABROAD = sighting(country="US", client="198.51.100.7", days=2, first_seen="2024-06-05 20:00")


def _encryption(*sightings, **values):
    return {"rules": [{"rule": "encryption", "sightings": sightings, **values}]}


BOTH = {"rules": [{"rule": "encryption", "sightings": [THUNDERBIRD, OUTLOOK, LAPTOP, SCANNER]},
                  {"rule": "mechanism", "sightings": [OUTLOOK]}]}  # fmt: skip
CHANGED = {**THUNDERBIRD, "port": 993, "tls": "implicit", "last_seen": "2024-06-23 09:00"}
REFUSED = {**LAPTOP, "refused": True, "last_seen": "2024-09-21 07:30"}

# What it is, and the notice.
SAMPLES = [
    ("The first mail (`first`), whole", {"reason": "first", **BOTH}),
    ("The same, because of countries",
     {"reason": "first", "rules": [{"rule": "abroad", "sightings": [ABROAD]}]}),
    ("The same, of an exemption that ends", {"reason": "first", "exempt_until": "2025-01-31",
                                             **_encryption(LAPTOP, enforce="2025-02-01")}),
    ("A reminder (`reminder`), after one device was put right",
     {"reason": "reminder", "date": "2024-06-24 08:00", "changed": [CHANGED],
      **_encryption(LAPTOP)}),
    ("The last call (`last-call`)",
     {"reason": "last-call", "date": "2024-09-12 08:00", **_encryption(LAPTOP, SCANNER)}),
    ("Another date (`moved`)",
     {"reason": "moved", "date": "2024-07-01 08:00", **_encryption(LAPTOP, moved_from="2024-09-06")}),
    ("Before a brown-out (`brown-out`)",
     {"reason": "brown-out", "date": "2024-08-17 12:00", **_encryption(LAPTOP)}),
    ("After a refusal (`refused`)",
     {"reason": "refused", "date": "2024-09-21 08:00", **_encryption(REFUSED, SCANNER)}),
    ("Good news (`fixed`)",
     {"reason": "fixed", "date": "2024-07-01 08:00", "changed": [CHANGED],
      **_encryption(THUNDERBIRD)}),
]  # fmt: skip

# What is the same in all mails begins with this.
SAME = re.compile(r"\n\n(Das muss|Das müssen|This may|These may) .*", re.DOTALL)
NAMES = {"de": '"Ihre ganze Adresse"', "en": '"your whole address"'}

HEAD = """# What people read

Each kind of mail, as Portcullis makes it of an example, in German and in English (a mail has
both, as `languages` says). At [...] it goes on as the first one does. The texts are in
`notices/`; portcullis-notices(5) says how to change them. This page is made by
`python3 tests/e2e/sample_mails.py`.
"""


def _sample(directory, language, values, is_whole):
    mail = compose(
        write_config(directory, f'languages = {{ "{language}" }}', RULES,
                     SETTINGS % NAMES[language]),
        notice(**values),
    )  # fmt: skip
    body = mail.plain if is_whole else SAME.sub("\n\n[...]", mail.plain)
    return f"```\nSubject: {mail['Subject']}\n\n{body.rstrip()}\n```\n"


def page():
    with tempfile.TemporaryDirectory() as directory:
        parts = [HEAD]
        for number, (title, values) in enumerate(SAMPLES):
            parts.append(f"\n## {title}\n")
            for language in ("de", "en"):
                parts.append("\n" + _sample(pathlib.Path(directory), language, values, number == 0))
        return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
