"""What of the table of orders need not be kept any more.

A word is kept until it is acknowledged and another one of its order stands in its place. An order
is kept whole until it has long ended, all that was told of it is acknowledged, and its venue's
account was compared since; of it there stays that its id was used, so that it is never placed.
"""

from collections.abc import Mapping
from typing import Final

from engine.domain.instruments import VenueId
from engine.domain.units import NS_PER_MS
from engine.storage.durable_file import DurableFile

WORDS_MS: Final = 86_400_000
"""Words that another one stands in the place of are kept so long: a day."""

ORDERS_MS: Final = 30 * WORDS_MS
"""An order that has ended is kept whole so long."""

AT_ONCE: Final = 200
"""So many go in one step: an order that is handed over waits for no more."""

GONE: Final = "it ended long ago, and what came of it was acknowledged"

_WORDS: Final = """
delete from tellings where number in (
  select t.number from handed h join tellings t using (client_order_id)
  where h.at_ns < ? and t.is_acknowledged and exists (
    select 1 from tellings later
    where later.client_order_id = t.client_order_id and later.number > t.number
  ) limit ?
) returning number
"""
_ENDED: Final = """
select h.client_order_id from handed h join kept k using (client_order_id)
where h.at_ns < ? and h.venue = ? and h.handed is not null and not k.is_open
  and k.ended_at_ms < ? and not exists (
    select 1 from tellings t where t.client_order_id = h.client_order_id and not t.is_acknowledged
  )
order by h.at_ns limit ?
"""


def prune(
    file: DurableFile,
    compared_since_ms: Mapping[VenueId, int],
    *,
    now_ms: int,
    at_once: int = AT_ONCE,
) -> int:
    """Let go of what need not be kept, so much in one step; return how much went.

    Args:
        file: the table of orders.
        compared_since_ms: by venue, from when on fills are compared with its account; of one that
            is not named no order goes.
        now_ms: the wall clock.
        at_once: the most words, and the most orders of a venue.
    """
    with file.together():
        words_ns = (now_ms - WORDS_MS) * NS_PER_MS
        gone = len(file.run(_WORDS, (words_ns, at_once)))
        for venue, since_ms in compared_since_ms.items():
            until_ms = min(since_ms, now_ms - ORDERS_MS)
            values = (until_ms * NS_PER_MS, venue, until_ms, at_once)
            ended = [name for (name,) in file.run(_ENDED, values)]
            for name in ended:
                _let_go(file, venue, name)
            gone += len(ended)
    return gone


def _let_go(file: DurableFile, venue: VenueId, name: str) -> None:
    file.run("update handed set handed = null, why = ? where client_order_id = ?", (GONE, name))
    file.run("delete from kept where client_order_id = ?", (name,))
    # What is seen of an account says up to which word it reckons: numbers never fall.
    file.run(
        "delete from tellings where client_order_id = ?"
        " and number < (select max(number) from tellings where venue = ?)",
        (name, venue),
    )
