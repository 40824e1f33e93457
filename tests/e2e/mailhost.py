"""A mail host under one policy: Dovecot with the gate, Postfix, and the policy
daemon beside it. What a test wants to be different it says with apply()."""

import os
import shutil
import subprocess

from pathlib import Path

import accounts
import certificates
import clients
import mmdb

from dovecot import LAST_USER, MAIL_UID, Dovecot
from journal import DIRECTORY as JOURNAL_DIRECTORY
from journal import Journal
from namespaces import HOST_NAME, own_directory
from policyd import USER, PolicyDaemon
from postfix import Postfix

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PORTCULLIS_BUILD", ROOT / "build")).resolve()
EXAMPLES = ROOT / "conf-examples"

CONFIG = Path("/etc/portcullis/portcullis.conf")
EXEMPTIONS = Path("/etc/portcullis/exemptions")
# Made as the journal is by tmpfiles.d, which the servers themselves need not be able to do.
LAST_VALID = JOURNAL_DIRECTORY.parent / "last-valid"
COUNTRY_DATABASE = Path("/var/lib/GeoIP/GeoLite2-Country.mmdb")

HELP_URL = "https://www.example.org/mail"

# What stands in portcullis.conf before the rules.
SITE = f"""organisation     = "Example University"
help-url         = "{HELP_URL}"
default-domain   = "example.org"
country-database = "{COUNTRY_DATABASE}"
exemptions       = "{EXEMPTIONS}"
journal          = "{JOURNAL_DIRECTORY}"
combine          = 0        # tests look at each attempt
unverified-per-minute = 100000

network campus  {{ addresses = {{ "192.0.2.0/24", "2001:db8::/32" }} }}
network webmail {{ addresses = {{ "198.51.100.25" }} }}
"""


# A policy must have a rule; this one retires nothing in the life of these tests.
NO_RULES = 'rule encryption { observe = "2099-01-01" }\n'


class MailHost:
    def __init__(self):
        self.dovecot = Dovecot()
        self.postfix = Postfix()
        self.policyd = PolicyDaemon()
        self.dovecot_journal = Journal("dovecot")
        self.postfix_journal = Journal("postfix")
        self.environment = {}

    def install(self):
        """Everything onto the disk, nothing started. The servers get their
        configuration as an operator would give it to them."""
        accounts.add("vmail", MAIL_UID)
        certificates.make(HOST_NAME)
        self.dovecot.install()
        self.postfix.install()
        self._install_portcullis()

    def _install_portcullis(self):
        accounts.add(USER, 5001)
        subprocess.run(
            ["make", "-s", "-C", ROOT, "install", f"BUILD={os.path.relpath(BUILD, ROOT)}"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        other_daemon = os.environ.get("POLICYD_PROGRAM")
        if other_daemon:
            shutil.copy(other_daemon, "/usr/sbin/portcullis-policyd")
        own_directory(CONFIG.parent)
        own_directory(JOURNAL_DIRECTORY.parent)
        # Written by Dovecot's auth process and by the daemon, in one group.
        for directory in (JOURNAL_DIRECTORY, LAST_VALID):
            directory.mkdir()
            directory.chmod(0o2770)
            shutil.chown(directory, USER, USER)
        own_directory(COUNTRY_DATABASE.parent)
        mmdb.write(COUNTRY_DATABASE)
        series = ".".join(map(str, self.dovecot.version))
        self.dovecot.install_snippets(EXAMPLES / f"dovecot-{series}")
        self.postfix.run_example(EXAMPLES / "postfix/postconf-commands.sh")
        self.write_policy("")

    def write_policy(self, rules, exemptions="", site=SITE):
        """The files alone; the servers are told by apply(), reload() or nobody."""
        has_rule = "rule " in site + rules
        CONFIG.write_text(site + rules + ("" if has_rule else NO_RULES))
        # With nothing in it, the servers would go by what was there before.
        EXEMPTIONS.write_text(exemptions or "# nobody\n")

    def start(self):
        self.dovecot.start(self.environment)
        self.policyd.start(self.environment)
        self.postfix.start()

    def stop(self):
        self.postfix.stop()
        self.policyd.stop()
        self.dovecot.stop()

    def apply(self, rules, exemptions="", timezone=None, dovecot="", site=SITE, clock=None):
        """Puts a policy in force from a fresh start of Dovecot and the daemon;
        Postfix goes on. rules: what follows site in portcullis.conf.
        timezone: a POSIX TZ string that the policy's dates are read in.
        dovecot: further Dovecot settings, at the end of local.conf.
        clock: a FakedClock that both go by.
        What the journals held before is not read any more."""
        self.write_policy(rules, exemptions, site)
        self.dovecot.configure(dovecot, list(clock.environment) if clock else [])
        self.environment = {} if timezone is None else {"TZ": timezone}
        if clock is not None:
            self.environment.update(clock.environment)
        self.dovecot.kill()
        self.policyd.stop()
        self.dovecot.start(self.environment)
        self.policyd.start(self.environment)
        self.dovecot.wait_for_auth()
        if not self.postfix.running:
            self.postfix.start()
        self.dovecot_journal.skip()
        self.postfix_journal.skip()

    def recorded(self):
        """The events that both have recorded since they were last asked, and no
        one is still on its way: behind them comes a login that a daemon of either
        records, once a day. So call it once after apply()."""
        assert clients.imap(LAST_USER, tls="implicit").accepted
        assert clients.smtp(465, LAST_USER).accepted
        journals = (self.dovecot_journal, self.postfix_journal)
        return [event for journal in journals for event in journal.wait_for_user(LAST_USER)]

    def reload(self):
        """Tells both to read portcullis.conf again, by SIGHUP."""
        self.dovecot.reload()
        self.policyd.reload()

