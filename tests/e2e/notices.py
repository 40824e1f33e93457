"""Notices as the tests compose them and hand them over: see notice-tool.c."""

import email
import email.policy
import json
import subprocess

from html.parser import HTMLParser

import mmdb

from mailhost import BUILD, ROOT

TOOL = BUILD / "tests/e2e/notice-tool"
TEXTS = ROOT / "notices"

SITE = """
organisation   = "Universität Beispiel"
help-url       = "https://www.example.org/mail"
default-domain = "example.org"
country-database = "{directory}/country.mmdb"
journal        = "{directory}/journal"
store          = "sqlite:{directory}/store.db"
"""

RULES = """
rule encryption {
    notify    = "2024-06-01"
    enforce   = "2024-09-20"
    brownouts = { "2024-08-20 10:00 +4h" }
}
rule mechanism { notify = "2024-06-01" enforce = "2024-10-20 06:00" }
rule abroad {
    kind = "country" services = { "imap" } allow = { "DE", "FR" }
    notify = "2024-06-01" enforce = "2024-09-20"
}
"""

CLIENT_SETTINGS = """
client-settings {
    imap-server = "imap.example.org"
    smtp-server = "smtp.example.org"
    smtp-port   = 587
    webmail-url = "https://webmail.example.org/"
}
"""


def write_config(directory, notices="", rules=RULES, settings=CLIENT_SETTINGS, texts=TEXTS):
    """portcullis.conf in the directory, with more keys for its notices { }."""
    path = directory / "portcullis.conf"
    mmdb.write(directory / "country.mmdb")
    path.write_text(
        SITE.format(directory=directory)
        + rules
        + settings
        + f'notices {{ from = "mail@example.org" texts = "{texts}" {notices} }}\n'
    )
    return path


def sighting(**values):
    """One as notice-tool takes it: an honest Thunderbird unless told otherwise."""
    return {
        "client_id": "name=Thunderbird version=115.3.1",
        "service": "imap",
        "port": 143,
        "tls": "none",
        "mechanism": "PLAIN",
        "country": "DE",
        "client": "203.0.113.5",
        "last_seen": "2024-06-09 02:26",
        **values,
    }


def notice(**values):
    return {
        "reason": "first",
        "recipient": "alice@example.org",
        "user": "alice@example.org",
        "message_id": "4711@example.org",
        "date": "2024-06-10 08:00",
        "rules": [{"rule": "encryption", "sightings": [sighting()]}],
        **values,
    }


def try_compose(config, description):
    return subprocess.run(
        [TOOL, config, "compose"],
        input=json.dumps(description).encode(),
        capture_output=True,
        env={"TZ": "Europe/Berlin", "PATH": "/usr/bin:/bin"},
    )


class Mail:
    """A finished mail and its two parts, parsed by Python's email package."""

    def __init__(self, raw):
        self.raw = raw
        self.message = email.message_from_bytes(raw, policy=email.policy.default)
        assert self.message.get_content_type() == "multipart/alternative"
        plain, html = self.message.iter_parts()
        assert plain.get_content_type() == "text/plain"
        assert html.get_content_type() == "text/html"
        self.plain = plain.get_content()
        self.html = html.get_content()
        self.page = Page(self.html)

    def __getitem__(self, name):
        return self.message[name]


def compose(config, description):
    done = try_compose(config, description)
    assert done.returncode == 0, done.stderr.decode()
    return Mail(done.stdout)


VOID = {"meta", "hr", "br"}
BLOCKS = {"p", "h1", "h2", "h3", "li"}


class Page(HTMLParser):
    """An HTML page: its elements, its text, and that all is closed that opens."""

    def __init__(self, html):
        super().__init__()
        self.elements = []  # (name, attributes)
        self.texts = []
        self.blocks = []  # paragraphs, headings and items, each as one line
        self._open = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not self._open or self._open[-1] != "style":
            self.texts.append(data)
        if self._open and self._open[-1] in BLOCKS:
            self.blocks[-1] += words(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def names(self):
        return {name for name, _ in self.elements}

    def all(self, name):
        return [attributes for element, attributes in self.elements if element == name]


def words(text):
    """A text without its line breaks."""
    return " ".join(text.split())
