"""What must hold whatever happened, read from the server's own journal and the ledger."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.chaos.world import World, assignment

ENDS = ("published", "expired", "failed")


def violations(world: World) -> list[str]:
    """One line for each broken promise; none is the only good answer."""
    entries = world.server.ask("journal")["entries"]
    created = [e for e in entries if e["kind"] == "created" and e["media_sha256"]]
    posts = world.rows(
        "SELECT p.id, p.state, p.random_id, p.message_id, p.error, s.state, m.sha256 FROM post p "
        "JOIN slot s ON s.id = p.slot_id JOIN meme m ON m.id = p.meme_id"
    )
    found = _doubles(created) + _against_server(posts, created)
    for post_id, state, _, _, error, slot_state, _ in posts:
        if state not in ENDS:
            found.append(f"post {post_id} did not end: {state} ({error})")
        if state != slot_state:
            found.append(f"post {post_id} is {state}, its slot {slot_state}")
        if state in ("expired", "failed") and not error:
            found.append(f"post {post_id} is {state} without a reason")
    if assignment(world) != world.assignment:
        found.append("the assignment changed")
    return found


def _doubles(created: list[dict[str, Any]]) -> list[str]:
    pictures = Counter((e["chat"], e["media_sha256"]) for e in created)
    numbers = Counter(e["random_id"] for e in created)
    found = [f"{chat} has {sha[:12]} {n} times" for (chat, sha), n in pictures.items() if n > 1]
    return found + [f"random_id {number} {n} times" for number, n in numbers.items() if n > 1]


def _against_server(posts: list[tuple[Any, ...]], created: list[dict[str, Any]]) -> list[str]:
    there = {e["random_id"]: e for e in created}
    known = {post[2]: post for post in posts}
    found = [f"the server has {r}, no post of ours" for r in there.keys() - known.keys()]
    for random_id, (post_id, state, _, message_id, _, _, sha) in known.items():
        entry = there.get(random_id)
        if entry is None:
            if state == "published":
                found.append(f"post {post_id} is published in the ledger, not on the server")
        elif state != "published":
            found.append(f"post {post_id} is {state} in the ledger, and on the server")
        elif entry["message_id"] != message_id:
            found.append(
                f"post {post_id} is message {entry['message_id']}, not {message_id} as noted"
            )
        elif entry["media_sha256"] != sha:
            found.append(f"post {post_id} was sent with another picture")
    return found
