"""The signer's part for exchanges, by the settings: its keys, its gates and its desk."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from engine.domain.errors import SettingsError
from engine.domain.words import TransferAllowed
from engine.gateways.withdrawing import why_no_withdrawing_key
from engine.operate.clock import Clock
from engine.settings.schema import Settings
from engine.signing.caps import DailyCaps
from engine.signing.journal import Journal
from engine.signing.secret_files import password_of, read_secret_file
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_checked import VenueChecked, checked_venues, withdrawals_of
from engine.signing.venue_desk import VenueDesk
from engine.signing.venue_gates import VenueStanding, first_missing, missing_to_place
from engine.signing.venue_journal import VenueJournal
from engine.signing.venue_keys import VenueKeyFile, open_venue_key, parse_venue_key
from engine.signing.venue_terms import ExchangeTerms
from engine.signing.withdraw_desk import WithdrawDesk
from engine.signing.withdraw_journal import WithdrawJournal
from engine.signing.withdraw_terms import WithdrawTerms
from engine.signing.words import Words
from engine.wiring.paths import Paths
from engine.wiring.signer_leave import Leave


def withdraw_key_path(settings: Settings, paths: Paths, venue: str) -> Path:
    """Return where the withdraw key of a venue is, or is to be."""
    named = settings.transfers.key_files.get(venue)
    return paths.signer / "withdraw" / f"{venue}.json" if named is None else Path(named)


def venue_key_path(settings: Settings, paths: Paths, venue: str) -> Path:
    """Return where the key of a venue is, or is to be."""
    named = settings.exchanges.key_files.get(venue)
    return paths.signer / "venues" / f"{venue}.json" if named is None else Path(named)


class VenueKeys:
    """Keys of venues of one use; files are read here, before the guards are up.

    Args:
        venues: whose.
        path_of: says where one is.
        published: gives the sandbox's own; None where keys are real.
        what: they are, for people.

    Raises:
        SettingsError: one is missing, cannot be read, or is none.
    """

    def __init__(
        self,
        settings: Settings,
        venues: Sequence[str],
        *,
        path_of: Callable[[str], Path],
        published: Callable[[str], VenueKey] | None,
        what: str = "key",
    ) -> None:
        self._sealed: dict[str, tuple[VenueKeyFile, str]] = {}
        self._files: dict[str, VenueKeyFile] = {}
        self._open: dict[str, VenueKey] = {}
        own = settings.signer.password_file
        self._password = None if own is None else password_of(Path(own))
        for venue in venues:
            if published is not None:
                self._open[venue] = published(venue)
                continue
            path = path_of(venue)
            where = f"the {what} of {venue} in {path}"
            found = parse_venue_key(
                read_secret_file(path, what=f"{what} of {venue}"), venue, where=where
            )
            if isinstance(found, VenueKey):
                self._open[venue] = found
            else:
                self._sealed[venue] = (found, where)
                self._files[venue] = found

    @property
    def is_locked(self) -> bool:
        """Whether one of them waits for a password."""
        return bool(self._sealed)

    def take_open(self) -> Mapping[str, VenueKey]:
        """Return those that take no person, once.

        Raises:
            SettingsError: the password in the file opens one of them not.
        """
        password, self._password = self._password, None
        found, self._open = self._open, {}
        if password is not None:
            for venue, (store, where) in self._sealed.items():
                found[venue] = open_venue_key(store, password, where=where)
            self._sealed = {}
        return found

    async def check_password(self, venue: str, password: bytes) -> None:
        """Look that a password opens the key of a venue that was taken last.

        Raises:
            SettingsError: it does not, or that key has none.
        """
        store = self._files.get(venue)
        if store is None:
            raise SettingsError(
                f"the key of {venue} has no password here that would show who asks: put another one"
                " in its place where it is kept, and start again"
            )
        await asyncio.to_thread(
            open_venue_key, store, password, where=f"the key of {venue} that signs now"
        )

    def renew(self, venue: str, store: VenueKeyFile) -> None:
        """Go by another file of a venue's key from now on."""
        self._files[venue] = store

    async def unlock(self, password: bytes) -> Mapping[str, VenueKey]:
        """Open those that a password opens.

        Raises:
            SettingsError: it opens none of them.
        """
        found: dict[str, VenueKey] = {}
        why = "every key of an exchange of this use is open already"
        for venue, (store, where) in [*self._sealed.items()]:
            try:
                found[venue] = await asyncio.to_thread(open_venue_key, store, password, where=where)
            except SettingsError as error:
                why = str(error)
            else:
                self._sealed.pop(venue, None)
        if not found:
            raise SettingsError(why)
        return found


def trading_keys(settings: Settings, paths: Paths, terms: ExchangeTerms) -> VenueKeys:
    """Read the keys that trade; raises as `VenueKeys` does."""
    return VenueKeys(
        settings,
        terms.venues,
        path_of=partial(venue_key_path, settings, paths),
        published=None if terms.is_real else _published,
    )


def withdraw_keys(settings: Settings, paths: Paths, terms: WithdrawTerms) -> VenueKeys:
    """Read the keys that withdraw; raises as `VenueKeys` does."""
    return VenueKeys(
        settings,
        terms.venues,
        path_of=partial(withdraw_key_path, settings, paths),
        published=None if terms.is_real else _published_to_withdraw,
        what="withdraw key",
    )


