"""Mechanisms that prove who somebody is without a password: what the gate can
refuse of them, and what it can only see. And the one whose passwords are tied
to the TLS connection that they come by."""

import base64
import hmac
import imaplib
import json
import time

import pytest

import channel_binding
import clients
import dovecot
import sql_users

from dovecot import ETC, PASSWORD
from processes import wait_until
from sasl import Exchange

USER = "alice@example.org"


def _authenticate(mechanism, response, tls="starttls"):
    """An IMAP login by a mechanism whose client speaks once."""
    connection = clients.connect_imap(tls=tls)
    try:
        # What follows an error is to be confirmed by an empty response.
        responses = iter([response])
        _, data = connection.authenticate(mechanism, lambda challenge: next(responses, b""))
        return clients.Reply(True, data[-1].decode())
    except imaplib.IMAP4.error as error:
        return clients.Reply(False, str(error.args[0]))
    finally:
        connection.shutdown()


# ---- ANONYMOUS (RFC 4505) asks no passdb ----

ANONYMOUS = "auth_mechanisms = plain anonymous\n"


def _apply_with_anonymous(host, rules):
    # A mailbox for whoever it is.
    settings = ANONYMOUS + sql_users.install(host.dovecot.version)
    offset = len(host.dovecot.log())
    host.apply(rules, dovecot=settings)
    reply = _authenticate("ANONYMOUS", b"sirhc")
    return reply, host.dovecot.log()[offset:]


def test_anonymous_is_recorded_and_warned_of(host):
    reply, log = _apply_with_anonymous(host, 'rule mechanism { enforce = "always" }\n')
    # Dovecot asks nobody who could refuse.
    assert reply.accepted, reply
    event = host.dovecot_journal.wait_one()
    assert event["rules"] == {"mechanism": "enforce"} and event["action"] == "allow"
    assert event["mechanism"] == "ANONYMOUS" and event["user"] == "anonymous@example.org"
    # Whoever it was, it was not that person.
    assert not event["verified"] and event["client"] == clients.GERMANY
    assert event["port"] == 143 and event["tls"] == "starttls" and event["service"] == "imap"
    assert "auth_mechanisms includes ANONYMOUS, which asks no passdb" in log
    assert "rule mechanism will NEVER REFUSE it" in log

    # An ordinary login is recorded once, by the gate, and not by its event as well.
    assert clients.imap(USER, mechanism="PLAIN").accepted
    event = host.dovecot_journal.wait_one()
    assert event["user"] == USER and event["rules"] == {}


def test_anonymous_by_the_other_rules(host):
    rules = 'rule encryption { notify = "2020-01-01" }\nrule mechanism { observe = "always" }\n'
    reply, log = _apply_with_anonymous(host, rules)
    assert reply.accepted
    assert host.dovecot_journal.wait_one()["rules"] == {"mechanism": "observe"}
    assert _authenticate("ANONYMOUS", b"sirhc", tls="none").accepted
    event = host.dovecot_journal.wait_one()
    assert event["rules"] == {"encryption": "notify", "mechanism": "observe"}
    # Nothing is going to be enforced.
    assert "NEVER REFUSE" not in log


# ---- OAUTHBEARER and XOAUTH2, tokens validated by a key of our own ----

KEY = b"a key of thirty-two or more bytes"
KEYS = ETC / "oauth2-keys"

OAUTH2 = {
    (2, 3): f"""
auth_mechanisms = plain oauthbearer xoauth2
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = {ETC}/oauth2.conf.ext
}}
""",
    (2, 4): f"""
auth_mechanisms = plain oauthbearer xoauth2
oauth2 {{
  introspection_mode = local
  username_attribute = sub
  oauth2_local_validation {{
    dict fs {{
      fs posix {{
        prefix = {KEYS}/
      }}
    }}
  }}
}}
passdb oauth2 {{
  mechanisms_filter = oauthbearer xoauth2
}}
""",
}


def _install_oauth2(version):
    key = KEYS / "default/HS256/default"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_text(base64.b64encode(KEY).decode())
    (ETC / "oauth2.conf.ext").write_text(
        "introspection_mode = local\nusername_attribute = sub\n"
        f"local_validation_key_dict = fs:posix:prefix={KEYS}/\n"
    )
    return OAUTH2[version]


def _token(user, key=KEY):
    """A JSON Web Token (RFC 7519)."""

    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    now = int(time.time())
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"sub": user, "iat": now - 60, "nbf": now - 60, "exp": now + 600}
    signed = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    return signed + b"." + encode(hmac.digest(key, signed, "sha256"))


