"""Checks of exchanges through ccxt: known to it, followed one way, and never traded at."""

from collections.abc import Sequence

from engine.connectors.by_ccxt.names import exchange_of, known_exchanges
from engine.connectors.venue_list import FEEDS
from engine.domain.errors import SettingsError
from engine.settings.schema import Settings, environment_name
from engine.settings.words import nearest_few, shown_value


def check_exchanges(names: Sequence[str]) -> None:
    """Refuse what ccxt does not know.

    Raises:
        ValueError: a name is unknown to it, or it is not here.
    """
    known = known_exchanges()
    for name in names:
        if not known:
            raise ValueError("the library ccxt is not installed here; make setup installs it")
        if name not in known:
            raise ValueError(
                f"ccxt knows no exchange {shown_value(name)}; the nearest that it knows are "
                f"{', '.join(nearest_few(name, known))}"
            )


def check_is_no_ccxt(names: Sequence[str]) -> None:
    """Refuse them among the venues that have a feed of their own.

    Raises:
        ValueError: one of them is there.
    """
    for name in names:
        if exchange := exchange_of(name):
            raise ValueError(
                f"{shown_value(name)} comes through ccxt and is not named here: set "
                f"{environment_name('exchanges', 'ccxt')}={exchange}"
            )


def check_no_orders(name: str) -> None:
    """Refuse to trade at one.

    Raises:
        ValueError: orders are to be placed there.
    """
    if exchange_of(name):
        raise ValueError(
            f"no orders are placed at {shown_value(name)}: it comes through ccxt, which does not "
            "say surely enough what became of one (docs/ccxt.md)"
        )


def check_two_ways(settings: Settings) -> None:
    """Refuse an exchange that is followed two ways: its gaps would be those of two pictures of it.

    In the sandbox, where there are no others, it is allowed.

    Raises:
        SettingsError: it has a feed of its own here.
    """
    if settings.markets.source == "sandbox":
        return
    for name in settings.exchanges.ccxt:
        if name in FEEDS:
            raise SettingsError(
                f"{environment_name('exchanges', 'ccxt')} names {name}, which has a feed of its "
                f"own here: name it in {environment_name('markets', 'venues')}"
            )
