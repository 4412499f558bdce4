"""How the program helps itself: named policies, and how often each was tried and helped.

A place that recovers names its policy and counts there what it does; nothing here decides anything.
Each process counts for itself, as a role's metrics do, and is asked for all of it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace


class Strategy(StrEnum):
    """What is done."""

    RETRY = "retry"
    """The same again, after a wait that grows."""
    FALLBACK = "fallback"
    """Another one is asked instead."""
    BREAK = "break"
    """What failed too often is left alone for a while."""
    DEGRADE = "degrade"
    """Less is done, until there is room again."""
    RESTART = "restart"
    """The process is started anew."""
    ESCALATE = "escalate"
    """A person is told, by ever more ways."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy.

    Attributes:
        name: by which it is shown.
        does: what is done about what, and on which terms, in words.
    """

    name: str
    strategy: Strategy
    does: str


FEED_RECONNECT: Final = Policy(
    "feed-reconnect", Strategy.RETRY, "a venue is connected to again, after 0.25 s up to 30 s"
)
VENUE_REQUEST: Final = Policy(
    "venue-request", Strategy.RETRY, "a question to a venue is asked 4 times at most, from 0.5 s on"
)
BLOCKS_RECONNECT: Final = Policy(
    "blocks-reconnect", Strategy.RETRY, "the source of blocks is connected to again"
)
ORDER_STREAM: Final = Policy(
    "order-stream", Strategy.RETRY, "the stream of our orders at a venue is opened again"
)
LEDGER_RECORDS: Final = Policy(
    "ledger-records", Strategy.RETRY, "records wait for the ledger and are sent again"
)
DATABASE_WORK: Final = Policy(
    "database-work", Strategy.RETRY, "a transaction is run again on a new connection, 6 times"
)
HEADS_RECONNECT: Final = Policy(
    "heads-reconnect", Strategy.RETRY, "blocks are subscribed to again, or polled meanwhile"
)
CHAIN_READS: Final = Policy(
    "chain-reads", Strategy.RETRY, "what a chain's nodes did not answer is asked again"
)
POOL_SEARCH: Final = Policy(
    "pool-search", Strategy.RETRY, "pools are looked for again after nodes failed"
)
PENDING_STREAM: Final = Policy(
    "pending-stream", Strategy.RETRY, "what waits for a block is subscribed to again"
)
ORDERS_HANDED: Final = Policy(
    "handing-over", Strategy.RETRY, "what a role was handed, or has told, is asked for again"
)
FINDINGS: Final = Policy(
    "findings", Strategy.RETRY, "what background work found is handed on again"
)
TELEGRAM: Final = Policy(
    "telegram", Strategy.RETRY, "Telegram is asked, or sent to, again; with a new client at last"
)
NOTICES: Final = Policy(
    "notices", Strategy.RETRY, "a chat reads its notices again once the ledger answers"
)
PAGES: Final = Policy(
    "pages", Strategy.RETRY, "a page that another service did not take is sent again"
)
OTHER_PROVIDER: Final = Policy(
    "other-provider",
    Strategy.FALLBACK,
    "another provider of nodes is asked when one fails or is slow",
)
TASK_QUARANTINE: Final = Policy(
    "task-quarantine", Strategy.BREAK, "a task that failed 5 times in a row is begun no more"
)
PROVIDER_QUARANTINE: Final = Policy(
    "provider-quarantine",
    Strategy.BREAK,
    "a provider caught at a lie is not believed, 1 min up to 1 h",
)
VENUE_REST: Final = Policy(
    "venue-rest", Strategy.BREAK, "a venue that refused 5 orders in a row rests for 10 min"
)
ROUTE_REST: Final = Policy(
    "route-rest", Strategy.BREAK, "a route whose transaction failed 3 times rests for 5 min"
)
RARER_LOOKS: Final = Policy(
    "rarer-looks", Strategy.DEGRADE, "what is looked at now and then is looked at less often"
)
ROLE_RESTART: Final = Policy(
    "role-restart", Strategy.RESTART, "the supervisor starts a role again, after 0.2 s up to 10 s"
)
ALERT_CHAIN: Final = Policy(
    "alert-chain",
    Strategy.ESCALATE,
    "a critical alert is told again until acknowledged, then paged",
)

POLICIES: Final[tuple[Policy, ...]] = (
    *(FEED_RECONNECT, VENUE_REQUEST, BLOCKS_RECONNECT, ORDER_STREAM, LEDGER_RECORDS),
    *(DATABASE_WORK, HEADS_RECONNECT, CHAIN_READS, POOL_SEARCH, PENDING_STREAM, ORDERS_HANDED),
    *(FINDINGS, TELEGRAM, NOTICES, PAGES, OTHER_PROVIDER, TASK_QUARANTINE, PROVIDER_QUARANTINE),
    *(VENUE_REST, ROUTE_REST, RARER_LOOKS, ROLE_RESTART, ALERT_CHAIN),
)
"""All of them."""


class Tallied(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy came to in a process.

    Attributes:
        of: the component that it was about (`domain.health`); empty if it is of none.
        attempts: how often something was tried.
        successes: how often what had failed worked again.
        given_up: how often it was not tried any further.
        recover_s: time from the first failure until it worked, of all successes together.
        recover_s_max: the longest of them.
    """

    policy: str
    of: str = ""
    attempts: int = 0
    successes: int = 0
    given_up: int = 0
    recover_s: float = 0.0
    recover_s_max: float = 0.0


