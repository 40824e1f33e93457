"""conf-examples/postfix on configurations that sites have; mostly without starting Postfix."""

import os
import re
import shutil
import subprocess
import sys

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import clients

from mailhost import EXAMPLES
from processes import command_name, descendants, wait_until

POSTFIX = EXAMPLES / "postfix"
DEBIAN = Path("/usr/share/postfix")
POLICY = "check_policy_service { unix:portcullis/policyd, timeout=10s, default_action=DUNNO }"


# A network of its own, in which nobody listens, and no master of Postfix to be reloaded.
ALONE = ("unshare", "--net", "--mount", "--propagation", "unchanged", "sh", "-ec",
         "ip link set lo up; mkdir -p /var/spool/postfix/pid;"
         ' mount -t tmpfs pid /var/spool/postfix/pid; exec "$@"', "sh")  # fmt: skip


class Configuration:
    """A main.cf and a master.cf that no running Postfix reads."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copy(DEBIAN / "main.cf.debian", folder / "main.cf")
        shutil.copy(DEBIAN / "master.cf.dist", folder / "master.cf")

    def run(self, *command):
        environment = {**os.environ, "MAIL_CONFIG": str(self.folder)}
        for name in ("main.cf", "master.cf"):
            # postconf waits for a second with a file that was just written.
            os.utime(self.folder / name, (0, 0))
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def example(self, name, *arguments):
        """Returns what it says."""
        return self.run(*ALONE, "sh", POSTFIX / name, *arguments)

    def edit(self, *settings):
        self.run("postconf", "-e", *settings)

    def parameter(self, name):
        return self.run("postconf", "-h", name).strip()

    def service_parameters(self):
        lines = self.run("postconf", "-P").splitlines()
        return dict(line.split(" = ", 1) if " = " in line else (line, "") for line in lines)

    def kept(self):
        """The old files."""
        return sorted(path for path in self.folder.iterdir() if "cf.20" in path.name)

    def files(self):
        return [(self.folder / name).read_bytes() for name in ("main.cf", "master.cf")]


@pytest.fixture
def configuration(tmp_path):
    return Configuration(tmp_path)


def test_a_fresh_debian(configuration):
    configuration.example("postconf-commands.sh")
    assert configuration.parameter("smtpd_restriction_classes") == "portcullis"
    assert configuration.parameter("portcullis") == POLICY
    assert configuration.parameter("smtpd_recipient_restrictions") == "portcullis"
    parameters = configuration.service_parameters()
    for service in ("submission", "submissions"):
        restrictions = parameters[f"{service}/inet/smtpd_recipient_restrictions"]
        assert restrictions == "portcullis,permit_sasl_authenticated,reject"
    assert parameters["submissions/inet/smtpd_tls_wrappermode"] == "yes"
    assert parameters["submission/inet/smtpd_tls_security_level"] == "may"


@pytest.fixture
def site(configuration):
    """One that has restrictions and services of its own."""
    configuration.edit(
        "smtpd_restriction_classes = greylist",
        "greylist = check_policy_service unix:private/greylist",
        "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination",
    )
    with open(configuration.folder / "master.cf", "a") as master:
        master.write(
            "submission inet n - y - - smtpd\n"
            "  -o smtpd_tls_security_level=encrypt\n"
            "  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject\n"
            "smtps inet n - y - - smtpd\n"
            "  -o smtpd_tls_wrappermode=yes\n"
            "  -o smtpd_recipient_restrictions=\n"
            "127.0.0.1:10025 inet n - y - - smtpd\n"
            "  -o smtpd_recipient_restrictions=permit_mynetworks,reject\n"
        )
    return configuration


def test_what_a_site_has_stays(site):
    site.example("postconf-commands.sh", "inet:127.0.0.1:10040")
    assert site.parameter("smtpd_restriction_classes") == "greylist, portcullis"
    assert "inet:127.0.0.1:10040" in site.parameter("portcullis")
    assert (
        site.parameter("smtpd_recipient_restrictions")
        == "portcullis, permit_mynetworks, reject_unauth_destination"
    )
    parameters = site.service_parameters()
    name = "smtpd_recipient_restrictions"
    assert parameters["submission/inet/smtpd_tls_security_level"] == "encrypt"
    assert parameters[f"submission/inet/{name}"] == "portcullis,permit_sasl_authenticated,reject"
    assert parameters[f"smtps/inet/{name}"] == "portcullis"
    # The way back from a content filter is not asked about again.
    assert parameters[f"127.0.0.1:10025/inet/{name}"] == "permit_mynetworks,reject"
    assert "submissions/inet/smtpd_tls_wrappermode" not in parameters


CERTIFICATE = "smtpd_tls_cert_file = /etc/ssl/mail.pem"


def test_each_service_is_accounted_for(site):
    site.edit("smtpd_sasl_type = dovecot", "smtpd_sasl_auth_enable = yes", CERTIFICATE)
    with open(site.folder / "master.cf", "a") as master:
        master.write("2525 inet n - y - - smtpd\n192.0.2.1:25 inet n - y - - smtpd\n")
    said = site.example("postconf-commands.sh")
    elsewhere = "its port is none of 25, 465 and 587"
    assert said.splitlines()[-7:-1] == [
        "smtp/inet asks Portcullis.",
        "submission/inet asks Portcullis.",
        "smtps/inet asks Portcullis.",
        "192.0.2.1:25/inet asks Portcullis.",
        f"127.0.0.1:10025/inet is left alone: {elsewhere}, and it has restrictions of its own.",
        f"2525/inet asks Portcullis, though {elsewhere}: it has the restrictions of main.cf.",
    ]
    assert "portcullis first in its restrictions by hand" in said
    said = site.example("postconf-sasl-service.sh")
    assert '\n192.0.2.1:25/inet is "smtp:25" to Dovecot.\n' in said
    assert f"\n2525/inet is left alone: {elsewhere}.\n" in said
    said = site.example("postconf-last-step.sh")
    assert "\n192.0.2.1:25/inet has no logins.\n" in said
    assert "\nsmtps/inet has logins with TLS only.\n" in said
    assert said.endswith(
        f"\n2525/inet is left alone: {elsewhere}; it has logins, smtpd_tls_auth_only = yes.\n"
    )


def test_a_port_that_one_address_has(configuration):
    """Another service on all addresses could keep Postfix from starting."""
    with open(configuration.folder / "master.cf", "a") as master:
        master.write("127.0.0.1:587 inet n - y - - smtpd\n[::1]:smtps inet n - y - - smtpd\n")
    said = configuration.example("postconf-commands.sh")
    assert "\nPort 587 is open on these addresses, and stays so: 127.0.0.1:587/inet\n" in said
    assert "\nPort 465 is open on these addresses, and stays so: [::1]:smtps/inet\n" in said
    services = configuration.run("postconf", "-M")
    assert "submission" not in services


def test_a_port_that_another_program_has(configuration):
    with open(configuration.folder / "master.cf", "a") as master:
        master.write("submission inet n - y - - haproxy\nsmtps inet n - y - - haproxy\n")
    before = configuration.run("postconf", "-M")
    configuration.example("postconf-commands.sh")
    assert configuration.run("postconf", "-M") == before


LISTENING = """
import socket, subprocess, sys
servers = [socket.create_server(("", port)) for port in (587, 465)]
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


