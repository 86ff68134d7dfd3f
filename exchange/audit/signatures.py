"""Many signatures checked at once, beside the folding: on two threads, each driving a process where that pays.

Folding and checking in one process would wait for each other: Python runs one of them at a time.
"""

from __future__ import annotations

import fcntl
import queue
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple

import msgspec

from exchange.client.errors import ClientError
from keys.errors import BadSignature
from keys.labels import Label
from keys.recipient import SIGNATURE_SIZE, Recipient

VERIFIERS = 2
RUN = 256
WORTH_PROCESSES = 4000
PIPE = 1024 * 1024
DIED = "a process that checked signatures ended before its work; nothing was remembered, repeat the command"
_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)


class Signed(NamedTuple):
    """A record to check: its last 64 bytes are a signature over the rest, with the label, by the holder of the key."""

    by: Recipient
    label: Label
    record: bytes


class Verifiers:
    """Two threads that check signatures; `many` is how many there will be, as far as one knows."""

    def __init__(self, many: int) -> None:
        self._threads = ThreadPoolExecutor(VERIFIERS, thread_name_prefix="verifier")
        self._processes: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        self._all: list[_Process] = []
        if many >= WORTH_PROCESSES:
            self._all = [_Process() for _ in range(VERIFIERS)]
            for process in self._all:
                self._processes.put(process)

    def __enter__(self) -> Verifiers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        for process in self._all:
            process.close()

    def check(self, work: Sequence[Signed]) -> list[Future[bytes]]:
        """Begin checking; each future is a run of verdicts, one byte for each signature: 1 if it holds."""
        runs = [work[at : at + RUN] for at in range(0, len(work), RUN)]
        return [self._threads.submit(self._run, run) for run in runs]

    def _run(self, run: Sequence[Signed]) -> bytes:
        if not self._all:
            return bytes([holds(*signed) for signed in run])
        process = self._processes.get()
        try:
            return process.check(run)
        finally:
            self._processes.put(process)


class _Process:
    """A child that answers runs of signatures with runs of verdicts."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "exchange.audit.verifier"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        if _SET_PIPE_SIZE is not None and self._child.stdin is not None:
            fcntl.fcntl(self._child.stdin, _SET_PIPE_SIZE, PIPE)

    def check(self, run: Sequence[Signed]) -> bytes:
        """Verdicts of one run; raises ClientError if the child died."""
        new = {signed.by.fingerprint: signed.by for signed in run if signed.by.fingerprint not in self._known}
        self._known |= new.keys()
        keys = {fingerprint: (by.signing, by.sealing) for fingerprint, by in new.items()}
        work = [(by.fingerprint, label.name, record) for by, label, record in run]
        data = msgspec.msgpack.encode((keys, work))
        pipe, answers = self._child.stdin, self._child.stdout
        if pipe is None or answers is None:
            raise ClientError(DIED)
        try:
            pipe.write(len(data).to_bytes(4, "big") + data)
            pipe.flush()
            verdicts = answers.read(len(run))
        except BrokenPipeError:
            raise ClientError(DIED) from None
        if len(verdicts) != len(run):
            raise ClientError(DIED)
        return verdicts

    def close(self) -> None:
        """End the child."""
        with suppress(BrokenPipeError):
            self._child.communicate()


def holds(by: Recipient, label: Label, record: bytes) -> bool:
    """Whether a record's signature holds."""
    try:
        by.verify(label, record[:-SIGNATURE_SIZE], record[-SIGNATURE_SIZE:])
    except BadSignature:
        return False
    return True
