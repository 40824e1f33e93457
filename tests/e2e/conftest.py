"""One mail host for the whole run; the tests tell it their policies."""

import os
import resource
import shutil
import signal
import subprocess

import pytest

import namespaces
import postgresql
import processes
import recorded_site

from mailhost import BUILD, MailHost

# A login shell's 1,024 are too few for thousands of clients.
OPEN_FILES = 16384

LOG_DIRECTORY = BUILD / "e2e" / f"log-{os.getpid()}"


def pytest_addoption(parser):
    parser.addoption("--quarter", type=int, choices=(1, 2, 3, 4), help="only every fourth test")
    parser.addoption(
        "--postgresql", action="store_true", help="recorded sites have their stores there"
    )
    parser.addoption(
        "--without-postgresql", action="store_true", help="only tests that do not start it"
    )
    parser.addoption(
        "--pgbouncer", action="store_true", help="the same, on few connections that it lends"
    )
    parser.addoption(
        "--seeds", default="1-4", metavar="FIRST-LAST", help="of tests that play things at random"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Of those that -m and -k have left."""
    if config.getoption("without_postgresql"):
        deselect(config, items, _starts_postgresql)
    quarter = config.getoption("quarter")
    if quarter:
        selected = items[quarter - 1 :: 4]
        deselect(config, items, lambda item: item not in selected)


def _starts_postgresql(item):
    names = vars(item.module).keys()
    # An older pytest does not see beyond a fixture that a module overrides.
    return (not names.isdisjoint(("postgresql", "network_server")) or
            not {"_server", "roles"}.isdisjoint(item.fixturenames))  # fmt: skip


def deselect(config, items, condition):
    left_out = list(filter(condition, items))
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_configure(config):
    config.addinivalue_line("markers", "sqlite: looks into the file of the store")
    config.addinivalue_line(
        "markers", "newer_tools: by, or of examples for, programs that Debian 11 has too old"
    )
    config.addinivalue_line(
        "markers", "daemon: runs under valgrind and with the sanitizers, too, in make check"
    )
    try:
        namespaces.enter(LOG_DIRECTORY)
    except namespaces.CannotEnter as error:
        raise pytest.UsageError(str(error)) from None
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def pytest_unconfigure():
    """What a failed test has left running. The servers ended by themselves."""
    for pid in processes.descendants(os.getpid()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it was just ending


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == 0:
        shutil.rmtree(LOG_DIRECTORY, ignore_errors=True)
    else:
        print(f"\nThe servers' logs are in {LOG_DIRECTORY}")


@pytest.fixture(scope="session", autouse=True)
def _stores(request):
    """Where all recorded sites have their stores."""
    option = request.config.getoption
    if not option("postgresql") and not option("pgbouncer"):
        yield
        return
    # One of their own: tests remove tables and roles from the other.
    server = postgresql.PostgreSQL()
    pool = postgresql.PgBouncer(server) if option("pgbouncer") else None
    os.environ["PORTCULLIS_MODULES"] = str(BUILD)
    recorded_site.make_store = postgresql.StoreMaker(server, pool)
    yield
    if pool:
        pool.close()
    server.close()


@pytest.fixture(scope="session")
def _server():
    """One PostgreSQL for the whole run: to make one takes longer than most tests."""
    server = postgresql.PostgreSQL()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _store_in_a_file(request, monkeypatch):
    """Of a test that looks into it."""
    if request.node.get_closest_marker("sqlite"):
        monkeypatch.setattr(recorded_site, "make_store", recorded_site.make_store_in_a_file)


@pytest.fixture
def server(_server):
    """PostgreSQL, and a database without tables."""
    _server.remove_tables()
    return _server


@pytest.fixture
def roles(_server):
    """The same, with the roles of roles.sql."""
    _server.remove_tables()
    _server.make_roles()
    yield _server
    _server.remove_tables()
    _server.remove_roles(*postgresql.ROLES)


@pytest.fixture
def cutter(server):
    cutter = postgresql.Cutter(server)
    yield cutter
    cutter.close()


@pytest.fixture(scope="session")
def _installed_host():
    host = MailHost()
    try:
        try:
            host.install()
        except (OSError, subprocess.CalledProcessError) as error:
            details = getattr(error, "stderr", None) or ""
            pytest.exit(f"The mail host cannot be set up: {error}\n{details}", returncode=1)
        yield host
    finally:
        host.stop()


@pytest.fixture
def host(_installed_host):
    """The mail host. Call host.apply() first: what an earlier test has left
    behind is of no interest."""
    return _installed_host
