"""Postgres is replaced by an older copy of itself, as after a failover to a replica that lacked the newest events.

What was acknowledged after the copy is lost, and nobody can help that: the truth forgets it. Everything else must hold,
and the writers must be able to go on with the products concerned.
"""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import psycopg

from tests.chaos import person
from tests.chaos.level import Level
from tests.chaos.past import Past
from tests.chaos.truth import Truth, state_of
from tests.chaos.wishes import Catalogue
from tests.chaos.world import World, until
from tests.chaos.writers import Writer, carry_out, pause_all

LOST_SECONDS = 5.0
"""So much of what the writers do is lost."""
BACK_SECONDS_MAX = 60.0
CHANGES = 3
"""Of each product, so that positions pass those that were lost."""


def fail_over(
    world: World, truth: Truth, catalogue: Catalogue, writers: Sequence[Writer], past: Past, level: Level
) -> list[str]:
    """Loses some seconds of the log, does what the status asks for, and sends everything again. What went wrong."""
    cluster = (world.data / "postgres").resolve()
    copy = cluster.with_name("postgres.copy")
    with past.held():
        _copy(world, cluster, copy)
        catalogue.calm = True
        try:
            for one in writers:
                one.go()
            time.sleep(LOST_SECONDS)
            if open_ones := pause_all(writers, BACK_SECONDS_MAX):
                return [f"{one} waits for its last answer" for one in open_ones]
        finally:
            catalogue.calm = False
        _replace(world, cluster, copy)
        if not until(lambda: _answers(world), BACK_SECONDS_MAX):
            return ["Postgres does not come back on an older copy of itself"]
        ((head,),) = world.rows("SELECT position FROM head")
        world.steps.append(f"Postgres lost {truth.forget_beyond(head)} acknowledged commands beyond position {head}")
        past.forget_beyond(head)
    if not until(lambda: _stream_follows(world), BACK_SECONDS_MAX, 1.0):
        return [f"the stream does not follow the log again: {person.waiting(world)}"]
    _change_everything(world, truth)
    return _send_again(world) or level.reach()


def _copy(world: World, cluster: Path, copy: Path) -> None:
    """A copy from which Postgres recovers to about this moment."""
    server = world.servers.postgres
    assert server is not None
    with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as conn:
        conn.execute("SELECT pg_backup_start('chaos', true)")
        subprocess.run(["rm", "-rf", str(copy)], check=True)
        # A file may go while it is copied: what recovery needs of it is in the log that is copied below.
        subprocess.run(["cp", "-a", f"{cluster}/.", str(copy)], check=False, capture_output=True)
        row = conn.execute("SELECT labelfile FROM pg_backup_stop(false)").fetchone()
        assert row is not None
        subprocess.run(["cp", "-a", f"{cluster}/pg_wal/.", f"{copy}/pg_wal"], check=False, capture_output=True)
    label = copy / "backup_label"
    subprocess.run(["cp", "-a", str(cluster / "PG_VERSION"), str(label)], check=True)  # for its owner
    label.write_text(row[0])
    (copy / "postmaster.pid").unlink(missing_ok=True)


def _replace(world: World, cluster: Path, copy: Path) -> None:
    """Kills the server, and puts the copy in its place before it is started again."""
    old = cluster.with_name("postgres.old")
    subprocess.run(["rm", "-rf", str(old)], check=True)
    processes = world.server("postgres")
    processes[0].kill()
    cluster.rename(old)
    copy.rename(cluster)
    psutil.wait_procs(processes, timeout=5)


def _answers(world: World) -> bool:
    try:
        return bool(world.rows("SELECT 1"))
    except psycopg.OperationalError:
        return False


def _stream_follows(world: World) -> bool:
    found = person.waiting(world)
    if found is None or person.follow(world, found):
        return False
    return not [one for one in found if one["kind"].startswith("stream_")]


def _change_everything(world: World, truth: Truth) -> None:
    """A marketplace that compares positions refuses what is older than what it had: it waits for changes."""
    skus = [sku for sku in truth.skus() if not state_of(truth, sku).get("model")]
    for cents in range(CHANGES):
        for sku in skus:
            price = f"{30 + cents}.{len(sku):02}"
            path = f"/api/v1/products/{sku}/prices/default/EUR"
            made = "PUT", path, {"amount": price}, {"price": price}
            carry_out(world.api, truth, Catalogue.wish(sku, made), lambda: False)


def _send_again(world: World) -> list[str]:
    """What a person does then: marketplaces may show what the book never had."""
    found = []
    for name in world.channels:
        done = world.api.send("POST", f"/api/v1/channels/{name}/resync", {"all": True})
        if done.status >= 300:
            found.append(f"resync of {name}: {done}")
    return found
