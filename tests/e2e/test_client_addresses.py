"""Addresses in the forms that a proxy may tell: an IPv4 address is the same in
IPv6's clothes, and of no country is only what no country can have."""

import pytest

import clients

from mmdb import CLIENTS

USER = "alice@example.org"

GERMANY, AMERICA = CLIENTS["DE"][0], CLIENTS["US"][0]

RULES = """
rule country {
    allow   = { "DE" }
    enforce = "always"
    message = "abroad"
    except-networks = { "webmail" }
}
"""


@pytest.mark.parametrize("version", [1, 2])
def test_forms_of_an_address(host, version):
    host.apply(RULES)
    for client in (
        f"::ffff:{GERMANY}",
        "::ffff:10.0.0.1",
        "::ffff:198.51.100.25",  # in the network webmail
        "fe80::1",
        "100.64.0.1",  # shared by a provider's customers
    ):
        assert clients.imap(USER, client=client, proxy=version).accepted, client
    for client, recorded, country in (
        (f"::ffff:{AMERICA}", AMERICA, "US"),
        ("::ffff:198.51.100.26", "198.51.100.26", ""),
        ("::", "::", ""),
        ("0.0.0.0", "0.0.0.0", ""),
        ("100.128.0.1", "100.128.0.1", ""),
    ):
        reply = clients.imap(USER, client=client, proxy=version)
        assert not reply.accepted and reply.text == "[ALERT] abroad", client
        events = []
        while not events:
            events = [event for event in host.dovecot_journal.wait() if event["rules"]]
        assert len(events) == 1, events
        assert events[0]["client"] == recorded and events[0]["country"] == country
