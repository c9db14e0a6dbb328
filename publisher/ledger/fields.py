"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from peewee import DateTimeField, TextField


class UtcField(DateTimeField):
    """An aware UTC datetime; stored without zone, so that it sorts as text in SQLite."""

    def db_value(self, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{self.name}: a time without a zone does not go into the ledger")
        return value.astimezone(UTC).replace(tzinfo=None)

    def python_value(self, value: Any) -> datetime | None:
        naive = super().python_value(value)
        return naive.replace(tzinfo=UTC) if isinstance(naive, datetime) else None


class JsonField(TextField):
    """A small JSON value in a text column; never queried into."""

    def db_value(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)
