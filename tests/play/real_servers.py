"""Real Dovecot and Postfix with the gate and the daemon, under the policy of the play and
at its time: what they tell a client, and what they record of it."""

from dataclasses import dataclass

import clients
import dovecot

from faked_clock import FakedClock
from mailhost import COUNTRY_DATABASE, EXEMPTIONS, JOURNAL_DIRECTORY

from university import DOMAIN, Way

SITE = f"""
organisation     = "Example University"
help-url         = "https://www.{DOMAIN}/mail"
default-domain   = "{DOMAIN}"
country-database = "{COUNTRY_DATABASE}"
exemptions       = "{EXEMPTIONS}"
journal          = "{JOURNAL_DIRECTORY}"
combine          = 0
"""

GRACE = JOURNAL_DIRECTORY / "grace"

# How an address comes to the servers: by itself, or told by a proxy.
DOVECOT_PROXIES = (None, 1, 2)
POSTFIX_PROXIES = (None, 1, 2, "xclient")


@dataclass
class Attempt:
    moment: float
    user: str
    way: Way
    client: str
    program: tuple = None  # an IMAP client's name and version, if it says them
    helo: str = "localhost"  # what one that sends calls itself
    knows_password: bool = True


@dataclass
class Outcome:
    accepted: bool
    text: str
    seconds: float  # that it took


class RealServers:
    """host: an installed MailHost. timezone: for TZ."""

    def __init__(self, host, users, timezone, moment):
        self.host = host
        self.clock = FakedClock(host.dovecot, moment)
        self.timezone = timezone
        self.policy = None
        self.made = 0
        dovecot.write_users(dict.fromkeys([*users, dovecot.LAST_USER], "PLAIN"))

    def set_policy(self, rules, exemptions, grace):
        """As they stand in the files, unless they did so before."""
        before, self.policy = self.policy, (rules, exemptions, grace)
        if before == self.policy:
            return
        GRACE.write_text(grace)
        GRACE.chmod(0o644)
        if before is None:
            self._start(rules, exemptions)
        else:
            self.host.write_policy(rules, exemptions, SITE)
            self.host.reload()

    def _start(self, rules, exemptions):
        host = self.host
        patience = "default_idle_kill" + ("_interval" if host.dovecot.version > (2, 3) else "")
        # Not all its processes end with each hour that is left out.
        host.apply(rules, exemptions, timezone=self.timezone, site=SITE, clock=self.clock,
                   dovecot=f"{patience} = 1000 days\n")  # fmt: skip
        variables = " ".join(host.environment)
        host.postfix.postconf("-e", f"import_environment=MAIL_CONFIG MAIL_LOGTAG {variables}")
        host.postfix.restart(host.environment)

    def log_in(self, attempts):
        """One after the other, each at its moment. Returns their outcomes, and what was
        recorded."""
        outcomes = []
        for attempt in attempts:
            self.clock.set(attempt.moment)
            accepted, text = self._log_in(attempt)
            outcomes.append(Outcome(accepted, text, self.clock.now() - attempt.moment))
        return outcomes, self.host.recorded()

    def _log_in(self, attempt):
        self.made += 1
        if attempt.way.service == "submission":
            return self._send(attempt, POSTFIX_PROXIES[self.made % len(POSTFIX_PROXIES)])
        reply = self._read(attempt, DOVECOT_PROXIES[self.made % len(DOVECOT_PROXIES)])
        return reply.accepted, reply.text

    def _read(self, attempt, proxy):
        way = attempt.way
        log_in = {"imap": clients.imap, "pop3": clients.pop3}[way.service]
        options = {"program": attempt.program} if way.service == "imap" else {}
        # A PLAIN login is that of the protocol's own command as well.
        mechanism = None if way.mechanism == "PLAIN" and self.made % 2 else way.mechanism
        return log_in(attempt.user, password(attempt), attempt.client, way.tls, mechanism,
                      way.port, proxy, **options)  # fmt: skip

    def _send(self, attempt, proxy):
        """As far as the recipient, where the daemon is asked."""
        way = attempt.way
        if proxy == "xclient":
            connection = clients.connect_smtp_by_xclient(way.port, attempt.client, way.tls,
                                                         attempt.helo)  # fmt: skip
        else:
            connection = clients.connect_smtp(way.port, attempt.client, way.tls, proxy,
                                              helo=attempt.helo)  # fmt: skip
        try:
            code, text = connection.exchange(way.mechanism, attempt.user, password(attempt))
            if code == 235:
                connection.mail(attempt.user)
                code, text = connection.rcpt("someone@example.org")
            return code in (235, 250), f"{code} {text.decode()}"
        finally:
            connection.close()

    def stop(self):
        """Leaves all as it was."""
        self.host.stop()
        self.host.postfix.postconf("-X", "import_environment")
        GRACE.unlink()
        dovecot.write_users(dovecot.USERS)


def password(attempt):
    return dovecot.PASSWORD if attempt.knows_password else "guessed"