def test_a_port_that_another_server_has(configuration):
    """Such as Dovecot's submission service. Postfix ends when it cannot open a port."""

    def example(name):
        listening = (*ALONE, sys.executable, "-c", LISTENING)
        return configuration.run(*listening, "sh", POSTFIX / name)

    configuration.edit("smtpd_sasl_auth_enable = yes", CERTIFICATE)
    before = configuration.run("postconf", "-M")
    said = example("postconf-commands.sh")
    assert configuration.run("postconf", "-M") == before
    for port in (587, 465):
        assert f"Port {port} is another program's, which listens there: it is not opened." in said
    assert "smtp/inet has no logins." in example("postconf-last-step.sh")


# What port 25 has, and as what its clients' ports are added.
CHROOTED = {
    "smtpd": ("smtp inet n - n - - smtpd\n", "n"),
    "postscreen": ("smtpd pass - - y - - smtpd\nsmtp inet n - n - 1 postscreen\n", "n"),
    "by number": ("25 inet n - n - - smtpd\n", "n"),
    "nothing": ("", "-"),
}


@pytest.mark.parametrize("site", CHROOTED)
def test_what_is_added_is_chrooted_as_the_others(configuration, site):
    lines, chroot = CHROOTED[site]
    master = configuration.folder / "master.cf"
    master.write_text(re.sub("^smtp +inet .*\n", "", master.read_text(), flags=re.M) + lines)
    said = configuration.example("postconf-commands.sh")
    for service in ("submission/inet", "submissions/inet"):
        assert configuration.run("postconf", "-M", service).split()[4] == chroot
    assert "What was added ( submission submissions ) has smtpd_sasl_type = cyrus" in said
    assert "What was added ( submission submissions ) has no TLS before" in said


