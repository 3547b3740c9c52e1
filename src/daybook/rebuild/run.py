"""One rebuild from its beginning, or from where a killed one stood, to its plan; and what may be done with it then."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
import psycopg
from psycopg import sql

from daybook.channel.contract import Manifest, check_name
from daybook.errors import CorruptLog, NotFound, Refused
from daybook.ids import new_id
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.projection import generations, leases, versions
from daybook.projection.found import make_found
from daybook.projection.generations import Generation
from daybook.projection.generations import live as live_generation
from daybook.projection.leases import LEASE_SECONDS, RENEW_SECONDS, Lease
from daybook.projection.store import Superseded
from daybook.projection.versions import Versions
from daybook.rebuild import QUERIES, duplicate_listings, plan, ranges
from daybook.rebuild.code import Code
from daybook.rebuild.fill import FillJob, application
from daybook.rebuild.follow import follow
from daybook.rebuild.plan import Plan
from daybook.rebuild.priority import lower_server
from daybook.rebuild.progress import OnProgress, RebuildProgress, Watch
from daybook.rebuild.prune import drop
from daybook.rebuild.switch import OnSwitch, Switched, switch
from daybook.rebuild.workers import fill_here, fill_in_processes

ALONE_EVENTS_MAX = 30_000
"""A log so small is filled without starting processes."""
PROGRESS_SECONDS = 0.2


KEYS = {"states": QUERIES["key_states"], "listings": QUERIES["key_listings"]}
ANALYZE = {"states": QUERIES["analyze_states"], "listings": QUERIES["analyze_listings"]}
INDEXES = {"states": generations.QUERIES["make_states_index"], "listings": generations.QUERIES["make_listings_index"]}


class RebuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to rebuild."""

    workers: int | None = None
    """Processes; None: one for each core, and none at all for a small log."""
    fresh: bool = False
    """Begin anew, whatever an earlier rebuild left."""
    upto: int | None = None
    """Build the state at this position, for reading only."""
    apply: bool = False
    on_switch: OnSwitch | None = None


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a rebuild. `plan` is None for a past state; `switched` unless it was applied. `origin` is the folder
    of code that is not installed."""

    projection: str
    generation: int
    events: int
    position: int
    resumed: bool
    origin: str | None = None
    plan: Plan | None = None
    switched: Switched | None = None


@asynccontextmanager
async def exclusively(dsn: str, projection: str) -> AsyncIterator[Lease]:
    """The right to change a projection's generations. Raises Refused while somebody else has it.

    The lease of one that was killed is waited for. Who loses it writes nothing any more: every transaction checks it.
    """
    check_name(projection)
    async with await connect_async(dsn, "rebuild lease") as conn:
        owner, lease = new_id(), None
        deadline = asyncio.get_running_loop().time() + LEASE_SECONDS + 1
        while lease is None:
            lease = await leases.acquire(conn, f"rebuild:{projection}", owner)
            if lease is None:
                if asyncio.get_running_loop().time() > deadline:
                    raise Refused(
                        f"a rebuild, a switch or a prune of {projection} is under way: wait for it, or end it first",
                        channel=projection,
                    )
                await asyncio.sleep(0.25)
        keeper = asyncio.create_task(_keep(conn, lease))
        try:
            yield lease
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError, psycopg.Error):
                await keeper
            with suppress(psycopg.Error):
                await leases.release(conn, lease)


async def _keep(conn: AsyncConnection, lease: Lease) -> None:
    held = True
    while held:
        await asyncio.sleep(RENEW_SECONDS)
        held = await leases.renew(conn, lease)


async def rebuild(
    dsn: str, code: Code, package: str, options: RebuildOptions, on_progress: OnProgress = lambda _: None
) -> Rebuilt:
    """Builds a generation beside the live one and plans the switch; with `options.apply` switches as well.

    Cancel or kill it anywhere: what readers and channels see is untouched, and the next call goes on where it stood
    when the code is the same. Raises Refused when one runs already.
    """
    watch = Watch(on_progress)
    async with exclusively(dsn, code.manifest.name) as lease:
        watcher = asyncio.create_task(watch.watch(dsn, code.manifest.name))
        try:
            async with await connect_async(dsn, application(code.manifest.name)) as conn:
                lower_server(conn)
                return await _Rebuild(conn, dsn, code, package, options, lease, watch).run()
        except Superseded as error:
            raise Refused(f"another rebuild of {code.manifest.name} took over", channel=code.manifest.name) from error
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher


class _Rebuild:
    def __init__(
        self,
        conn: AsyncConnection,
        dsn: str,
        code: Code,
        package: str,
        options: RebuildOptions,
        lease: Lease,
        watch: Watch,
    ) -> None:
        self._conn, self._dsn, self._code, self._package = conn, dsn, code, package
        self._options, self._lease, self._watch = options, lease, watch
        self._manifest = code.manifest
        self._resumed = False

    async def run(self) -> Rebuilt:
        await live_generation(self._conn, self._manifest)
        generation = await self._resume() or await self._begin()
        total = await self._fill(generation)
        if self._options.upto is not None:
            return self._rebuilt(generation, total, self._options.upto)
        head = await reader.head(self._conn)

        def reached(position: int) -> None:
            self._tell("follow", generation, position, max(head, position))

        at = await follow(self._conn, self._manifest, generation, self._lease, reached)
        self._tell("plan", generation, 0, 0)
        planned = await planned_of(self._conn, self._manifest, generation, self._lease)
        switched = None
        if self._options.apply:
            self._tell("switch", generation, 0, 0)
            # On a connection of its own: the live runner waits for what a switch locks, so that is not to be lowered.
            async with await connect_async(self._dsn, "switch") as conn:
                switched = await switch(conn, self._manifest, generation, self._lease, self._options.on_switch)
        return self._rebuilt(generation, total, at.position, planned, switched)

    def _rebuilt(
        self, generation: Generation, total: int, position: int, plan: Plan | None = None, done: Switched | None = None
    ) -> Rebuilt:
        return Rebuilt(
            projection=self._manifest.name,
            generation=generation.number,
            events=total,
            position=position,
            resumed=self._resumed,
            origin=self._code.origin,
            plan=plan,
            switched=done,
        )

    async def _resume(self) -> Generation | None:
        """What an earlier rebuild with the same code left; what can't be used is dropped."""
        upto, found = self._options.upto, None
        rows = await (await self._conn.execute(QUERIES["unfinished"], (self._manifest.name,))).fetchall()
        fingerprint = self._code.fingerprint
        for number, fill_to, mark, origin, state, position, _ in rows:
            generation = Generation(self._manifest.name, number)
            fits = (mark, origin) == (fingerprint, self._code.origin) and not self._options.fresh
            if upto is not None:
                fits = fits and state == "building" and fill_to == upto and position <= upto
            if fits and found is None:
                found = generation
            elif state == "building" or upto is None:
                await drop(self._conn, generation)
        self._resumed = found is not None
        return found

    async def _begin(self) -> Generation:
        manifest, upto = self._manifest, self._options.upto
        if manifest.keeps_history and upto is not None:
            raise Refused(f"{manifest.name} keeps its history: ask it for that moment, nothing has to be built")
        async with self._conn.transaction():
            if upto is None:
                upto = await reader.head(self._conn)
            row = await (await self._conn.execute(QUERIES["next_number"], (manifest.name,))).fetchone()
            assert row is not None
            generation = Generation(manifest.name, row[0])
            for query in ("make_bare_states", "make_bare_listings"):
                await self._conn.execute(generation.composed(QUERIES[query]))
            if manifest.keeps_history:
                await versions.make_bare(self._conn, Versions(generation, manifest))
            await generations.let_roles(self._conn, generation)
            begun = {
                "projection": manifest.name,
                "generation": generation.number,
                "version": manifest.version,
                "upto": upto,
                "code": self._code.fingerprint,
                "origin": self._code.origin,
            }
            await self._conn.execute(QUERIES["begin_generation"], begun)
            await ranges.put(self._conn, generation, await ranges.cut(self._conn, manifest, upto))
        return generation

    async def _fill(self, generation: Generation) -> int:
        """Fills what is not filled yet, and makes the indexes; returns how many events were folded in all."""
        names = (generation.projection, generation.number)
        rows = await (await self._conn.execute(QUERIES["unfinished"], (generation.projection,))).fetchall()
        upto, left = next((int(row[1]), row[6]) for row in rows if row[0] == generation.number)
        total = await ranges.events_to_fold(self._conn, self._manifest, upto)
        if not left:
            return total
        job = FillJob(self._dsn, *names, upto, self._lease)
        await self._filling(job, generation, total)
        done = (await self._progress(generation))[2]
        if done != total:
            raise CorruptLog(f"{done} events were folded up to position {upto}, but {total} are expected: holes?")
        self._tell("fill", generation, total, total)
        self._tell("index", generation, 0, 0)
        await self._indexes(generation, upto)
        async with self._conn.transaction():
            state = "building" if self._options.upto is None else "reading"
            moved = await self._conn.execute(QUERIES["filled"], {"state": state} | _held(generation, self._lease))
            if moved.rowcount != 1:
                raise Superseded
            await self._conn.execute(QUERIES["drop_ranges"], names)
        return total

    async def _indexes(self, generation: Generation, upto: int) -> None:
        failed = await asyncio.gather(
            self._index_rest(generation),
            self._index(generation, "listings", generation.listings),
            return_exceptions=True,
        )
        if failed[0] is None and isinstance(failed[1], psycopg.errors.UniqueViolation):
            await duplicate_listings.park(self._conn, self._manifest, generation, upto)
            await self._index(generation, "listings", generation.listings)
            return
        for error in failed:
            if error is not None:
                raise error

    async def _index_rest(self, generation: Generation) -> None:
        await self._index(generation, "states", generation.states)
        if self._manifest.keeps_history:
            async with await connect_async(self._dsn, application(generation.projection)) as conn:
                lower_server(conn)
                await conn.execute(QUERIES["tune"])
                async with conn.transaction():
                    kept = Versions(generation, self._manifest)
                    await versions.make_bare(conn, kept)  # a rebuild that an older version began has none yet
                    await versions.make_indexes(conn, kept)
                    await generations.let_roles(conn, generation)

    async def _index(self, generation: Generation, table: str, name: sql.Identifier) -> None:
        """Makes a table's indexes, those that are not there; a connection for each table, as each keeps a core busy."""
        async with await connect_async(self._dsn, application(generation.projection)) as conn:
            lower_server(conn)
            await conn.execute(QUERIES["tune"])
            async with conn.transaction():
                if await (await conn.execute(QUERIES["has_key"], (name.as_string(conn),))).fetchone() is None:
                    await conn.execute(generation.composed(KEYS[table]))
                await conn.execute(generation.composed(INDEXES[table]))
                if table == "listings":
                    await make_found(conn, generation, self._manifest)
                await conn.execute(generation.composed(ANALYZE[table]))

    async def _filling(self, job: FillJob, generation: Generation, total: int) -> None:
        pending, ended = 0, asyncio.Event()

        def folded(events: int) -> None:
            nonlocal pending
            pending = events

        async def show() -> None:
            while not ended.is_set():
                done = (await self._progress(generation))[2]
                self._tell("fill", generation, min(total, done + pending), total)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PROGRESS_SECONDS):
                        await ended.wait()

        shown = asyncio.create_task(show())
        try:
            workers = self._options.workers
            if workers is None:
                workers = 0 if total <= ALONE_EVENTS_MAX else _cores()
            if workers == 0:
                await fill_here(job, self._manifest, folded)
            else:
                await fill_in_processes(job, self._code, self._package, workers, folded)
        finally:
            ended.set()
            await shown

    async def _progress(self, generation: Generation) -> tuple[int, ...]:
        names = (generation.projection, generation.number)
        row = await (await self._conn.execute(QUERIES["progress"], names)).fetchone()
        assert row is not None
        return tuple(int(number) for number in row)

    def _tell(self, phase: str, generation: Generation, done: int, total: int) -> None:
        progress = {"phase": phase, "done": done, "total": total, "generation": generation.number}
        self._watch(msgspec.convert({**progress, "resumed": self._resumed}, RebuildProgress))


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _held(generation: Generation, lease: Lease) -> dict[str, str | int]:
    """What names a generation that a rebuild with this lease may change."""
    return {
        "projection": generation.projection,
        "generation": generation.number,
        "lease": lease.name,
        "token": lease.token,
    }


