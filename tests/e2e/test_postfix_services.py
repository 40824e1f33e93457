"""conf-examples/postfix on a Postfix that runs, with the services that sites have in
master.cf; and mails before and after."""

import re
import shutil
import subprocess

from pathlib import Path

import pytest

import clients

from mailhost import EXAMPLES
from mmdb import CLIENTS
from processes import wait_until

POSTFIX = EXAMPLES / "postfix"
ETC = Path("/etc/postfix")
FILES = ("main.cf", "master.cf")
DEBIAN = Path("/usr/share/postfix/master.cf.dist").read_text()
DEBIAN_25 = re.search("^smtp +inet .*\n", DEBIAN, re.M)[0]

ALICE = "alice@example.org"
IPV4, IPV6 = CLIENTS["DE"]


class Site:
    def __init__(self, host, master):
        """master: of port 25 and of what comes after Debian's services."""
        self.host = host
        self.said = ""
        (ETC / "master.cf").write_text(DEBIAN.replace(DEBIAN_25, "") + master)
        host.postfix.restart()

    def run(self, name):
        """Runs the example."""
        self.said = self.host.postfix.run_example(POSTFIX / f"postconf-{name}.sh")

    def put_in_force(self, name):
        self.run(name)
        subprocess.run(["postfix", "check"], check=True)
        self.host.postfix.restart()

    def files(self):
        return [(ETC / name).read_bytes() for name in FILES]



def kept():
    return sorted(ETC.glob("*.cf.20*"))


def forget_kept():
    for path in kept():
        path.unlink()


@pytest.fixture
def own_services(host):
    """Makes a site whose Postfix does not know of Portcullis yet."""
    before = {name: (ETC / name).read_bytes() for name in FILES}
    host.apply("""rule encryption { enforce = "always" services = { "submission" } }""")
    host.postfix.run_example(POSTFIX / "postconf-remove.sh")
    forget_kept()
    yield lambda master: Site(host, master)
    for name, content in before.items():
        (ETC / name).write_bytes(content)
    forget_kept()
    host.postfix.restart()


# Of port 25, and of the rest.
SITES = {
    "Debian's own": DEBIAN_25,
    "by number": """
25 inet n - y - - smtpd
587 inet n - n - - smtpd
  -o smtpd_restriction_classes=
  -o smtpd_tls_auth_only=no
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
  -o smtpd_restriction_classes=
""",
    "bound to addresses": """
# Mail from elsewhere
192.0.2.25:25 inet n - y - - smtpd
[2001:db8::25]:smtp inet n - n - - smtpd
  -o smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination
# Mail programs
192.0.2.25:587 inet n - n - - smtpd
# of 1998
  -o { smtpd_recipient_restrictions =
     permit_sasl_authenticated,
# and later
     reject }
  -o syslog_name=postfix/clients
[2001:db8::25]:submission inet n - y - - smtpd
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
192.0.2.25:smtps inet n - y - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o {smtpd_recipient_restrictions=permit_sasl_authenticated reject}
[2001:db8::25]:465 inet n - y - - smtpd -o smtpd_tls_wrappermode=yes
""",
}


@pytest.mark.parametrize("name", SITES)
def test_mails_before_and_after(own_services, name):
    site = own_services(SITES[name])
    before = site.files()
    for client in (IPV4, IPV6):
        for port in (25,) if name == "Debian's own" else (25, 587):
            assert clients.smtp(port, ALICE, client=client).accepted

    site.put_in_force("commands")
    assert "left alone" not in site.said
    for client in (IPV4, IPV6):
        for port in (25, 587):
            refused = clients.smtp(port, ALICE, client=client)
            assert not refused.accepted and "530 5.7.0" in refused.text, refused
            assert clients.smtp(port, ALICE, client=client, tls="starttls").accepted
        assert clients.smtp(465, ALICE, client=client).accepted
        assert clients.smtp(25, client=client).accepted
    after = site.files()
    site.run("commands")
    assert site.files() == after

    site.put_in_force("last-step")
    for client in (IPV4, IPV6):
        assert not clients.smtp(25, ALICE, client=client, tls="starttls").login.accepted
        assert not clients.smtp(587, ALICE, client=client).login.accepted
        assert clients.smtp(587, ALICE, client=client, tls="starttls").accepted
        assert clients.smtp(465, ALICE, client=client).accepted
    assert site.said.count(" has no logins.\n") == site.said.count(" has logins with TLS only.\n") / 2

    # The copies that were kept are the way back to the very same files.
    for path in reversed(kept()):
        shutil.copy(path, ETC / path.name.split(".20")[0])
    assert site.files() == before


# What a content filter of this kind gives mail back to; here Postfix gives it itself.
FILTERED = """
smtp inet n - y - - smtpd
  -o content_filter=smtp:[127.0.0.1]:10025
127.0.0.1:10025 inet n - n - - smtpd
  -o syslog_name=postfix/back
  -o content_filter=
  -o smtpd_sasl_auth_enable=no
  -o smtpd_restriction_classes=
"""


def test_mail_comes_back_from_a_filter(own_services):
    """Also where it hides the classes of main.cf, and not the restrictions that name one."""
    site = own_services(FILTERED)
    postfix = site.host.postfix
    site.put_in_force("commands")
    offset = len(postfix.log())
    assert clients.smtp(25, ALICE, tls="starttls").accepted
    wait_until(
        lambda: re.search("relay=127.0.0.1.*:10025, .* status=", postfix.log()[offset:]),
        "mail that came back",
    )
    assert re.search("relay=127.0.0.1.*:10025, .* status=sent", postfix.log()[offset:])
