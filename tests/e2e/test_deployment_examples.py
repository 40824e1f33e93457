"""conf-examples for systemd, and the portcullis.conf of each case."""

import datetime
import json
import os
import re
import shutil
import subprocess

import pytest

import cases

from mailhost import BUILD, EXAMPLES, ROOT, USER

SYSTEMD = EXAMPLES / "systemd"
SURVEY = ROOT / "admin/questions/survey-policy.c"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout + done.stderr


@pytest.mark.newer_tools
def test_units_are_valid(host, tmp_path):
    # Under the names that they have when installed, so that they find each other.
    units = [path for path in SYSTEMD.iterdir() if path.is_file() and path.suffix != ".conf"]
    assert len(units) >= 7
    assert run("systemd-analyze", "verify", "--man=no", *units) == ""


def test_what_is_installed_can_be_taken_away(tmp_path):
    make = ["make", "-C", ROOT, f"BUILD={BUILD}", f"DESTDIR={tmp_path}", "PREFIX=/opt/mail"]
    run(*make, "install")
    installed = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert installed >= {"portcullis", "libauthdb_portcullis.so", "portcullis.1", "en.txt",
                         "portcullis-expire.timer", "portcullis-names.conf",
                         "portcullis-names.yaml"}  # fmt: skip
    assert (tmp_path / "opt/mail/share/bash-completion/completions/portcullis").exists()
    module = tmp_path / "opt/mail/lib/portcullis/store-postgresql.so"
    assert module.exists() == (BUILD / "store-postgresql.so").exists()
    run(*make, "uninstall")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_libpq_is_not_needed(tmp_path):
    """Without its headers there is no module, and all else."""
    pkg_config = tmp_path / "pkg-config"
    pkg_config.write_text('#!/bin/sh\ncase "$*" in *libpq*) exit 1 ;; esac\nexec pkg-config "$@"\n')
    pkg_config.chmod(0o755)
    said = run("make", "-C", ROOT, f"BUILD={tmp_path}", f"PKG_CONFIG={pkg_config}",
               "store-postgresql")  # fmt: skip
    assert "libpq-dev 14 or newer is missing" in said
    assert list(tmp_path.rglob("*.so")) == []
    needed = run("make", "-n", "-C", ROOT, f"BUILD={tmp_path}/x", f"PKG_CONFIG={pkg_config}",
                 "install")  # fmt: skip
    assert "libpq-dev 14 or newer is missing" in needed and "admin/store/postgresql/batch" not in needed


SERVICES = sorted(path.name for path in SYSTEMD.glob("*.service"))


@pytest.mark.newer_tools
@pytest.mark.parametrize("service", SERVICES)
def test_the_service_is_confined(service):
    report = run(
        "systemd-analyze",
        "security",
        "--offline=yes",
        "--threshold=100",
        SYSTEMD / service,
    )
    exposure = float(re.search(r"exposure level for .*: ([0-9.]+)", report)[1])
    # These reach the mail system, by its program or by network, and the database.
    reaches = service in ("portcullis-notify.service", "portcullis-expire.service")
    assert exposure < (1.5 if reaches else 1), report


@pytest.mark.newer_tools
@pytest.mark.parametrize("service", SERVICES)
def test_the_service_that_reaches_postgresql_is_confined(service, tmp_path):
    """With what is put beside the units then."""
    if service == "portcullis-policyd.service":
        return
    shutil.copy(SYSTEMD / service, tmp_path)
    (tmp_path / f"{service}.d").mkdir()
    shutil.copy(SYSTEMD / "store-on-postgresql.conf", tmp_path / f"{service}.d")
    assert run("systemd-analyze", "verify", "--man=no", tmp_path / service) == ""
    report = run("systemd-analyze", "security", "--offline=yes", "--threshold=100",
                 "--no-pager", tmp_path / service)  # fmt: skip
    assert re.search("✗ RestrictAddressFamilies=~AF_(INET|UNIX)", report), report
    assert float(re.search(r"exposure level for .*: ([0-9.]+)", report)[1]) < 1.5, report


