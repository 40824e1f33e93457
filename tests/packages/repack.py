"""Packages that are as others, but for their version, or the Dovecot that they are for."""

import hashlib
import re
import shutil

from pathlib import Path

from machine import run

REPOSITORY = Path("/packages/repository")
SOURCES = Path("/etc/apt/sources.list.d/test.list")

# What Dovecot's auth process compares with a module's: "2.3.ABIv19(2.3.19.1)", "2.4.ABIv1".
ABI = re.compile(rb"(2\.\d\.(?:ABI|abi)v)(\d+)")


def files(folder, names):
    """The packages of these names."""
    return [path for name in names for path in Path(folder).glob(f"{name}_*.deb")]


def field(path, name):
    return run("dpkg-deb", "-f", path, name).stdout.strip()


def version_of(path):
    return field(path, "Version")


def edit(path, folder, change):
    """A copy in the folder, of which change(unpacked folder) has made another one."""
    unpacked = Path(folder) / "unpacked"
    Path(folder).mkdir(exist_ok=True)
    run("dpkg-deb", "-R", path, unpacked)
    change(unpacked)
    done = run("dpkg-deb", "--root-owner-group", "-b", unpacked, folder)
    shutil.rmtree(unpacked)
    return re.search(r"in '(.*)'", done.stdout)[1]


def edit_control(unpacked, *replacements):
    control = unpacked / "DEBIAN/control"
    text = control.read_text()
    for old, new in replacements:
        text = text.replace(old, new)
    control.write_text(text)


def next_version(folder, names, result):
    """Ours, a version later, with other files of configuration."""
    paths = files(folder, names)
    version = version_of(paths[0])

    def change(unpacked):
        edit_control(unpacked, (version, version + ".1"))
        conffiles = unpacked / "DEBIAN/conffiles"
        if conffiles.exists():
            for name in conffiles.read_text().split():
                with open(unpacked / name.lstrip("/"), "a") as file:
                    file.write("# new in this version\n")

    return [edit(path, result, change) for path in paths]


def later(version, patch):
    """The version of that many patch releases later."""
    epoch_series, micro = re.match(r"(\d+:\d+\.\d+\.)(\d+)", version).groups()
    return f"{epoch_series}{int(micro) + patch}-1"


def other_abi(data, patch):
    """With as many digits, so that nothing moves."""
    return ABI.sub(lambda found: found[1] + b"%d" % (10 ** len(found[2]) - patch), data)


def change_abi(unpacked, patch, *programs):
    """What programs are for, and what the package says of it."""
    for path in (unpacked / "DEBIAN/control", *(unpacked / name for name in programs)):
        if path.exists():
            path.write_bytes(other_abi(path.read_bytes(), patch))


def next_dovecot(folder, patch):
    """The Dovecot that is installed, as a later patch release: with another ABI."""
    names = run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", "dovecot-*").stdout
    names = [line.split()[0] for line in names.splitlines() if line.endswith(" installed")]
    paths = files("/var/cache/apt/archives", [name for name in names if "portcullis" not in name])
    version = version_of(files("/var/cache/apt/archives", ["dovecot-core"])[0])

    def change(unpacked):
        edit_control(unpacked, (version, later(version, patch)))
        change_abi(unpacked, patch, "usr/lib/dovecot/auth")

    return [edit(path, folder, change) for path in paths]


def for_next_dovecot(paths, folder, patch):
    """Ours, as they would be built for that Dovecot."""
    version = version_of(paths[0])
    dovecot = version_of(files("/var/cache/apt/archives", ["dovecot-core"])[0])

    def change(unpacked):
        edit_control(unpacked, (version, f"{version}.{patch}"))
        control = unpacked / "DEBIAN/control"
        text = re.sub("^Conflicts: .*", f"Conflicts: dovecot-core (>= {later(dovecot, patch + 1)}~)",
                      control.read_text(), flags=re.M)  # fmt: skip
        control.write_text(text)
        change_abi(unpacked, patch, "usr/lib/dovecot/modules/auth/libauthdb_portcullis.so")

    return [edit(path, folder, change) for path in paths]


def repository(lists):
    """Has apt know these packages."""
    shutil.rmtree(REPOSITORY, ignore_errors=True)
    REPOSITORY.mkdir()
    with open(REPOSITORY / "Packages", "w") as index:
        for path in (path for paths in lists for path in paths):
            shutil.copy(path, REPOSITORY)
            data = Path(path).read_bytes()
            index.write(run("dpkg-deb", "-f", path).stdout.rstrip("\n") + "\n")
            index.write(f"Filename: ./{Path(path).name}\nSize: {len(data)}\n")
            index.write(f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n")
    SOURCES.write_text(f"deb [trusted=yes] file:{REPOSITORY} ./\n")
