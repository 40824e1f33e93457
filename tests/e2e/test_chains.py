"""The gate in the company of other passdbs: blocking ones, those for master
users, other gates, proxies in front and behind."""

import re
import subprocess

from contextlib import contextmanager

import pytest

import clients
import sql_users

from dovecot import ETC, LOG, MAIL_UID, MASTER_USER, MASTER_USER_FILE, PASSWORD, USER_FILE
from journal import Journal
from mailhost import CONFIG, SITE
from mmdb import CLIENTS
from namespaces import DOVECOT_ADDRESSES
from policyd import USER as GROUP
from processes import Server, listens, wait_until

USER = "alice@example.org"
ENCRYPTION = 'rule encryption { enforce = "always" message = "no TLS" }\n'

SECOND_CONFIG = CONFIG.with_name("second.conf")


def _gate(version, name, config):
    """A passdb section that is a gate."""
    if version == (2, 3):
        return f"passdb {{\n  driver = portcullis\n  args = {config}\n}}\n"
    settings = f"  driver = portcullis\n  passdb_portcullis_config = {config}\n"
    return f"passdb {name} {{\n{settings}}}\n"


@contextmanager
def _conf_d(text, name="06-test.conf"):
    """A file of settings, by its name right behind the gate's snippet."""
    path = ETC / "conf.d" / name
    path.write_text(text)
    try:
        yield
    finally:
        path.unlink()


def _broken(journal, count=1):
    """So many events that name a rule, and no more."""
    events = []
    while len(events) < count:
        events += [event for event in journal.wait(1) if event["rules"]]
    assert len(events) == count, events
    return events


@pytest.mark.parametrize("mechanism", [None, "CRAM-MD5"])
def test_blocking_passdb_in_auth_workers(host, mechanism):
    version = host.dovecot.version
    debug = {(2, 3): "auth_debug = yes\n", (2, 4): "log_debug = category=auth\n"}
    host.apply(ENCRYPTION, dovecot=sql_users.install(version) + debug[version])
    user = sql_users.USERS[0]
    start = len(host.dovecot.log())
    for password, verified in (("wrong", False), (PASSWORD, True)):
        reply = clients.imap(user, password, mechanism=mechanism)
        assert not reply.accepted and reply.text.endswith("] no TLS")
        event = _broken(host.dovecot_journal)[0]
        assert event["verified"] == verified and event["user"] == user
    assert clients.imap(user, mechanism=mechanism, tls="starttls").accepted
    assert not clients.imap(user, "wrong", mechanism=mechanism, tls="starttls").accepted
    log = host.dovecot.log()[start:]
    assert len(re.findall(r"auth-worker\(.* sql\b.*Performing passdb lookup", log)) == 4
    # The gate in the worker, if it were asked, would judge a second time.
    assert not re.search(r"auth-worker\(.* portcullis\b", log)


@pytest.mark.parametrize("mechanism", [None, "PLAIN"])
def test_master_user(host, mechanism):
    """Judged, exempted and recorded is who types the password."""
    login = f"{USER}*{MASTER_USER}"
    host.apply(ENCRYPTION, exemptions=f"{USER} encryption 2037-12-31\n")
    assert clients.imap(USER, mechanism=mechanism).accepted
    reply = clients.imap(login, mechanism=mechanism)
    assert not reply.accepted and reply.text == "[CONTACTADMIN] no TLS"
    event = _broken(host.dovecot_journal)[0]
    assert event["user"] == f"{MASTER_USER}@example.org" and event["verified"]

    reply = clients.imap(login, "wrong", mechanism=mechanism)
    assert not reply.accepted
    assert not _broken(host.dovecot_journal)[0]["verified"]
    assert clients.imap(login, mechanism=mechanism, tls="starttls").accepted

    host.apply(ENCRYPTION, exemptions=f"{MASTER_USER}@example.org encryption 2037-12-31\n")
    assert clients.imap(login, mechanism=mechanism).accepted
    assert not clients.imap(USER, mechanism=mechanism).accepted
    assert _broken(host.dovecot_journal)[0]["user"] == USER


PASSDBS = {
    (2, 3): f"""
passdb {{
  driver = passwd-file
  args = username_format=%u {USER_FILE}
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {MASTER_USER_FILE}
  master = yes
}}
""",
    (2, 4): f"""
passdb users {{
  driver = passwd-file
  passwd_file_path = {USER_FILE}
}}
passdb masters {{
  driver = passwd-file
  passwd_file_path = {MASTER_USER_FILE}
  master = yes
}}
""",
}


