"""A Dovecot as Debian ships it, with the snippets of conf-examples beside
Debian's own conf.d, and in local.conf what a site sets: users, certificates,
listeners. The two configuration languages (2.3 and 2.4) stand here side by
side and nowhere else."""

import os
import re
import shutil
import signal
import socket
import subprocess

from pathlib import Path

import certificates

from namespaces import DOVECOT_ADDRESSES, POSTFIX_ADDRESSES, own_directory
from processes import (
    Server,
    are_at_rest,
    children,
    command_name,
    descendants,
    events_are_taken,
    listening_sockets,
    log_size,
    read_log,
    wait_until,
    waits_for_input,
)

ETC = Path("/etc/dovecot")
LOG = Path("/var/log/dovecot.log")
DEBIAN_FILES = Path("/usr/share/dovecot")
AUTH_SOCKET = "/var/spool/postfix/private/auth"
MAIL_UID = 5000

# Ports that speak the PROXY protocol, and the real ones that they stand beside.
PROXY_PORTS = {143: 10143, 993: 10993, 110: 10110, 995: 10995, 4190: 14190}
PROXY_PORTS.update({587: 10587, 465: 10465})

PASSWORD = "correct horse"
MASTER_USER = "master"
# Logs in when all others have; see MailHost.recorded().
LAST_USER = "zoe@example.org"

# Every password is PASSWORD. The domain-less one shows default-domain at work.
USERS = {
    "alice@example.org": "PLAIN",
    "bob@example.org": "PLAIN",
    "carol@example.org": "PLAIN",
    "dave": "PLAIN",
    "erin@example.org": "SHA512-CRYPT",
    "frank@example.org": "CRAM-MD5",
    "grace@example.org": "SCRAM-SHA-256",
    LAST_USER: "PLAIN",
}

# What takes TLS 1.0, which OpenSSL 3 does no more by itself.
OLD_TLS = "ssl_min_protocol = TLSv1\nssl_cipher_list = ALL:@SECLEVEL=0\n"

MECHANISMS = "plain login cram-md5 scram-sha-256"

# A passdb or userdb file of lines "user:{SCHEME}password:uid:gid::home".
USER_FILE = ETC / "users"
MASTER_USER_FILE = ETC / "master-users"


def release():
    """Such as (2, 3, 19), of the Dovecot that is installed."""
    text = subprocess.run(
        ["dovecot", "--version"], check=True, capture_output=True, text=True
    ).stdout
    return tuple(map(int, re.findall("[0-9]+", text)[:3]))


def recommended_log_elements(series):
    """The setting of docs/survey-lines.md with which the log tells ports and versions of TLS."""
    name = "Dovecot 2.2 and 2.3" if series == (2, 3) else "Dovecot 2.4"
    text = (Path(__file__).resolve().parents[2] / "docs/survey-lines.md").read_text()
    return re.search(rf"^{name}:\n\n```\n(login_log_format_elements = .*\n)```\n", text, re.M)[1]


def _proxy_listeners(address_setting):
    """inet_listener blocks for PROXY_PORTS; they are written alike in both."""
    names = {143: "imap", 993: "imap", 110: "pop3", 995: "pop3", 4190: "managesieve"}
    names.update({587: "submission", 465: "submission"})
    text = ""
    for port, proxy_port in PROXY_PORTS.items():
        ssl = "ssl = yes" if port in (993, 995, 465) else ""
        text += f"""
service {names[port]}-login {{
  inet_listener proxy_{port} {{
    port = {proxy_port}
    haproxy = yes
    {ssl}
  }}
}}
"""
    # These ports of the other addresses are Postfix's.
    submission_addresses = ", ".join(DOVECOT_ADDRESSES)
    return text + f"""
service submission-login {{
  inet_listener submission {{
    port = 587
    {address_setting} = {submission_addresses}
  }}
  inet_listener submissions {{
    port = 465
    ssl = yes
    {address_setting} = {submission_addresses}
  }}
}}
"""