class Tally:
    """Counts by policy and component."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Tallied] = {}

    def tried(self, policy: Policy, *, of: str = "") -> None:
        """Count that something was tried."""
        before = self._of(policy, of)
        self._set(replace(before, attempts=before.attempts + 1))

    def recovered(self, policy: Policy, *, after_s: float, of: str = "") -> None:
        """Count that it worked again, so long after it had failed."""
        before, after_s = self._of(policy, of), max(after_s, 0.0)
        self._set(
            replace(
                before,
                successes=before.successes + 1,
                recover_s=before.recover_s + after_s,
                recover_s_max=max(before.recover_s_max, after_s),
            )
        )

    def gave_up(self, policy: Policy, *, of: str = "") -> None:
        """Count that it is not tried any further."""
        before = self._of(policy, of)
        self._set(replace(before, given_up=before.given_up + 1))

    def all(self) -> list[Tallied]:
        """Return the counts of policies that were used."""
        return list(self._counts.values())

    def _of(self, policy: Policy, of: str) -> Tallied:
        return self._counts.get((policy.name, of)) or Tallied(policy=policy.name, of=of)

    def _set(self, tallied: Tallied) -> None:
        self._counts[tallied.policy, tallied.of] = tallied


TALLY: Final = Tally()
"""Of this process."""


class Recovery:
    """One place that recovers: from its first failure until it works again.

    Args:
        policy: that it goes by.
        of: the component that it is about; empty if it is of none.
        tally: where it counts; that of the process unless a test says otherwise.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        of: str = "",
        tally: Tally | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        self._name = of
        self._tally = TALLY if tally is None else tally
        self._now_s = now_s
        self._since_s: float | None = None

    @property
    def is_failing(self) -> bool:
        """Say whether it failed and does not work again yet."""
        return self._since_s is not None

    def failed(self) -> None:
        """Note a failure after which something is tried."""
        if self._since_s is None:
            self._since_s = self._now_s()
        self._tally.tried(self.policy, of=self._name)

    def works(self) -> None:
        """Note that it works; after no failure that says nothing."""
        if self._since_s is not None:
            after_s = self._now_s() - self._since_s
            self._tally.recovered(self.policy, after_s=after_s, of=self._name)
            self._since_s = None

    def gave_up(self) -> None:
        """Note that it failed and is not tried any further."""
        self._since_s = None
        self._tally.gave_up(self.policy, of=self._name)
