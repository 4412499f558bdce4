"""Three families of errors, by what the caller has to do about them.

An expected "no" is a value (see `refusals`), never an exception.
"""


class SyndicateError(Exception):
    """Base of every error that this product raises on purpose."""


class TransientError(SyndicateError):
    """Back off and try again: a connection lost, a rate limit, a busy port."""


class UnknownOutcomeError(SyndicateError):
    """The outcome of a side effect is unknown: look it up, never send it again."""


class FatalError(SyndicateError):
    """Stop: going on would risk money or records. The text says what to do."""


class BadValueError(SyndicateError):
    """A value from outside breaks a rule: the text names the value, its unit and the rule."""
