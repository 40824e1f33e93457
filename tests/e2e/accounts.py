"""The names and numbers of users in the namespaces of the tests, whatever accounts the
machine has outside."""

from pathlib import Path

DATABASES = ("passwd:", "group:", "initgroups:", "shadow:", "gshadow:")


def make_private():
    """No directory service is asked for accounts: nobody answers in here."""
    switch = Path("/etc/nsswitch.conf")
    if not switch.exists():
        return
    lines = [
        line.split(":")[0] + ": files" if line.startswith(DATABASES) else line
        for line in switch.read_text().splitlines()
    ]
    _replace(switch, lines)


def add(name, number, groups=()):
    """A user and a group of this name and number, in other groups as well. The machine's
    own of that name or number are none in here."""
    remove(name, number)
    _append("/etc/passwd", f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin")
    _append("/etc/group", f"{name}:x:{number}:")
    lines = Path("/etc/group").read_text().splitlines()
    _replace("/etc/group", [
        (line if line.endswith(":") else line + ",") + name if line.split(":")[0] in groups else line
        for line in lines
    ])  # fmt: skip


def remove(name, number=None):
    """The user and the group of this name, and of this number. They are in no other group."""
    _replace("/etc/passwd", _others("/etc/passwd", name, number))
    groups = [_without_member(line, name) for line in _others("/etc/group", name, number)]
    _replace("/etc/group", groups)
    # Where a tool that makes accounts has left them.
    for path in ("/etc/shadow", "/etc/gshadow"):
        if Path(path).exists():
            lines = Path(path).read_text().splitlines()
            _replace(path, [line for line in lines if line.split(":")[0] != name])


def _append(path, line):
    _replace(path, [*Path(path).read_text().splitlines(), line])


def _others(path, name, number):
    """The lines of other accounts."""
    for line in Path(path).read_text().splitlines():
        fields = line.split(":")
        if fields[0] != name and fields[2:3] != [str(number)]:
            yield line


def _without_member(line, name):
    group, _, members = line.rpartition(":")
    return group + ":" + ",".join(member for member in members.split(",") if member != name)


def _replace(path, lines):
    # Not through a link, which may lead to the machine's own.
    text = "".join(line + "\n" for line in lines)
    Path(path).unlink()
    Path(path).write_text(text)
