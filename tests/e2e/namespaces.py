"""A machine of their own for the tests, inside the one that runs them.

The process enters a mount, a network and a host name namespace of its own. In
there /etc, /usr, /var and /run may be written to as on a machine that nobody
else uses, the real ports (25, 143, 993 ...) are free, and the loopback device
answers for every address in the world, so that a client can connect from a
real address of any country. It is morning, so that no day ends under the tests.
Nobody outside sees any of it, and with the last process it is gone, however that
ended.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import time

from pathlib import Path

import accounts

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWNET = 0x40000000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

HOST_NAME = "mx1.example.org"

# The addresses under which the servers are reached. Clients have any other.
DOVECOT_ADDRESSES = ("192.0.2.10", "2001:db8::10")
POSTFIX_ADDRESSES = ("192.0.2.25", "2001:db8::25")

OVERLAID = ("/etc", "/usr", "/var")
# What the tests write below them. Where a machine has a link on the way there, what it
# leads to is overlaid as well.
WRITTEN = (
    "/etc/dovecot",
    "/etc/portcullis",
    "/etc/postfix",
    "/etc/ssl",
    "/var/lib/GeoIP",
    "/var/lib/dovecot",
    "/var/lib/portcullis",
    "/var/lib/postfix",
    "/var/spool/postfix",
    "/var/tmp",
    "/var/vmail",
)

# Temporary files of the tests: nothing of them is left in the real /tmp.
TEMPORARY = Path("/run/tests")

# The namespaces and the root directory that enter() has left, for run_outside().
_outside = {}


class CannotEnter(Exception):
    pass


def enter(log_directory):
    """Enters the namespaces; log_directory, outside of them, becomes /var/log."""
    if os.geteuid() != 0:
        raise CannotEnter(
            "These tests start real mail servers with users and ports of their own, "
            "in namespaces that only root may make. Run them as root, or by `make check`, "
            "which asks sudo."
        )
    _remember_outside()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS) != 0:
        raise CannotEnter(f"cannot make namespaces: {os.strerror(ctypes.get_errno())}")
    try:
        _private_files(libc, log_directory)
        accounts.make_private()
        _private_network()
        _private_environment()
        _private_time_zone()
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotEnter(f"cannot set up the namespaces: {error}") from error
    socket.sethostname(HOST_NAME)


def run_outside(command, **options):
    """subprocess.run(), in the namespaces that enter() has left."""
    places = [f"--{name}=/proc/self/fd/{number}" for name, number in _outside.items()]
    return subprocess.run(
        ["nsenter", *places, "--", *map(str, command)], pass_fds=_outside.values(), **options
    )


def with_empty(path, command):
    """What runs a command as if nothing were in that directory. After enter()."""
    unshare = ["unshare", "--mount", "--propagation", "unchanged"]
    hide = f"mount -t tmpfs tmpfs {path}; exec \"$@\""
    return [*unshare, "sh", "-ec", hide, "sh", *map(str, command)]


def own_directory(path, copied=False):
    """Puts an empty directory in the place of what this machine has there, or a copy of it
    in which nothing is a link to elsewhere."""
    path = Path(path)
    copy = Path("/run/copy")
    if copied:
        shutil.copytree(path, copy, ignore_dangling_symlinks=True)
    if path.is_symlink():
        path.unlink()
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, 0, 0)
    path.chmod(0o755)
    # It may be where something was mounted, and then cannot go itself.
    for old in path.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    if copied:
        shutil.copytree(copy, path, dirs_exist_ok=True)
        shutil.rmtree(copy)


def _remember_outside():
    if _outside:
        return
    for name, path in {
        "mount": "/proc/self/ns/mnt",
        "net": "/proc/self/ns/net",
        "uts": "/proc/self/ns/uts",
        "root": "/",
        "wd": os.getcwd(),
    }.items():
        _outside[name] = os.open(path, os.O_RDONLY)


def _run(*command):
    subprocess.run(command, check=True)


def _make_mounts_private(libc):
    """Like `mount --make-rprivate /`, but from inside a chroot as well, whose
    root is no mount: it goes out to the root of the mount namespace for it."""
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    working_directory = os.getcwd()
    try:
        os.chdir("/")
        os.chroot("/etc")  # now the working directory lies outside of the root
        while not os.path.samefile(".", ".."):
            os.chdir("..")
        os.chroot(".")
        if libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
            error = ctypes.get_errno()
            raise OSError(error, "making the mounts private: " + os.strerror(error))
    finally:
        os.fchdir(root)
        os.chroot(".")
        os.chdir(working_directory)
        os.close(root)


def _private_files(libc, log_directory):
    log_directory = Path(log_directory).resolve()
    log_directory.mkdir(parents=True, exist_ok=True)
    # Before any other mount: without it they would be seen outside.
    _make_mounts_private(libc)
    # What is written goes to memory; an overlay may lie on any file system then.
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for path in OVERLAID:
        _overlay(path)
    for path in map(os.path.realpath, WRITTEN):
        if os.path.isdir(path) and not _is_private(path):
            _overlay(path)
    _run("mount", "--bind", log_directory, "/var/log")
    Path("/run/lock").mkdir(mode=0o1777)
    # Where there is no journal of systemd's, it is a socket that is not in /run.
    if Path("/dev/log").is_socket():
        _run("mount", "--bind", "/dev/null", "/dev/log")
    # In a tree whose /dev is another one's, without what is mounted there.
    if not Path("/dev/pts/ptmx").exists():
        _run("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", "/dev/pts")


def _overlay(path):
    upper = Path("/run/overlay" + path)
    work = Path("/run/overlay-work" + path)
    upper.mkdir(parents=True)
    work.mkdir(parents=True)
    options = f"lowerdir={path},upperdir={upper},workdir={work}"
    _run("mount", "-t", "overlay", "-o", options, "overlay", path)


def _is_private(path):
    """Whether it lies on something that was mounted for the tests."""
    private = [os.stat(mounted).st_dev for mounted in ("/run", *OVERLAID)]
    return os.stat(path).st_dev in private


def _private_environment():
    # Says where Postfix' configuration is.
    os.environ.pop("MAIL_CONFIG", None)
    TEMPORARY.mkdir(mode=0o1777)
    TEMPORARY.chmod(0o1777)
    os.environ["TMPDIR"] = tempfile.tempdir = str(TEMPORARY)


def _private_network():
    _run("ip", "link", "set", "lo", "up")
    for address in DOVECOT_ADDRESSES + POSTFIX_ADDRESSES:
        length = "128" if ":" in address else "32"
        _run("ip", "address", "add", f"{address}/{length}", "dev", "lo")
    _run("ip", "-4", "route", "add", "local", "default", "dev", "lo")
    _run("ip", "-6", "route", "add", "local", "default", "dev", "lo")


def _private_time_zone():
    """The one in which it is past eight now."""
    ahead = (8 - time.gmtime().tm_hour + 12) % 24 - 12
    time_zone = Path("/etc/localtime")
    time_zone.unlink(missing_ok=True)
    # The names say what is added to local time to give UTC.
    time_zone.symlink_to(f"/usr/share/zoneinfo/Etc/GMT{-ahead:+d}")
    os.environ.pop("TZ", None)
    time.tzset()
