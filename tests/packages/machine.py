"""The mail server that the packages are installed on: Debian's Dovecot with users of the
system, and a Postfix that lets them send on port 587."""

import grp
import os
import pwd
import re
import subprocess
import sys
import time

from pathlib import Path

USER = "alice"
GATE = Path("/etc/dovecot/conf.d/05-portcullis.conf")
POLICY = Path("/etc/portcullis/portcullis.conf")
STATE = Path("/var/lib/portcullis")

# Only what never comes is waited for so long.
PATIENCE = 60


def run(*command, check=True):
    """What it says is text; when it fails, that is told."""
    command = list(map(str, command))
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    if check and done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def wait(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {PATIENCE} s")
        time.sleep(0.2)


def set_up():
    """What a site has set before Portcullis comes."""
    run("useradd", "--create-home", USER)
    subprocess.run(["chpasswd"], input=f"{USER}:correct horse\n", text=True, check=True)
    Path("/etc/dovecot/local.conf").write_text("""
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
""")
    run("postconf", "-e", "smtpd_sasl_type = dovecot", "smtpd_sasl_path = private/auth",
        "mydestination = localhost", "smtpd_recipient_restrictions = reject_unlisted_recipient")  # fmt: skip
    run("postconf", "-M", "submission/inet=submission inet n - y - - smtpd")
    for setting in ("smtpd_sasl_auth_enable=yes", "smtpd_tls_security_level=may",
                    "smtpd_recipient_restrictions=permit_sasl_authenticated,reject"):  # fmt: skip
        run("postconf", "-P", f"submission/inet/{setting}")
    run("newaliases")
    run("systemctl", "restart", "dovecot", "postfix")


def configuration():
    """What Dovecot and Postfix go by, but for comments."""
    dovecot = [line for line in run("doveconf", "-n").stdout.splitlines() if line[:1] != "#"]
    main_cf, master_cf = (Path(f"/etc/postfix/{name}.cf").read_text() for name in ("main", "master"))
    return dovecot, main_cf, master_cf


def listening_ports():
    lines = run("ss", "-Hltn").stdout.splitlines()
    return {int(line.split()[3].rpartition(":")[2]) for line in lines}


def owners():
    """Of the files that the servers read."""
    found = {}
    for path in (POLICY, POLICY.parent / "exemptions"):
        stat = path.stat()
        user, group = pwd.getpwuid(stat.st_uid)[0], grp.getgrgid(stat.st_gid)[0]
        found[str(path)] = (user, group, stat.st_mode & 0o7777)
    return found


def identity(path):
    stat = os.stat(path)
    return stat.st_dev, stat.st_ino


def main_process(unit):
    return run("systemctl", "show", "--property=MainPID", "--value", unit).stdout


def status(package):
    return run("dpkg-query", "-W", "-f", "${db:Status-Status}", package).stdout


def version(package):
    return run("dpkg-query", "-W", "-f", "${Version}", package).stdout
