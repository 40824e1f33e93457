"""Who logs in and sends mail meanwhile, by real mail programs' ways."""

import imaplib
import smtplib
import ssl
import threading
import time

from machine import USER, wait

PASSWORD = "correct horse"

# How long the servers may be away while they are restarted, and for how long one answer may
# take. A process of Postfix that begins while there is no Dovecot ends, and Postfix begins no
# other one for a minute (service_throttle_time): mail programs wait.
AWAY = {"imap": 30, "smtp": 100}
ANSWER = 120

TLS = ssl.create_default_context()
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


class Away(Exception):
    """The server does not answer just now, or says so."""


def imap(port, tls, read=None):
    """"in", or "refused". read: a text to look for in the INBOX; "not there" when it is not."""
    try:
        client = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=TLS, timeout=ANSWER) if tls == "implicit" else (
            imaplib.IMAP4("127.0.0.1", port, timeout=ANSWER))  # fmt: skip
        with client:
            if tls == "starttls":
                client.starttls(TLS)
            try:
                client.login(USER, PASSWORD)
            except imaplib.IMAP4.error as error:
                if "UNAVAILABLE" in str(error) or isinstance(error, imaplib.IMAP4.abort):
                    raise Away(error) from None
                return "refused"
            client.select("INBOX")
            if read and client.search(None, "SUBJECT", read)[1] == [b""]:
                return "not there"
        return "in"
    except (OSError, imaplib.IMAP4.abort) as error:
        raise Away(error) from None


def smtp(tls, subject=None):
    """The answer to a login and a recipient on port 587, or to the mail of that subject."""
    try:
        with smtplib.SMTP("127.0.0.1", 587, timeout=ANSWER) as client:
            if tls == "starttls":
                client.starttls(context=TLS)
            client.login(USER, PASSWORD)
            if subject is None:
                client.mail(USER)
                code, text = client.rcpt(f"{USER}@localhost")
                return f"{code} {text.decode()}"
            client.sendmail(USER, [f"{USER}@localhost"], f"Subject: {subject}\n\nHello.\n")
            return "250"
    except smtplib.SMTPAuthenticationError as error:
        # Postfix cannot ask Dovecot, or that ended before it knew (and so gives no reason).
        if error.smtp_code == 454 or b"(reason unavailable)" in error.smtp_error:
            raise Away(error) from None
        return f"{error.smtp_code} {error.smtp_error.decode()}"
    except (OSError, smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError) as error:
        raise Away(error) from None


def mail_arrives():
    subject = f"mail-{time.monotonic_ns()}"
    assert smtp("starttls", subject) == "250"
    wait(lambda: imap(993, "implicit", read=subject) == "in", "mail in the INBOX")


class Watch:
    """People who log in again and again, and send mail: nobody is refused meanwhile, and the
    servers are away no longer than a restart takes."""

    def __enter__(self):
        self._stop = threading.Event()
        self._failures = []
        self._tries = {"imap": 0, "smtp": 0}
        self._longest = {"imap": 0, "smtp": 0}
        self._threads = [
            threading.Thread(target=self._go_on, args=args)
            for args in (
                ("imap", lambda: imap(143, "starttls"), "in"),
                ("smtp", lambda: smtp("starttls"), "250"),
            )
        ]
        for thread in self._threads:
            thread.start()
        return self

    def _go_on(self, name, attempt, expected):
        last = time.monotonic()
        while not self._stop.is_set():
            try:
                answer = attempt()
                self._tries[name] += 1
                self._longest[name] = max(self._longest[name], time.monotonic() - last)
                last = time.monotonic()
                if not answer.startswith(expected):
                    self._failures.append(f"{name}: {answer}")
            except Away as error:
                if time.monotonic() - last > AWAY[name]:
                    self._failures.append(f"{name}: away for {AWAY[name]} s: {error}")
                    return
            time.sleep(0.05)

    def __exit__(self, kind, *_):
        # Each gets in once more, when all is done.
        done = dict(self._tries)
        while any(
            thread.is_alive() and self._tries[name] == done[name]
            for name, thread in zip(done, self._threads)
        ):
            time.sleep(0.05)
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for name, count in self._tries.items():
            print(f"    {count} by {name}, not for {self._longest[name]:.1f} s", flush=True)
        if kind is None:
            assert self._failures == [], self._failures
