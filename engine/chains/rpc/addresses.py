"""Addresses of providers, which hold keys: how the setting writes them, and names without keys.

    ethereum=https://one.example/v2/KEY|wss://one.example/v2/KEY|https://two.example/KEY;base=…

Or `file:` and a path: the same text in a file of its owner alone, with line ends for `;`, which is
read again when it changes. HTTP and WebSocket addresses of one host with one key are one provider.
Whatever is refused is named by its place, its chain and its host, never by an address.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from engine.domain.errors import BadValueError
from engine.domain.network import is_loopback
from engine.domain.redaction import remember_secrets

ADDRESSES_MAX: Final = 16
"""Of one chain: all are asked for their head every few seconds."""

TEXT_MAX: Final = 64 * 1024
FILE_PREFIX: Final = "file:"

_PLAIN: Final = {"http": "https", "ws": "wss"}
_SCHEMES: Final = ("https", "wss", *_PLAIN)
_CHAIN: Final = re.compile(r"[a-z][a-z0-9-]{0,19}", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9.:-]{1,253}", re.ASCII)
_KEY: Final = re.compile(r".{16,}|(?=.*[0-9]).{8,}")
"""What a part of an address is to be a key: as a word as `mainnet` it is hidden nowhere."""

_NAME_PARTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a provider is reached with one key.

    Attributes:
        name: host and a number, for people.
        host: whose plan it is.
        http_url, socket_url: one of them at least.
    """

    name: str
    host: str = ""
    http_url: str | None = field(default=None, repr=False)
    socket_url: str | None = field(default=None, repr=False)


def parse_providers(text: str, chains: Sequence[str]) -> Mapping[str, tuple[Access, ...]]:
    """Return the providers of each chain that is named.

    All addresses and their keys are hidden from now on in whatever this process prints.

    Raises:
        BadValueError: an entry cannot be used; the text says which, and nothing secret.
    """
    if len(text) > TEXT_MAX:
        raise BadValueError(f"it is longer than {TEXT_MAX} characters")
    found: dict[str, tuple[Access, ...]] = {}
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    entries = [one.strip() for line in lines for one in line.split(";") if one.strip()]
    for place, entry in enumerate(entries, 1):
        chain, equals, addresses = (part.strip() for part in entry.partition("="))
        shown = f"entry {place}"
        if not equals or _CHAIN.fullmatch(chain) is None:
            raise BadValueError(f"{shown} is not of the form chain=address|address")
        shown = f"{shown} ({chain})"
        if chain not in chains:
            raise BadValueError(f"{shown} is of a chain that is none of {', '.join(chains)}")
        if chain in found:
            raise BadValueError(f"{shown} is there twice; put all its addresses into one")
        found[chain] = _accesses([one.strip() for one in addresses.split("|")], shown)
    return found


def _accesses(addresses: Sequence[str], shown: str) -> tuple[Access, ...]:
    if len(addresses) > ADDRESSES_MAX:
        raise BadValueError(f"{shown} has more than {ADDRESSES_MAX} addresses")
    reached: dict[tuple[str, int | None, str], dict[str, str]] = {}
    for place, address in enumerate(addresses, 1):
        parts = _checked(address, f"{shown}, address {place}")
        _hide(address, parts)
        host = (parts.hostname or "").lower()
        is_http = parts.scheme.startswith("http")
        kinds = reached.setdefault((host, parts.port, _key(parts)), {})
        if kinds.setdefault("http" if is_http else "socket", address) != address:
            raise BadValueError(f"{shown}, address {place} ({host}) has the key of another one")
    names = _names([(host, port) for host, port, _ in reached])
    return tuple(
        Access(name=name, host=host, http_url=kinds.get("http"), socket_url=kinds.get("socket"))
        for name, ((host, _, _), kinds) in zip(names, reached.items(), strict=True)
    )


def _checked(address: str, shown: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadValueError(f"{shown} cannot be read") from None
    if parts.scheme not in _SCHEMES:
        raise BadValueError(f"{shown} does not begin with https:// or wss://")
    if _HOST.fullmatch(host) is None or port == 0:
        raise BadValueError(f"{shown} has no host, or a port that cannot be")
    if parts.fragment or any(map(str.isspace, address)):
        raise BadValueError(f"{shown} ({host}) has a # or a blank in it")
    if parts.scheme in _PLAIN and not is_loopback(host):
        raise BadValueError(
            f"{shown} ({host}) would show its key to all on the way; use {_PLAIN[parts.scheme]}://"
        )
    return parts


def _key(parts: SplitResult) -> str:
    """Return what of an address is the key: HTTP and WebSocket paths may differ before it."""
    last = parts.path.rstrip("/").rpartition("/")[2]
    return f"{parts.username}:{parts.password}@{last}?{parts.query}"


def _hide(address: str, parts: SplitResult) -> None:
    pieces = [*parts.path.split("/"), parts.query, parts.password or "", parts.username or ""]
    pieces += [piece.partition("=")[2] for piece in parts.query.split("&")]
    remember_secrets([address, *(piece for piece in pieces if _KEY.fullmatch(piece))])


def _names(hosts: Sequence[tuple[str, int | None]]) -> list[str]:
    """Name providers by the end of their host, which may begin with a key, and a number."""
    ends = [_end(host, port) for host, port in hosts]
    several = {end for end, count in Counter(ends).items() if count > 1}
    numbers: Counter[str] = Counter()
    names = []
    for end in ends:
        numbers[end] += 1
        names.append(f"{end} {numbers[end]}" if end in several else end)
    return names


def _end(host: str, port: int | None) -> str:
    shown_port = f":{port}" if port else ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return ".".join(host.rstrip(".").split(".")[-_NAME_PARTS:]) + shown_port
    return host + shown_port
