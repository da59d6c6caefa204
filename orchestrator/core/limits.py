"""What is bounded, and by how much: one place for every number beyond which a request is refused or cut off.

The README's table and the description of the REST interface are made from `LIMITS`.
"""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# Requests
#: Bytes of one body, files of a form included.
REQUEST_BYTES: Final = 6 * MIB
#: Bytes of a request's first line and headers.
HEADER_BYTES: Final = 32 * KIB
#: Seconds from the first byte of a request to its last, however slowly they come.
REQUEST_SECONDS: Final = 30
#: Seconds in which a client has to take an answer.
ANSWER_SECONDS: Final = 120
#: Seconds that a connection without a request is kept.
IDLE_SECONDS: Final = 60
#: Seconds in which a process that was asked to stop answers whoever has sent a request.
STOP_SECONDS: Final = 8
#: Connections at once; where they run out, those that have been sending one request for longest are closed.
CONNECTIONS: Final = 500

# Plans
PLAN_BYTES: Final = 4 * MIB
#: Sources from this size on are read in a process of their own.
CHECKED_ALONE_BYTES: Final = 64 * KIB
#: Plans from this length on are rehearsed there, too.
REHEARSED_ALONE_STEPS: Final = 1_000
#: Large texts read at once, in all processes together.
CHECKS_AT_ONCE: Final = 2
#: Seconds that one may take, and that another waits for its turn before it is refused.
CHECK_SECONDS: Final = 20
CHECK_WAIT_SECONDS: Final = 3
#: Bytes of memory that such a process may have.
CHECK_MEMORY_BYTES: Final = 2048 * MIB
#: Plans that are submitted at once, and files that they may be read from.
BUNDLE_PLANS: Final = 100
PLAN_FILES: Final = 1_000

# What is said and handed over
TEXT_CHARACTERS: Final = 10_000
EVIDENCE_TEXTS: Final = 1_000
OUTPUT_FILES: Final = 1_000
OUTPUT_BYTES: Final = 32 * MIB
BREADCRUMBS: Final = 1_000
#: The newest ones, which pages and briefs show; the history has all.
BREADCRUMBS_SHOWN: Final = 100
#: Drafts that one account may have open on a plan, and comments on all versions of it.
DRAFTS: Final = 200
COMMENTS: Final = 1_000

# Who signs in
EXECUTORS: Final = 100
TOKENS: Final = 50
#: Subscriptions of one account and its executors that are in force.
SUBSCRIPTIONS: Final = 20
#: New idempotency keys of one executor in an hour.
KEYS_AN_HOUR: Final = 10_000

# Waiting for work
#: Calls of one process that wait for work at once, each on a thread of its own.
WAITERS: Final = 8
#: Seconds that one may wait.
WAIT_SECONDS: Final = 60

# Lists
ROWS: Final = 500

#: Seconds after which a call that came at a bad moment may come again.
RETRY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Limit:
    """`beyond` says what becomes of a request that goes beyond it."""

    name: str
    value: int
    unit: str
    bounds: str
    beyond: str

    @property
    def amount(self) -> str:
        """As people write it: `6 MiB`, `30 s`, `1,000`."""
        if self.unit != "bytes":
            return f"{self.value:,} {self.unit}".strip()
        size, unit = (self.value // MIB, "MiB") if self.value % MIB == 0 else (self.value // KIB, "KiB")
        return f"{size:,} {unit}"


LIMITS: Final = (
    Limit("REQUEST_BYTES", REQUEST_BYTES, "bytes", "the body of one request, files included", "413 at once"),
    Limit("HEADER_BYTES", HEADER_BYTES, "bytes", "the address and headers of one request", "431"),
    Limit("REQUEST_SECONDS", REQUEST_SECONDS, "s", "sending one request", "the connection is closed"),
    Limit("ANSWER_SECONDS", ANSWER_SECONDS, "s", "taking one answer", "the connection is closed"),
    Limit("IDLE_SECONDS", IDLE_SECONDS, "s", "a connection without a request", "the connection is closed"),
    Limit("CONNECTIONS", CONNECTIONS, "", "connections at once", "the slowest senders are closed"),
    Limit("PLAN_BYTES", PLAN_BYTES, "bytes", "the text of one plan", "413, or a finding"),
    Limit("CHECKS_AT_ONCE", CHECKS_AT_ONCE, "", "large plans that are read at once", "503 with Retry-After"),
    Limit(
        "CHECK_WAIT_SECONDS",
        CHECK_WAIT_SECONDS,
        "s",
        "waiting for the turn to read one",
        "503 with Retry-After",
    ),
    Limit("CHECK_SECONDS", CHECK_SECONDS, "s", "reading one large plan", "422; the process is killed"),
    Limit("CHECK_MEMORY_BYTES", CHECK_MEMORY_BYTES, "bytes", "memory for reading one large plan", "422"),
    Limit(
        "TEXT_CHARACTERS",
        TEXT_CHARACTERS,
        "characters",
        "one text: a note, a reason, evidence, a comment",
        "422",
    ),
    Limit("EVIDENCE_TEXTS", EVIDENCE_TEXTS, "", "pieces of evidence of one completion", "422"),
    Limit("OUTPUT_FILES", OUTPUT_FILES, "", "output files of one completion", "422"),
    Limit("OUTPUT_BYTES", OUTPUT_BYTES, "bytes", "output files of one completion together", "413"),
    Limit("BREADCRUMBS", BREADCRUMBS, "", "breadcrumbs of one attempt", "409"),
    Limit("DRAFTS", DRAFTS, "", "unsent comments of one account on a plan", "409"),
    Limit("COMMENTS", COMMENTS, "", "comments on one plan", "409"),
    Limit("EXECUTORS", EXECUTORS, "", "executors of one account", "409"),
    Limit("TOKENS", TOKENS, "", "live tokens of one executor", "409"),
    Limit("SUBSCRIPTIONS", SUBSCRIPTIONS, "", "subscriptions of one account in force", "409"),
    Limit(
        "KEYS_AN_HOUR",
        KEYS_AN_HOUR,
        "",
        "new idempotency keys of one executor in an hour",
        "429 with Retry-After",
    ),
    Limit("WAITERS", WAITERS, "", "calls that wait for work at once", "answered at once with `retry_after`"),
    Limit("WAIT_SECONDS", WAIT_SECONDS, "s", "waiting for work in one call", "422; ask again"),
    Limit("ROWS", ROWS, "", "rows of one page of a list", "422; ask for the next page"),
)


def limits_table() -> str:
    """For the README."""
    lines = [f"| `{limit.name}` | {limit.amount} | {limit.bounds} | {limit.beyond} |" for limit in LIMITS]
    return "\n".join(["| limit | is | of | beyond it |", "|---|---|---|---|", *lines]) + "\n"


def limits_said() -> str:
    """In one paragraph, for whoever reads the interface's description."""
    return (
        "Limits: " + "; ".join(f"{limit.bounds}: {limit.amount} ({limit.beyond})" for limit in LIMITS) + "."
    )
