"""conf-examples/postfix on configurations that sites have, without starting Postfix."""

import os
import re
import shutil
import subprocess

from pathlib import Path

import pytest

from mailhost import EXAMPLES

POSTFIX = EXAMPLES / "postfix"
DEBIAN = Path("/usr/share/postfix")
POLICY = "check_policy_service { unix:portcullis/policyd, timeout=10s, default_action=DUNNO }"


class Configuration:
    """A main.cf and a master.cf that no running Postfix reads."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copy(DEBIAN / "main.cf.debian", folder / "main.cf")
        shutil.copy(DEBIAN / "master.cf.dist", folder / "master.cf")

    def run(self, *command):
        environment = {**os.environ, "MAIL_CONFIG": str(self.folder)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def example(self, name, *arguments):
        self.run("sh", POSTFIX / name, *arguments)

    def edit(self, *settings):
        self.run("postconf", "-e", *settings)

    def parameter(self, name):
        return self.run("postconf", "-h", name).strip()

    def service_parameters(self):
        lines = self.run("postconf", "-P").splitlines()
        return dict(line.split(" = ", 1) if " = " in line else (line, "") for line in lines)

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


def test_twice_is_once(configuration):
    configuration.example("postconf-commands.sh")
    before = configuration.files()
    configuration.example("postconf-commands.sh")
    assert configuration.files() == before


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
    configuration.example("postconf-commands.sh")
    configuration.example("postconf-last-step.sh")
    assert configuration.parameter("smtpd_tls_auth_only") == "yes"
    parameters = configuration.service_parameters()
    assert parameters["smtp/inet/smtpd_sasl_auth_enable"] == "no"
    assert parameters["submission/inet/smtpd_sasl_auth_enable"] == "yes"


def test_behind_postscreen(configuration):
    """It takes port 25 and hands those who pass to an smtpd of its own."""
    master = configuration.folder / "master.cf"
    text = re.sub("^(smtp +inet .*) smtpd$", r"\1 postscreen", master.read_text(), flags=re.M)
    text = re.sub("^#(smtpd +pass .*)", r"\1", text, flags=re.M)
    master.write_text(text)
    name = "smtpd/pass/smtpd_recipient_restrictions"
    configuration.run("postconf", "-P", f"{name}=permit_mynetworks,reject")
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
    return [configuration.run("postconf", option) for option in ("-n", "-M", "-P")]


def test_taken_out_again(site):
    before = settings(site)
    site.example("postconf-commands.sh")
    site.example("postconf-sasl-service.sh")
    assert settings(site) != before
    site.example("postconf-remove.sh")
    assert settings(site) == before


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
    with pytest.raises(AssertionError, match="take portcullis out of these first"):
        configuration.example("postconf-remove.sh")
    restrictions = configuration.parameter("smtpd_recipient_restrictions")
    assert restrictions == "reject_unlisted_sender, reject"
    assert configuration.parameter("smtpd_restriction_classes") == "portcullis"
    assert configuration.parameter("portcullis") == POLICY
    configuration.run("postconf", "-X", "smtpd_sender_restrictions")
    configuration.example("postconf-remove.sh")
    configuration.run("postconf", "-X", "smtpd_recipient_restrictions")
    assert settings(configuration) == before