def _published_to_withdraw(venue: str) -> VenueKey:
    from engine.sandbox.exchange.keys import withdraw_key_of  # noqa: PLC0415 - see below

    published = withdraw_key_of(venue)
    return VenueKey(name=published.name, secret=published.secret)


def _published(venue: str) -> VenueKey:
    """Return the sandbox's own key, which is worth nothing and opens nothing elsewhere."""
    from engine.sandbox.exchange.keys import key_of  # noqa: PLC0415 - memory that few need

    published = key_of(venue)
    return VenueKey(name=published.name, secret=published.secret)


class VenueGates:
    """See `engine.signing.venue_gates`, as the signer asks them.

    Args:
        keys: by venue the name of its key; empty while it is locked.
    """

    def __init__(
        self,
        terms: ExchangeTerms,
        paths: Paths,
        *,
        has_code: bool,
        keys: Callable[[], Mapping[str, str]],
        clock: Callable[[], int],
    ) -> None:
        self._terms = terms
        self._file = checked_venues(paths.signer)
        self._has_code = has_code
        self._keys = keys
        self._clock = clock
        self.withdraw_keys: Callable[[], Mapping[str, str]] = dict
        self.withdraw_vouched: Mapping[str, str] = {}

    @property
    def are_there(self) -> bool:
        """Whether orders may be placed anywhere."""
        return bool(self._terms.venues)

    @property
    def is_real(self) -> bool:
        """Whether real money is traded with."""
        return self._terms.is_real

    def why_not_live(self) -> str:
        """Say what is missing for orders at real exchanges; empty if nothing is.

        Raises:
            FatalError: what was found there cannot be understood.
        """
        known = self._file.read() if self._terms.is_real else {}
        missing = (first_missing(self._standing(one, known)) for one in self._terms.venues)
        return next(filter(None, missing), "")

    def missing(self, venue: str) -> str:
        """Say why no order is signed for a venue now; empty if it may be."""
        if not self._terms.is_real:
            return ""
        return missing_to_place(self._standing(venue, self._file.now()))

    def missing_to_withdraw(self, venue: str) -> str:
        """Say why nothing is withdrawn from a venue now; empty if it may be."""
        if not self._terms.is_real:
            return ""
        checked = self._file.now().get(withdrawals_of(venue))
        key = self.withdraw_keys().get(venue, "")
        step = f"make exchange-test VENUE={venue}"
        if checked is None:
            return f"nobody asked {venue} what its withdraw key may do: {step}"
        if key and checked.key != key:
            return f"what {venue} said was of another withdraw key than signs now: {step}"
        is_vouched = self.withdraw_vouched.get(venue) == checked.key
        why = why_no_withdrawing_key(checked.rights, is_vouched=is_vouched)
        return f"{venue}: {why}" if why else ""

    def _standing(self, venue: str, known: Mapping[str, VenueChecked]) -> VenueStanding:
        return VenueStanding(
            venue=venue,
            terms=self._terms,
            key=self._keys().get(venue, ""),
            checked=known.get(venue),
            has_code=self._has_code,
            now_ns=self._clock(),
        )


def open_desk(
    terms: ExchangeTerms,
    paths: Paths,
    *,
    has_code: bool,
    journal: Journal,
    caps: DailyCaps,
    leave: Leave,
    words: Words,
    clock: Clock,
) -> tuple[VenueDesk, VenueGates]:
    """Make the desk and its gates, each of which looks at the other."""
    gates = VenueGates(terms, paths, has_code=has_code, keys=lambda: desk.keys, clock=clock)
    desk = VenueDesk(
        terms=terms,
        journal=VenueJournal(journal),
        is_sent=journal.has_route,
        caps=caps,
        leave=leave.of_order,
        words=words,
        clock=clock,
        steady_ns=time.monotonic_ns,
        missing=gates.missing,
    )
    return desk, gates


def open_withdrawals(
    terms: WithdrawTerms,
    gates: VenueGates,
    desk: VenueDesk,
    *,
    why_no_code: Callable[[TransferAllowed], str],
    journal: Journal,
    caps: DailyCaps,
    leave: Leave,
    words: Words,
    clock: Clock,
) -> WithdrawDesk:
    """Make the desk of withdrawals; words on transfers are heard by it."""
    made = WithdrawDesk(
        terms=terms,
        journal=WithdrawJournal(journal),
        caps=caps,
        nonces=desk.nonces,
        leave=leave.of_withdrawal,
        latched_ns=leave.latched_ns,
        clock=clock,
        steady_ns=time.monotonic_ns,
        missing=gates.missing_to_withdraw,
        why_no_code=why_no_code,
    )
    gates.withdraw_keys = lambda: made.keys
    gates.withdraw_vouched = terms.vouched
    if terms.venues:
        words.allow_transfer = made.allow
    return made


def open_to_withdraw(withdrawals: WithdrawDesk, desk: VenueDesk, venue: str, key: VenueKey) -> None:
    """Withdraw with a key from now on.

    Raises:
        SettingsError: it is no key of that venue, or the very one that trades there.
    """
    if desk.keys.get(venue) == key.name:
        raise SettingsError(
            f"the withdraw key of {venue} is the key that trades there: make one for each"
        )
    withdrawals.open(venue, key)
