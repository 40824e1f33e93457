"""fail2ban as its package brings it, with what conf-examples adds."""

import configparser
import re
import shutil
import subprocess

from pathlib import Path

from mailhost import EXAMPLES
from processes import Server, wait_until

ETC = Path("/etc/fail2ban")
LOG = Path("/var/log/fail2ban.log")


def as_by_syslog(dovecot="", policyd="", postfix="", stamp="Nov 21 12:00:00"):
    """Lines as they stand in /var/log/mail.log: there each begins with time, host
    and program, and Dovecot leaves the word "Info" out."""
    begin = f"{stamp} mx1"
    lines = []
    for line in dovecot.splitlines():
        text = re.sub(r"^\w{3} \d\d \d\d:\d\d:\d\d ", "", line)
        lines.append(f"{begin} dovecot: {text.replace(': Info: ', ': ', 1)}")
    for line in policyd.splitlines():
        lines.append(f"{begin} {line.replace('portcullis-policyd:', 'portcullis-policyd[99]:')}")
        # Nor would they, were they Postfix's.
        lines.append(f"{begin} {line.replace('portcullis-policyd:', 'postfix/smtpd[99]:')}")
    for line in postfix.splitlines():
        text = re.sub(r"^\w{3} \d\d \d\d:\d\d:\d\d \S+ ", "", line)
        lines.append(f"{begin} {text}")
    return lines


def matches(name, lines, tmp_path):
    """The lines that a filter takes for an attack."""
    log = tmp_path / "mail.log"
    log.write_text("".join(line + "\n" for line in lines))
    output = subprocess.run(
        ["fail2ban-regex", "--print-all-matched", log, name],
        check=False,  # 255: nothing matched
        capture_output=True,
        text=True,
    ).stdout
    counted = re.search(r"Lines: (\d+) lines, \d+ ignored, (\d+) matched", output)
    assert counted and int(counted[1]) == len(lines), output
    section = output.partition("|- Matched line(s):")[2].partition("`-")[0]
    matched = re.findall(r"^\|  (.*)$", section, re.MULTILINE)
    assert len(matched) == int(counted[2]), output
    return matched


def stock_filters():
    """Those of the package's jails that read the log of a mail server, in the mode that the jail
    has them in, and all modes of Dovecot's and Postfix's."""
    jails = configparser.RawConfigParser()
    jails.read(ETC / "jail.conf")
    filters = {"dovecot[mode=aggressive]"}
    for name in jails.sections():
        jail = jails[name]
        if re.search(r"%\((dovecot_log|postfix_log|syslog_mail\w*)\)s", jail.get("logpath", "")):
            text = jail["filter"].replace("%(__name__)s", name)
            filters.add(text.replace("%(mode)s", jail["mode"]))
    # A part of another mode is called auth2.
    modes = re.findall(r"^mdre-([a-z]+)\s*=", (ETC / "filter.d/postfix.conf").read_text(), re.M)
    return filters | {f"postfix[mode={mode}]" for mode in modes}


def whom(name, log):
    """What a filter would count, line by line. log: a file, or systemd's journal."""
    done = subprocess.run(
        ["fail2ban-regex", "--raw", "--out", "id", log, name], capture_output=True, text=True
    )
    assert "rror" not in done.stderr, done
    return done.stdout.splitlines()


def install():
    """As jail.d/portcullis.conf says."""
    for folder in ("filter.d", "jail.d"):
        for path in (EXAMPLES / "fail2ban" / folder).iterdir():
            shutil.copy(path, ETC / folder)


def configure(local):
    """local: what stands in portcullis.local. Bans change no firewall: there is none here."""
    install()
    (ETC / "jail.d/portcullis.local").write_text(
        f"[DEFAULT]\nbanaction = dummy\n[sshd]\nenabled = false\n{local}"
    )


class Fail2ban:
    """The server, configured."""

    def __init__(self, local):
        configure(local)
        Path("/run/fail2ban").mkdir(exist_ok=True)
        Path("/var/lib/fail2ban").mkdir(exist_ok=True)
        Path("/var/lib/fail2ban/fail2ban.sqlite3").unlink(missing_ok=True)
        LOG.write_text("")
        self._server = Server(["fail2ban-server", "-xf", "start"])
        for jail in re.findall(r"^\[(portcullis.*)\]$", local, re.M):
            wait_until(
                lambda: f"Jail '{jail}' started" in self.log() or not self._server.running,
                f"jail {jail}, see {LOG}",
            )
        assert self._server.running, self.log()

    def found(self, jail):
        """How many lines a jail has counted."""
        return int(re.search(r"Total failed:\s+(\d+)", self._client("status", jail))[1])

    def banned(self, jail):
        return set(self._client("get", jail, "banip").split())

    def _client(self, *command):
        return subprocess.run(
            ["fail2ban-client", *command], check=True, capture_output=True, text=True
        ).stdout

    def log(self):
        return LOG.read_text()

    def stop(self):
        self._server.stop()
