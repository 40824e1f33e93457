"""A rule's minimum version of TLS, which Postfix tells and Dovecot does not."""

import ssl

import pytest

import clients

USER = "alice@example.org"


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def tls_version(request, monkeypatch):
    """What a mail program speaks."""
    context = clients.make_tls_context()
    context.minimum_version = context.maximum_version = request.param
    monkeypatch.setattr(clients, "TLS_CONTEXT", context)
    return request.param


def test_minimum(host, tls_version):
    host.apply('rule encryption { minimum = "TLSv1.3" enforce = "always" message = "old" }\n')
    new = tls_version == ssl.TLSVersion.TLSv1_3
    for port in (25, 587, 465):
        reply = clients.smtp(port, USER, tls="starttls")
        assert reply.accepted == new, reply
        event = host.postfix_journal.wait_one()
        assert event["rules"] == ({} if new else {"encryption": "enforce"}), event
        assert event["tls"] == ("implicit" if port == 465 else "starttls")
        if not new:
            assert reply.text.startswith("530 5.7.0 ") and reply.text.endswith(" old")
    # Any will do for Dovecot, but none will not.
    assert clients.imap(USER, tls="implicit").accepted
    assert not clients.imap(USER).accepted
