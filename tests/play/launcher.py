"""Runs commands from processes that are made while the play is small: of the memory that a
command used at most, the system counts what it was forked from, too."""

import multiprocessing
import os
import queue
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
    """at_once: how many commands run side by side. Pipes are all it needs: an executor's
    semaphores lie in /dev/shm, where not everybody may write in every tree."""

    def __init__(self, at_once):
        context = multiprocessing.get_context("fork")
        self._free = queue.SimpleQueue()
        self._processes = []
        for _ in range(at_once):
            ours, theirs = context.Pipe()
            self._processes.append(context.Process(target=_work, args=(theirs,), daemon=True))
            self._processes[-1].start()
            theirs.close()
            self._free.put(ours)

    def close(self):
        for _ in self._processes:
            self._free.get().send(None)
        for process in self._processes:
            process.join()

    def run(self, command, stdin=None, alarm=None):
        """alarm: after how many seconds it is killed."""
        process = self._free.get()
        try:
            process.send((command, stdin, alarm))
            answer = process.recv()
        finally:
            self._free.put(process)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _work(jobs):
    while (job := jobs.recv()) is not None:
        try:
            jobs.send(_launch(*job))
        except Exception as error:  # pylint: disable=broad-exception-caught
            jobs.send(error)


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