def test_lists_against_strangers_are_not_for_what_is_added(configuration):
    configuration.edit("smtpd_client_restrictions = reject_rbl_client pbl.example.org")
    configuration.example("postconf-commands.sh")
    parameters = configuration.run("postconf", "-P").splitlines()
    assert "submission/inet/smtpd_client_restrictions =" in parameters


def test_other_instances_are_named(configuration):
    configuration.edit("multi_instance_directories = /etc/postfix-out")
    said = configuration.example("postconf-commands.sh")
    assert "Other instances are left alone (/etc/postfix-out)" in said


def test_twice_is_once(configuration):
    configuration.example("postconf-commands.sh")
    before, kept = configuration.files(), configuration.kept()
    said = configuration.example("postconf-commands.sh")
    assert said.startswith(f"Nothing to change in {configuration.folder}\n")
    assert (configuration.files(), configuration.kept()) == (before, kept)


def test_says_what_it_changes_and_keeps_what_was(configuration):
    before = configuration.files()
    # A site may have its files elsewhere.
    main = configuration.folder / "main.cf"
    main.rename(configuration.folder / "site.cf")
    main.symlink_to("site.cf")
    (configuration.folder / "site.cf").chmod(0o640)
    said = configuration.example("postconf-commands.sh")
    assert "\n+smtpd_recipient_restrictions = portcullis\n" in said
    assert "\n+submission inet" in said
    assert [path.read_bytes() for path in configuration.kept()] == before[::-1]
    for path in configuration.kept():
        assert str(path) in said
    assert main.is_symlink() and main.stat().st_mode & 0o777 == 0o640
    names = {path.name for path in configuration.folder.iterdir()}
    assert names == {"main.cf", "master.cf", "site.cf", *(p.name for p in configuration.kept())}


def test_no_port_is_opened(site):
    """Debian's package asks on what is open already."""
    services = [line.split()[:2] for line in site.run("postconf", "-M").splitlines()]
    site.example("postconf-commands.sh", "--open-no-port")
    assert [line.split()[:2] for line in site.run("postconf", "-M").splitlines()] == services
    parameters = site.service_parameters()
    name = "smtpd_recipient_restrictions"
    assert parameters[f"submission/inet/{name}"] == "portcullis,permit_sasl_authenticated,reject"


def test_on_a_fresh_debian_no_port_is_opened(configuration):
    before = settings(configuration)
    said = configuration.example("postconf-commands.sh", "--open-no-port", "inet:127.0.0.1:10040")
    assert "inet:127.0.0.1:10040" in configuration.parameter("portcullis")
    assert "587" not in said and settings(configuration)[1:] == before[1:]


def test_what_was_may_be_kept_elsewhere(configuration, tmp_path, monkeypatch):
    before = configuration.files()
    (tmp_path / "kept").mkdir()
    monkeypatch.setenv("KEPT", str(tmp_path / "kept"))
    configuration.example("postconf-commands.sh")
    assert configuration.kept() == []
    kept = sorted((tmp_path / "kept").iterdir())
    assert [path.read_bytes() for path in kept] == before


SPACED = [
    "  -o { smtpd_recipient_restrictions = permit_sasl_authenticated reject }\n",
    "  -o {smtpd_recipient_restrictions=check_client_access { inline:{ a=b }},reject}\n",
    "  -o { smtpd_recipient_restrictions =\n    permit_sasl_authenticated,\n\treject }\n",
    "  -o { smtpd_recipient_restrictions = reject }\n",
]


@pytest.mark.parametrize("option", SPACED)
def test_restrictions_with_spaces(configuration, option):
    with open(configuration.folder / "master.cf", "a") as master:
        master.write(
            "submission inet n - y - - smtpd\n  -o syslog_name=postfix/submission\n"
            + option
            + "  -o { smtpd_sender_restrictions = permit_mynetworks, reject }\n"
            "465 inet n - y - - smtpd -o smtpd_tls_wrappermode=yes\n"
        )
    name = "submission/inet/smtpd_recipient_restrictions"
    before = settings(configuration)
    was = configuration.service_parameters()
    configuration.example("postconf-commands.sh")
    parameters = configuration.service_parameters()
    assert re.split("[, ]+", parameters[name], maxsplit=1) == ["portcullis", was[name]]
    assert {**parameters, name: was[name]} == was
    files = configuration.files()
    configuration.example("postconf-commands.sh")
    assert configuration.files() == files
    configuration.example("postconf-remove.sh")
    assert settings(configuration) == before


