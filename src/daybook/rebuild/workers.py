"""Worker processes that fill a generation, watched: how far they are, and what ends them."""

import asyncio
import gc
import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess

from daybook.channel.contract import Manifest
from daybook.errors import DaybookError, Unavailable
from daybook.projection.store import Superseded
from daybook.rebuild.code import Code, load
from daybook.rebuild.fill import FillJob, fill
from daybook.rebuild.priority import lower

WATCH_SECONDS = 0.05
DEATHS_MAX = 5
"""Workers that may be killed before the rebuild gives up; it can be resumed then."""


class WorkerFailed(DaybookError):
    """A worker of a rebuild raised something that no product group is to blame for."""

    code = "rebuild_failed"


class Worker:
    """One process. `folded`: events of the range under way."""

    def __init__(self, job: FillJob, code: Code, package: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe(duplex=False)
        given = code.manifest if code.origin is None else (code.origin, package)
        self.process: BaseProcess = spawn.Process(target=_main, args=(job, given, theirs), daemon=True)
        self.process.start()
        # What runs live goes first: where processors are scarce, a rebuild takes what is left over. From here, as the
        # process has a lot to import before it gets to its own code.
        assert self.process.pid is not None
        lower(self.process.pid)
        theirs.close()
        self.folded = 0
        self.problem: str | None = None

    def look(self) -> None:
        """Reads what the process has said since."""
        with suppress(EOFError, OSError):
            while self._pipe.poll():
                said = self._pipe.recv()
                if isinstance(said, str):
                    self.problem = said
                else:
                    self.folded = said

    def end(self) -> None:
        """Ends the process; the range that it is at is free again at once."""
        if self.process.is_alive():
            self.process.terminate()
        self.process.join(10)
        self._pipe.close()
        self.process.close()


def _main(job: FillJob, given: Manifest | tuple[str, str], pipe: Pipe) -> None:
    # Ctrl-C reaches every process of the terminal; the one that started this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    manifest = given if isinstance(given, Manifest) else load(*given).manifest
    # States are trees without cycles: looking for garbage in them costs a tenth of the time and finds none.
    gc.disable()
    gc.freeze()
    try:
        fill(job, manifest, pipe.send, lambda: False)
    except BrokenPipeError:
        return  # the rebuild was killed: the range is rolled back
    except BaseException as error:
        with suppress(OSError):
            pipe.send("".join(traceback.format_exception(error))[-4000:])
        raise SystemExit(1) from None


async def fill_in_processes(
    job: FillJob, code: Code, package: str, number: int, on_progress: Callable[[int], None]
) -> None:
    """Fills the generation with so many processes. `on_progress` hears how many events of ranges under way are folded.

    A worker that is killed is replaced. Raises WorkerFailed.
    """
    workers = [Worker(job, code, package) for _ in range(number)]
    deaths = 0
    try:
        while workers:
            await asyncio.sleep(WATCH_SECONDS)
            for worker in list(workers):
                worker.look()
                exit_code = worker.process.exitcode
                if exit_code is None:
                    continue
                worker.look()
                workers.remove(worker)
                worker.end()
                if exit_code == 0:
                    continue
                if worker.problem is not None:
                    raise WorkerFailed(f"filling {job.projection} failed: {worker.problem.strip()}")
                deaths += 1
                if deaths > DEATHS_MAX:
                    raise WorkerFailed(f"{deaths} workers were killed one after the other: is there enough memory?")
                workers.append(Worker(job, code, package))
            on_progress(sum(worker.folded for worker in workers))
    finally:
        for worker in workers:
            worker.end()


async def fill_here(job: FillJob, manifest: Manifest, on_progress: Callable[[int], None]) -> None:
    """Fills the generation in this process: for a log so small that starting others would take longer."""
    stop = threading.Event()
    try:
        await asyncio.to_thread(fill, job, manifest, on_progress, stop.is_set)
    except Superseded as error:
        raise Unavailable(str(error)) from error
    finally:
        stop.set()
