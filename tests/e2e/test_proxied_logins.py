"""A frontend that hands its users on to a backend: whether it was the password of
the user, it knows only if it has looked itself."""

import pytest

import clients
import sql_users

from dovecot import ETC
from namespaces import DOVECOT_ADDRESSES
from test_chains import BACKEND_PORT, ENCRYPTION, backend  # the last is a fixture

USER, BACKEND_USER = sql_users.USERS[0], "alice@example.org"

PROXY = (
    f"'y' AS proxy, '{DOVECOT_ADDRESSES[0]}' AS host, {BACKEND_PORT} AS port, "
    f"'{BACKEND_USER}' AS destuser, '{clients.PASSWORD}' AS pass"
)


def _settings(version, password):
    """The SQL passdb with the fields of a proxy in its query."""
    settings = sql_users.install(version)
    query = f"SELECT {PROXY}, username AS user, {password}"
    asked = "SELECT username AS user, password"
    if version == (2, 3):
        path = ETC / "users-sql.conf.ext"
        text = path.read_text()
        assert asked in text
        path.write_text(text.replace(asked, query))
    else:
        assert asked in settings
        settings = settings.replace(asked, query)
    return settings


@pytest.mark.parametrize("password, checked", [
    ("password", True),
    ("NULL AS password, 'y' AS nopassword", False),
], ids=["password", "nopassword"])
def test_verified_by_who_has_looked(host, backend, password, checked):
    assert backend.running
    version = host.dovecot.version
    host.apply(ENCRYPTION, dovecot=_settings(version, password))
    for mechanism in (None, "PLAIN"):
        reply = clients.imap(USER, mechanism=mechanism)
        assert not reply.accepted and reply.text == "[CONTACTADMIN] no TLS"
        event = host.dovecot_journal.wait_one()
        assert event["action"] == "reject" and event["verified"] == checked, event
    if checked:
        assert not clients.imap(USER, "wrong").accepted
        assert not host.dovecot_journal.wait_one()["verified"]
    assert clients.imap(USER, tls="starttls").accepted
