"""Settings of the roles as processes, and of how they reach each other and the world."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from engine.domain.engines import ENGINE_ID_PATTERN, MAIN
from engine.settings.sections.section import Section, exact


class EngineSettings(Section, frozen=True, kw_only=True):
    """The engine's process."""

    id: Annotated[
        str,
        Meta(
            pattern=ENGINE_ID_PATTERN,
            description="whose money, mode and limits these are, where several engines keep their "
            "books in one ledger; up to 16 of a-z, 0-9 and -",
        ),
    ] = MAIN
    core: Annotated[
        Literal["shared", "own"],
        Meta(description="own: one core for the engine alone, never asleep, so that frames are "
             "taken in about half the time; it shows as 100 % busy, and there must be two"),
    ] = "shared"  # fmt: skip


class WorkersSettings(Section, frozen=True, kw_only=True):
    """Background work: what learns while nothing is to be traded."""

    is_on: Annotated[
        bool,
        Meta(description="run the role workers, where roles are processes of their own"),
    ] = True
    at_once: Annotated[
        int,
        Meta(ge=0, le=5, extra={"unit": "tasks"},
             description="most tasks that run at the same time, fewer while the machine is short "
             "of memory or processor time; 0: none begins"),
    ] = 5  # fmt: skip
    memory_mb: Annotated[
        int,
        Meta(ge=260, le=65_536, extra={"unit": "MB"},
             description="most memory of the role and all its tasks together"),
    ] = 300  # fmt: skip
    share_cores: Annotated[
        float,
        Meta(ge=0, le=64, extra={"unit": "cores"},
             description="what may be used on average by work that can always go on (recordings "
             "played again); less where processor time is a credit that is spent; 0: it runs only "
             "when it is due"),
    ] = 1.0  # fmt: skip
    measures_effects: Annotated[
        bool,
        Meta(description="play recorded segments with and without what was advised, in the "
             "background, two at a time, and end what changes nothing; takes up to 190 MB "
             "while they run, more where memory_mb is more"),
    ] = True  # fmt: skip


class BackgroundSettings(Section, frozen=True, kw_only=True):
    """Work between opportunities, and how it is pushed aside."""

    hold_usd_min: Annotated[
        Decimal,
        exact(
            "an opportunity of so much profit stops background work while it is decided on",
            unit="USD",
            at_least=0,
        ),
    ] = Decimal(1)
    hold_ms: Annotated[
        int,
        Meta(ge=5, le=200, extra={"unit": "ms"},
             description="background work goes on so long after the last thing that stopped it"),
    ] = 30  # fmt: skip
    hold_ms_max: Annotated[
        int,
        Meta(ge=200, le=3_000, extra={"unit": "ms"},
             description="it is stopped so long at a time at most, and half of the time"),
    ] = 1_000  # fmt: skip


class NetworkSettings(Section, frozen=True, kw_only=True):
    """The way out of the machine."""

    proxy: Annotated[
        str | None,
        Meta(description="proxy for all that leaves the machine (feeds, REST, Telegram), as "
             "http://host:3128 or socks5://user:password@host:1080; loopback never uses it"),
    ] = None  # fmt: skip


class BusSettings(Section, frozen=True, kw_only=True):
    """How the roles reach each other."""

    url: Annotated[
        str | None,
        Meta(description="Redis server over which roles on several machines ask each other, as "
             "redis://:password@host:6379/0 (rediss:// with TLS); else sockets of this machine"),
    ] = None  # fmt: skip


class DoorSettings(Section, frozen=True, kw_only=True):
    """Ways in beside the chat."""

    kill_secret: Annotated[
        Annotated[str, Meta(min_length=32, max_length=256)] | None,
        Meta(description="32 characters or more that sign POST /kill and make the bookmark that "
             "kills once; without it nothing listens"),
    ] = None  # fmt: skip
    kill_port: Annotated[
        int,
        Meta(ge=0, le=65_535, description="port on loopback of POST /kill, 0 is any free one"),
    ] = 8_643
