"""A long history as work leaves it, and what verifying it takes: `make bench-history` (FR-009).

One workstream is worked on by the services from its plan to its acceptance, with breadcrumbs, failures,
work that was given back, evidence, outputs and signatures. The others are copies of its rows, each with
the entries that speak of its own rows by their digests, twenty at a time side by side, sealed every 256
entries. Then a process of its own walks over all of it, as `verify_history` does; ends with 1 where it falls
short. `ENTRIES` is how many there are.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import django
from django.db.models import Model
from django.test.utils import override_settings

from tests.benchmarks.floors import ended, judge

#: Seconds of processor that verifying a million entries may take, and megabytes of the whole process.
SECONDS, MEMORY = 30, 200
#: Workstreams that are worked on at a time, and entries between two seals.
TOGETHER: Final = 20
SEALED: Final = 256


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(items)
    while some := list(islice(left, size)):
        yield some


def plan(batches: int = 4, threads: int = 5, steps: int = 2) -> bytes:
    lines = ["# Plan: A life", "## Stages", "### Stage 1: All of it"]
    for batch in range(1, batches + 1):
        lines += [f"##### Batch {batch:02}: part {batch}"]
        for thread in range(1, threads + 1):
            lines += [f"###### Thread {thread:02}: lane {thread}", f"- Files: `b{batch}t{thread}/**`"]
            for step in range(1, steps + 1):
                lines += [f"- S{batch}{thread}{step}: Do it", "  - Exit: it is done"]
        lines += [f"### Merge Point MP{batch}", "- **Action:** Look at it", "- **Reviewers:** reviewer"]
    return "\n".join(lines).encode()


def lived(driver: Any) -> Any:
    """A workstream from its plan to its acceptance."""
    from orchestrator.services.workstreams.workstreams import accept_workstream

    driver.start_afresh(plan())
    builder, numbers = driver.cast.builder(), count()
    while ready := driver.ready():
        for key in ready:
            if driver.task(key).step.is_gate:
                driver.sign(key)
            else:
                _try(driver, key, builder, next(numbers) % 8)
    accept_workstream(
        workstream_id=driver.workstream.pk, actor=driver.cast.actor("approver"), now=driver.tick()
    )
    return driver.reload()


def _try(driver: Any, key: str, builder: Any, chance: int) -> None:
    from orchestrator.services.work import claims, failures, releases

    held = driver.claim(key, builder)
    own = {"attempt_id": held.attempt_id, "token": held.token, "executor": builder}
    claims.report(**own, breadcrumb="Half of it is there.", now=driver.tick())
    if chance == 3:
        driver.fail(key)
        failures.requeue(
            task_id=driver.task(key).pk,
            reason="Once more.",
            actor=driver.cast.actor("reviewer"),
            now=driver.tick(),
        )
        driver.advance()
    elif chance == 6:
        releases.release(**own, breadcrumb="Half of it is there.", now=driver.tick())
        driver.advance()
    else:
        driver.complete(key, outputs={"notes.md": f"By {key}.\n".encode()})


class Life(NamedTuple):
    """What a workstream left: how far apart the ids of its copies are, by table, and its entries with what
    their leaves say."""

    workstream: Any
    apart: dict[type[Model], int]
    entries: list[tuple[Any, dict[str, Any]]]

    def shift(self, kind: str) -> int:
        """How far the ids of such rows are apart; 0 for those of which copies have none of their own."""
        from orchestrator.queries.base.covered import PARTS

        part = PARTS[kind]
        key = next(
            one for one in part.model._meta.concrete_fields if one.attname == part.key or part.key == "id"
        )
        return self.apart.get(part.model if part.key == "id" else key.related_model, 0)


def life_of(workstream: Any) -> Life:
    from django.db.models import Max

    from orchestrator import models

    copied = (
        *(models.Workstream, models.Task, models.Attempt, models.Assignment, models.CriterionCheck),
        *(models.HandoffArtifact, models.OutputFile, models.GateReview, models.PreHandoffReview),
        *(models.StateInterval, models.Wake),
    )
    apart = {model: model._base_manager.aggregate(last=Max("pk"))["last"] or 1 for model in copied}
    entries = [(entry, json.loads(entry.leaf)) for entry in workstream.history.order_by("number")]
    return Life(workstream, apart, entries)


class Copy:
    """One more workstream: its rows as the database has them, and the entries that speak of them."""

    def __init__(self, life: Life, number: int) -> None:
        from orchestrator.models import Workstream

        self.life, self.number = life, number
        self.pk = life.workstream.pk + number * life.apart[Workstream]
        self.uuid = str(Workstream.objects.values_list("uuid", flat=True).get(pk=self.pk))
        self.tip = ""
        self.rows = dict(self._rows())

    def _rows(self) -> Iterator[tuple[str, dict[int, bytes]]]:
        """The bytes of all rows that its entries speak of, by their kind."""
        from orchestrator.core.sealing.rows import read_ids
        from orchestrator.queries.base.spoken import stored

        ids: dict[str, set[int]] = {}
        for _, said in self.life.entries:
            for kind, one in said.get("rows", {}).items():
                ids.setdefault(kind, set()).update(read_ids(one["ids"]))
        for kind, found in ids.items():
            by = self.number * self.life.shift(kind)
            if by:
                yield kind, dict(stored(kind, [one + by for one in found]))

    def entry(self, place: int, sequence: int) -> Any:
        """The `place`-th entry of its life, with a number in the whole history."""
        from orchestrator.core.sealing.chain import leaf_hash
        from orchestrator.models import HistoryEntry
        from orchestrator.queries.base.canonical import canonical

        first, said = self.life.entries[place]
        own = said | {"sequence": sequence, "workstream": self.uuid, "previous": self.tip}
        if "rows" in said:
            own["rows"] = {kind: self._said(kind, one) for kind, one in said["rows"].items()}
        leaf = canonical(own)
        before, self.tip = self.tip, leaf_hash(leaf)
        names = ("number", "recorded_at", "actor", "user_id", "account", "executor", "kind", "action")
        columns = {name: getattr(first, name) for name in (*names, "subject", "reason")}
        return HistoryEntry(
            sequence=sequence,
            workstream_id=self.pk,
            leaf=leaf.decode(),
            leaf_hash=self.tip,
            previous_hash=before,
            **columns,
        )

    def _said(self, kind: str, first: dict[str, str]) -> dict[str, str]:
        from orchestrator.core.sealing.chain import leaf_hash
        from orchestrator.core.sealing.rows import read_ids, rows_root, written_ids

        if kind not in self.rows:
            return first
        by = self.number * self.life.shift(kind)
        ids = [one + by for one in read_ids(first["ids"])]
        rows = [self.rows[kind][one] for one in ids]
        if "root" in first:
            return {"ids": written_ids(ids), "root": rows_root(rows)}
        return {"ids": written_ids(ids), "digests": "".join(map(leaf_hash, rows))}


def copied(life: Life, copies: int, last: int) -> Iterator[Any]:
    """The entries of all copies, behind the entry with this number."""
    from orchestrator.models import Workstream

    numbers = count(last + 1)
    for own in batched(range(1, copies + 1), TOGETHER):
        group = [Copy(life, number) for number in own]
        for place in range(len(life.entries)):
            yield from (one.entry(place, next(numbers)) for one in group)
    assert Workstream.objects.count() == copies + 1


def build(entries: int) -> None:
    from django.db import transaction

    from orchestrator.models import HistoryEntry, Workstream
    from orchestrator.services.sealing.seals import seal
    from tests.benchmarks.scale import multiply
    from tests.cast import NOON, Cast, Driver

    life = life_of(lived(Driver(Cast())))
    last = HistoryEntry.objects.count()
    copies = max(1, (entries - last) // len(life.entries))
    multiply(copies, life.apart)
    _with_uuids(Workstream)
    seal(now=NOON)
    for some in batched(copied(life, copies, last), SEALED):
        with transaction.atomic():
            HistoryEntry.objects.bulk_create(some, batch_size=SEALED)
        seal(now=NOON)


def _with_uuids(model: Any) -> None:
    """Random bytes are no UUID by its version, which nobody asks: all of them can be read."""
    assert all(isinstance(one, UUID) for one in model.objects.values_list("uuid", flat=True))


def verify(database: str, keys: str) -> int:
    """In a process of its own: memory is that of the whole of it."""
    from django.db import connection

    from orchestrator.services.sealing import keys as ring
    from orchestrator.services.sealing.verifying import verify

    connection.settings_dict["NAME"] = database
    with override_settings(HISTORY_KEY_FILE=Path(keys)):
        began, wall = time.process_time(), time.monotonic()
        found = verify(ring.key_ring().public)
        took, waited = time.process_time() - began, time.monotonic() - wall
    assert (found.breach, found.differences) == (None, []), found
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    most = max(SECONDS * found.entries / 1_000_000, 1)
    said = [
        judge(f"verifying {found.entries:,} entries, CPU", took, most, " s"),
        judge(f"verifying {found.entries:,} entries, memory", memory, MEMORY, " MB"),
    ]
    each = 1e6 * took / found.entries
    print(
        f"verified {found.entries:,} entries of {found.workstreams:,} workstreams, "
        f"{found.checkpoints:,} checkpoints: {took:.1f} s CPU ({each:.1f} µs an entry), "
        f"{waited:.1f} s on the wall, {memory} MB {' '.join(said)}".rstrip()
    )
    return ended()


def main(entries: int) -> int:
    from django.db import connection

    from tests.benchmarks.rounds import database

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        keys = place / "keys" / "history.key"
        with (
            override_settings(WORKSPACE_DIR=place / "workspace", HISTORY_KEY_FILE=keys),
            database(),
        ):
            began = time.perf_counter()
            build(entries)
            print(f"built in {time.perf_counter() - began:.0f} s", flush=True)
            connection.close()
            name = str(connection.settings_dict["NAME"])
            command = [sys.executable, "-m", "tests.benchmarks.lives", "verify", name, str(keys)]
            return subprocess.run(command, check=False, env=dict(os.environ)).returncode


if __name__ == "__main__":
    django.setup()
    sys.exit(verify(*sys.argv[2:]) if sys.argv[1] == "verify" else main(int(sys.argv[1])))
