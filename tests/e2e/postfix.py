"""A Postfix as Debian ships it, with logins by Dovecot. The commands of
conf-examples then add the ports for submission and hook the policy daemon in.
Mail is accepted and then discarded."""

import os
import shutil
import signal
import subprocess
import tempfile

from pathlib import Path

import certificates

from namespaces import HOST_NAME, POSTFIX_ADDRESSES, own_directory
from processes import (
    Server,
    command_name,
    descendants,
    log_size,
    read_log,
    sleeps,
    unread_datagrams,
    wait_until,
)

ETC = Path("/etc/postfix")
LOG = Path("/var/log/mail.log")
LOG_SOCKET = "public/postlog"
# postlogd wants to have made its file itself.
START_LOG = Path("/var/log/postfix-start.log")
DEBIAN_FILES = Path("/usr/share/postfix")

# Ports that speak the PROXY protocol, and the real ones that they stand beside.
PROXY_PORTS = {25: 11025, 587: 11587, 465: 11465}

MAIN_CF = {
    "myhostname": HOST_NAME,
    "mydestination": "",
    "mynetworks": "127.0.0.0/8 [::1]/128",
    "inet_interfaces": ", ".join(("127.0.0.1", "::1") + POSTFIX_ADDRESSES),
    "inet_protocols": "all",
    "maillog_file": LOG,
    "virtual_mailbox_domains": "example.org",
    "virtual_transport": "discard:",
    "default_transport": "discard:",
    "smtp_dns_support_level": "disabled",
    "smtpd_peername_lookup": "no",
    "smtpd_tls_cert_file": certificates.CERTIFICATE,
    "smtpd_tls_key_file": certificates.KEY,
    "smtpd_tls_security_level": "may",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_security_options": "noanonymous",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, "
    "reject_unauth_destination",
    "smtpd_recipient_restrictions": "permit_mynetworks",
    "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
    # A test may come from one address as often as it likes.
    "smtpd_client_connection_count_limit": "0",
    "smtpd_error_sleep_time": "0",
}

_PROXY = ["-o", "smtpd_upstream_proxy_protocol=haproxy"]

# What master.cf has beside Debian's own services, with the command's options.
MASTER_CF = {
    f"127.0.0.1:{PROXY_PORTS[25]}": _PROXY,
    f"127.0.0.1:{PROXY_PORTS[587]}": _PROXY,
    f"127.0.0.1:{PROXY_PORTS[465]}": _PROXY + ["-o", "smtpd_tls_wrappermode=yes"],
}


class Postfix:
    def __init__(self):
        self._server = None

    def install(self):
        """Debian's configuration and what a site sets; without Portcullis."""
        own_directory(ETC, copied=True)
        own_directory("/var/lib/postfix")
        shutil.chown("/var/lib/postfix", "postfix", "postfix")
        # Nobody else's mail.
        own_directory("/var/spool/postfix")
        # As Debian's service does: smtpd is confined to there, and dates its own lines.
        Path("/var/spool/postfix/etc").mkdir()
        shutil.copy("/etc/localtime", "/var/spool/postfix/etc/localtime")
        shutil.copy(DEBIAN_FILES / "main.cf.debian", ETC / "main.cf")
        shutil.copy(DEBIAN_FILES / "master.cf.dist", ETC / "master.cf")
        self.postconf("-e", *(f"{name}={value}" for name, value in MAIN_CF.items()))
        for name, options in MASTER_CF.items():
            command = ["smtpd"] + options
            self.postconf("-M", f"{name}/inet={name} inet n - y - - {' '.join(command)}")
        subprocess.run(["postfix", "set-permissions"], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["postfix", "check"], check=True)

    def run_example(self, script, *arguments):
        """Runs one of the scripts of conf-examples/postfix; returns what it says."""
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}:{os.environ['PATH']}"
            if self.running:
                # In its namespace, where the number of its process is right.
                command = Path(folder) / "postfix"
                command.write_text(f'#!/bin/sh\nexec nsenter --target={self.pid} --pid '
                                   '/usr/sbin/postfix "$@"\n')  # fmt: skip
                command.chmod(0o755)
            return subprocess.run(
                ["sh", script, *arguments],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PATH": path},
            ).stdout

    def postconf(self, *arguments):
        """Takes effect with the next start or reload."""
        subprocess.run(["postconf", *arguments], check=True)

    def start(self, environment=None):
        """What of the environment its processes get, import_environment says."""
        offset = log_size(LOG)
        self._server = Server(["postfix", "start-fg"], environment, log=START_LOG)

        def ready():
            if not self._server.running:
                raise RuntimeError("Postfix does not start:\n" + START_LOG.read_text()[-3000:])
            # The master process says so when it listens everywhere.
            return "daemon started" in read_log(LOG, offset)

        wait_until(ready, f"Postfix that listens, see {LOG} and {START_LOG}")

    @property
    def running(self):
        return self._server is not None and self._server.running

    @property
    def pid(self):
        """Of the process that starts all the others."""
        return self._server.pid

    def reload(self):
        """As `postfix reload` does. That itself would read the pid from a file,
        and hit another process: Postfix counts them in a namespace of its own."""
        master = self._master()
        offset = log_size(LOG)
        os.kill(master, signal.SIGHUP)
        wait_until(lambda: "reload -- version" in read_log(LOG, offset), "reload of Postfix")

    def stop(self):
        if self._server is not None:
            # The script that has started it, of Postfix 3.5, ignores SIGTERM.
            for master in self._processes("master")[:1]:
                os.kill(master, signal.SIGTERM)
            self._server.stop()
            self._server = None

    def restart(self, environment=None):
        self.stop()
        self.start(environment)

    def _processes(self, name):
        return [pid for pid in descendants(self.pid) if command_name(pid) == name]

    def _master(self):
        """What it has just forked has its name for a moment, too, but comes behind it."""
        return self._processes("master")[0]

    def log(self):
        """All that Postfix has logged since the tests began. Its processes hand
        their lines to postlogd and go on, so that a client can have its answer
        first: what was handed over until now is waited for."""
        if self.running:
            master = self._master()

            def all_written():
                # Between being read and being written, a line keeps postlogd awake.
                return (
                    unread_datagrams(master, LOG_SOCKET) == 0
                    and all(map(sleeps, self._processes("postlogd")))
                    and unread_datagrams(master, LOG_SOCKET) == 0
                )

            wait_until(all_written, "postlogd at rest")
        return read_log(LOG)
