"""Checks of what a setting says, beyond its type and bounds: names, pairs, addresses, folders."""

import errno
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from engine.bus.transport_list import transport_of
from engine.chains.rpc.key_file import KeyFile
from engine.connectors.by_ccxt.names import FEEDS as CCXT_FEEDS
from engine.connectors.by_ccxt.names import exchange_of, known_exchanges
from engine.connectors.venue_list import FEEDS
from engine.domain.chains import NATIVE_ASSETS, NETWORKS
from engine.domain.destinations import parse_destinations
from engine.domain.errors import BadValueError, SettingsError
from engine.domain.instruments import Pair
from engine.domain.network import check_proxy, is_loopback
from engine.domain.people import Rank
from engine.domain.redaction import redact
from engine.gateways.gateway_list import GATEWAYS
from engine.gateways.withdrawing import withdrawing_of
from engine.settings.ccxt_checks import (
    check_exchanges,
    check_is_no_ccxt,
    check_no_orders,
    check_two_ways,
)
from engine.settings.schema import Settings, environment_name
from engine.settings.words import nearest, shown_value

_DATABASE: Final = re.compile(r"(sqlite|postgresql)(\+[a-z]+)?://\S+")

WEBHOOK_PORTS: Final = (None, 443, 80, 88, 8443)

KNOWN_PAIRS: Final = tuple(Settings().markets.pairs)


def check_words(section: str, name: str, value: Any) -> Any:
    """Check one setting's names; returns the value, its home directory filled in.

    Raises:
        ValueError: something in it is unknown, misspelt or there twice; the text says what.
    """
    check = _CHECKS.get((section, name))
    if check is not None and value is not None:
        check(value)
    if (section, name) == ("data", "dir"):
        return expanded(value, where=environment_name(section, name))
    return value


def check_together(settings: Settings) -> None:
    """Check settings that need each other.

    Raises:
        SettingsError: one of them is missing.
    """
    telegram = settings.telegram
    if (telegram.bot_token is None) != (telegram.operator_id is None):
        missing = (
            ("telegram", "operator_id")
            if telegram.operator_id is None
            else ("telegram", "bot_token")
        )
        raise SettingsError(
            f"{environment_name(*missing)} is missing: the phone needs both "
            "TELEGRAM_BOT_TOKEN and TELEGRAM_OPERATOR_ID (or neither, for the terminal); "
            "make pair finds out your id"
        )
    if telegram.pager_token is not None:
        pager = environment_name("telegram", "pager_token")
        if telegram.bot_token is None:
            raise SettingsError(f"{pager} is set without TELEGRAM_BOT_TOKEN: it is a second bot's")
        if telegram.pager_token.partition(":")[0] == telegram.bot_token.partition(":")[0]:
            raise SettingsError(f"{pager} is of the same bot as TELEGRAM_BOT_TOKEN; make another")
    door = settings.door
    if (
        telegram.webhook_url is not None
        and door.kill_secret is not None
        and door.kill_port == telegram.webhook_port
    ):
        raise SettingsError(
            f"{environment_name('telegram', 'webhook_port')} is the port of POST /kill: two doors "
            "cannot share one"
        )
    check_two_ways(settings)
    people = environment_name("telegram", "people")
    if telegram.people and telegram.operator_id is None:
        raise SettingsError(f"{people} is set, but there is no bot: set TELEGRAM_BOT_TOKEN")
    if str(telegram.operator_id) in telegram.people:
        raise SettingsError(f"{people} names TELEGRAM_OPERATOR_ID again, who is an admin anyway")
    if settings.approvals.two_operators_usd and not any(
        Rank(rank).is_at_least(Rank.OPERATOR) for rank in telegram.people.values()
    ):
        raise SettingsError(
            f"{environment_name('approvals', 'two_operators_usd')} asks for two people, and there "
            f"is one: name another operator in {people}, as 12345678=operator"
        )


def check_certificates(settings: Settings, environment: Mapping[str, str]) -> None:
    """Check the authorities' certificates that the environment names, if anything will need them.

    Without them every secure connection would fail, again and again, for reasons that name neither.

    Raises:
        SettingsError: they are not there, or are none.
    """
    if settings.markets.source == "sandbox" and settings.telegram.bot_token is None:
        return
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = environment.get(name)
        if not path:
            continue
        is_file = name == "SSL_CERT_FILE"
        try:
            if not Path(path).exists():
                raise FileNotFoundError(errno.ENOENT, "it does not exist")
            ssl.create_default_context(
                cafile=path if is_file else None, capath=None if is_file else path
            )
        except OSError as error:
            raise SettingsError(
                f"{name} in the environment names {path}, by which nothing can be connected to "
                f"securely ({error.strerror or error}); unset it, or name the authorities' "
                "certificates"
            ) from error


