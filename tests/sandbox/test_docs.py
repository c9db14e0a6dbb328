"""docs/sandbox.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.control import Control
from publisher.sandbox.faults import KINDS
from publisher.sandbox.handlers import load
from publisher.sandbox.partners import BOXES, MANNERS
from publisher.sandbox.rpc import METHODS, method_name

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_every_method_is_listed_and_no_other() -> None:
    load()
    listed = {
        f"{group}.{name}"
        for group, names in re.findall(r"^- \*\*(\w+)\*\*: (.+)$", TEXT, re.M)
        for name in names.split(", ")
    }
    assert listed == {method_name(request) for request in METHODS}


def test_every_operation_manner_box_and_fault_is_named() -> None:
    control = Control(LoopbackTelegram())
    for name in (*control.operations, *MANNERS, *KINDS):
        assert f"`{name}`" in TEXT, name
    assert all(f'"{box}"' in TEXT for box in BOXES)