def test_passdbs_before_the_gate_are_warned_of(host):
    """They let in whom the gate would refuse. Behind it they are fine."""
    warning = "portcullis: no gate stands before passwd-file"
    for name, warned in (("04-test.conf", 1), ("06-test.conf", 0)):
        start = len(host.dovecot.log())
        with _conf_d(PASSDBS[host.dovecot.version], name):
            host.apply(ENCRYPTION)
            for user in (USER, f"{USER}*{MASTER_USER}"):
                assert clients.imap(user).accepted == bool(warned)
        log = host.dovecot.log()[start:]
        assert log.count(f"{warning} passdb: ") == warned
        assert log.count(f"{warning} master passdb: ") == warned


def test_passdbs_of_one_protocol_without_gate_are_warned_of(host):
    with _conf_d(f"protocol pop3 {{\n{PASSDBS[host.dovecot.version]}}}\n", "04-test.conf"):
        start = len(host.dovecot.log())
        host.apply(ENCRYPTION)
        assert clients.pop3(USER).accepted and not clients.imap(USER).accepted
        assert re.findall("no gate stands before (.*?):", host.dovecot.log()[start:]) == [
            "passwd-file passdb of protocol pop3",
            "passwd-file master passdb of protocol pop3",
        ]


def test_the_last_passdb_lets_in_even_if_it_is_to_go_on(host):
    """Only IMAP has a gate, and of the passdbs the last says continue-ok."""
    version = host.dovecot.version
    snippet = ETC / "conf.d/05-portcullis.conf"
    text = snippet.read_text()
    gate = f"protocol imap {{\n{_gate(version, 'portcullis', CONFIG)}}}\n"
    users = PASSDBS[version].partition("}\n")[0] + "  result_success = continue-ok\n}\n"
    start = len(host.dovecot.log())
    try:
        snippet.write_text(re.sub(r"(?m)^passdb .*\n(?:  .*\n)+}$", "", text) + gate)
        host.apply(ENCRYPTION, dovecot=users)
        assert clients.pop3(USER).accepted
    finally:
        snippet.write_text(text)
    log = host.dovecot.log()[start:]
    assert log.count("portcullis: no gate stands before passwd-file passdb: ") == 2
    assert log.count("portcullis: no gate stands before passwd-file master passdb: ") == 1


@pytest.mark.parametrize("version", [1, 2])
def test_haproxy_listeners(host, version):
    """Address and port are those that the proxy tells, not its own."""
    host.apply(
        """
rule country      { enforce = "always" allow = { "DE" } message = "abroad" }
rule implicit-tls { enforce = "always" message = "wrong port" }
"""
    )
    for family in (0, 1):
        client = CLIENTS["US"][family]
        for login in (clients.imap, clients.pop3):
            assert login(USER, client=CLIENTS["DE"][family], tls="implicit", proxy=version).accepted
            reply = login(USER, client=client, tls="implicit", proxy=version)
            assert not reply.accepted and reply.text.endswith("] abroad")
            event = _broken(host.dovecot_journal)[0]
            assert event["client"] == client and event["country"] == "US"
            assert event["port"] == (993 if login is clients.imap else 995)
            assert event["rules"] == {"country": "enforce"} and event["tls"] == "implicit"

            reply = login(USER, client=CLIENTS["DE"][family], tls="starttls", proxy=version)
            assert not reply.accepted and reply.text.endswith("] wrong port")
            event = _broken(host.dovecot_journal)[0]
            assert event["port"] == (143 if login is clients.imap else 110)
            assert event["client"] == CLIENTS["DE"][family]


def test_plain_text_by_proxy_is_no_encryption(host):
    host.apply(ENCRYPTION)
    for version in (1, 2):
        assert not clients.imap(USER, proxy=version).accepted
        assert _broken(host.dovecot_journal)[0]["tls"] == "none"