def expanded(path: str, *, where: str) -> str:
    """Return a path with a leading ~ turned into the home directory.

    Raises:
        SettingsError: there is no such home, or the path has a variable as for a shell.
    """
    if "$" in path:
        raise SettingsError(f"{where} has a $, for which nothing is put in here: write it out")
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError as error:
        raise SettingsError(f"{where} is {path!r}: there is no such home directory") from error


def _check_venues(names: Iterable[str]) -> None:
    for name in names:
        if name not in FEEDS and exchange_of(name) not in known_exchanges():
            raise ValueError(
                f"{shown_value(name)} is no venue; the nearest known one is {nearest(name, FEEDS)}"
            )


def _check_chains(names: Iterable[str]) -> None:
    for name in names:
        if name not in NATIVE_ASSETS:
            raise ValueError(
                f"{shown_value(name)} is no chain; the nearest known one is "
                f"{nearest(name, NATIVE_ASSETS)} (of {', '.join(NATIVE_ASSETS)})"
            )


def _check_providers(text: str) -> None:
    try:
        KeyFile(text, tuple(NETWORKS))
    except BadValueError as error:
        raise ValueError(str(error)) from None


def _check_hosts(hosts: Iterable[str]) -> None:
    for host in hosts:
        if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host, re.ASCII) is None:
            raise ValueError("each entry is a host, = and a number, as alchemy.com=660")


def _check_pairs(names: Iterable[str]) -> None:
    for name in names:
        try:
            Pair.parse(name)
        except BadValueError:
            upper = re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")
            meant = upper if _is_pair(upper) else nearest(name, KNOWN_PAIRS)
            raise ValueError(
                f"{shown_value(name)} is not of the form BASE-QUOTE; the nearest known one is "
                f"{meant}"
            ) from None


def _is_pair(text: str) -> bool:
    try:
        Pair.parse(text)
    except BadValueError:
        return False
    return True