def test_the_files_say_the_same_as_the_commands(configuration, tmp_path):
    configuration.edit("smtpd_recipient_restrictions = permit_mynetworks")
    configuration.example("postconf-commands.sh")
    (tmp_path / "by-hand").mkdir()
    by_hand = Configuration(tmp_path / "by-hand")
    for name in ("main.cf", "master.cf"):
        with open(by_hand.folder / name, "a") as file:
            file.write((POSTFIX / name).read_text())
    for name in ("smtpd_restriction_classes", "portcullis", "smtpd_recipient_restrictions"):
        assert by_hand.parameter(name) == configuration.parameter(name)
    assert by_hand.service_parameters() == configuration.service_parameters()
    for service in ("submission/inet", "submissions/inet"):
        fields = by_hand.run("postconf", "-M", service).split()
        assert fields == configuration.run("postconf", "-M", service).split()


def test_the_last_step(configuration):
    configuration.edit(CERTIFICATE)
    configuration.example("postconf-commands.sh")
    configuration.run("postconf", "-P", "submission/inet/smtpd_tls_auth_only=no")
    configuration.example("postconf-last-step.sh")
    assert configuration.parameter("smtpd_tls_auth_only") == "yes"
    parameters = configuration.service_parameters()
    assert parameters["smtp/inet/smtpd_sasl_auth_enable"] == "no"
    assert parameters["submission/inet/smtpd_sasl_auth_enable"] == "yes"
    assert parameters["submission/inet/smtpd_tls_auth_only"] == "yes"
    before = configuration.files()
    configuration.example("postconf-last-step.sh")
    assert configuration.files() == before


def test_the_last_step_before_the_others(configuration):
    """After it nobody could send mail."""
    configuration.edit("smtpd_sasl_auth_enable = yes", CERTIFICATE)
    before = configuration.files()
    with pytest.raises(AssertionError, match="no login on port 587 or 465 yet"):
        configuration.example("postconf-last-step.sh")
    assert configuration.files() == before


def test_the_last_step_without_a_certificate(configuration):
    configuration.example("postconf-commands.sh")
    before = configuration.files()
    with pytest.raises(AssertionError, match="without a certificate"):
        configuration.example("postconf-last-step.sh")
    assert configuration.files() == before


def test_behind_postscreen(configuration):
    """It takes port 25 and hands those who pass to an smtpd of its own."""
    master = configuration.folder / "master.cf"
    text = re.sub("^(smtp +inet .*) smtpd$", r"\1 postscreen", master.read_text(), flags=re.M)
    text = re.sub("^#(smtpd +pass .*)", r"\1", text, flags=re.M)
    master.write_text(text)
    name = "smtpd/pass/smtpd_recipient_restrictions"
    configuration.run("postconf", "-P", f"{name}=permit_mynetworks,reject")
    configuration.edit(CERTIFICATE)
    before = configuration.run("postconf", "-n")
    for script in ("commands", "sasl-service", "last-step"):
        configuration.example(f"postconf-{script}.sh")
    parameters = configuration.service_parameters()
    assert parameters[name] == "portcullis,permit_mynetworks,reject"
    assert parameters["smtpd/pass/smtpd_sasl_service"] == "smtp:25"
    assert parameters["smtpd/pass/smtpd_sasl_auth_enable"] == "no"
    assert not [parameter for parameter in parameters if parameter.startswith("smtp/inet/")]
    configuration.example("postconf-remove.sh")
    configuration.run("postconf", "-X", "smtpd_tls_auth_only")
    assert configuration.run("postconf", "-n") == before
    parameters = configuration.service_parameters()
    assert parameters[name] == "permit_mynetworks,reject"
    assert "smtpd/pass/smtpd_sasl_service" not in parameters


def test_names_for_the_gate(configuration):
    configuration.example("postconf-commands.sh")
    with open(configuration.folder / "master.cf", "a") as master:
        master.write("587 inet n - y - - smtpd\n  -o smtpd_sasl_service=clients\n")
    configuration.example("postconf-sasl-service.sh")
    parameters = configuration.service_parameters()
    named = {name: value for name, value in parameters.items() if "smtpd_sasl_service" in name}
    assert named == {
        "smtp/inet/smtpd_sasl_service": "smtp:25",
        "submission/inet/smtpd_sasl_service": "submission",
        "submissions/inet/smtpd_sasl_service": "submissions",
        "587/inet/smtpd_sasl_service": "clients",
    }
    before = configuration.files()
    configuration.example("postconf-sasl-service.sh")
    assert configuration.files() == before