async def planned_of(conn: AsyncConnection, manifest: Manifest, generation: Generation, lease: Lease) -> Plan:
    """Makes the plan anew and keeps it with the generation, which is ready then."""
    live, _ = await live_generation(conn, manifest)
    made = await plan.make(conn, manifest, generation, live)
    body = msgspec.json.encode(made).decode()
    kept = await conn.execute(QUERIES["put_plan"], {"plan": body} | _held(generation, lease))
    if kept.rowcount != 1:
        raise Superseded
    return made


async def plan_of(conn: AsyncConnection, projection: str, number: int | None = None) -> Plan:
    """The plan as it was made. Raises NotFound."""
    rows = await (await conn.execute(QUERIES["generations"], (projection,))).fetchall()
    found = [row for row in rows if row[8] is not None and number in (None, row[0])]
    if not found:
        raise NotFound(f"there is no plan for {projection}: make one with `daybook channel rebuild {projection}`")
    return msgspec.json.decode(found[-1][8], type=Plan)


async def apply(dsn: str, manifest: Manifest, number: int | None = None, on_switch: OnSwitch | None = None) -> Switched:
    """Makes a generation that is ready (or kept) the live one: the newest ready one when none is named."""
    async with exclusively(dsn, manifest.name) as lease, await connect_async(dsn, "switch") as conn:
        if number is None:
            number = await _newest(conn, manifest.name, "ready")
        if number is None:
            raise NotFound(f"{manifest.name} has nothing to apply: `daybook channel rebuild {manifest.name}` first")
        row = await (await conn.execute(QUERIES["state_of"], (manifest.name, number))).fetchone()
        if row is None:
            raise NotFound(f"{manifest.name} has no generation {number}; `channel generations` lists them")
        state, origin = row[0], row[1]
        if state not in ("ready", "kept"):
            raise Refused(
                f"generation {number} of {manifest.name} is {state}: only one that is ready or kept is applied"
            )
        if origin is not None:
            raise Refused(
                f"generation {number} was made with the code in {origin}, which is not installed: the live runner "
                "would go on with other code. Install it and rebuild, or say `rebuild --from-code PATH --apply`"
            )
        return await switch(conn, manifest, Generation(manifest.name, number), lease, on_switch)


async def rollback(dsn: str, manifest: Manifest, on_switch: OnSwitch | None = None) -> Switched:
    """Makes the newest kept generation live again; what happened since is folded into it first, by the code of now."""
    async with exclusively(dsn, manifest.name) as lease, await connect_async(dsn, "switch") as conn:
        number = await _newest(conn, manifest.name, "kept")
        if number is None:
            raise NotFound(f"{manifest.name} has no generation to go back to")
        return await switch(conn, manifest, Generation(manifest.name, number), lease, on_switch)


async def _newest(conn: AsyncConnection, projection: str, state: str) -> int | None:
    row = await (await conn.execute(QUERIES["newest"], (projection, state))).fetchone()
    return None if row is None else int(row[0])
