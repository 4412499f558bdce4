"""The values of limits: the settings set them, and may be read anew; the operator tightens them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.errors import BadValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A number that a limit goes by.

    Attributes:
        name: that of its setting, and what the operator calls it.
        section: of the settings that it is in.
        default: where the settings have none.
        least: the smallest value that makes sense.
        has_zero: whether that may be 0.
        is_floor: the higher is the tighter.
        loosens_running: the settings may go beyond where they were at the start while it runs; else
            what is built at the start goes by that.
    """

    name: str
    unit: str
    default: Decimal
    section: str = "limits"
    least: Decimal = Decimal(0)
    has_zero: bool = False
    is_whole: bool = False
    is_floor: bool = False
    loosens_running: bool = True

    def check(self, value: Decimal) -> None:
        """Raise `BadValueError` if the value makes no sense."""
        if not value.is_finite() or value < self.least or (not value and not self.has_zero):
            at_least = f"at least {self.least:f}" if self.least or self.has_zero else "above 0"
            raise BadValueError(f"{self.name} is {value:f} {self.unit}; it must be {at_least}")
        if self.is_whole and value != value.to_integral_value():
            raise BadValueError(f"{self.name} is {value:f} {self.unit}; it must be a whole number")

    def is_looser(self, value: Decimal, *, than: Decimal) -> bool:
        """Say whether more is let through at this value."""
        return value < than if self.is_floor else value > than


class LimitSet:
    """What limits read their values from; nothing else holds one.

    What the settings say bounds what the operator sets: a word from before can only be tighter.
    It is replaced between inputs alone.

    Attributes:
        by_operator: what the operator has set, by name; one that is looser than the settings, as
            these were tightened later, waits for them.
    """

    def __init__(
        self,
        terms: Iterable[Term],
        *,
        by_settings: Mapping[str, Decimal] | None = None,
        by_operator: Mapping[str, Decimal] | None = None,
    ) -> None:
        """Begin with the values of the settings; names without a term are of other versions.

        Raises:
            BadValueError: a value makes no sense.
        """
        self._terms = {term.name: term for term in terms}
        given = by_settings or {}
        self._by_settings = {
            name: given.get(name, term.default) for name, term in self._terms.items()
        }
        for name, term in self._terms.items():
            term.check(self._by_settings[name])
        self._at_start = dict(self._by_settings)
        self.by_operator: Mapping[str, Decimal] = {}
        self._values = dict(self._by_settings)
        self._followers: tuple[Follower, ...] = ()
        self.take(by_operator or {})

    def __getitem__(self, term: Term) -> Decimal:
        """Return the value in force."""
        return self._values[term.name]

    @property
    def terms(self) -> Iterable[Term]:
        """All terms."""
        return self._terms.values()

    def by_settings(self, term: Term) -> Decimal:
        """Return the value of the settings: no other in force is ever looser."""
        return self._by_settings[term.name]

    def in_force(self) -> dict[str, Decimal]:
        """Return the values in force, by name."""
        return dict(self._values)

    def follow(self, follower: "Follower") -> None:
        """Tell somebody who keeps a value in a form of its own what is in force, now and later."""
        self._followers = (*self._followers, follower)
        follower(self)

    @property
    def all_by_settings(self) -> dict[str, Decimal]:
        """Return the values of the settings, by name."""
        return dict(self._by_settings)

    def take(
        self,
        by_operator: Mapping[str, Decimal],
        by_settings: Mapping[str, Decimal] | None = None,
    ) -> None:
        """Take what the operator has set in all, and what the settings say where they were read.

        Raises:
            BadValueError: a value makes no sense; then all stays as it was.
        """
        known = {name: value for name, value in by_operator.items() if name in self._terms}
        settings = self._by_settings if by_settings is None else self.read_anew(by_settings)
        self._values = self._in_force(known, settings)
        self._by_settings = settings
        self.by_operator = known
        for follower in self._followers:
            follower(self)

    def read_anew(self, given: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Return what the settings say once these of them are so; all of it can be taken.

        Raises:
            BadValueError: one makes no sense, or counts only from the next start on.
        """
        values = dict(self._by_settings)
        for name, value in given.items():
            term = self.find(name)
            term.check(value)
            started = self._at_start[name]
            if not term.loosens_running and term.is_looser(value, than=started):
                raise BadValueError(
                    f"{name} {value:f} {term.unit} is looser than {started:f} at the start, and"
                    " prices are looked at by that: it counts from the next start on"
                )
            values[name] = value
        return values

    def _in_force(
        self, by_operator: Mapping[str, Decimal], by_settings: Mapping[str, Decimal]
    ) -> dict[str, Decimal]:
        values = dict(by_settings)
        for name, value in by_operator.items():
            term = self._terms[name]
            term.check(value)
            if term.is_looser(values[name], than=value):
                values[name] = value
        return values

    def with_one(self, name: str, value: Decimal) -> dict[str, Decimal]:
        """Return what the operator has set once this is, too.

        The settings' own value takes an earlier word back.

        Raises:
            BadValueError: it cannot be set, in words for the operator.
        """
        term = self.find(name)
        term.check(value)
        bound = self._by_settings[name]
        if term.is_looser(value, than=bound):
            setting = f"SYNDICATE_{term.section}_{name}".upper()
            most = "no less" if term.is_floor else "no more"
            raise BadValueError(
                f"the settings allow {most} than {bound:f} {term.unit}: "
                f"change {setting} in .env or syndicate.toml"
            )
        others = {other: held for other, held in self.by_operator.items() if other != name}
        return others if value == bound else {**others, name: value}

    def is_looser(
        self,
        by_operator: Mapping[str, Decimal],
        by_settings: Mapping[str, Decimal] | None = None,
    ) -> bool:
        """Say whether anything would be let through that is not now, were this all that is set."""
        return bool(self.looser(by_operator, by_settings))

    def looser(
        self,
        by_operator: Mapping[str, Decimal],
        by_settings: Mapping[str, Decimal] | None = None,
    ) -> list[tuple[Term, Decimal]]:
        """Return what would let more through than now, and at which value."""
        wanted = self._in_force(by_operator, {**self._by_settings, **(by_settings or {})})
        return [
            (term, wanted[name])
            for name, term in self._terms.items()
            if term.is_looser(wanted[name], than=self._values[name])
        ]

    def find(self, name: str) -> Term:
        """Return the term of a name.

        Raises:
            BadValueError: there is none.
        """
        term = self._terms.get(name)
        if term is None:
            raise BadValueError(f"no limit {name}; there are {', '.join(sorted(self._terms))}")
        return term


Follower = Callable[[LimitSet], None]
