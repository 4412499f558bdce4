"""THE list of settings: name, type, bounds, unit, default and why. Everything else is derived.

Each section is a struct; `Annotated` carries the bounds and the description. The environment name
of a setting is ``SYNDICATE_<SECTION>_<NAME>``, except for the three in `SHORT_NAMES`.
"""

from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from engine.connectors.venue_list import FEEDS
from engine.domain.engines import ENGINE_ID_PATTERN, MAIN

SHORT_NAMES: Final = {
    ("telegram", "bot_token"): "TELEGRAM_BOT_TOKEN",
    ("telegram", "operator_id"): "TELEGRAM_OPERATOR_ID",
    ("markets", "source"): "MARKETS",
}

SECRETS: Final = frozenset(
    {
        ("telegram", "bot_token"),
        ("telegram", "pager_token"),
        ("operator", "totp_secret"),
        ("data", "database_url"),
        ("bus", "url"),
        ("network", "proxy"),
        ("alert", "urls"),
        ("ping", "url"),
        ("door", "kill_secret"),
        ("chains", "providers"),
        ("signer", "remote_url"),
    }
)

UNSHOWN: Final = SECRETS | {
    ("telegram", "operator_id"),
    ("telegram", "people"),
    ("telegram", "base_url"),
    ("telegram", "webhook_url"),
}
"""Settings whose wrong values are not repeated: a secret may have been put into them."""


def _exact(
    description: str,
    *,
    unit: str,
    above: int | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
) -> Meta:
    """Describe an exact decimal; msgspec knows no bounds of decimals, `load` checks these."""
    bounds = {"unit": unit, "gt": above, "ge": at_least, "le": at_most}
    return Meta(description=description, extra={k: v for k, v in bounds.items() if v is not None})


