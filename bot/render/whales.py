"""Words for large trades on chains."""

from bot.render import words
from bot.render.screen import Mark
from engine.bus.notices import WhaleSeen
from engine.domain.units import BPS_PER_UNIT

_SYMBOL_CHARACTERS_MAX = 10
_SHOWN_START, _SHOWN_END = 6, -4


def whale_content(notice: WhaleSeen) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of a large trade: its worth or its impact stands first."""
    sold, bought = _called(notice.asset_in), _called(notice.asset_out)
    impact = words.percent(float(notice.impact_ratio * BPS_PER_UNIT))
    if notice.worth_usd is None:
        title = f"Whale: {bought} {impact} dearer"
    else:
        title = f"Whale: {words.usd(notice.worth_usd)} of {sold} sold"
    fee = f"{(notice.fee_ratio * 100).normalize():f} %"
    is_where = "waits for a block: predicted" if notice.is_pending else "is in a block"
    return (
        Mark.NONE,
        title,
        [
            f"{words.size(notice.amount_in)} {sold} → {words.size(notice.amount_out)} {bought}",
            f"{bought} {impact} dearer at {notice.venue} {fee}",
            f"{_short(notice.tx)} {is_where}",
        ],
    )


def _called(asset: str) -> str:
    """Return what an asset is called; of one that is only its address, a part of that too."""
    symbol, _, token = asset.partition("@")
    shown = symbol[:_SYMBOL_CHARACTERS_MAX]
    return f"{shown} {_short(token.rpartition(':')[2])}" if token else shown


def _short(digits: str) -> str:
    return f"{digits[:_SHOWN_START]}…{digits[_SHOWN_END:]}"
