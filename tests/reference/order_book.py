"""Slow twin of the order-book kernels: a dict of Decimal per side, and the JSON library."""

import json
from dataclasses import dataclass, field
from decimal import Decimal

from engine.ports import Applied, LevelForm

_SIDE_WORDS = {"bid": 0, "buy": 0, "offer": 1, "ask": 1, "sell": 1}


class _RefusedError(Exception):
    def __init__(self, outcome: Applied) -> None:
        self.outcome = outcome


@dataclass
class BookTwin:
    """One book; sides map an exact price to an exact size."""

    price_decimals: int
    size_decimals: int
    levels_max: int
    sides: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]] = field(
        default_factory=lambda: ({}, {})
    )
    dropped: int = 0

    def replace(self, form: LevelForm, bids: bytes, asks: bytes) -> Applied:
        try:
            levels = self._parse(form, bids, asks)
        except _RefusedError as refused:
            return refused.outcome
        for side, held in enumerate(self.sides):
            held.clear()
            for of, price, size in levels:
                if of == side:
                    held[price] = size
            for price in [price for price, size in held.items() if size == 0]:
                del held[price]
            for price in self._from_worst(side)[: max(len(held) - self.levels_max, 0)]:
                del held[price]
                self.dropped += 1
        return self._outcome()

    def apply(self, form: LevelForm, bids: bytes, asks: bytes) -> Applied:
        try:
            levels = self._parse(form, bids, asks)
        except _RefusedError as refused:
            return refused.outcome
        for side, price, size in levels:
            held = self.sides[side]
            if size == 0:
                held.pop(price, None)
                continue
            held[price] = size
            if len(held) > self.levels_max:
                del held[self._from_worst(side)[0]]
                self.dropped += 1
        return self._outcome()

    def from_best(self, side: int) -> list[tuple[Decimal, Decimal]]:
        return [(price, self.sides[side][price]) for price in reversed(self._from_worst(side))]

    def _from_worst(self, side: int) -> list[Decimal]:
        return sorted(self.sides[side], reverse=side == 1)

    def _outcome(self) -> Applied:
        bids, asks = self.sides
        if not bids or not asks:
            return Applied.EMPTY
        return Applied.CROSSED if max(bids) >= min(asks) else Applied.OK

    def _parse(
        self, form: LevelForm, bids: bytes, asks: bytes
    ) -> list[tuple[int, Decimal, Decimal]]:
        levels = []
        for side, raw in enumerate((bids, asks)):
            for item in json.loads(raw, parse_float=Decimal, parse_int=Decimal) if raw else []:
                of, price, size = _fields(form, side, item)
                self._check(price, self.price_decimals)
                self._check(size, self.size_decimals)
                if price == 0 and of == 0:
                    self.dropped += 1
                    continue
                if price <= 0:
                    raise _RefusedError(Applied.BAD_NUMBER)
                levels.append((of, price, min(size, Decimal(10**18).scaleb(-self.size_decimals))))
        return levels

    def _check(self, number: Decimal, decimals: int) -> None:
        steps = number.scaleb(decimals)
        if number < 0 or steps != steps.to_integral_value() or steps > 2**63 - 1:
            raise _RefusedError(Applied.BAD_NUMBER)


def _fields(form: LevelForm, side: int, item: object) -> tuple[int, Decimal, Decimal]:
    if form is LevelForm.PAIRS:
        assert isinstance(item, list)
        price, size = item
    elif form is LevelForm.SIDED:
        assert isinstance(item, list)
        word, price, size = item
        side = _SIDE_WORDS[word]
    else:
        assert isinstance(item, dict)
        if "side" in item:
            side = _SIDE_WORDS[item["side"]]
        price = item.get("price_level", item.get("price"))
        size = next(item[key] for key in ("new_quantity", "amount", "size") if key in item)
    return side, Decimal(price), Decimal(size)