def settings(configuration):
    return [configuration.run("postconf", option).split() for option in ("-n", "-M", "-P")]


def test_taken_out_again(site):
    before = settings(site)
    site.example("postconf-commands.sh")
    site.example("postconf-sasl-service.sh")
    assert settings(site) != before
    site.example("postconf-remove.sh")
    assert settings(site) == before


def refuses_to_take_out(configuration, reason):
    """As long as smtpd_sender_restrictions ask."""
    asking = configuration.files()
    with pytest.raises(AssertionError, match=reason):
        configuration.example("postconf-remove.sh")
    assert configuration.files() == asking
    configuration.run("postconf", "-X", "smtpd_sender_restrictions")
    configuration.example("postconf-remove.sh")


def test_what_still_asks_is_not_left_without_an_answer(configuration):
    """smtpd answers 451 to all mail where a restriction is unknown to it."""
    before = settings(configuration)
    with open(configuration.folder / "main.cf", "a") as main:
        main.write(
            "smtpd_restriction_classes = portcullis\n"
            f"portcullis = {POLICY}\n"
            "smtpd_recipient_restrictions = reject_unlisted_sender, portcullis, reject\n"
            "smtpd_sender_restrictions = permit_mynetworks, portcullis\n"
        )
    refuses_to_take_out(configuration, "take portcullis out of these first")
    configuration.run("postconf", "-X", "smtpd_recipient_restrictions")
    assert settings(configuration) == before


def test_who_asks_the_daemon_otherwise_is_not_left_without_an_answer(configuration):
    """It would be 451, once the daemon is gone."""
    configuration.example("postconf-commands.sh")
    configuration.edit("smtpd_sender_restrictions = check_policy_service unix:portcullis/policyd")
    refuses_to_take_out(configuration, "these ask the daemon by themselves")
    assert "portcullis" not in configuration.files()[0].decode()


@pytest.fixture
def spaced_postfix(host):
    """A running one, whose restrictions on 587 have spaces."""
    folder = Path("/etc/postfix")
    before = {name: (folder / name).read_bytes() for name in ("main.cf", "master.cf")}
    host.apply("""rule encryption { enforce = "always" }""")
    host.postfix.run_example(POSTFIX / "postconf-remove.sh")
    master = (folder / "master.cf").read_text()
    option = "smtpd_recipient_restrictions=permit_sasl_authenticated,reject"
    assert option in master
    spaced = "{ smtpd_recipient_restrictions = permit_sasl_authenticated reject }"
    (folder / "master.cf").write_text(master.replace(option, spaced))
    host.postfix.run_example(POSTFIX / "postconf-commands.sh")
    yield host
    for name, content in before.items():
        (folder / name).write_bytes(content)
    host.postfix.restart()


def test_a_running_postfix_asks_behind_spaces(spaced_postfix):
    spaced_postfix.postfix.restart()
    user = "alice@example.org"
    refused = clients.smtp(587, user, tls="none")
    assert not refused.accepted and "530 5.7.0" in refused.text
    assert clients.smtp(587, user, tls="starttls").accepted
    spaced_postfix.postfix.run_example(POSTFIX / "postconf-remove.sh")
    spaced_postfix.postfix.restart()
    assert clients.smtp(587, user, tls="none").accepted
    assert not clients.smtp(587).accepted


@pytest.fixture
def slow_smtpd(tmp_path):
    """One that takes a while to start, as on a busy machine."""
    real = Path("/usr/lib/postfix/sbin/smtpd")
    copy = tmp_path / "smtpd"
    shutil.copy(real, copy)
    slow = tmp_path / "slow"
    slow.write_text(f'#!/bin/sh\nsleep 6\nexec {copy} "$@"\n')
    slow.chmod(0o755)
    subprocess.run(["mount", "--bind", slow, real], check=True)
    yield
    subprocess.run(["umount", "--lazy", real], check=True)


def test_whoever_connects_while_it_is_taken_out_is_answered(spaced_postfix, slow_smtpd):
    """A process of smtpd that began with the old master.cf, and reads the new main.cf, must
    still find there what asking means."""
    postfix = spaced_postfix.postfix
    postfix.restart()
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(clients.smtp, 587, "alice@example.org", tls="starttls")
        wait_until(lambda: "sleep" in map(command_name, descendants(postfix.pid)), "smtpd")
        postfix.run_example(POSTFIX / "postconf-remove.sh")
        assert reply.result().accepted, reply.result()
    assert "portcullis" not in Path("/etc/postfix/main.cf").read_text()
