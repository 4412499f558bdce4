"""What a transfer has to obey before a person's word on it counts, and each withdrawal of it.

Every rule is asked twice: when the word is heard, so that the person learns why not, and when the
withdrawal is signed, because the operator may have allowed less since.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.domain.exact import exact_sum
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.transfer_life import Part, TransferOrder
from engine.domain.transfers import withdrawal_id_of
from engine.domain.withdrawals import WithdrawalRequest
from engine.signing.rules import refused
from engine.signing.withdraw_terms import WithdrawTerms

DECIMALS_MAX: Final = 8
"""Of an amount: caps are counted in hundred-millionths."""

Rule = Callable[[TransferOrder, WithdrawTerms], SignRefusal | None]


def check_source(order: TransferOrder, terms: WithdrawTerms) -> SignRefusal | None:
    """It leaves an exchange that the operator named."""
    if order.source in terms.venues:
        return None
    known = ", ".join(terms.venues) or "none"
    return refused(
        RefusalKind.VENUE,
        f"nothing is withdrawn from {order.source[:40]}; SYNDICATE_TRANSFERS_VENUES: {known}",
    )


def check_destination(order: TransferOrder, terms: WithdrawTerms) -> SignRefusal | None:
    """It goes to an address that the operator wrote down, with its chain, asset and tag."""
    if order.destination in terms.allowed:
        return None
    to = order.destination
    return refused(
        RefusalKind.DESTINATION,
        f"the address for {order.asset} at {to.venue[:40]} on {to.chain[:20]} is none that"
        " SYNDICATE_EXCHANGES_DESTINATIONS has",
    )


def check_amounts(order: TransferOrder, terms: WithdrawTerms) -> SignRefusal | None:
    """It is no more than one transfer may be, and its test no more than a test may be."""
    each = terms.each.get(order.asset, Decimal(0))
    test = terms.test.get(order.asset, Decimal(0))
    for is_wrong, why in (
        (
            order.amount > each,
            f"one transfer of {order.asset} may be {each:f}: SYNDICATE_TRANSFERS_EACH",
        ),
        (
            order.test_amount > test,
            f"a test of {order.asset} may be {test:f}: SYNDICATE_TRANSFERS_TEST",
        ),
        (
            any(_decimals(one) > DECIMALS_MAX for one in (order.amount, order.test_amount)),
            f"an amount has more than {DECIMALS_MAX} decimals",
        ),
    ):
        if is_wrong:
            return refused(RefusalKind.CAP, why)
    return None


def check_people(order: TransferOrder, terms: WithdrawTerms) -> SignRefusal | None:
    """One person's word is enough for it."""
    least = {"USD": Decimal(1), **terms.usd_least}.get(order.asset)
    if terms.two_people_usd is None:
        return None
    if least is not None and order.amount * least < terms.two_people_usd:
        return None
    return refused(
        RefusalKind.PERMIT,
        "it takes two people by SYNDICATE_APPROVALS_TWO_OPERATORS_USD, and one allowed it"
        if least is not None
        else f"nobody says what {order.asset} is worth at the least, and what is worth much takes"
        " two people: SYNDICATE_SIGNER_USD_LEAST names it",
    )


def check_delay(order: TransferOrder, terms: WithdrawTerms) -> SignRefusal | None:
    """It waits as long as the operator said."""
    if order.delay_ns >= terms.delay_ns:
        return None
    return refused(RefusalKind.DEADLINE, "it would wait less than SYNDICATE_TRANSFERS_DELAY_S")


RULES: Final[tuple[Rule, ...]] = (
    check_source,
    check_destination,
    check_amounts,
    check_people,
    check_delay,
)


def first_refusal(order: TransferOrder, terms: WithdrawTerms) -> SignRefusal | None:
    """Return what the first rule that is broken says; None if all are obeyed."""
    return next((refusal for rule in RULES if (refusal := rule(order, terms))), None)


def check_part(
    request: WithdrawalRequest,
    order: TransferOrder,
    part: Part,
    terms: WithdrawTerms,
    *,
    engine_id: str,
) -> SignRefusal | None:
    """What is asked of the venue is that part of what was allowed, to the last character."""
    amount = order.test_amount
    if part is Part.REST:
        amount = exact_sum((order.amount, -order.test_amount))
    right = WithdrawalRequest(
        wire_id=withdrawal_id_of(order.transfer_id, part, engine_id=engine_id),
        venue=order.source,
        to=order.destination,
        amount=amount,
        named=terms.named(order.source, order.destination),
    )
    if request == right and amount > 0:
        return None
    return refused(RefusalKind.ORDER, f"it is not the {part} that a person allowed")


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else DECIMALS_MAX + 1
