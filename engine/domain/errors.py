"""Families of errors, by what the caller has to do about them.

An expected "no" is a value (see `refusals`), never an exception.
"""


class SyndicateError(Exception):
    """Base of every error that this product raises on purpose."""


class TransientError(SyndicateError):
    """Back off and try again: a connection lost, a rate limit, a busy port."""


class AbsentError(TransientError):
    """Who would answer is no part of this installation, as it is set up: do not try again."""


class UnstoredError(TransientError):
    """It was done, and is on its way to the ledger, which is away: do not do it again."""


class FatalError(SyndicateError):
    """Stop: going on would risk money or records. The text says what to do."""


class SupersededError(FatalError):
    """Another process has taken this one's place: it must not act once more."""


class SettingsError(FatalError):
    """The settings cannot be used; the text says which, where, and what to do."""


class BadValueError(SyndicateError):
    """A value from outside breaks a rule: the text names the value, its unit and the rule."""


def worst_of(error: BaseException) -> BaseException:
    """Return the error inside groups, however deep, that matters most: a fatal one first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner = [worst_of(one) for one in error.exceptions]
    for family in (FatalError, SyndicateError):
        for one in inner:
            if isinstance(one, family):
                return one
    return inner[0]