def _check_once(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{shown_value(name)} is there twice; keep one of the two")


def _check_venue_list(names: list[str]) -> None:
    _check_once(names)
    check_is_no_ccxt(names)
    _check_venues(names)


def _check_ccxt_list(names: list[str]) -> None:
    _check_once(names)
    check_exchanges(names)


def _check_pair_list(names: list[str]) -> None:
    _check_pairs(names)
    _check_once(names)


def _check_feeds(feeds: Mapping[str, str]) -> None:
    _check_venues(feeds)
    for venue, feed in feeds.items():
        known = FEEDS.get(venue, CCXT_FEEDS)
        if feed not in known:
            raise ValueError(
                f"{venue} has no feed {shown_value(feed)}; the nearest known one is "
                f"{nearest(feed, known)} (of {', '.join(known)})"
            )


def _check_places(names: Iterable[str]) -> None:
    for name in names:
        venue, separator, asset = name.partition(":")
        _check_venues([venue])
        if separator and not (asset.isascii() and asset.isalnum() and asset == asset.upper()):
            raise ValueError(
                f"{shown_value(name)} is not of the form venue or venue:ASSET, as in "
                f"{venue}:{re.sub('[^A-Z0-9]', '', asset.upper()) or 'USD'}"
            )


def _check_database_url(url: str) -> None:
    if not _DATABASE.fullmatch(url):
        raise ValueError(
            "it must be an address as postgresql+asyncpg://user:password@host/name "
            "or sqlite:///path"
        )


def _check_bus_url(url: str) -> None:
    try:
        transport_of(url)
    except BadValueError as error:
        raise ValueError(str(error)) from None


def _check_base_url(url: str) -> None:
    if redact(url) != url:
        raise ValueError("it holds a token or a password; it ends where the token follows")


def _check_webhook_url(url: str) -> None:
    parts = urlsplit(url)
    is_here = is_loopback(parts.hostname or "")
    if redact(url) != url or not (is_here or parts.scheme == "https"):
        raise ValueError("it holds a secret, or is without TLS")
    if not is_here and parts.port not in WEBHOOK_PORTS:
        raise ValueError("Telegram posts to other ports only")


def _check_proxy(text: str) -> None:
    try:
        check_proxy(text)
    except BadValueError as error:
        raise ValueError(str(error)) from None


def _check_time_zone(name: str) -> None:
    known = available_timezones()
    if name not in known:
        raise ValueError(
            f"{shown_value(name)} is no time zone; the nearest known one is {nearest(name, known)}"
        )


def _check_people(people: Mapping[str, str]) -> None:
    for user_id, rank in people.items():
        is_id = re.fullmatch(r"[1-9][0-9]{0,18}", user_id, re.ASCII) is not None
        if not is_id or rank not in tuple(Rank):
            raise ValueError(
                "each entry is a numeric Telegram user id, = and a rank (viewer, operator or "
                "admin), as 12345678=viewer"
            )


def _check_contracts(contracts: Mapping[str, str]) -> None:
    for place, code_hash in contracts.items():
        chain, _, address = place.partition(":")
        _check_chains([chain])
        is_address = re.fullmatch(r"0x[0-9a-fA-F]{40}", address, re.ASCII) is not None
        if not is_address or re.fullmatch(r"0x[0-9a-fA-F]{64}", code_hash, re.ASCII) is None:
            raise ValueError(
                "each entry is a chain, its contract and keccak of that one's code, as"
                " base:0x(40 digits)=0x(64 digits)"
            )


def _check_exchanges(names: Iterable[str]) -> None:
    for name in names:
        check_no_orders(name)
        if name not in GATEWAYS:
            raise ValueError(
                f"no orders can be placed at {shown_value(name)}; the nearest venue where they can"
                f" is {nearest(name, GATEWAYS)} (of {', '.join(GATEWAYS)})"
            )


def _check_exchange_list(names: list[str]) -> None:
    _check_once(names)
    _check_exchanges(names)


def _check_assets(names: Iterable[str]) -> None:
    for name in names:
        if not (name.isascii() and name.isalnum() and name == name.upper()):
            raise ValueError(
                f"{shown_value(name)} is no asset, as in"
                f" {re.sub('[^A-Z0-9]', '', name.upper()) or 'USD'}"
            )


def _check_destinations(said: Mapping[str, str]) -> None:
    try:
        parse_destinations(said, exchanges=GATEWAYS)
    except BadValueError as error:
        raise ValueError(str(error)) from None


def _check_withdrawals(names: Iterable[str]) -> None:
    for name in names:
        try:
            withdrawing_of(name)
        except BadValueError as error:
            raise ValueError(str(error)) from None


def _check_names(said: Mapping[str, str]) -> None:
    for way in said:
        source, _, to = way.partition("/")
        _check_withdrawals([source])
        if len(to.split("/")) != 3:  # noqa: PLR2004 - target, asset and chain
            raise ValueError(f"{shown_value(way)} is no way, as in kraken/binance/BTC/bitcoin")


_CHECKS: Final[Mapping[tuple[str, str], Callable[[Any], None]]] = {
    ("markets", "venues"): _check_venue_list,
    ("markets", "feeds"): _check_feeds,
    ("markets", "pairs"): _check_pair_list,
    ("costs", "fee_bps_taker"): _check_venues,
    ("routes", "gas_price_gwei"): _check_chains,
    ("chains", "providers"): _check_providers,
    ("chains", "units_per_s"): _check_hosts,
    ("paper", "capital_usd_at"): _check_places,
    ("routes", "bridges"): _check_pairs,
    ("data", "database_url"): _check_database_url,
    ("bus", "url"): _check_bus_url,
    ("telegram", "base_url"): _check_base_url,
    ("telegram", "webhook_url"): _check_webhook_url,
    ("telegram", "people"): _check_people,
    ("operator", "time_zone"): _check_time_zone,
    ("network", "proxy"): _check_proxy,
    ("exchanges", "venues"): _check_exchange_list,
    ("exchanges", "ccxt"): _check_ccxt_list,
    ("exchanges", "key_files"): _check_exchanges,
    ("exchanges", "vouched"): _check_exchanges,
    ("exchanges", "exposure_usd"): _check_exchanges,
    ("exchanges", "low_balance"): _check_assets,
    ("exchanges", "transfer_usd_of"): _check_assets,
    ("exchanges", "transfer_minutes_of"): _check_assets,
    ("exchanges", "destinations"): _check_destinations,
    ("transfers", "venues"): _check_withdrawals,
    ("transfers", "key_files"): _check_withdrawals,
    ("transfers", "vouched"): _check_withdrawals,
    ("transfers", "names"): _check_names,
    ("transfers", "each"): _check_assets,
    ("transfers", "day"): _check_assets,
    ("transfers", "test"): _check_assets,
    ("signer", "contracts"): _check_contracts,
    ("signer", "gas_day"): _check_chains,
}
