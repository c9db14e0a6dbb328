"""What pydantic found wrong with a value, as a sentence that is said in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from publisher.sentences import phrase, words

WANTED = {
    "missing": phrase("is missing"),
    "extra_forbidden": phrase("unknown key"),
    "int_type": phrase("should be an integer"),
    "int_parsing": phrase("should be an integer"),
    "int_from_float": phrase("should be an integer"),
    "int_parsing_size": phrase("the number is too big"),
    "float_type": phrase("should be a number"),
    "float_parsing": phrase("should be a number"),
    "finite_number": phrase("should be a finite number"),
    "string_type": phrase("should be a string in quotes"),
    "bool_type": phrase("should be true or false"),
    "bool_parsing": phrase("should be true or false"),
    "tuple_type": phrase("should be a list in [brackets]"),
    "list_type": phrase("should be a list in [brackets]"),
    "model_type": phrase("should be a section with keys of its own"),
    "model_attributes_type": phrase("should be a section with keys of its own"),
    "greater_than": phrase("should be greater than {gt:g}"),
    "greater_than_equal": phrase("should be at least {ge:g}"),
    "less_than": phrase("should be less than {lt:g}"),
    "less_than_equal": phrase("should be at most {le:g}"),
    "literal_error": phrase("should be one of {expected}"),
    "too_short": phrase("items here: {actual_length}, at least {min_length} are needed"),
    "too_long": phrase("items here: {actual_length}, at most {max_length} are allowed"),
    "string_too_short": phrase("should not be shorter than {min_length} (characters)"),
    "string_too_long": phrase("should not be longer than {max_length} (characters)"),
    "string_pattern_mismatch": phrase("should match the pattern {pattern}"),
}
"""Kind of pydantic's error → what was wanted; placeholders are of its `ctx`. Kinds that are not
here are said as pydantic says them, in English."""


def wanted(details: Mapping[str, Any]) -> str:
    """What should have stood there, from one of `ValidationError.errors()`."""
    kind, facts = details["type"], dict(details.get("ctx", {}))
    if kind == "value_error":
        return words("{error}", **facts)
    if kind not in WANTED:
        message = str(details["msg"])
        return message[0].lower() + message[1:]
    if kind == "literal_error":
        facts["expected"] = ", ".join(re.findall(r"'[^']*'", facts["expected"]))
    return words(WANTED[kind], **facts)
