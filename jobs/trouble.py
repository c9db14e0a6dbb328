"""One channel's trouble is not another's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from publisher.telegram.errors import classify
from publisher.telegram.governor import AccountStopped, NotNow

log = logging.getLogger(__name__)


@contextmanager
def one_of_many(what: str) -> Iterator[None]:
    """Let a job go on with its other work when Telegram fails this part; it is due again later.

    Faults of our own still rise, as TypeError.
    """
    try:
        yield
    except (NotNow, AccountStopped) as wait:
        log.info("%s: %s", what, wait)
    except Exception as error:
        log.warning("%s: %s", what, classify(error).name)
