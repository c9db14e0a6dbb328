"""The one error of this room."""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be used; the text says what is wrong and what to do about it."""
