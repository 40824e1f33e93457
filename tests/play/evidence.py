"""Writes the result into docs/evidence.md, between the marks of its section, with all that
it takes to have it once more."""

import datetime
import os
import platform
import re
import subprocess

from site_under_test import ROOT

FILE = ROOT / "docs/evidence.md"


def rewrite(section, lines):
    """Puts these lines where the section's were."""
    text = FILE.read_text(encoding="utf-8")
    marks = re.compile(rf"(<!-- {section} -->\n).*?(<!-- end of {section} -->\n)", re.DOTALL)
    if not marks.search(text):
        raise SystemExit(f"{FILE} has no section {section}")
    new = marks.sub(lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text)
    FILE.write_text(new, encoding="utf-8")


def circumstances(command, seconds):
    """Under which it was measured, as a paragraph."""
    return [
        f"`{command}`",
        "",
        f"{datetime.date.today()}, {minutes(seconds)}, {machine()}; {versions()}",
        "",
    ]


def minutes(seconds):
    return f"{seconds / 60:.0f} minutes" if seconds > 120 else f"{seconds:.0f} seconds"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{os.cpu_count()} cores ({model[1].strip() if model else platform.machine()}),"
            f" {memory:.0f} GiB")  # fmt: skip


def versions():
    commit = output("git", "-C", ROOT, "describe", "--always", "--dirty")
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    postfix = output("postconf", "-dh", "mail_version")
    return (f"Portcullis at {commit}, {system}, Postfix {postfix},"
            f" Python {platform.python_version()}")  # fmt: skip


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def of_days(days):
    """A table of what some of the days took."""
    def took(cost):
        return f"{cost.seconds:.1f} s, {cost.memory / 1024:.0f} MiB" if cost else ""

    rows = ["| day | lines | import | mails | notify | forecast | store |",
            "|---|---|---|---|---|---|---|"]  # fmt: skip
    for day in days:
        rows.append(
            f"| {day.day} | {day.lines:,} | {took(day.take)} | {day.mails:,} | {took(day.notify)}"
            f" | {took(day.forecast)} | {day.store / 2**20:.0f} MiB |"
        )  # fmt: skip
    return rows
