"""Rules of one text that comes again and again: what they made of it is remembered, within bounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any


def remembered[Made](most: int, longest: int = 256) -> Callable[[Callable[[str], Made]], Callable[[str], Made]]:
    """Remember what a pure function makes of a text; nobody may change it. most: texts; longest: characters of one that is remembered.

    Texts come from outside, so that both bounds are needed: without the second a few texts of a megabyte would fill the memory.
    """

    def decorate(function: Callable[[str], Made]) -> Callable[[str], Made]:
        known = lru_cache(maxsize=most)(function)

        @wraps(function)
        def call(text: str) -> Made:
            return known(text) if len(text) <= longest else function(text)

        forgetful: Any = call
        forgetful.cache_clear = known.cache_clear  # as of what `lru_cache` makes
        return call

    return decorate
