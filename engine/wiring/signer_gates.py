"""The gates as the signer asks them: by its own terms, its own file, and a code that it checks."""

from collections.abc import Callable

from engine.bus.records import CodesUsed
from engine.domain.networks import Network
from engine.domain.words import LetRun, TransferAllowed, WentLive
from engine.operate.one_time_code import OneTimeCode
from engine.signing.gates import Standing, first_missing, missing_to_sign
from engine.signing.self_tested import SelfTested, self_tests
from engine.signing.terms import SigningTerms
from engine.wiring.paths import Paths
from engine.wiring.signer_venues import VenueGates


class SignerGates:
    """See `engine.signing.gates`.

    Args:
        terms: what the operator allows.
        paths: of the installation.
        totp_secret: of the authenticator; None where none is enrolled.
        wallet: says its address; empty while nobody knows it.
        clock: the wall clock.
        venues: gates of exchanges; None where none are traded at.
    """

    def __init__(
        self,
        terms: SigningTerms,
        paths: Paths,
        totp_secret: str | None,
        *,
        wallet: Callable[[], str],
        clock: Callable[[], int],
        venues: VenueGates | None = None,
    ) -> None:
        self._terms = terms
        self._code = None if totp_secret is None else OneTimeCode(totp_secret, CodesUsed())
        self._wallet = wallet
        self._clock = clock
        self._venues = venues
        self._tests = self_tests(paths.signer)
        if terms.network is not Network.SANDBOX:
            self._tests.now()  # what cannot be understood is said at the start

    def why_not_live(self, word: WentLive) -> str:
        """Say what is missing for a person to go live; a right code is used up.

        Raises:
            FatalError: the file of self-tests cannot be understood.
        """
        if not self._terms.contracts and (self._venues is None or not self._venues.are_there):
            return "no contract of ours is named that may be called: make deploy names it"
        for chain in self._terms.contracts:
            if why := first_missing(self._standing(chain)):
                return why
        if self._venues is not None and (why := self._venues.why_not_live()):
            return why
        if not self._is_real:
            return ""
        return self._why_not_code(word.code, "going live with real money", "/mode live 123456")

    def why_not_let_run(self, word: LetRun) -> str:
        """Say what is missing for a contract to run again; a right code is used up."""
        if not self._terms.contracts.get(word.chain):
            return f"no contract of ours is named on {word.chain[:20]}"
        if self._terms.network is not Network.MAIN:
            return ""
        asked = f"/contract unpause {word.chain} 123456"
        return self._why_not_code(word.code, "letting the contract run again", asked)

    def why_no_transfer_code(self, word: TransferAllowed) -> str:
        """Say what is wrong with the code of a word on a transfer; a right code is used up."""
        if self._venues is None or not self._venues.is_real:
            return ""
        asked = "the same line again with six digits behind it"
        return self._why_not_code(word.code, "a transfer of real money", asked)

    def _why_not_code(self, code: str | None, what: str, asked: str) -> str:
        if self._code is None:
            return "no authenticator is enrolled: make enroll"
        if code is None:
            return f"{what} takes a one-time code: {asked}"
        return self._code.refusal(code, at_ns=self._clock()) or ""

    def missing(self, chain: str) -> str:
        """Say why nothing that trades is signed for a chain; empty if it may be."""
        return missing_to_sign(self._standing(chain))

    @property
    def _is_real(self) -> bool:
        is_exchange = self._venues is not None and self._venues.is_real
        return self._terms.network is Network.MAIN or is_exchange

    def _standing(self, chain: str) -> Standing:
        return Standing(
            chain=chain,
            terms=self._terms,
            tested=self._tested(chain),
            wallet=self._wallet(),
            has_code=self._code is not None,
            now_ns=self._clock(),
        )

    def _tested(self, chain: str) -> SelfTested | None:
        return None if self._terms.network is Network.SANDBOX else self._tests.now().get(chain)
