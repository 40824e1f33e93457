"""What holds once the packages are installed."""

import re

from machine import POLICY, USER, run, wait
from people import imap, mail_arrives, smtp


def everybody_gets_in():
    for port, tls in ((143, "none"), (143, "starttls"), (993, "implicit")):
        assert imap(port, tls) == "in", (port, tls)
    mail_arrives()


def nothing_has_failed():
    failed = run("systemctl", "--failed", "--plain", "--no-legend").stdout
    assert not re.search("portcullis|dovecot|postfix", failed), failed


def gate_is_first():
    passdbs = run("doveconf", "-n", "passdb").stdout
    return re.search(r"passdb.*?}", passdbs, re.S)[0].find("portcullis") >= 0


def postfix_asks():
    return "portcullis" in run("postconf", "-h", "smtpd_recipient_restrictions").stdout


def people_are_recorded():
    everybody_gets_in()
    for service in ("imap:143", "submission:587"):
        wait(lambda: service in run("portcullis", "offenders").stdout, f"record of {service}")


def rules_refuse():
    """What they are for, and nobody who is let off."""
    policy = POLICY.read_text()
    POLICY.write_text(re.sub("rule encryption {", "rule encryption {\n    enforce = 'always'", policy)
                      .replace('observe  = "always"', "", 1))  # fmt: skip
    reload_servers()
    wait(lambda: imap(143, "none") == "refused", "refusal by Dovecot")
    assert imap(143, "starttls") == "in"
    wait(lambda: smtp("none").startswith("530"), "refusal by Postfix")
    assert smtp("starttls").startswith("250")
    run("portcullis", "exempt", USER, "encryption", "--until", "2099-01-01", "--reason", "x")
    wait(lambda: imap(143, "none") == "in", "exemption in force")
    run("portcullis", "exempt", USER, "encryption", "--remove")
    POLICY.write_text(policy)
    reload_servers()
    everybody_gets_in()


def reload_servers():
    run("portcullis", "check-config")
    run("systemctl", "try-reload-or-restart", "dovecot", "portcullis-policyd", "portcullis-import")
