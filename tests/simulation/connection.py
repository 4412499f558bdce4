"""A connection without a socket: it does what `engine.connectors.session` does, in virtual time."""

import asyncio
import random
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from engine.connectors.session import Accept
from engine.domain.errors import TransientError
from engine.domain.units import NS_PER_MS
from engine.ports import Action, Fetch, InputKind, Listed, Reconnect, Relist, Send, VenueSpec
from engine.sandbox.client import Client
from engine.sandbox.fault_script import EVERY, FaultKind
from engine.sandbox.stage import Market, Stage

QUEUED_FRAMES_MAX = 5_000
QUEUED_BYTES_MAX = 64 << 20


class Connection:
    """Carries a venue's frames, requests and answers; told by `pump` that time has passed.

    Attributes:
        list_wanted: set when the feed wants the venue's instrument list anew.
        trouble: nothing; a session says here why it cannot connect.
    """

    def __init__(
        self,
        stage: Stage,
        spec: VenueSpec,
        feed: str,
        rng: random.Random,
        *,
        waits_ratio: float = 0.01,
    ) -> None:
        """Begin without a connection; so many of its frames wait before they are taken."""
        self.spec = spec
        self.feed = feed
        self.trouble = ""
        self.list_wanted = asyncio.Event()
        self._stage = stage
        self._rng = rng
        self._waits_ratio = waits_ratio
        self._client: Client | None = None
        self._fetches: dict[str, tuple[int, Fetch]] = {}
        self._connects_at_ns = 0
        self._why = ""

    @property
    def _market(self) -> Market:
        return self._stage.markets[self.spec.venue]

    def list(self) -> list[Listed]:
        """Return the venue's instruments, none if a fault of its REST is under way."""
        names = [str(one.instrument.pair) for one in self._market.every_listing()]
        try:
            return self.spec.parse_instruments(self._get(self.spec.instruments_path), names)
        except TransientError:
            return []

    def pump(self, accept: Accept, at_ns: int) -> None:
        """Hand over what has arrived by now."""
        if self._client is None:
            if at_ns >= self._connects_at_ns:
                self._open(accept, at_ns)
            return
        self._take_frames(self._client, accept, at_ns)
        for key, (due_ns, fetch) in list(self._fetches.items()):
            if due_ns <= self._stage.now_ns and key in self._fetches:
                del self._fetches[key]
                self._answer(fetch, accept, at_ns)
        if self._is_closing():
            self._why = "closed: by the venue"
        if self._why:
            why, self._why = self._why, ""
            self.drop()
            self._connects_at_ns = at_ns + self._rng.randrange(100, 2_000) * NS_PER_MS
            self.perform(accept(InputKind.CLOSED, why, b"", at_ns))

    def perform(self, actions: Sequence[Action]) -> None:
        """Carry out what the feed asked for; see `Session.perform`."""
        if self._client is None:
            return
        for action in actions:
            match action:
                case Send(text=text):
                    reply = self._client.session.received(text)
                    self._client.push(reply.frames, at_ns=self._stage.now_ns)
                    if reply.is_last:
                        self._client.close("close")
                case Fetch(key=key):
                    due_ns = self._stage.now_ns + self._rng.randrange(10, 400) * NS_PER_MS
                    self._fetches.setdefault(key, (due_ns, action))
                case Reconnect(why=why):
                    self._why = self._why or why
                case Relist():
                    self.list_wanted.set()

    def drop(self) -> None:
        """End the connection, as a crash does."""
        if self._client is not None:
            self._market.clients.remove(self._client)
        self._client = None
        self._fetches.clear()

    def _is_closing(self) -> bool:
        return self._client is not None and self._client.closing is not None

    def _open(self, accept: Accept, at_ns: int) -> None:
        feed = self._market.dialect.feeds[self.feed]
        query = dict(parse_qsl(feed.announced_query.removeprefix("?")))
        self._client = Client(
            venue=self.spec.venue,
            feed=self.feed,
            session=feed.open(self._market, "", query),
            frames_max=QUEUED_FRAMES_MAX,
            bytes_max=QUEUED_BYTES_MAX,
        )
        self._market.clients.append(self._client)
        self._client.push(self._client.session.opened().frames, at_ns=self._stage.now_ns)
        self.perform(accept(InputKind.OPENED, "", b"", at_ns))

    def _take_frames(self, client: Client, accept: Accept, at_ns: int) -> None:
        while self._client is client and (frame := client.take()) is not None:
            is_late = self._rng.random() < self._waits_ratio
            key = str(at_ns - self._rng.randrange(3_000) * NS_PER_MS) if is_late else ""
            if actions := accept(InputKind.FRAME, key, frame, at_ns):
                self.perform(actions)
            if self._why:
                return

    def _answer(self, fetch: Fetch, accept: Accept, at_ns: int) -> None:
        try:
            payload = self._get(fetch.path)
        except TransientError as error:
            kind, payload = InputKind.FETCH_FAILED, str(error).encode()
        else:
            kind = InputKind.FETCHED
        self.perform(accept(kind, fetch.key, payload, at_ns))

    def _get(self, path: str) -> bytes:
        fault = self._stage.box.take_request(self.spec.venue, self._stage.now_ns)
        if fault is not None and fault.fault is not FaultKind.SLOW_REST:
            raise TransientError(f"{fault.fault} at {EVERY}")
        parts = urlsplit(path)
        answer = self._market.dialect.rest(self._market, parts.path, dict(parse_qsl(parts.query)))
        if answer is None or answer.status != 200:
            raise TransientError(f"no {path}")
        return answer.body
