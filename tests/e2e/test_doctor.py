"""portcullis doctor, on configurations that sites have: each finding is produced on real servers,
and mended by the very command that was printed."""

import json
import os
import pwd
import re
import shutil
import subprocess
import time

from pathlib import Path

import pytest

import certificates
import clients
import dovecot
import mmdb
import postfix

from mailhost import BUILD, CONFIG, COUNTRY_DATABASE, EXAMPLES, EXEMPTIONS, ROOT, USER
from namespaces import TEMPORARY
from policyd import SOCKET
from recorded_site import day, iso
from test_installation import PRELUDE, STATE, follow, machine  # noqa: F401: a fixture

LOCAL_CONF = dovecot.ETC / "local.conf"
GATE = dovecot.ETC / "conf.d/05-portcullis.conf"
JOURNAL = STATE / "journal"
ALICE = "alice@example.org"

# Debian's own settings, but for where it logs, and who there is.
LOGS = f"log_path = {dovecot.LOG}\n"
PEOPLE = {
    (2, 3): f"passdb {{\n  driver = passwd-file\n  args = {dovecot.USER_FILE}\n}}\n"
    f"userdb {{\n  driver = passwd-file\n  args = {dovecot.USER_FILE}\n}}\n",
    (2, 4): f"passdb passwd-file {{\n  passwd_file_path = {dovecot.USER_FILE}\n}}\n"
    f"userdb passwd-file {{\n  passwd_file_path = {dovecot.USER_FILE}\n}}\n",
}

POLICY = f"""
default-domain   = "example.org"
country-database = "{COUNTRY_DATABASE}"
exemptions       = "{EXEMPTIONS}"
"""


# The configuration that every test begins with.
KEPT = TEMPORARY / "kept"


def empty(directory):
    for path in directory.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


class Stock:
    """A machine with Debian's own configuration of both servers, set up by the README. A test
    changes it; begin() undoes that."""

    def __init__(self, host):
        self.host = host
        self.version = host.dovecot.version

    def install(self):
        """What every test begins with."""
        self.host.stop()
        empty(dovecot.ETC)
        shutil.copytree(dovecot.DEBIAN_FILES / "conf.d", dovecot.ETC / "conf.d")
        shutil.copy(dovecot.DEBIAN_FILES / "dovecot.conf", dovecot.ETC)
        (dovecot.ETC / "private").mkdir()
        shutil.copy(certificates.CERTIFICATE, dovecot.ETC / "private/dovecot.pem")
        shutil.copy(certificates.KEY, dovecot.ETC / "private/dovecot.key")
        shutil.copy(postfix.DEBIAN_FILES / "main.cf.debian", postfix.ETC / "main.cf")
        shutil.copy(postfix.DEBIAN_FILES / "master.cf.dist", postfix.ETC / "master.cf")
        dovecot.write_users(dovecot.USERS)
        LOCAL_CONF.write_text(LOGS)
        for path in (CONFIG, EXEMPTIONS):
            path.unlink(missing_ok=True)
        follow(3)
        follow(5)
        self.start()
        follow(7)
        for path in (dovecot.ETC, postfix.ETC, CONFIG.parent):
            subprocess.run(["cp", "-a", path, KEPT / path.name], check=True)

    def begin(self):
        self.host.stop()
        for path in (dovecot.ETC, postfix.ETC, CONFIG.parent):
            empty(path)
            subprocess.run(["cp", "-a", f"{KEPT / path.name}/.", path], check=True)
        for path in STATE.glob("portcullis.db*"):
            path.unlink()
        empty(JOURNAL)
        follow(2)
        self.start()
        follow(8)
        return self

    def start(self):
        self.host.dovecot.start()
        self.host.policyd.start()
        self.rest()

    def rest(self):
        self.host.dovecot.wait_for_auth("/run/dovecot/auth-client")

    def site(self, more="", of_2_3="", of_2_4=""):
        """More settings of Dovecot's."""
        own = of_2_3 if self.version == (2, 3) else of_2_4
        LOCAL_CONF.write_text(LOGS + more + own)
        self.restart()

    def restart(self):
        self.host.dovecot.kill()
        self.host.dovecot.start()
        self.rest()

    def policy(self, rules, head=POLICY):
        CONFIG.write_text(head + rules)
        subprocess.run(["chgrp", "portcullis", CONFIG], check=True)
        self.host.policyd.restart()
        self.restart()

    def look(self, environment=None, program=()):
        """What the doctor finds: its answer by id."""
        done = subprocess.run(
            [*program, "portcullis", "doctor", "--json"],
            capture_output=True,
            text=True,
            timeout=120,
            env=dict(os.environ, **(environment or {})),
        )
        assert done.returncode in (0, 1), done
        answer = json.loads(done.stdout)
        findings = answer["findings"]
        wrong = [finding for finding in findings if finding["severity"] == "wrong"]
        assert answer["healthy"] == (not wrong) == (done.returncode == 0), done
        assert all(set(finding) == {"id", "severity", "text", "mend", "where"}
                   and all(finding.values()) for finding in findings), findings  # fmt: skip
        return {finding["id"]: finding for finding in findings}

    def follow(self, command):
        """Types it, as root."""
        done = subprocess.run(
            ["bash", "-c", PRELUDE + command], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done)
        if "systemctl restart dovecot" in done.stdout or "-restart dovecot" in done.stdout:
            self.host.policyd.restart()
            self.restart()
        return done.stdout

    def mend(self, wanted, severity="wrong", **options):
        """It is found, and nothing else; then its command mends it."""
        found = self.look(**options)
        assert list(found) == [wanted], found
        assert found[wanted]["severity"] == severity
        self.follow(found[wanted]["mend"])
        assert self.look(**options) == {}
        return found[wanted]


