"""What the operator allows to be signed for exchanges, apart from what any plan or trader says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeTerms:
    """What may be placed at all.

    Attributes:
        is_real: with real money; else at the sandbox's exchanges.
        venues: where orders may be placed; empty where nothing is.
        notional_day_usd: the most that orders signed in a UTC day may move; once for those of
            plans, and once more for those that unwind.
        orders_day: the most orders of a UTC day; likewise twice.
        exposure_usd: by venue the most that one order may move there.
        signs_mixed: whether orders are signed whose plans have a transaction beside them.
        usd_least: by asset, what one of it is reckoned with at the least.
        vouched: by venue the name of a key of which a person says that it cannot withdraw.
    """

    is_real: bool = False
    venues: tuple[str, ...] = ()
    notional_day_usd: Decimal = Decimal(0)
    orders_day: int = 0
    exposure_usd: Mapping[str, Decimal] = field(default_factory=dict)
    signs_mixed: bool = False
    usd_least: Mapping[str, Decimal] = field(default_factory=dict)
    vouched: Mapping[str, str] = field(default_factory=dict)


NO_EXCHANGES = ExchangeTerms()