def _oauthbearer(token):
    return b"n,a=" + USER.encode() + b",\1auth=Bearer " + token + b"\1\1"  # RFC 7628


def _xoauth2(token):
    return b"user=" + USER.encode() + b"\1auth=Bearer " + token + b"\1\1"


def test_tokens_pass_the_gate(host):
    """They do ask the passdbs, so that the gate can refuse them."""
    settings = _install_oauth2(host.dovecot.version)
    start = len(host.dovecot.log())
    for phase, date in (("observe", "always"), ("enforce", "always")):
        host.apply(f'rule mechanism {{ {phase} = "{date}" message = "no" }}\n', dovecot=settings)
        for mechanism, response in (("OAUTHBEARER", _oauthbearer), ("XOAUTH2", _xoauth2)):
            reply = _authenticate(mechanism, response(_token(USER)))
            assert reply.accepted == (phase == "observe"), f"{mechanism} {phase}: {reply}"
            if phase == "enforce":
                assert reply.text == "[CONTACTADMIN] no"
            event = host.dovecot_journal.wait_one()
            assert event["rules"] == {"mechanism": phase} and event["mechanism"] == mechanism
            assert event["user"] == USER and event["verified"], event

            assert not _authenticate(mechanism, response(_token(USER, b"x" * 32))).accepted
            event = host.dovecot_journal.wait_one()
            assert event["rules"] == {"mechanism": phase} and not event["verified"], event
    assert clients.imap(USER, mechanism="PLAIN").accepted
    wait_until(lambda: host.dovecot_journal.read(), "record")
    assert "NEVER REFUSE" not in host.dovecot.log()[start:]


# ---- SCRAM with channel binding: a PLUS mechanism, which 2.3 does not have ----

BINDINGS = channel_binding.TYPES if dovecot.release() >= (2, 4) else ()


def _scram(binding_type, key_log, password=PASSWORD, stolen=False):
    """stolen: the login was meant for another connection than it comes by."""
    mechanism = "SCRAM-SHA-256-PLUS" if binding_type else "SCRAM-SHA-256"
    connection = clients.connect_imap()
    try:
        context = clients.make_tls_context()
        options = {}
        if binding_type:
            channel_binding.prepare(context, binding_type, key_log)
        connection.starttls(context)
        if binding_type:
            data = channel_binding.data(connection.sock, binding_type, key_log)
            options["binding"] = (binding_type, bytes(len(data)) if stolen else data)
        exchange = Exchange(mechanism, USER, password, **options)
        _, data = connection.authenticate(mechanism, exchange.answer)
        return clients.Reply(True, data[-1].decode())
    except imaplib.IMAP4.error as error:
        return clients.Reply(False, str(error.args[0]))
    finally:
        connection.shutdown()


@pytest.mark.parametrize("binding_type", (None,) + BINDINGS)
def test_scram_over_tls(host, tmp_path, binding_type):
    mechanism = "SCRAM-SHA-256" + ("-PLUS" if binding_type else "")
    settings = f"auth_mechanisms = plain {mechanism.lower()}\n"
    for phase in ("observe", "enforce"):
        host.apply(f'rule mechanism {{ {phase} = "always" message = "no" }}\n', dovecot=settings)
        trials = [({}, True), ({"password": "wrong"}, False)]
        if binding_type:
            trials.append(({"stolen": True}, False))
        for number, (trial, right) in enumerate(trials):
            reply = _scram(binding_type, tmp_path / f"{phase}-{number}", **trial)
            assert reply.accepted == (right and phase == "observe"), f"{phase} {trial}: {reply}"
            if phase == "enforce":
                assert reply.text.endswith("] no"), f"{trial}: {reply}"
            event = host.dovecot_journal.wait_one()
            assert event["rules"] == {"mechanism": phase}, event
            assert event["mechanism"] == mechanism and event["user"] == USER, event
            assert event["verified"] == right and event["tls"] == "starttls", event

    # It is a rule like others: who allows it, lets it in.
    rule = f'rule mechanism {{ enforce = "always" allow = {{ "PLAIN", "{mechanism}" }} }}\n'
    host.apply(rule, dovecot=settings)
    assert _scram(binding_type, tmp_path / "allowed").accepted
    assert host.dovecot_journal.wait_one()["rules"] == {}