def settings(service):
    lines = (SYSTEMD / service).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match("[A-Z].*=", line))


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_is_bounded(service):
    unit = settings(service)
    assert {"MemoryMax", "TasksMax"} <= unit.keys()
    assert unit["PrivateUsers"] == unit["PrivateMounts"] == "yes"


@pytest.mark.parametrize("service", ["portcullis-import.service", "portcullis-policyd.service"])
def test_the_service_begins_again_whatever_it_ended_with(service):
    """A damaged store, or a configuration that is mended later, does not end it for good."""
    unit = settings(service)
    assert unit["Restart"] in ("always", "on-failure")
    assert int(unit["RestartSec"]) >= 10
    assert unit["StartLimitIntervalSec"] == "0"
    assert "RestartPreventExitStatus" not in unit


def test_user_and_folders(tmp_path):
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "sysusers.d/portcullis.conf")
    passwd = (tmp_path / "etc/passwd").read_text()
    user = next(line.split(":") for line in passwd.splitlines() if line.startswith(f"{USER}:"))
    assert user[5] == "/var/lib/portcullis"
    assert user[6].endswith("nologin")
    groups = dict(line.split(":x:") for line in (tmp_path / "etc/group").read_text().splitlines())
    # Nobody is in them, but for Dovecot by its configuration.
    readers = groups["portcullis-read"].removesuffix(":")
    assert groups[USER] == user[3] + ":"
    run("systemd-tmpfiles", "--create", f"--root={tmp_path}", SYSTEMD / "tmpfiles.d/portcullis.conf")
    journal = os.stat(tmp_path / "var/lib/portcullis/journal")
    assert journal.st_mode & 0o7777 == 0o2770
    assert journal.st_gid == int(user[3])
    state = os.stat(tmp_path / "var/lib/portcullis")
    assert state.st_mode & 0o7777 == 0o2751
    assert state.st_gid == int(readers)


def test_there_is_one_for_each_case():
    assert sorted(cases.PATHS) == list("abcde")


def phases(path):
    """Those of the rules, once each."""
    answer = json.loads(run("portcullis", "-c", path, "check-config", "--json"))
    assert answer["rules"]
    return {rule["phase"] for rule in answer["rules"]}


@pytest.mark.parametrize("case", "abcde")
def test_a_copied_case_refuses_nobody(host, case):
    host.write_policy("")  # and no exemptions for rules that a case does not have
    assert phases(cases.PATHS[case]) == {"observe"}


def test_the_policy_of_the_packages_refuses_nobody(host):
    """And asks for what a survey does."""
    host.write_policy("")
    path = EXAMPLES / "portcullis/observe.conf"
    assert phases(path) == {"observe"}
    answer = json.loads(run("portcullis", "-c", path, "check-config", "--json"))
    surveyed = re.findall(r'^\t{"([a-z0-9-]+)", "', SURVEY.read_text(), re.M)
    assert sorted(rule["rule"] for rule in answer["rules"]) == sorted(surveyed)


@pytest.mark.parametrize("case", "abcde")
def test_a_case_with_its_dates_is_in_force(host, tmp_path, case):
    host.write_policy("")
    path = tmp_path / "portcullis.conf"
    path.write_text(cases.dated(case))
    assert phases(path) == {"enforce"}


@pytest.mark.parametrize("case", "abe")
def test_cases_that_write_to_people_can(host, tmp_path, case):
    """Their public page has every date and the servers of the file."""
    path = tmp_path / "portcullis.conf"
    path.write_text(cases.dated(case))
    command = ["portcullis", "-c", path, "announce", "--text", "--language", "en"]
    page = " ".join(run(*command, "--at", "2024-03-01").split())
    for key, value in re.findall(r'^ *(enforce|\w+-server) *= "(.*?)[ "]', path.read_text(), re.M):
        if key == "enforce":
            day = datetime.date.fromisoformat(value)
            value = f"{day.day} {day:%B %Y}"
        assert value in page, page
