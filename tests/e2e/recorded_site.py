"""A portcullis.conf, a journal that a test writes, and the operator's questions
about it, for what takes weeks on real servers."""

import datetime
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import time
import unicodedata

import mmdb

from mailhost import BUILD

DAY = 86400.0

SITE = """
organisation     = "Example University"
help-url         = "https://www.example.org/mail"
default-domain   = "example.org"
country-database = "{directory}/country.mmdb"
exemptions       = "{directory}/exemptions"
journal          = "{directory}/journal"
store            = "{store}"

network campus {{ addresses = {{ "192.0.2.0/24" }} }}

client-settings {{
    imap-server = "imap.example.org"
    imap-port   = 993
    pop3-server = "pop3.example.org"
    smtp-server = "smtp.example.org"
    smtp-port   = 587
    user-name   = "your whole address"
    webmail-url = "https://webmail.example.org/"
}}
"""

# Another kind of store for each site; conftest.py sets it where --postgresql is given.
make_store = make_store_in_a_file = "sqlite:{}/store.db".format

# sysexits.h
EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_CONFIG = 64, 65, 66, 78


def iso(moment):
    """As the journal and the answers have it."""
    milliseconds = round(moment * 1000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{text}.{milliseconds % 1000:03d}Z"


def day(days=0):
    """Today, or so many days from it, as it stands in portcullis.conf."""
    return (datetime.datetime.now() + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


def midnight(days=0):
    """With which today begins, or so many days from it."""
    return time.mktime(time.strptime(day(days), "%Y-%m-%d"))


def json_date(text):
    """Local "YYYY-MM-DD HH:MM", or "YYYY-MM-DD", as answers have it."""
    return datetime.datetime.fromisoformat(text).astimezone().isoformat()


def phase_of(phases, title, moment):
    """phases: when each begins, in days from now, by title; the earliest first."""
    begun = [phase for phase, days in phases[title].items()
             if midnight(days) <= moment]  # fmt: skip
    return begun[-1] if begun else None


def week(moment):
    """Since the Monday before 1970, UTC."""
    return int((moment + 3 * DAY) // (7 * DAY))


class RecordedSite:
    def __init__(self, directory, rules):
        self.directory = directory
        self.config = directory / "portcullis.conf"
        self.exemptions = directory / "exemptions"
        self.store = directory / "store.db"
        self.uri = make_store(directory)
        self.journal = directory / "journal"
        self.journal.mkdir()
        self.exemptions.write_text("")
        self.write_rules(rules)
        mmdb.write(directory / "country.mmdb", built=int(time.time()) - 86400)

    def write_rules(self, rules, config=None):
        path = config or self.config
        path.write_text(SITE.format(directory=self.directory, store=self.uri) + rules)

    def record(self, user, *rules, days_ago=0.01, count=1, **changes):
        """Writes a line of the journal: a login without TLS, from Germany, that
        breaks these rules ("title" for one in its notify phase, or "title=phase").
        Returns its time in the journal's form."""
        moment = iso(time.time() - days_ago * DAY)
        broken = dict(rule.split("=") if "=" in rule else (rule, "notify") for rule in rules)
        event = {
            "time": moment,
            "host": "mx1",
            "source": "dovecot",
            "user": user,
            "verified": True,
            "action": "reject" if "enforce" in broken.values() else "allow",
            "service": "imap",
            "port": 143,
            "tls": "none",
            "mechanism": "PLAIN",
            "client": mmdb.CLIENTS["DE"][0],
            "country": "DE",
            "rules": broken,
            "client_id": "name=Thunderbird version=115.3",
            "session": "abc",
            "count": 1,
        } | changes
        source = event["source"]
        with open(self.journal / f"{source}.jsonl", "a", encoding="utf-8") as file:
            file.write((json.dumps(event) + "\n") * count)
        return moment

    def fine(self, user, **changes):
        """A login that nothing can be said against."""
        return self.record(user, **({"port": 993, "tls": "implicit"} | changes))

    def run(self, *arguments, program=BUILD / "portcullis", config=None, environment=None,
            **options):  # fmt: skip
        command = [program, "-c", config or self.config, *map(str, arguments)]
        return subprocess.run(
            command,
            env=dict(os.environ, **(environment or {})),
            capture_output=True,
            timeout=180,
            **({"text": True} | options),
        )

    def must(self, *arguments, **options):
        """Runs a command that must be fine, and returns what it prints."""
        result = self.run(*arguments, **options)
        assert result.returncode == 0, result
        assert not result.stderr, result
        return result.stdout

    def show(self, *arguments, columns=100, environment=None, statuses=(0,)):
        """What a command, which must end so, prints on a terminal that is so wide."""
        command = [BUILD / "portcullis", "-c", self.config, *map(str, arguments)]
        variables = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        with subprocess.Popen(command, env=variables | (environment or {}), stdin=terminal,
                              stdout=terminal, stderr=terminal) as process:  # fmt: skip
            os.close(terminal)
            output = b"".join(iter(lambda: _read_terminal(controller), b""))
        os.close(controller)
        assert process.returncode in statuses, output
        return output.decode("utf-8").replace("\r", "")

    def take(self):
        """portcullis import."""
        self.must("import", "--quiet")

    def ask(self, *arguments, **options):
        """The answer in JSON."""
        return json.loads(self.must(*arguments, "--json", **options))


def _read_terminal(controller):
    try:
        return os.read(controller, 65536)
    except OSError:  # how a pseudo-terminal tells that all others have closed it
        return b""


def _columns(character):
    if unicodedata.category(character) == "Mn":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def width(text):
    """The columns that it takes."""
    return sum(map(_columns, text))


def fits_a_terminal(text, columns=100):
    """Asserts that no line is longer, and nothing but text."""
    for line in text.splitlines():
        assert width(line) <= columns, line
        assert line.isprintable(), line