def test_two_gates_with_two_files(host):
    """Each judges by its own file and writes its own journal."""
    directory = CONFIG.parent / "second-journal"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o2770)
    subprocess.run(["chown", f"{GROUP}:{GROUP}", directory], check=True)
    rules = """
rule pop3 { kind = "protocol" services = { "pop3" } enforce = "always" message = "second" }
rule mechanism { observe = "2020-01-01" }
"""
    first_journal = str(host.dovecot_journal.path.parent)
    SECOND_CONFIG.write_text(SITE.replace(first_journal, str(directory)) + rules)
    second_journal = Journal("dovecot", directory)

    with _conf_d(_gate(host.dovecot.version, "second", SECOND_CONFIG)):
        host.apply(ENCRYPTION)
        reply = clients.imap(USER, mechanism="CRAM-MD5")
        assert not reply.accepted and reply.text == "[CONTACTADMIN] no TLS"
        event = _broken(host.dovecot_journal)[0]
        assert event["rules"] == {"encryption": "enforce"} and event["verified"]
        event = _broken(second_journal)[0]
        # By this policy he may.
        assert event["rules"] == {"mechanism": "observe"} and event["action"] == "allow"

        reply = clients.pop3(USER, tls="implicit")
        assert not reply.accepted and reply.text == "-ERR [AUTH] second"
        event = _broken(second_journal)[0]
        assert event["rules"] == {"pop3": "enforce"} and event["action"] == "reject"
        assert clients.imap(USER, tls="implicit").accepted


def test_one_file_named_twice_is_recorded_once(host):
    with _conf_d(_gate(host.dovecot.version, "again", CONFIG)):
        host.apply(ENCRYPTION)
        for mechanism in (None, "CRAM-MD5"):
            assert not clients.imap(USER, mechanism=mechanism).accepted
            assert not clients.imap(USER, "wrong", mechanism=mechanism).accepted
        events = _broken(host.dovecot_journal, 4)
        assert [event["verified"] for event in events] == [True, False, True, False]


# ---- a frontend that hands its users on to a backend ----

BACKEND_PORT = 2143

FRONTEND = {
    (2, 3): f"""
passdb {{
  driver = static
  args = proxy=y host={DOVECOT_ADDRESSES[0]} port={BACKEND_PORT} nopassword=y
}}
""",
    (2, 4): f"""
passdb static {{
  fields {{
    proxy = yes
    host = {DOVECOT_ADDRESSES[0]}
    port = {BACKEND_PORT}
    nopassword = yes
  }}
}}
""",
}

_BACKEND = f"""
protocols = imap
base_dir = /run/dovecot-backend
state_dir = /var/lib/dovecot-backend
listen = {DOVECOT_ADDRESSES[0]}
log_path = {LOG}
ssl = no
first_valid_uid = {MAIL_UID}
service imap-login {{
  inet_listener imap {{
    port = {BACKEND_PORT}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""

BACKEND = {
    (2, 3): f"""{_BACKEND}
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
passdb {{
  driver = passwd-file
  args = username_format=%u {USER_FILE}
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {USER_FILE}
}}
""",
    (2, 4): f"""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
{_BACKEND}
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
passdb passwd-file {{
  passwd_file_path = {USER_FILE}
}}
userdb passwd-file {{
  passwd_file_path = {USER_FILE}
}}
""",
}


@pytest.fixture
def backend(host):
    path = ETC.with_name("dovecot-backend.conf")
    path.write_text(BACKEND[host.dovecot.version])
    server = Server(["dovecot", "-F", "-c", path], log=LOG)
    try:
        wait_until(lambda: listens(BACKEND_PORT), "backend that listens")
        yield server
    finally:
        server.stop()


def test_proxying_frontend(host, backend):
    """The login process would rather hand a login on than refuse it."""
    assert backend.running
    rules = ENCRYPTION + 'rule mechanism { observe = "2020-01-01" allow = { "LOGIN" } }\n'
    with _conf_d(FRONTEND[host.dovecot.version]):
        host.apply(rules)
        reply = clients.imap(USER)
        assert not reply.accepted and reply.text == "[CONTACTADMIN] no TLS"
        event = _broken(host.dovecot_journal)[0]
        assert event["action"] == "reject"
        # The backend has the passwords: nothing is verified here.
        assert not event["verified"]

        logins = lambda: host.dovecot.log().count(f"lip={DOVECOT_ADDRESSES[0]}, mpid=")
        before = logins()
        assert clients.imap(USER, tls="starttls").accepted
        event = _broken(host.dovecot_journal)[0]
        assert event["action"] == "allow" and not event["verified"]
        wait_until(lambda: logins() == before + 1, "line of the backend's login")
        assert not clients.imap(USER, "wrong", tls="starttls").accepted
