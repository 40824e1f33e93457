"""The real servers in a process of their own, which enters the namespaces of tests/e2e: the
play stays where it is."""

import multiprocessing
import os
import shutil
import sys
import traceback


class ServersApart:
    """As RealServers. log_directory: for their logs, which are kept where they failed."""

    def __init__(self, log_directory, *arguments):
        self._log_directory = log_directory
        self._logs_are_kept = False
        self._failed = False
        context = multiprocessing.get_context("fork")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(self._connection, theirs, log_directory, arguments)
        )
        self._process.start()
        theirs.close()
        self._answer()

    def set_policy(self, *texts):
        return self._ask("set_policy", *texts)

    def log_in(self, attempts):
        return self._ask("log_in", attempts)

    def keep_logs(self):
        self._logs_are_kept = True

    def stop(self):
        """They end with their process."""
        self._connection.close()
        self._process.join()
        if self._logs_are_kept or self._failed:
            print(f"The servers' logs are in {self._log_directory}", file=sys.stderr)
        else:
            shutil.rmtree(self._log_directory)

    def _ask(self, name, *arguments):
        self._connection.send((name, arguments))
        return self._answer()

    def _answer(self):
        try:
            failure, answer = self._connection.recv()
        except EOFError:
            failure = "their process has ended"
        self._failed = failure is not None
        if self._failed:
            raise RuntimeError(f"real servers: {failure}")
        return answer


def _serve(others, connection, log_directory, arguments):
    others.close()  # so that the play's end is seen
    try:
        servers = _install(log_directory, arguments)
        connection.send((None, None))
        while True:
            name, parameters = connection.recv()
            connection.send((None, getattr(servers, name)(*parameters)))
    except EOFError:
        pass
    except Exception:
        connection.send((traceback.format_exc(), None))


def _install(log_directory, arguments):
    import namespaces

    from mailhost import MailHost
    from real_servers import RealServers

    log_directory.mkdir(parents=True, exist_ok=True)
    # Some of what installs them is talkative.
    output = os.open(log_directory / "install.log", os.O_WRONLY | os.O_CREAT, 0o644)
    os.dup2(output, 1)
    namespaces.enter(log_directory)
    host = MailHost()
    host.install()
    return RealServers(host, *arguments)
