"""Runs commands from processes that are made while the play is small: of the memory that a
command used at most, the system counts what it was forked from, too."""

import concurrent.futures
import multiprocessing
import os
import signal
import subprocess
import tempfile
import threading
import time

from dataclasses import dataclass


@dataclass
class Launched:
    status: int
    output: str
    errors: str
    seconds: float
    processor: float  # seconds
    memory: int  # KiB at most, and at least what a Python has


class Launcher:
    """at_once: how many commands run side by side."""

    def __init__(self, at_once):
        context = multiprocessing.get_context("fork")
        self._pool = concurrent.futures.ProcessPoolExecutor(at_once, context)
        self._pool.submit(abs, 0).result()  # makes all of them

    def close(self):
        self._pool.shutdown()

    def run(self, command, stdin=None, alarm=None):
        """alarm: after how many seconds it is killed."""
        return self._pool.submit(_launch, command, stdin, alarm).result()


def _launch(command, stdin, alarm):
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors, \
            tempfile.TemporaryFile() as given:  # fmt: skip
        given.write((stdin or "").encode())
        given.seek(0)
        begun = time.monotonic()
        process = subprocess.Popen(command, stdin=given, stdout=output, stderr=errors)
        timer = threading.Timer(alarm or 0, os.kill, (process.pid, signal.SIGKILL))
        if alarm is not None:
            timer.start()
        # So that its number is not given away before the timer is stopped.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        timer.cancel()
        if alarm is not None:
            timer.join()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        output.seek(0)
        errors.seek(0)
        return Launched(process.returncode, output.read().decode(), errors.read().decode(),
                        seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)  # fmt: skip
