"""A PostgreSQL of a test's own, and something between it and its clients that cuts
connections."""

import contextlib
import csv
import io
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from pathlib import Path

from mailhost import BUILD, ROOT
from processes import Server, wait_until

SERVER = ROOT / "tests" / "postgresql-server"
SOCKET = ".s.PGSQL.5432"

# Of roles.sql.
ROLES = "portcullis_owner", "portcullis_writer", "portcullis_operator"

# Found before Debian's psql, a script that looks for these and takes longer than what is asked.
for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2])):
    os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"


def psql(uri, sql):
    done = subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--csv", "-t", "-d", uri, "-c", sql],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def query(uri, sql):
    """Rows of texts."""
    return [tuple(row) for row in csv.reader(io.StringIO(psql(uri, sql)))]


class PostgreSQL:
    """Below /tmp: PostgreSQL's account must be able to enter the folder."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="portcullis-postgresql-", dir="/tmp"))
        os.chmod(self.folder, 0o711)
        self.data = self.folder / "server"
        self.options = []  # as of postgres(1), from the next start on
        self.server = None
        self._make()

    def _make(self):
        self.start()
        self.psql("postgres", "CREATE DATABASE portcullis")

    def uri(self, folder=None, user="postgres", database="portcullis"):
        return f"postgresql://{user}@/{database}?host={folder or self.data}"

    def start(self):
        log = self.folder / "log"
        self.server = Server([SERVER, "serve", self.data, *self.options], log=log)
        wait_until(self._answers, "answer of PostgreSQL")

    def _answers(self):
        assert self.server.running, (self.folder / "log").read_text(errors="replace")
        done = subprocess.run(["pg_isready", "-q", "-h", self.data], check=False)
        return done.returncode == 0

    def stop(self, how=signal.SIGINT):
        """SIGINT ends all connections, SIGQUIT as if the machine had lost its power."""
        self.server.signal(how)
        self.server.wait()

    def restart(self, how=signal.SIGINT):
        self.stop(how)
        self.start()

    def close(self):
        self.server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(self, database, sql, user="postgres"):
        return psql(self.uri(user=user, database=database), sql)

    def settle(self, **settings):
        """Settings that hold from now on."""
        for name, value in settings.items():
            self.psql("postgres", f"ALTER SYSTEM SET {name} = '{value}'")
        self.psql("postgres", "SELECT pg_reload_conf()")

    def remove_tables(self):
        """And starts the server where a test has left it away."""
        if not self.server.running:
            self.start()
        self.psql("portcullis", "SET client_min_messages = error;"
                  "DROP SCHEMA IF EXISTS portcullis CASCADE")  # fmt: skip

    def make_roles(self):
        sql = ROOT / "conf-examples" / "postgresql" / "roles.sql"
        self.psql("portcullis", sql.read_text())

    def remove_roles(self, *names):
        """With their rights. Everybody has his again that make_roles() has taken."""
        names = ", ".join(names)
        self.psql("portcullis", f"DROP OWNED BY {names}; DROP ROLE {names};"
                  "GRANT CONNECT, TEMPORARY ON DATABASE portcullis TO PUBLIC;"
                  "GRANT USAGE ON SCHEMA public TO PUBLIC")  # fmt: skip

    def ask_password(self, user, password):
        """Makes a role that must say its password, in a database of its own name, too."""
        self.psql("postgres", f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        rules = self.data / "data" / "pg_hba.conf"
        rule = f"local all {user} scram-sha-256\n"
        rules.write_text(rule + rules.read_text().removeprefix(rule))
        self.psql("postgres", "SELECT pg_reload_conf()")

    def query(self, sql):
        return query(self.uri(), sql)


class Standby(PostgreSQL):
    """Of another server, which it follows."""

    def __init__(self, primary):
        self.primary = primary
        super().__init__()

    def _make(self):
        subprocess.run([SERVER, "standby", self.data, self.primary.data], check=True)
        self.start()

    def promote(self):
        self.psql("postgres", "SELECT pg_promote()")


class PgBouncer:
    """Lends a few connections of a server to many clients, for a transaction each."""

    def __init__(self, server, connections=3):
        self.folder = Path(tempfile.mkdtemp(prefix="portcullis-pgbouncer-", dir="/tmp"))
        self.configuration = self.folder / "pgbouncer.ini"
        (self.folder / "users").write_text('"postgres" ""\n')
        self.configuration.write_text(
            f"[databases]\n* = host={server.data}\n[pgbouncer]\npool_mode = transaction\n"
            f"default_pool_size = {connections}\nlisten_addr =\nlisten_port = 5432\n"
            f"unix_socket_dir = {self.folder}\nauth_type = trust\n"
            f"auth_file = {self.folder}/users\nserver_login_retry = 1\nquery_wait_timeout = 4\n"
            "server_idle_timeout = 2\n"
        )
        for path in (self.folder, *self.folder.iterdir()):
            shutil.chown(path, "postgres", "postgres")
        os.chmod(self.folder, 0o711)
        self.start()

    def start(self):
        self.server = Server(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                              "pgbouncer", self.configuration], log=self.folder / "log")  # fmt: skip
        wait_until((self.folder / SOCKET).exists, "socket of PgBouncer")

    def kill(self):
        self.server.kill()
        (self.folder / SOCKET).unlink(missing_ok=True)

    def close(self):
        self.server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class StoreMaker:
    """Makes an empty store at each call, in a database of its own."""

    EMPTY = "empty"

    def __init__(self, server, pool=None):
        """pool: PgBouncer through which stores are reached."""
        self.server = server
        self.pool = pool
        self.count = 0
        server.psql("postgres", f"CREATE DATABASE {self.EMPTY}")
        create_store(server.uri(database=self.EMPTY))

    def __call__(self, directory):
        self.count += 1
        name = f"store{self.count}"
        self.server.psql("postgres", f"CREATE DATABASE {name} TEMPLATE {self.EMPTY}")
        return self.server.uri(self.pool and self.pool.folder, database=name)


class Cutter:
    """Listens in a folder of its own, and passes on what comes until it cuts."""

    COMMITTED = b"C\0\0\0\x0bCOMMIT\0"

    def __init__(self, server, seed=1):
        self.folder = Path(tempfile.mkdtemp(prefix="portcullis-cutter-", dir="/tmp"))
        self.target = str(server.data / SOCKET)
        self.chance = random.Random(seed)
        self.lose_commits = 0  # so many answers to COMMIT are yet to be lost
        self.cut_within = 0  # bytes; 0: never
        self.cuts = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.folder / SOCKET))
        self._socket.listen(50)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accept(self):
        while True:
            try:
                client = self._socket.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            for source, sink, answers in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pass_on, args=(source, sink, answers), daemon=True
                ).start()

    def _pass_on(self, source, sink, answers):
        with contextlib.suppress(OSError):
            (self._pass_on_answers if answers else self._pass_on_statements)(source, sink)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _pass_on_answers(self, source, sink):
        self._pass_on_some(source, sink, loses_commits=True)

    def _pass_on_statements(self, source, sink):
        self._pass_on_some(source, sink, loses_commits=False)

    def _pass_on_some(self, source, sink, loses_commits):
        room = self.chance.randrange(self.cut_within) if self.cut_within else None
        while data := source.recv(65536):
            if loses_commits and self.lose_commits > 0 and self.COMMITTED in data:
                self.lose_commits -= 1
                self.cuts += 1
                return
            if room is not None and len(data) > room:
                self.cuts += 1
                sink.sendall(data[:room])
                return
            room = None if room is None else room - len(data)
            sink.sendall(data)


class StatementCutter(Cutter):
    """Cuts each kind of statement that it has not seen yet: at any byte of it, before the answer,
    and at any byte of that; at all of these, or one by chance."""

    PLACES = ("statement", "answer is lost", "answer")

    def __init__(self, server, at_all, seed=1):
        self.at_all = at_all
        self.places = {}  # where a kind is to be cut yet
        self._lock = threading.Lock()
        self._budgets = {}  # of connections whose answers are to be cut, in bytes
        super().__init__(server, seed)

    def _pass_on_answers(self, source, sink):
        while data := source.recv(65536):
            budget = self._budgets.get(source)
            if budget is not None and len(data) > budget:
                sink.sendall(data[:budget])
                return
            if budget is not None:
                self._budgets[source] -= len(data)
            sink.sendall(data)

    def _pass_on_statements(self, source, sink):
        """All that belongs to one statement at once: it ends in Query or Sync."""
        pending = b""
        start = 4
        begun = False
        while data := source.recv(65536):
            pending += data
            if not begun and len(pending) >= start:
                size = int.from_bytes(pending[:4], "big")
                if len(pending) < size:
                    continue
                sink.sendall(pending[:size])
                pending, begun = pending[size:], True
            while (end := _end_of_statement(pending)) > 0:
                if not self._pass_on_statement(pending[:end], sink):
                    return
                pending = pending[end:]
            if _is_no_statement(pending):
                sink.sendall(pending)
                pending = b""

    def _pass_on_statement(self, statement, sink):
        place = self._choose(_kind(statement))
        if place == "statement":
            sink.sendall(statement[: self.chance.randrange(len(statement))])
            return False
        if place == "answer":
            self._budgets[sink] = self.chance.randrange(60)
        sink.sendall(statement)
        return place != "answer is lost"

    def _choose(self, kind):
        """Where to cut it, or None."""
        with self._lock:
            if kind not in self.places:
                count = len(self.PLACES) if self.at_all else 1
                self.places[kind] = self.chance.sample(self.PLACES, count)
            if not kind or not self.places[kind]:
                return None
            self.cuts += 1
            return self.places[kind].pop()


def _messages(data):
    """(type, where it ends) of each that is whole."""
    end = 0
    while end + 5 <= len(data):
        kind, size = data[end : end + 1], int.from_bytes(data[end + 1 : end + 5], "big")
        if end + 1 + size > len(data):
            return
        end += 1 + size
        yield kind, end


def _end_of_statement(data):
    return next((end for kind, end in _messages(data) if kind in (b"Q", b"S")), 0)


def _is_no_statement(data):
    """Such as passwords, and the end."""
    return data[:1] in (b"p", b"X")


def _kind(statement):
    """The beginning of its SQL, without what differs each time."""
    text = statement[5:].lstrip(b"\0").partition(b"\0")[0].decode()
    return " ".join(re.sub(r"[^A-Za-z_.*;]+", " ", text).split())[:100]


def environment():
    return dict(os.environ, PORTCULLIS_MODULES=str(BUILD))


def create_store(uri):
    subprocess.run([BUILD / "portcullis", "store", "create", uri], env=environment(), check=True)
