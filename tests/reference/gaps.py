"""An opportunity between two books, for tests that need no world: a world loads all kernels."""

from engine.domain.instruments import Instrument
from engine.domain.opportunities import Hop, HopKind, Opportunity

SEEN_AT_NS = 1_700_000_000 * 10**9


def make_gap(buy: Instrument, sell: Instrument) -> Opportunity:
    """Return an opportunity to buy at book 0 and sell at book 1."""
    base, quote = buy.pair.base, buy.pair.quote
    hops = tuple(
        Hop(
            kind=HopKind.BOOK,
            venue=instrument.venue,
            place=str(instrument.pair),
            row=row,
            source=source,
            target=target,
            amount_in=1.0,
            amount_out=1.0,
            frame_seq=11 + row,
        )
        for row, (instrument, source, target) in enumerate(
            ((buy, quote, base), (sell, base, quote))
        )
    )
    return Opportunity(
        opportunity_id="r-1",
        seen_at_ns=SEEN_AT_NS,
        frame_seq=1,
        hops=hops,
        size_base=1.0,
        gross_edge_bps=1.0,
        net_edge_bps=1.0,
        gas_quote=0.0,
        profit_quote=1.0,
    )