_COMMON = f"""
listen = 127.0.0.1, ::1, {", ".join(DOVECOT_ADDRESSES)}
haproxy_trusted_networks = 127.0.0.0/8 ::1/128
ssl = yes
auth_mechanisms = {MECHANISMS}
auth_master_user_separator = *
auth_failure_delay = 0
log_path = {LOG}
submission_relay_host = {POSTFIX_ADDRESSES[0]}
submission_relay_port = 25
first_valid_uid = {MAIL_UID}

# No growing delay for an address that failed before; a test that is about the
# delay sets the mode back.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}

service auth {{
  unix_listener {AUTH_SOCKET} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""

LOCAL_CONF = {
    (2, 3): f"""{_COMMON}
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
passdb {{
  driver = passwd-file
  args = username_format=%u {USER_FILE}
}}
passdb {{
  driver = passwd-file
  master = yes
  args = username_format=%u {MASTER_USER_FILE}
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {USER_FILE}
}}
{_proxy_listeners("address")}
""",
    (2, 4): f"""{_COMMON}
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
mail_inbox_path =
# Debian takes the domain off.
protocol lmtp {{
  auth_username_format = %{{user | lower}}
}}
passdb passwd-file {{
  passwd_file_path = {USER_FILE}
}}
passdb master-users {{
  driver = passwd-file
  master = yes
  passwd_file_path = {MASTER_USER_FILE}
}}
userdb passwd-file {{
  passwd_file_path = {USER_FILE}
}}
{_proxy_listeners("listen")}
""",
}


class Dovecot:
    def __init__(self):
        self.release = release()
        self.version = self.release[:2]
        self._server = None

    def install(self):
        """Debian's configuration, local.conf and the users; without a gate."""
        own_directory(ETC)
        own_directory("/var/lib/dovecot")
        shutil.copytree(DEBIAN_FILES / "conf.d", ETC / "conf.d")
        shutil.copy(DEBIAN_FILES / "dovecot.conf", ETC)
        (ETC / "private").mkdir(mode=0o700)
        shutil.copy(certificates.CERTIFICATE, ETC / "private/dovecot.pem")
        shutil.copy(certificates.KEY, ETC / "private/dovecot.key")
        # The users of the tests are not those of the system.
        auth = ETC / "conf.d/10-auth.conf"
        text = auth.read_text()
        assert "\n!include auth-system.conf.ext\n" in text
        auth.write_text(text.replace("\n!include auth-system.conf.ext\n", "\n"))
        self.configure()
        write_users(USERS)
        own_directory("/var/vmail")
        shutil.chown("/var/vmail", MAIL_UID, MAIL_UID)

    def install_snippets(self, directory):
        """Puts the gate of a folder of conf-examples into conf.d. It names another
        one for sites with master users in a comment; this is one."""
        for path in sorted(Path(directory).glob("*-portcullis.conf")):
            text = re.sub(
                r"^#passdb.*\n(#  .*\n)*#}$",
                lambda block: re.sub("^#", "", block[0], flags=re.MULTILINE),
                path.read_text(),
                flags=re.MULTILINE,
            )
            (ETC / "conf.d" / path.name).write_text(text)

    def configure(self, more="", variables=()):
        """Writes local.conf; more settings, in the language of the version that
        runs, stand at its end. variables: names of those of the environment that
        its processes shall have, beside TZ. Takes effect with the next start or reload."""
        if variables:
            more += _import_environment(self.version, ["TZ", *variables])
        (ETC / "local.conf").write_text(LOCAL_CONF[self.version] + more)

    def start(self, environment=None):
        shutil.rmtree("/run/dovecot", ignore_errors=True)
        offset = log_size(LOG)
        self._server = Server(["dovecot", "-F"], environment, log=LOG)

        def ready():
            if not self._server.running:
                raise RuntimeError("Dovecot does not start:\n" + self.log()[-3000:])
            # It says so when it listens everywhere.
            return "starting up for" in read_log(LOG, offset)

        wait_until(ready, f"Dovecot that listens, see {LOG}")

    def wait_for_auth(self, path=AUTH_SOCKET):
        """The auth process comes when it is first asked. On a busy machine that can
        take longer than the ten seconds in which Postfix gives up, for a minute."""
        with _connected(path) as connection:
            connection.sendall(b"VERSION\t1\t1\nCPID\t%d\n" % os.getpid())
            for line in connection.makefile("rb"):
                if line == b"DONE\n":
                    return
        raise RuntimeError("Dovecot's auth process hung up:\n" + self.log()[-3000:])

    @property
    def running(self):
        return self._server is not None and self._server.running

    def reload(self):
        """SIGHUP, as `doveadm reload` sends it. Who connects from then on gets
        a new auth process; the old one may live on for some seconds, but listens
        no more."""
        offset = log_size(LOG)
        before = self.processes("auth")
        self._server.signal(signal.SIGHUP)
        wait_until(
            lambda: "reloading configuration" in read_log(LOG, offset), "reload of Dovecot"
        )
        wait_until(lambda: not any(map(listening_sockets, before)), "end of the old auth process")

    def stop(self):
        if self._server is not None:
            self._server.stop()
            self._server = None

    def kill(self):
        """SIGKILL, to all its processes at once; stop() takes a second."""
        if self._server is not None:
            self._server.kill()
            self._server = None

    def restart(self, environment=None):
        self.stop()
        self.start(environment)

    @property
    def pid(self):
        return self._server.pid

    def rest(self):
        """Waits until there is nothing that its processes have left to do."""
        if self.running:
            wait_until(lambda: are_at_rest(self.pid), "Dovecot at rest")

    def processes(self, name):
        """The pids of the running processes of a service, such as "auth"."""
        return [pid for pid in descendants(self.pid) if command_name(pid) == name]

    def log(self):
        """All that Dovecot has logged since the tests began. Its processes
        hand their lines to the log process and go on, so that a client can have
        its answer first; the gate's go by a thread of its own as well. What was
        handed over until now is waited for."""
        if self.running:
            for pid in self.processes("auth"):
                wait_until(lambda: events_are_taken(pid), "gate that has written its log")
            for pid in children(self.pid):
                if command_name(pid) == "log":
                    wait_until(lambda: waits_for_input(pid), "log process at rest")
        return read_log(LOG)


def _connected(path):
    """In a reload there is no socket for a moment."""

    def attempt():
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            return None
        return connection

    return wait_until(attempt, f"Dovecot that listens on {path}")


def _import_environment(series, names):
    if series == (2, 3):
        return f"import_environment = {' '.join(names)}\n"
    lines = "".join(f"  {name} = %{{env:{name}}}\n" for name in names)
    return f"import_environment {{\n{lines}}}\n"


def write_users(users):
    """users: names, with the scheme in which each password is kept."""
    lines = []
    for user, scheme in users.items():
        if scheme == "PLAIN":
            password = "{PLAIN}" + PASSWORD
        else:
            password = subprocess.run(
                ["doveadm", "-O", "pw", "-s", scheme, "-u", user, "-p", PASSWORD],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
        lines.append(f"{user}:{password}:{MAIL_UID}:{MAIL_UID}::/var/vmail/{user}::\n")
    USER_FILE.write_text("".join(lines))
    MASTER_USER_FILE.write_text(f"{MASTER_USER}:{{PLAIN}}{PASSWORD}\n")
    for path in (USER_FILE, MASTER_USER_FILE):
        shutil.chown(path, "root", "dovecot")
        path.chmod(0o640)
