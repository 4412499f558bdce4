"""Sessions: a short-lived token that is shown with each request, a refresh token good once.

They live in the memory of one process, signed with a key made at its start: a gateway that starts
again knows none of them, and whoever had one shows a key again. What a session may do is looked up
with each request, so that a removed key or a changed rank counts at once.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bot.web.tokens import Claims, read_token, write_token
from engine.domain.people import Rank
from engine.domain.units import NS_PER_S

ACCESS_S: Final = 600
REFRESH_S: Final = 86_400
SESSIONS_MAX: Final = 1_024
"""Opened at once; the one that was used longest ago gives way."""

OF_THE_CHAT: Final = "telegram:"
"""How names of the chat's people begin; no key's name can."""

SKEW_S: Final = 30
"""A clock that was set back by so much leaves tokens valid; their end is never put off by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks.

    Attributes:
        name: as records show it.
        key_id: of the key that let them in.
        session: that the request came with; empty where the key itself came.
    """

    name: str
    key_id: str
    rank: Rank
    session: str = ""

    @property
    def by(self) -> str:
        """Return how records name whoever asks: a person of the chat is one and the same here."""
        return self.name if self.name.startswith(OF_THE_CHAT) else f"api:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a session is shown by, and how it is prolonged."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_s: int = ACCESS_S


@dataclass(slots=True)
class _Session:
    name: str
    key_id: str
    refresh: str
    ends_at_ns: int
    used: set[str] = field(default_factory=set)


class Sessions:
    """The sessions of one process.

    Args:
        rank_of: what whoever has a key may do now, None for nothing.
        clock: wall clock, nanoseconds since 1970.
    """

    def __init__(self, rank_of: Callable[[str], Rank | None], clock: Callable[[], int]) -> None:
        self._rank_of = rank_of
        self._clock = clock
        self._signing_key = secrets.token_bytes(32)
        self._open: dict[str, _Session] = {}

    def begin(self, principal: Principal) -> Tokens:
        """Open a session for whoever showed a key."""
        now_ns = self._clock()
        for name, session in list(self._open.items()):
            if session.ends_at_ns <= now_ns:
                del self._open[name]
        while len(self._open) >= SESSIONS_MAX:
            del self._open[next(iter(self._open))]
        session_id = secrets.token_hex(16)
        session = _Session(
            name=principal.name,
            key_id=principal.key_id,
            refresh=secrets.token_urlsafe(32),
            ends_at_ns=now_ns + REFRESH_S * NS_PER_S,
        )
        self._open[session_id] = session
        return self._tokens(session_id, session)

    def refresh(self, token: str) -> Tokens | None:
        """Return new tokens for a refresh token, which is used up; None where it counts no more.

        One that was used before ends the session: somebody has a copy.
        """
        session_id, _, secret = token.partition(".")
        session = self._open.get(session_id)
        if session is None or session.ends_at_ns <= self._clock():
            self._open.pop(session_id, None)
            return None
        if secret in session.used or self._rank_of(session.key_id) is None:
            del self._open[session_id]
            return None
        if not secrets.compare_digest(secret.encode(), session.refresh.encode()):
            return None
        session.used.add(session.refresh)
        session.refresh = secrets.token_urlsafe(32)
        session.ends_at_ns = self._clock() + REFRESH_S * NS_PER_S
        self._open[session_id] = self._open.pop(session_id)
        return self._tokens(session_id, session)

    def principal(self, token: str) -> Principal | None:
        """Return whose an access token is; None where it is not one, or counts no more."""
        claims = read_token(token, self._signing_key)
        now_s = self._clock() // NS_PER_S
        if claims is None or not claims.iat - SKEW_S <= now_s < claims.exp:
            return None
        return self.of(claims.sub)

    def of(self, session_id: str) -> Principal | None:
        """Return whose a session is, with what they may do now; None where it is over."""
        session = self._open.get(session_id)
        if session is None or session.ends_at_ns <= self._clock():
            return None
        rank = self._rank_of(session.key_id)
        if rank is None:
            return None
        return Principal(name=session.name, key_id=session.key_id, rank=rank, session=session_id)

    def end(self, session_id: str) -> None:
        """End a session: its tokens count no more."""
        self._open.pop(session_id, None)

    def _tokens(self, session_id: str, session: _Session) -> Tokens:
        now_s = self._clock() // NS_PER_S
        claims = Claims(sub=session_id, iat=now_s, exp=now_s + ACCESS_S, jti=secrets.token_hex(8))
        access = write_token(claims, self._signing_key)
        return Tokens(access=access, refresh=f"{session_id}.{session.refresh}")