_FEE: Final = {"unit": "bps", "ge": 0, "lt": 10_000}
"""A fee of 100 % leaves nothing."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class MarketsSettings(_Section, frozen=True, kw_only=True):
    """Where market data comes from."""

    source: Annotated[
        Literal["sandbox", "live"],
        Meta(description="sandbox: local servers that replay recordings; live: public feeds"),
    ] = "sandbox"
    venues: Annotated[list[str], Meta(min_length=1, description="venues to connect to")] = (
        msgspec.field(default_factory=lambda: list(FEEDS))
    )
    pairs: Annotated[
        list[str],
        Meta(
            min_length=1,
            max_length=100,
            description="pairs to watch on live markets, where a venue lists them; "
            "the sandbox has its own",
        ),
    ] = msgspec.field(
        default_factory=lambda: [
            "BTC-USD", "ETH-USD", "BTC-EUR", "ETH-EUR", "ETH-BTC", "LTC-BTC",
            "BTC-USDT", "ETH-USDT", "USDT-USD", "EUR-USD", "USDC-USD",
        ]
    )  # fmt: skip
    feeds: Annotated[
        dict[str, str],
        Meta(description="feed of a venue that has several, as gemini=l2; else its default"),
    ] = msgspec.field(default_factory=dict)
    age_ms_max: Annotated[
        int,
        Meta(ge=100, le=600_000, description="a book without any change for longer is stale",
             extra={"unit": "ms"}),
    ] = 10_000  # fmt: skip
    lag_ms_max: Annotated[
        int,
        Meta(ge=100, le=60_000, extra={"unit": "ms"},
             description="books whose frames come this much later than the quickest of their "
             "connection, or wait here so long, are stale"),
    ] = 2_000  # fmt: skip
    audit_s: Annotated[
        int,
        Meta(ge=1, le=3_600, extra={"unit": "s"},
             description="interval of the REST cross-audit of each book whose feed has no sequence "
             "numbers, as far as the venue's request limit allows; a fifth of it in open routes"),
    ] = 5  # fmt: skip
    sandbox_speed: Annotated[
        float, Meta(gt=0, le=1_000, description="replay speed of the sandbox, 1 is as recorded")
    ] = 1.0
    sandbox_faults: Annotated[
        Literal["none", "light", "heavy"],
        Meta(description="faults that the sandbox injects, from the paper seed"),
    ] = "none"
    sandbox_chains: Annotated[
        list[str],
        Meta(description="chains that local nodes of the sandbox pose as, as base,ethereum; unset: "
             "arbitrum, base and polygon, unless all roles share a process; none: the sandbox "
             "makes a chain up"),
    ] = msgspec.field(default_factory=list)  # fmt: skip
    sandbox_port: Annotated[
        int, Meta(ge=0, le=65_535, description="port of the sandbox on loopback, 0 is any free one")
    ] = 0


class CostsSettings(_Section, frozen=True, kw_only=True):
    """What a trade costs."""

    fee_bps_taker: Annotated[
        dict[str, Decimal],
        Meta(
            extra=_FEE,
            description="taker fee of your tier by venue, as binance=10,coinbase=60; "
            "else the venue's entry tier (sandbox: see docs/risk.md)",
        ),
    ] = msgspec.field(default_factory=dict)
    transfer_bps: Annotated[
        Decimal,
        _exact(
            "share of each route's notional set aside for moving assets back",
            unit="bps",
            at_least=0,
            at_most=1_000,
        ),
    ] = Decimal(2)


class RoutesSettings(_Section, frozen=True, kw_only=True):
    """Which routes are looked for, and what they cost beside fees."""

    legs_max: Annotated[
        int,
        Meta(ge=2, le=5, extra={"unit": "legs"},
             description="most legs of a route; 5 takes longer to look for"),
    ] = 4  # fmt: skip
    flash_fee_bps: Annotated[
        Decimal,
        _exact(
            "fee of a flash loan, charged on routes through pools of one chain",
            unit="bps",
            at_least=0,
            at_most=1_000,
        ),
    ] = Decimal(5)
    bridges: Annotated[
        dict[str, Decimal],
        Meta(
            extra=_FEE,
            description="assets that turn into each other, as BTC-WBTC=10, at a share of the "
            "amount; none unless set",
        ),
    ] = msgspec.field(default_factory=dict)
    bridge_usd: Annotated[
        Decimal,
        _exact(
            "what each use of a bridge costs whatever the amount",
            unit="USD",
            at_least=0,
            at_most=100_000,
        ),
    ] = Decimal(5)
    gas_price_gwei: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "gwei", "ge": 0, "le": 100_000},
            description="assumed gas price by chain until a chain tells, as "
            "ethereum=20,arbitrum=0.1; else 10 on ethereum, and pools of other chains are in "
            "no route",
        ),
    ] = msgspec.field(default_factory=dict)


class ChainsSettings(_Section, frozen=True, kw_only=True):
    """Chains whose blocks are followed."""

    providers: Annotated[
        str | None,
        Meta(description="nodes of each chain, as ethereum=https://one.example/KEY|"
             "wss://one.example/KEY|https://two.example/KEY;base=https://..., or file:PATH of a "
             "file of the same, read again when it changes"),
    ] = None  # fmt: skip
    agree: Annotated[
        int,
        Meta(ge=1, le=5, extra={"unit": "providers"},
             description="so many providers of a chain have to agree on events and states of its "
             "pools, or all of them where there are fewer; with three or more a liar is found out"),
    ] = 2  # fmt: skip
    units_per_s: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "units/s", "gt": 0, "le": 1_000_000},
            description="what a key may spend by host, in the provider's own units, as "
            "alchemy.com=660; else what a free key may",
        ),
    ] = msgspec.field(default_factory=dict)
    processes: Annotated[
        Literal["one", "each"],
        Meta(description="one process follows all chains, or each has one of its own: more memory, "
             "and what holds up one chain holds up no other"),
    ] = "one"  # fmt: skip
    pool_usd_min: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000_000,
            extra={"unit": "USD"},
            description="pools with less in them are not followed",
        ),
    ] = 10_000
    pools_max: Annotated[
        int,
        Meta(
            ge=1,
            le=16_000,
            extra={"unit": "pools"},
            description="most pools of a chain that are followed, those with the most in them",
        ),
    ] = 5_000
    stale_blocks: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000,
            extra={"unit": "blocks"},
            description="pools are stale without a new block of their chain for so many of its "
            "block times",
        ),
    ] = 4
    undo_blocks: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000,
            extra={"unit": "blocks"},
            description="so many of the newest blocks of a chain can be undone; a reorganisation "
            "that goes deeper has all of its pools read anew",
        ),
    ] = 64
    gas_stale_s: Annotated[
        int,
        Meta(
            ge=5,
            le=3_600,
            extra={"unit": "s"},
            description="a gas price that a chain told counts for so long; without a newer one no "
            "transaction is planned there",
        ),
    ] = 60
    pending: Annotated[
        bool,
        Meta(
            description="transactions that wait for a block are listened to where nodes tell them, "
            "so that large trades are told before they happen"
        ),
    ] = True
    whale_bps: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            extra={"unit": "bps"},
            description="a swap on a chain that moves its price so far is told; 50 bps are 0.5 %",
        ),
    ] = 50
    whale_usd: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000_000_000,
            extra={"unit": "USD"},
            description="a swap on a chain that is worth so much is told, whatever it moves",
        ),
    ] = 250_000
    whales_per_min: Annotated[
        int,
        Meta(
            ge=0,
            le=60,
            extra={"unit": "notices/min"},
            description="so many large trades of a chain are told at most, the worthiest first",
        ),
    ] = 6


class WorkersSettings(_Section, frozen=True, kw_only=True):
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
        Meta(ge=250, le=65_536, extra={"unit": "MB"},
             description="most memory of the role and all its tasks together"),
    ] = 300  # fmt: skip
    measures_effects: Annotated[
        bool,
        Meta(description="play recorded segments with and without what was advised, in the "
             "background, and end what changes nothing; takes up to 126 MB while it runs"),
    ] = True  # fmt: skip


class LimitsSettings(_Section, frozen=True, kw_only=True):
    """Limits; each refuses plans beyond it."""

    net_edge_bps_min: Annotated[
        Decimal,
        _exact(
            "least net edge of a plan; 10 bps are 0.1 %", unit="bps", at_least=0, at_most=10_000
        ),
    ] = Decimal(10)
    position_usd: Annotated[
        Decimal,
        _exact(
            "largest position: plans under way and what they left over",
            unit="USD",
            above=0,
            at_most=10_000_000,
        ),
    ] = Decimal(1_000)
    daily_loss_usd: Annotated[
        Decimal,
        _exact(
            "loss in one UTC day after which no plan is made",
            unit="USD",
            above=0,
            at_most=10_000_000,
        ),
    ] = Decimal(500)
    orders_per_minute_max: Annotated[
        int, Meta(ge=2, le=10_000, description="most orders in any minute; a plan has two")
    ] = 60
    unproven_s_max: Annotated[
        int,
        Meta(ge=5, le=7_200, extra={"unit": "s"},
             description="no plan on a book whose feed has no sequence numbers (Bitstamp, Gemini "
             "l2) if it was last proven equal to the venue's longer ago"),
    ] = 30  # fmt: skip


class PaperSettings(_Section, frozen=True, kw_only=True):
    """Simulated execution."""

    seed: Annotated[
        int, Meta(ge=0, le=2**31, description="seed of simulated latencies and of sandbox faults")
    ] = 7
    mode_at_first_start: Annotated[
        Literal["observe", "paper"], Meta(description="mode of a new installation")
    ] = "observe"
    capital_usd: Annotated[
        Decimal,
        _exact(
            "paper money at each venue, split evenly over the assets it trades, each at its first "
            "price; trades draw on it (see /balance)",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = Decimal(100_000)
    capital_usd_at: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "USD", "ge": 0, "le": 1_000_000_000},
            description="paper money where it differs, by venue (split evenly) or by venue:asset, "
            "as coinbase=5000,binance:USDT=20000",
        ),
    ] = msgspec.field(default_factory=dict)
    gas_usd: Annotated[
        Decimal,
        _exact(
            "paper money for gas on each chain, in its own asset at its first price; each "
            "transaction draws on it, whether or not it reverts",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = Decimal(1_000)
    wallet_usd: Annotated[
        Decimal,
        _exact(
            "paper money in the wallet of each chain, split evenly over the assets of its pools "
            "that order books trade too; routes through books and pools draw on it, and "
            "transactions before they borrow",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = Decimal(100_000)
    slippage_bps_max: Annotated[
        Decimal,
        _exact(
            "how far a leg's limit price may be behind the planned one",
            unit="bps",
            at_least=0,
            at_most=1_000,
        ),
    ] = Decimal(5)
    unwind_band_bps: Annotated[
        Decimal,
        _exact(
            "how far behind the best price a leftover may be unwound",
            unit="bps",
            at_least=0,
            at_most=5_000,
        ),
    ] = Decimal(50)
    late_fill_ratio: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="share of the orders of which the paper venues tell some fills only after "
            "their end, up to 5 s late: a fault, to see how late fills are booked",
        ),
    ] = 0.0
    latency_factor: Annotated[
        float, Meta(ge=0, le=100, description="scales the venues' assumed order latencies")
    ] = 1.0


class DataSettings(_Section, frozen=True, kw_only=True):
    """Where things are kept, and for how long."""

    dir: Annotated[
        str,
        Meta(
            min_length=1,
            description="directory of database, recordings, logs and latch; ~ is your home",
        ),
    ] = "var"
    database_url: Annotated[
        str | None,
        Meta(description="PostgreSQL as postgresql+asyncpg://user:password@host/name; "
             "else SQLite in the data directory"),
    ] = None  # fmt: skip
    retention_days: Annotated[
        int, Meta(ge=1, le=3_650, extra={"unit": "days"},
                  description="opportunities and read notices are kept this long; money for ever")
    ] = 30  # fmt: skip
    backup_s: Annotated[
        int, Meta(ge=60, le=86_400 * 7, extra={"unit": "s"},
                  description="interval of online backups of SQLite")
    ] = 900  # fmt: skip
    backups_kept: Annotated[int, Meta(ge=1, le=1_000, description="newest backups kept")] = 8


class RecordingSettings(_Section, frozen=True, kw_only=True):
    """Recording of every input, for replay and for tracing decisions to frames."""

    is_on: Annotated[
        bool, Meta(description="record raw frames; off also turns /why's trace off")
    ] = True
    segment_mb: Annotated[
        int, Meta(ge=1, le=4_096, extra={"unit": "MB"},
                  description="uncompressed size at which a segment file is ended")
    ] = 64  # fmt: skip
    total_mb_max: Annotated[
        int, Meta(ge=4, le=1_048_576, extra={"unit": "MB"},
                  description="disk for recordings; the oldest segments go first")
    ] = 512  # fmt: skip


class TelegramSettings(_Section, frozen=True, kw_only=True):
    """The phone."""

    bot_token: Annotated[
        Annotated[str, Meta(pattern=r"^\d{3,20}:[A-Za-z0-9_-]{20,100}$")] | None,
        Meta(description="token that @BotFather gave you; without it the chat is the terminal"),
    ] = None  # fmt: skip
    operator_id: Annotated[
        Annotated[int, Meta(gt=0)] | None,
        Meta(description="your numeric Telegram user id: you may do everything (admin)"),
    ] = None
    people: Annotated[
        dict[str, str],
        Meta(description="who else may write to the bot, as 12345678=viewer: a viewer looks, an "
             "operator also approves, pauses, resumes, kills and tightens, an admin does all"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    base_url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?/bot$",
            description="Bot API server, for a local one; ends in /bot",
            extra={
                "form": "it must be an address up to where the token follows, and end in /bot, "
                "as https://api.telegram.org/bot"
            },
        ),
    ] = "https://api.telegram.org/bot"
    pager_token: Annotated[
        Annotated[str, Meta(pattern=r"^\d{3,20}:[A-Za-z0-9_-]{20,100}$")] | None,
        Meta(description="token of a second bot of yours, the pager: it takes only what protects, "
             "and tells what is grave when the first is stolen, refused or not heard"),
    ] = None  # fmt: skip
    webhook_url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^/\s?#@]+(/[^\s?#]*)?$")] | None,
        Meta(
            description="address to which Telegram posts what you write, as "
            "https://bot.example.org/telegram, with a proxy with TLS before webhook_port; without "
            "it Telegram is polled, which needs no way in",
            extra={
                "form": "it must be an address as https://bot.example.org/telegram, with TLS "
                "unless it leads to this machine, on port 443, 80, 88 or 8443, and without a secret"
            },
        ),
    ] = None
    webhook_port: Annotated[
        int, Meta(ge=1, le=65_535, description="port of loopback for the webhook")
    ] = 8_644
    has_card: Annotated[
        bool,
        Meta(description="keep a pinned message in the chat that says how things stand"),
    ] = True
    blind_pause_s: Annotated[
        int,
        Meta(ge=120, le=604_800, extra={"unit": "s"},
             description="so long without reaching you, or hearing you, through Telegram pauses "
             "the engine; a week is as good as never"),
    ] = 600  # fmt: skip
    opportunity_usd_min: Annotated[
        Decimal,
        _exact("an opportunity is told when its profit is at least this", unit="USD", at_least=0),
    ] = Decimal(1)  # fmt: skip


class AlertSettings(_Section, frozen=True, kw_only=True):
    """Other ways than the chat, for what is critical and nobody acknowledged."""

    urls: Annotated[
        str | None,
        Meta(description="where a critical alert goes that nobody acknowledges for two minutes, as "
             "apprise writes it, several with a blank between (pagerduty://..., slack://..., "
             "mailtos://...); see github.com/caronc/apprise"),
    ] = None  # fmt: skip


class PingSettings(_Section, frozen=True, kw_only=True):
    """A watch outside of this machine, which notices that nothing comes any more."""

    url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^/\s?#]+/[^\s?#]*[^\s?#/]$")] | None,
        Meta(description="address of a check as healthchecks.io has them, pinged each minute while "
             "engine, ledger and chat are well; give the check 5 minutes"),
    ] = None  # fmt: skip


class OperatorSettings(_Section, frozen=True, kw_only=True):
    """The person."""

    totp_secret: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Z2-7]{24,128}$")] | None,
        Meta(description="base32 secret of your authenticator, for /unkill and all that loosens; "
             "without it the latch is cleared on the host only (make unkill)"),
    ] = None  # fmt: skip
    daily_report_at: Annotated[
        str,
        Meta(pattern=r"^(off|([01][0-9]|2[0-3]):[0-5][0-9])$",
             description="UTC time, as 00:05, at which the day before is reported in the chat; off "
             "for never"),
    ] = "00:05"  # fmt: skip
    chart_theme: Annotated[
        Literal["light", "dark"], Meta(description="how pictures in the chat look")
    ] = "light"
    silence_h_max: Annotated[
        int,
        Meta(ge=1, le=8_760, extra={"unit": "h"},
             description="after so long without a sign of life from you (any command is one) it "
             "pauses, after a warning; 8760, a year, is off"),
    ] = 8_760  # fmt: skip
    loosening_delay_s: Annotated[
        Annotated[int, Meta(ge=0, le=86_400)] | None,
        Meta(description="the largest loosenings (a mode beyond paper, a money limit more than "
             "doubled) wait so long, and /cancel stops them meanwhile; else 600 on live markets "
             "and 0 in the sandbox", extra={"unit": "s"}),
    ] = None  # fmt: skip
    time_zone: Annotated[
        str,
        Meta(min_length=1, description="IANA name of the zone in which the chat and its charts "
             "show times, as Europe/Berlin; exports stay in UTC"),
    ] = "UTC"  # fmt: skip


class ApprovalsSettings(_Section, frozen=True, kw_only=True):
    """How trades are asked for in mode approve."""

    wait_s: Annotated[
        int, Meta(ge=5, le=3_600, extra={"unit": "s"}, description="how long a plan waits")
    ] = 60
    blind_s: Annotated[
        int,
        Meta(ge=45, le=3_600, extra={"unit": "s"},
             description="so long without a chat that can hear and tell you, and nothing is "
             "asked: what waits is void, mandates are held"),
    ] = 60  # fmt: skip
    usd_min: Annotated[
        Decimal,
        _exact("least expected profit that is asked for", unit="USD", at_least=0),
    ] = Decimal(0)
    two_operators_usd: Annotated[
        Decimal,
        _exact(
            "from this notional on two people have to approve a plan; 0 is never",
            unit="USD",
            at_least=0,
        ),
    ] = Decimal(0)


class EngineSettings(_Section, frozen=True, kw_only=True):
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


class SignerSettings(_Section, frozen=True, kw_only=True):
    """The wallet's key, and what may be signed with it; see docs/signer.md."""

    signs: Annotated[
        Literal["off", "sandbox"],
        Meta(description="off: nothing can be signed, no role holds a key; sandbox: transactions "
             "of the sandbox's local chains, with a key of their own"),
    ] = "off"  # fmt: skip
    keystore: Annotated[
        str | None,
        Meta(description="file with the encrypted key, mode 600 (make it with python -m engine "
             "keys make); else signer/key.json in the data directory"),
    ] = None  # fmt: skip
    password_file: Annotated[
        str | None,
        Meta(description="file with its password, mode 600; without it the signer waits, at each "
             "start, for python -m engine keys unlock"),
    ] = None  # fmt: skip
    remote_url: Annotated[
        str | None,
        Meta(description="signer that holds the key in place of a keystore, asked by "
             "eth_signTransaction: https://..., or http:// on this machine"),
    ] = None  # fmt: skip
    remote_address: Annotated[
        Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}$")] | None,
        Meta(description="which of its wallets is ours"),
    ] = None
    hsm_module: Annotated[
        str | None,
        Meta(description="PKCS#11 library of a token that holds the key in place of a keystore, as "
             "/usr/lib/softhsm/libsofthsm2.so; its PIN is given as a keystore's password is"),
    ] = None  # fmt: skip
    hsm_folder: Annotated[
        str | None,
        Meta(description="folder in which a token that is software keeps its keys; the signer "
             "reaches no other"),
    ] = None  # fmt: skip
    hsm_label: Annotated[str, Meta(min_length=1, description="label of the token")] = "syndicate"
    hsm_key: Annotated[
        str, Meta(min_length=1, description="label of the pair of keys on it (secp256k1)")
    ] = "wallet"
    contracts: Annotated[
        dict[str, str],
        Meta(description="contracts that may be called, as base:0xADDRESS=0xHASH with keccak of "
             "the code that is there; none unless set"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    gas_day: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "the chain's own asset", "ge": 0, "le": 1_000_000},
            description="the most that what is signed in a UTC day may pay for gas, by chain, as "
            "base=0.05; where nothing is said nothing is signed",
        ),
    ] = msgspec.field(default_factory=dict)
    notional_day_usd: Annotated[
        Decimal,
        _exact(
            "the most that plans signed in a UTC day may move",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = Decimal(100_000)
    signatures_day: Annotated[
        int,
        Meta(ge=1, le=1_000_000, extra={"unit": "signatures"},
             description="most signatures in a UTC day; as many again for what only protects"),
    ] = 5_000  # fmt: skip
    tip_bps_max: Annotated[
        int,
        Meta(ge=0, le=9_999, extra={"unit": "bps"},
             description="largest share of a gain that the builder of a block may get"),
    ] = 9_000  # fmt: skip


class BackgroundSettings(_Section, frozen=True, kw_only=True):
    """Work between opportunities, and how it is pushed aside."""

    hold_usd_min: Annotated[
        Decimal,
        _exact(
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


class NetworkSettings(_Section, frozen=True, kw_only=True):
    """The way out of the machine."""

    proxy: Annotated[
        str | None,
        Meta(description="proxy for all that leaves the machine (feeds, REST, Telegram), as "
             "http://host:3128 or socks5://user:password@host:1080; loopback never uses it"),
    ] = None  # fmt: skip


class BusSettings(_Section, frozen=True, kw_only=True):
    """How the roles reach each other."""

    url: Annotated[
        str | None,
        Meta(description="Redis server over which roles on several machines ask each other, as "
             "redis://:password@host:6379/0 (rediss:// with TLS); else sockets of this machine"),
    ] = None  # fmt: skip


class DoorSettings(_Section, frozen=True, kw_only=True):
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


class LogSettings(_Section, frozen=True, kw_only=True):
    """Logs."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="least level written")
    ] = "info"
    form: Annotated[
        Literal["text", "json"],
        Meta(description="text for people; json: an object a line, for a log collector"),
    ] = "text"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, by section."""

    markets: MarketsSettings = MarketsSettings()
    costs: CostsSettings = CostsSettings()
    routes: RoutesSettings = RoutesSettings()
    chains: ChainsSettings = ChainsSettings()
    workers: WorkersSettings = WorkersSettings()
    limits: LimitsSettings = LimitsSettings()
    paper: PaperSettings = PaperSettings()
    data: DataSettings = DataSettings()
    recording: RecordingSettings = RecordingSettings()
    telegram: TelegramSettings = TelegramSettings()
    alert: AlertSettings = AlertSettings()
    ping: PingSettings = PingSettings()
    operator: OperatorSettings = OperatorSettings()
    approvals: ApprovalsSettings = ApprovalsSettings()
    engine: EngineSettings = EngineSettings()
    signer: SignerSettings = SignerSettings()
    background: BackgroundSettings = BackgroundSettings()
    network: NetworkSettings = NetworkSettings()
    bus: BusSettings = BusSettings()
    door: DoorSettings = DoorSettings()
    log: LogSettings = LogSettings()


def environment_name(section: str, name: str) -> str:
    """Return the environment variable of a setting."""
    short = SHORT_NAMES.get((section, name))
    return short if short is not None else f"SYNDICATE_{section}_{name}".upper()