@pytest.fixture(scope="module")
def _stock(machine):  # noqa: F811
    KEPT.mkdir()
    stock = Stock(machine)
    stock.install()
    yield stock
    shutil.rmtree(KEPT)


@pytest.fixture
def stock(_stock):
    return _stock.begin()


def test_a_stock_debian(stock):
    assert stock.look() == {}
    done = subprocess.run(["portcullis", "doctor"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    [line] = done.stdout.splitlines()
    assert line.startswith("ok      the gate, its module, ") and line.endswith(", records")


@pytest.mark.parametrize("case", "acde")
def test_a_stock_debian_with_another_case(stock, case):
    [path] = (EXAMPLES / "portcullis").glob(f"case-{case}.conf")
    CONFIG.write_text(path.read_text())
    stock.host.policyd.restart()
    stock.restart()
    assert stock.look() == {}


# ---- the gate ----


def test_no_gate(stock):
    GATE.unlink()
    stock.restart()
    stock.mend("gate-missing")


def test_no_gate_in_a_configuration_of_one_file(stock):
    """As containers have it."""
    GATE.unlink()
    whole = subprocess.run(["doveconf", "-n"], capture_output=True, text=True, check=True).stdout
    keys = {"# hidden, use -P to show it": "</etc/dovecot/private/dovecot.key"}
    for hidden, value in keys.items():
        whole = whole.replace(f"ssl_key = {hidden}", f"ssl_key = {value}")
    whole = re.sub(r".* = # hidden.*\n", "", whole)
    shutil.rmtree(dovecot.ETC / "conf.d")
    (dovecot.ETC / "dovecot.conf").write_text(re.sub(r"^#.*\n", "", whole, flags=re.M))
    stock.restart()
    finding = stock.look()["gate-missing"]
    stock.follow(finding["mend"])
    assert stock.look() == {}


FIRST = {
    (2, 3): "passdb {\n  driver = static\n  args = password=secret\n}\n",
    (2, 4): "passdb static {\n  passdb_static_password = secret\n}\n",
}


def test_another_passdb_before_the_gate(stock):
    other = dovecot.ETC / "conf.d/01-other.conf"
    other.write_text("# before all\n" + FIRST[stock.version])
    stock.restart()
    finding = stock.mend("gate-not-first")
    assert finding["where"] == f"{other}:2" and "static" in finding["text"]


def test_a_gate_that_was_put_last(stock):
    GATE.rename(dovecot.ETC / "conf.d/99-portcullis.conf")
    stock.restart()
    stock.mend("gate-not-first")
    assert "master" not in GATE.parent.joinpath("99-portcullis.conf").read_text().split("passdb")[0]


MASTERS = {
    (2, 3): "auth_master_user_separator = *\npassdb {\n  driver = passwd-file\n"
    f"  args = {dovecot.MASTER_USER_FILE}\n  master = yes\n}}\n",
    (2, 4): "auth_master_user_separator = *\npassdb masters {\n  driver = passwd-file\n"
    f"  passwd_file_path = {dovecot.MASTER_USER_FILE}\n  master = yes\n}}\n",
}


def test_master_users(stock):
    stock.site(MASTERS[stock.version])
    finding = stock.mend("gate-missing-for-masters")
    assert finding["where"] == f"{LOCAL_CONF}:3"


def test_passdbs_of_a_protocol(stock):
    """In 2.4 they come last, behind the gate."""
    stock.site(f"protocol imap {{\n{FIRST[stock.version]}}}\n")
    if stock.version == (2, 3):
        stock.mend("gate-missing-in-protocol")
    else:
        assert stock.look() == {}


def test_what_lets_nobody_in_may_stand_before(stock):
    other = dovecot.ETC / "conf.d/01-other.conf"
    other.write_text(FIRST[stock.version].replace("}\n", "  deny = yes\n}\n"))
    stock.restart()
    assert stock.look() == {}


# ---- the module ----


def module():
    folder = subprocess.run(["doveconf", "-h", "mail_plugin_dir"], capture_output=True, text=True,
                            check=True).stdout.strip()  # fmt: skip
    return Path(folder) / "auth/libauthdb_portcullis.so"


def build_again(stock, finding):
    """`make clean` would take what is tested away."""
    assert finding["mend"].startswith("make clean all && make install && ")
    stock.follow(finding["mend"].replace("make clean all && ", ""))


def test_a_module_of_another_abi(stock):
    path = module()
    text = path.read_bytes()
    assert len(re.findall(rb"ABIv\d", text)) == 1
    path.write_bytes(re.sub(rb"(ABIv)(\d)", lambda m: m[1] + (b"9" if m[2] != b"9" else b"8"), text))
    stock.host.dovecot.stop()
    found = stock.look()
    try:
        finding = found["module-of-another-abi"]
        assert list(found)[0] == "module-of-another-abi"
        assert finding["where"] == str(path)
    finally:
        stock.follow("make install")
    stock.host.dovecot.start()
    path.write_bytes(re.sub(rb"(ABIv)(\d)", rb"\g<1>9", text))
    build_again(stock, finding)
    assert stock.look() == {}


def test_no_module(stock):
    module().unlink()
    found = stock.look()
    assert list(found) == ["module-missing"]
    build_again(stock, found["module-missing"])
    assert stock.look() == {}


GATE_TOOL = Path("/usr/share/portcullis/dovecot-gate")


@pytest.fixture
def packaged():
    """Its tool is there, which `make install` does not bring."""
    shutil.copy(ROOT / "debian/dovecot-gate", GATE_TOOL)
    yield
    GATE_TOOL.unlink()


def test_a_package_is_mended_by_its_tools(stock, packaged):
    module().rename(module().with_suffix(".kept"))
    mend = stock.look()["module-missing"]["mend"]
    assert mend.startswith("apt-get install --reinstall dovecot-portcullis && ")
    module().with_suffix(".kept").rename(module())
    GATE.unlink()
    stock.restart()
    mend = stock.look()["gate-missing"]["mend"]
    assert mend == f"portcullis check-config && {GATE_TOOL} load"


# ---- what Dovecot refuses by itself ----


def test_tls_required(stock):
    stock.site("ssl = required\n")
    finding = stock.mend("ssl-required")
    assert finding["where"] == f"{LOCAL_CONF}:2"


def test_no_cleartext(stock):
    stock.site("", "disable_plaintext_auth = yes\n", "auth_allow_cleartext = no\n")
    stock.mend("cleartext-refused")


@pytest.mark.parametrize("enforced", ["encryption", None])
def test_the_last_step_is_right_in_its_time(stock, enforced):
    rule = 'enforce = "2024-01-01"' if enforced else 'observe = "2099-01-01"'
    stock.policy(f"rule encryption {{ {rule} }}\n")
    stock.site("ssl = required\n")
    assert stock.look() == {}


CLEARTEXT = {
    (2, 3): "disable_plaintext_auth = no\n",
    (2, 4): "auth_allow_cleartext = yes\n",
}


def people(stock, settings):
    stock.site(CLEARTEXT[stock.version] + PEOPLE[stock.version] + settings)
    stock.host.dovecot_journal.skip()


def record(stock):
    stock.host.dovecot_journal.wait_one()
    follow(8)


def test_cleartext_that_was_used(stock):
    """Nothing is set against it; what allowed it was taken out."""
    people(stock, "")
    assert clients.imap(ALICE, tls="none").accepted
    record(stock)
    assert stock.look() == {}
    LOCAL_CONF.write_text(LOCAL_CONF.read_text().replace(CLEARTEXT[stock.version], ""))
    stock.restart()
    finding = stock.mend("cleartext-refused")
    assert finding["text"].startswith("1 of the people ")


def test_a_mechanism_that_was_used(stock):
    stock.policy('rule mechanism { observe = "2024-01-01" }\n')
    people(stock, "auth_mechanisms = plain cram-md5\n")
    assert clients.imap(ALICE, tls="implicit", mechanism="CRAM-MD5").accepted
    record(stock)
    assert stock.look() == {}
    people(stock, "auth_mechanisms = plain\n")
    finding = stock.mend("mechanism-not-offered")
    assert "CRAM-MD5" in finding["text"] and finding["where"].startswith(f"{LOCAL_CONF}:")


def test_no_mechanism_that_is_allowed(stock):
    stock.policy('rule mechanism { observe = "2024-01-01" enforce = "2099-01-01" }\n')
    stock.site("auth_mechanisms = cram-md5\n")
    stock.mend("mechanisms-all-refused")


def test_a_mechanism_that_asks_no_passdb(stock):
    stock.site("auth_mechanisms = plain anonymous\n")
    finding = stock.mend("mechanism-around-gate")
    assert "ANONYMOUS" in finding["text"]


def test_a_policy_server(stock):
    stock.site("auth_policy_server_url = http://127.0.0.1:4001/\nauth_policy_hash_nonce = x\n")
    stock.mend("auth-policy", "advice")


# ---- listeners ----


def listener(service, port, tls):
    ssl = "    ssl = yes\n" if tls else ""
    return f"service {service} {{\n  inet_listener more {{\n    port = {port}\n{ssl}  }}\n}}\n"


def test_another_port_with_tls(stock):
    stock.site(listener("imap-login", 31993, True) + listener("pop3-login", 31995, True))
    finding = stock.mend("implicit-tls-port-missing")
    assert "31993, 31995" in finding["text"]


def test_a_port_that_is_said_to_have_tls(stock):
    text = CONFIG.read_text()
    CONFIG.write_text("implicit-tls-ports = { 993, 995,\n  10143, 465 }\n" + text)
    stock.site(listener("imap-login", 10143, False))
    finding = stock.mend("implicit-tls-port-without-tls")
    assert finding["where"] == f"{CONFIG}:1"


def test_both_ways(stock):
    """What mends one does not undo what mends the other."""
    CONFIG.write_text("implicit-tls-ports = { 993, 995, 465, 10143 }\n" + CONFIG.read_text())
    stock.site(listener("imap-login", 10143, False) + listener("pop3-login", 31995, True))
    found = stock.look()
    assert list(found) == ["implicit-tls-port-missing", "implicit-tls-port-without-tls"]
    for finding in found.values():
        stock.follow(finding["mend"])
    assert stock.look() == {}


def test_a_port_of_postfix_with_tls(stock):
    master = postfix.ETC / "master.cf"
    with open(master, "a") as file:
        file.write("10465 inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\n")
    stock.mend("implicit-tls-port-missing")


# ---- who hides clients ----

COUNTRY = 'rule country { allow = { "DE" } observe = "2024-01-01" }\n'


def test_trusted_networks(stock):
    stock.policy(COUNTRY)
    stock.site("login_trusted_networks = 198.51.100.0/24 2001:db8:1::/48\n")
    finding = stock.mend("login-trusted-networks", "advice")
    assert "2001:db8:1::/48" in finding["text"]


def write_events(*events):
    lines = []
    for changes in events:
        event = {
            "time": iso(time.time() - 600), "host": "mx1.example.org", "source": "dovecot",
            "user": ALICE, "verified": True, "action": "allow", "service": "imap", "port": 993,
            "tls": "implicit", "mechanism": "PLAIN", "client": mmdb.CLIENTS["DE"][0],
            "country": "DE", "rules": {}, "client_id": "", "session": "x", "count": 1,
        }  # fmt: skip
        lines.append(json.dumps(event | changes) + "\n")
    path = JOURNAL / "written.jsonl"
    path.write_text("".join(lines))
    shutil.chown(path, USER, USER)
    follow(8)


@pytest.mark.parametrize("rule", [
    COUNTRY,
    'network campus { addresses = { "203.0.113.0/24" } }\n'
    'rule country {\n  allow = { "DE" }\n  except-networks = { "campus" }\n'
    '  observe = "2024-01-01"\n}\n',
])  # fmt: skip
def test_a_webmail_that_hides_everybody(stock, rule):
    stock.policy(rule)
    webmail = "198.51.100.7"
    write_events(*({"user": f"u{i}@example.org", "client": webmail} for i in range(30)),
                 *({"user": f"v{i}@example.org", "client": f"192.0.2.{i}"} for i in range(25)))  # fmt: skip
    finding = stock.mend("few-client-addresses")
    assert finding["where"] == webmail and "30 of 55" in finding["text"]


def test_many_addresses(stock):
    stock.policy(COUNTRY)
    write_events(*({"user": f"u{i}@example.org", "client": f"192.0.2.{i % 7}"} for i in range(60)))
    assert stock.look() == {}


# ---- Postfix ----


def edit_master(service, *options):
    """A service of its own, as sites write it."""
    with open(postfix.ETC / "master.cf", "a") as file:
        file.write(f"{service} inet n - y - - smtpd\n")
        file.writelines(f"  -o {option}\n" for option in options)


def edit_main(stock, *settings):
    stock.host.postfix.postconf("-e", *settings)


def test_a_postfix_that_does_not_ask(stock):
    shutil.copy(postfix.DEBIAN_FILES / "main.cf.debian", postfix.ETC / "main.cf")
    shutil.copy(postfix.DEBIAN_FILES / "master.cf.dist", postfix.ETC / "master.cf")
    finding = stock.mend("policy-service-missing")
    assert finding["where"] == "main.cf: smtpd_recipient_restrictions"


def test_a_service_that_hides_main_cf(stock):
    edit_master("192.0.2.25:587", "smtpd_recipient_restrictions=permit_sasl_authenticated,reject")
    finding = stock.mend("policy-service-hidden")
    assert "192.0.2.25:587/inet" in finding["text"]


def test_a_service_on_another_port(stock):
    edit_master("192.0.2.25:2525", "smtpd_sasl_auth_enable=yes",
                "smtpd_recipient_restrictions=permit_sasl_authenticated,reject")  # fmt: skip
    stock.mend("policy-service-hidden")


def test_a_policy_that_asks_nothing_of_postfix(stock):
    shutil.copy(postfix.DEBIAN_FILES / "main.cf.debian", postfix.ETC / "main.cf")
    assert "policy-service-missing" in stock.look()
    stock.policy('rule encryption { services = { "imap" } observe = "2024-01-01" }\n')
    assert stock.look() == {}


def test_the_way_back_from_a_content_filter(stock):
    edit_master("127.0.0.1:10025", "smtpd_recipient_restrictions=permit_mynetworks,reject")
    assert stock.look() == {}


@pytest.mark.parametrize("before", ["permit_mynetworks", "permit_sasl_authenticated"])
def test_asked_too_late(stock, before):
    edit_main(stock, f"smtpd_recipient_restrictions = reject_unlisted_recipient, {before}, portcullis")
    stock.mend("policy-service-late")


def test_no_default_action(stock):
    edit_main(stock, "portcullis = check_policy_service unix:portcullis/policyd")
    stock.mend("policy-service-without-default-action")


def test_a_class_that_a_service_does_not_know(stock):
    edit_master("192.0.2.25:587", "smtpd_restriction_classes=greylist")
    stock.mend("policy-service-class-missing")


def test_a_socket_outside_of_the_chroot(stock):
    edit_main(stock, "portcullis = check_policy_service { unix:/run/portcullis/policyd, "
                     "default_action=DUNNO }")  # fmt: skip
    stock.mend("policy-socket-outside-chroot")


def test_no_socket(stock):
    stock.host.policyd.stop()
    SOCKET.unlink(missing_ok=True)
    found = stock.look()
    assert list(found) == ["policy-socket-missing"]
    asked = stock.follow(found["policy-socket-missing"]["mend"])
    assert asked == "asked for: systemctl enable --now portcullis-policyd.socket\n"
    stock.host.policyd.start()
    assert stock.look() == {}


def test_a_socket_that_postfix_may_not_use(stock):
    SOCKET.chmod(0o600)
    found = stock.look()
    assert list(found) == ["policy-socket-forbidden"]
    asked = stock.follow(found["policy-socket-forbidden"]["mend"])
    assert asked == "asked for: systemctl restart portcullis-policyd.socket\n"
    stock.host.policyd.restart()
    assert stock.look() == {}


def test_logins_on_port_25_after_the_date(stock):
    stock.policy('rule submission-port { enforce = "2024-01-01" }\n')
    edit_main(stock, "smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = dovecot",
              "smtpd_tls_cert_file = /etc/ssl/certs/x.pem")  # fmt: skip
    finding = stock.look()
    assert list(finding) == ["sasl-on-port-25"]
    # Where somebody can log in elsewhere.
    stock.mend("sasl-on-port-25", "advice")


# ---- the Dovecot that runs ----


def test_a_dovecot_that_is_older_than_its_configuration(stock):
    with open(LOCAL_CONF, "a") as file:
        file.write("login_greeting = Hello\n")
    finding = stock.mend("dovecot-not-restarted")
    assert finding["where"] == str(LOCAL_CONF)


def test_a_reload_is_enough(stock):
    with open(LOCAL_CONF, "a") as file:
        file.write("login_greeting = Hello\n")
    stock.host.dovecot.reload()
    stock.rest()
    assert stock.look() == {}


def test_another_time_zone(stock):
    zone = "Pacific/Kiritimati"
    stock.site("", f"import_environment = CORE_OUTOFMEM TZ={zone}\n",
               f"import_environment {{\n  TZ = {zone}\n}}\n")  # fmt: skip
    assert zone in stock.mend("time-zone")["text"]


def test_the_same_time_zone_by_another_name(stock):
    zone = os.path.realpath("/etc/localtime")
    stock.site("", f"import_environment = TZ=:{zone}\n",
               f"import_environment {{\n  TZ = :{zone}\n}}\n")  # fmt: skip
    assert stock.look() == {}


def test_no_dovecot_runs(stock):
    stock.host.dovecot.stop()
    found = stock.look()
    assert list(found) == ["not-looked-at"]
    assert found["not-looked-at"]["mend"] == "systemctl start dovecot"


# ---- accounts, records ----


def test_auth_is_in_other_groups(stock):
    """What replaces the snippet's groups is kept."""
    stock.site("service auth {\n  extra_groups = mail\n}\n")
    stock.mend("auth-not-in-group")
    groups = subprocess.run(["doveconf", "service"], capture_output=True, text=True).stdout
    assert re.search(r"extra_groups = mail,? ?portcullis", groups), groups


@pytest.mark.parametrize("change", ["chmod 750", "chown root:root", "chgrp mail"])
def test_a_journal_that_dovecot_cannot_write(stock, change):
    subprocess.run([*change.split(), JOURNAL], check=True)
    stock.mend("journal-not-writable")


def test_a_file_of_the_journal_that_the_daemon_cannot_write(stock):
    path = JOURNAL / "postfix.jsonl"
    path.write_text("")
    path.chmod(0o600)
    finding = stock.mend("journal-not-writable")
    assert finding["where"] == str(path)


@pytest.mark.parametrize("path", [CONFIG, EXEMPTIONS, COUNTRY_DATABASE])
def test_a_file_that_the_servers_cannot_read(stock, path):
    stock.policy(COUNTRY)
    path.chmod(0o600)
    shutil.chown(path, "root", "root")
    finding = stock.mend("policy-file-forbidden")
    assert finding["where"] == str(path)
    path.chmod(0o644)


# There is no SELinux here. What doctor reads of it is made: that it is enforced, and auditd's
# log. The labels are real; who would write them is stood in for.
ENFORCED = """
mount -t tmpfs tmpfs /sys
mkdir -p /sys/fs/selinux
echo 1 >/sys/fs/selinux/enforce
mount -t tmpfs tmpfs /var/log
mkdir /var/log/audit
cp {log} /var/log/audit/audit.log
exec "$@"
"""
SELINUX_COMMANDS = """
semodule() { test "$1" = -i && test -s "$2"; }
restorecon() { test "$1" = -R && test "$2" = /var/lib/portcullis &&
	python3 -c 'import os, sys
os.setxattr(sys.argv[1], "security.selinux", b"system_u:object_r:portcullis_var_lib_t:s0\\0")
' /var/lib/portcullis/journal; }
"""


def _said(program=()):
    done = subprocess.run([*program, "portcullis", "doctor"], capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout


def denial(moment, source, target, kind="dir"):
    return (f"type=AVC msg=audit({int(moment)}.123:4711): avc:  denied  {{ write }} for  pid=815"
            f' comm="auth" name="journal" dev="dm-0" ino=1 scontext=system_u:system_r:{source}:s0'
            f" tcontext=system_u:object_r:{target}:s0 tclass={kind} permissive=0\n")  # fmt: skip


def test_selinux_lacks_its_module(stock, tmp_path):
    log = tmp_path / "audit.log"
    now = time.time()
    log.write_text(denial(now - 3600, "dovecot_auth_t", "var_lib_t")
                   + denial(now + 60, "dovecot_auth_t", "mysqld_db_t")
                   + denial(now + 60, "httpd_t", "var_lib_t"))  # fmt: skip
    program = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-ec",
               ENFORCED.format(log=log), "sh"]  # fmt: skip
    assert stock.look() == {}
    assert "SELinux" not in _said()
    found = stock.look(program=program)
    assert list(found) == ["selinux-module-missing"]
    stock.follow(SELINUX_COMMANDS + found["selinux-module-missing"]["mend"])
    assert stock.look(program=program) == {}
    assert "SELinux" in _said(program)

    with log.open("a") as file:
        file.write(denial(time.time() + 60, "dovecot_auth_t", "portcullis_var_lib_t", "file"))
        file.write(denial(time.time() + 60, "postfix_smtpd_t", "init_t", "unix_stream_socket"))
    finding = stock.look(program=program)["selinux-denials"]
    assert finding["mend"] == found["selinux-module-missing"]["mend"]
    assert " 2 times" in finding["text"] and finding["where"] == "/var/log/audit/audit.log"
    log.write_text("type=AVC msg=audit(: avc:  denied scontext= tcontext=\n\0\xff" * 100)
    assert stock.look(program=program) == {}


def test_a_wrong_line_of_exemptions(stock):
    EXEMPTIONS.write_text("alice nonsense\n")
    done = subprocess.run(["portcullis", "doctor"], capture_output=True, text=True)
    assert done.returncode == 1 and f"{EXEMPTIONS}:1: " in done.stderr
    found = stock.look()
    assert list(found) == ["policy-files"]
    assert found["policy-files"]["mend"] == "portcullis check-config"
    EXEMPTIONS.write_text("# nobody\n")
    assert stock.look() == {}


@pytest.mark.parametrize("name", ["journal", "journal/dovecot.jsonl", "journal/postfix.jsonl"])
def test_what_is_typed_changes_no_file_of_roots(stock, name):
    """Whoever has taken over the service's account plants a link, and waits for root to type
    what the doctor says."""
    victim = TEMPORARY / "victim"
    victim.mkdir(mode=0o700)
    (victim / "file").write_text("root's")
    (victim / "file").chmod(0o600)
    place = STATE / name
    if place.exists():
        place.rename(f"{place}-before")
    place.symlink_to(victim if name == "journal" else victim / "file")
    os.chown(place, *pwd.getpwnam(USER)[2:4], follow_symlinks=False)
    try:
        found = stock.look()
        assert "journal-not-writable" in found
        for finding in found.values():
            subprocess.run(["bash", "-c", PRELUDE + finding["mend"]], cwd=ROOT, capture_output=True)
        for path, mode in ((victim, 0o700), (victim / "file", 0o600)):
            status = path.stat()
            assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (0, 0, mode)
        assert os.listdir(victim) == ["file"] and (victim / "file").read_text() == "root's"
    finally:
        shutil.rmtree(victim)
        for path in (place, Path(f"{place}-aside"), STATE / "journal-aside"):
            if path.is_symlink():
                path.unlink()
        if Path(f"{place}-before").exists():
            shutil.rmtree(place, ignore_errors=True)
            Path(f"{place}-before").rename(place)


def test_a_mechanism_that_would_be_a_command(stock):
    """What a server recorded goes into what root types."""
    stock.policy('rule mechanism { observe = "2024-01-01" }\n')
    evil = ["x'; touch /run/evil; '", "PLAIN\\n!include /tmp/evil", "$(touch /run/evil)", "A" * 300]
    write_events(*({"mechanism": name, "user": f"u{i}"} for i, name in enumerate(evil)))
    assert stock.look() == {}


def test_nobody_imports(stock):
    for path in STATE.glob("portcullis.db*"):
        path.unlink()
    stock.mend("nobody-imports")


def test_the_clock_is_behind(stock):
    """Of the records, that is: this machine's own is left alone."""
    write_events({})
    [library] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    found = stock.look({"LD_PRELOAD": str(library), "FAKETIME": "-5d"})
    assert found["clock-behind"]["mend"] == "timedatectl set-ntp true"
    assert stock.look() == {}


def test_a_store_that_cannot_be_read(stock):
    (STATE / "portcullis.db").write_text("no store\n" * 500)
    found = stock.look()
    assert list(found) == ["not-looked-at"] and "the records" in found["not-looked-at"]["text"]


# ---- people ----


def test_an_exemption_of_nobody(stock):
    write_events({"time": iso(time.time() - 30 * 86400)}, {})
    lines = f"{ALICE} encryption 2099-01-01\nalcie@example.org encryption 2099-01-01\n"
    EXEMPTIONS.write_text(lines + "gone encryption 2020-01-01\n")
    finding = stock.mend("exemption-of-nobody", "advice")
    assert "alcie@example.org" in finding["text"]
    assert EXEMPTIONS.read_text().startswith(f"{ALICE} ")


def test_people_who_are_untold(stock):
    stock.site(CLEARTEXT[stock.version])
    stock.policy(f'rule encryption {{ observe = "2024-01-01" enforce = "{day(3)}" }}\n')
    write_events({"tls": "none", "port": 143, "rules": {"encryption": "observe"}})
    finding = stock.mend("enforced-untold")
    assert " 1 people " in finding["text"] and day(3) in finding["text"]


def test_people_who_are_untold_before_a_brownout(stock):
    stock.site(CLEARTEXT[stock.version])
    stock.policy(f'rule encryption {{ notify = "2024-01-01" enforce = "{day(90)}"'
                 f' brownouts = {{ "{day(-9)} 10:00 +2h", "{day(3)} 10:00 +2h" }} }}\n')  # fmt: skip
    write_events({"tls": "none", "port": 143, "rules": {"encryption": "notify"}})
    finding = stock.mend("enforced-untold")
    assert f" {day(3)} on, in a brown-out, " in finding["text"]


def test_people_who_have_time(stock):
    stock.site(CLEARTEXT[stock.version])
    stock.policy(f'rule encryption {{ observe = "2024-01-01" enforce = "{day(30)}" }}\n')
    write_events({"tls": "none", "port": 143, "rules": {"encryption": "observe"}})
    assert stock.look() == {}


def test_an_old_country_database(stock):
    stock.policy(COUNTRY)
    mmdb.write(COUNTRY_DATABASE, built=int(time.time()) - 100 * 86400)
    finding = stock.look()["country-database-old"]
    assert (finding["severity"], finding["mend"]) == ("advice", "geoipupdate")
    mmdb.write(COUNTRY_DATABASE)
    assert stock.look() == {}


# ---- a surrounding that does not work ----

PROGRAMS = {"Dovecot": Path("/usr/bin/doveconf"), "Postfix": Path("/usr/sbin/postconf")}
OUTPUTS = {
    "hangs": "exec sleep 600",
    "fails": "echo trouble >&2; exit 3",
    "floods": "exec cat /dev/zero",
    "floods errors": "exec cat /dev/zero >&2",
    "lines": "exec yes 'passdb {'",
    "nothing": "exit 0",
    "nonsense": "printf '\\033[31m}}}{{{==\\n\\377\\000}\\n'",
    "is killed": "kill -9 $$",
    "child": "sleep 600 & exit 0",
}


@pytest.mark.parametrize("what", OUTPUTS)
@pytest.mark.parametrize("server", PROGRAMS)
def test_a_program_that_does_not_answer(stock, server, what):
    program = PROGRAMS[server]
    kept = program.with_name("kept")
    program.rename(kept)
    try:
        program.write_text(f"#!/bin/sh\n{OUTPUTS[what]}\n")
        program.chmod(0o755)
        begun = time.monotonic()
        found = stock.look()
        assert time.monotonic() - begun < 60
    finally:
        kept.replace(program)
    assert found["not-looked-at"]["where"] == server, found
    assert found["not-looked-at"]["severity"] == "wrong"
    assert f"not looked at: {server}; " in found["not-looked-at"]["text"]
    assert all(text.isprintable() for finding in found.values() for text in finding.values())


@pytest.mark.parametrize("server", PROGRAMS)
def test_a_server_that_is_not_installed(stock, server):
    program = PROGRAMS[server]
    kept = program.with_name("kept")
    program.rename(kept)
    try:
        found = stock.look()
    finally:
        kept.replace(program)
    assert list(found) == ["not-installed"], found
    assert found["not-installed"]["severity"] == "advice"
    assert f"not looked at: {server}" in found["not-installed"]["text"]


def test_without_rights(stock):
    subprocess.run(["chmod", "644", CONFIG, EXEMPTIONS], check=True)
    done = subprocess.run(["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
                           "portcullis", "doctor"], capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1, done
    assert "only root can tell" in done.stdout and "not looked at: the records" in done.stdout


def test_a_wrong_policy(stock):
    CONFIG.write_text("rule nonsense {\n")
    done = subprocess.run(["portcullis", "doctor"], capture_output=True, text=True)
    assert done.returncode == 78 and f"{CONFIG}:" in done.stderr


def test_files_that_include_each_other(stock):
    (dovecot.ETC / "conf.d/97-a.conf").write_text("!include_try 97-*.conf\nsection {\nsection {\n")
    found = stock.look()
    assert found["not-looked-at"]["where"] == "Dovecot", found


# ---- what is printed ----


def test_worst_first(stock):
    stock.policy('rule mechanism { observe = "2024-01-01" enforce = "2099-01-01" }\n')
    edit_main(stock, "smtpd_recipient_restrictions = permit_mynetworks, portcullis")
    stock.site("auth_mechanisms = anonymous\nauth_policy_server_url = http://127.0.0.1:4001/\n"
               "auth_policy_hash_nonce = x\n")  # fmt: skip
    ids = list(stock.look())
    assert ids == ["mechanisms-all-refused", "mechanism-around-gate", "policy-service-late",
                   "auth-policy"]  # fmt: skip
    text = subprocess.run(["portcullis", "doctor"], capture_output=True, text=True).stdout
    lines = text.splitlines()
    assert lines.pop().startswith("ok      the gate, ")
    assert [line.split()[1].rstrip(":") for line in lines[::2]] == ids
    assert [line.split()[0] for line in lines[::2]] == ["WRONG"] * 3 + ["advice"]


def test_all_ids_are_in_the_manual():
    names = re.findall(r'\] = "([a-z0-9-]+)"', (ROOT / "admin/doctor/finding.c").read_text())
    manual = (ROOT / "man/portcullis.1").read_text().replace("\\-", "-")
    assert len(names) == len(set(names)) > 30
    for name in names:
        assert f".B {name}\n" in manual, name
    tested = (ROOT / "tests/e2e/test_doctor.py").read_text()
    assert [name for name in names if f'"{name}"' not in tested] == []
