"""`publisher partners`: how offers fared; what a reply means; whether a picture is our meme."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import click

from experiments.boxes import wilson
from publisher.commands.context import (
    CONFIG,
    JSON,
    Refusal,
    language,
    plain_errors,
    print_json,
    tell,
)
from publisher.ledger import suggestions as ledger
from publisher.ledger.models import Partner, Reply, Suggestion
from publisher.partners.matching import match
from publisher.partners.replies import Own, read_replies
from publisher.sentences import in_language, joined, recalled, sentence_of, words
from publisher.settings import Settings, load_settings

HEADS = {
    "ru": ("партнёр", "путь", "предложено", "получено", "вышло", "отказ", "принято, не вышло",
           "молчание", "ждём", "доля", "состояние", "последний ответ"),
    "en": ("partner", "route", "offered", "received", "published", "rejected", "accepted, not out",
           "silent", "pending", "rate", "state", "last answer"),
}  # fmt: skip


@click.group(invoke_without_command=True)
@CONFIG
@JSON
@click.pass_context
@plain_errors
def partners(context: click.Context, config: Path, as_json: bool) -> None:
    """Without a subcommand: how the offers to each partner fared."""
    if context.invoked_subcommand:
        return
    # Telegram's client takes a second to import and the other commands do without it.
    from publisher.commands.connected import services_of

    services = services_of(config)
    rows = [fortunes(partner, services.settings) for partner in listed(services.settings)]
    if as_json:
        print_json(rows)
        return
    heads = HEADS[services.settings.language]
    lines = [heads, *(as_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for line in lines:
        click.echo("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip())


def listed(settings: Settings) -> list[Partner]:
    """The partners in config.toml, then those of old that had offers."""
    named = [ledger.partner_row(p.handle) for p in settings.partners]
    known = {p.id for p in named}
    return named + [p for p in Partner.select().order_by(Partner.handle) if p.id not in known]


def fortunes(partner: Partner, settings: Settings) -> dict[str, Any]:
    """Counts of what was truly sent; the rate is published of those whose outcome is known to be
    final, silence among them, with Wilson's 95 % interval.
    """
    sent = list(
        Suggestion.select().where((Suggestion.partner == partner) & (Suggestion.state == "sent"))
    )
    outcomes = [s.outcome for s in sent]
    final, published = len(sent) - outcomes.count("pending"), outcomes.count("published")
    last = Reply.select().where(Reply.partner == partner).order_by(Reply.id.desc()).first()
    named = settings.partner(partner.handle)
    return {
        "partner": partner.handle,
        "route": named.route if named else "",
        "offered": len(sent),
        "received": sum(s.meaning not in ("", "unknown", "greeting") for s in sent),
        "published": published,
        "rejected": outcomes.count("rejected"),
        "approved_unpublished": outcomes.count("approved_unpublished"),
        "censored": outcomes.count("censored"),
        "pending": outcomes.count("pending"),
        "rate": published / final if final else None,
        "interval": list(wilson(published, final)) if final else None,
        "state": partner.state if named else "not in config.toml",
        "reason": partner.reason,
        "waits_until": partner.backoff_until,
        "last_answer": last.text if last else "",
        "last_meaning": last.meaning if last else "",
        "last_at": last.at if last else None,
    }


def as_cells(row: dict[str, Any]) -> tuple[str, ...]:
    rate = "—"
    if row["rate"] is not None:
        low, high = row["interval"]
        rate = f"{row['rate']:.0%} ({low:.0%}–{high:.0%})"
    counts = ("offered", "received", "published", "rejected", "approved_unpublished", "censored",
              "pending")  # fmt: skip
    answer = " ".join(row["last_answer"].split())[:40]
    if answer:
        answer = f"{row['last_meaning']}: {answer}"
    state = in_language(recalled(row["state"]), language())
    if row["reason"]:
        state += f": {in_language(recalled(row['reason']), language())[:30]}"
    return ("@" + row["partner"], row["route"], *(str(row[c]) for c in counts), rate, state, answer)


@partners.command()
@CONFIG
@JSON
@click.option("--partner", help="With this partner's own patterns from config.toml.")
@plain_errors
def classify(config: Path, as_json: bool, partner: str | None) -> None:
    """What replies mean: one a line on standard input."""
    settings = load_settings(config) if config.exists() else None
    model = settings.topics.embedding if settings else ""
    named = settings.partner(partner.removeprefix("@")) if settings and partner else None
    if partner and named is None:
        raise Refusal(
            words(
                "{partner} is not in {config}; name one of [[partners]]",
                partner=partner,
                config=config,
            )
        )
    own = [Own(r.pattern, r.meaning) for r in named.replies] if named else []
    texts = [line.rstrip("\n") for line in sys.stdin if line.strip()]
    path = str(settings.path(model)) if settings and model else None
    readings = read_replies(texts, path, own)
    rows = [
        {"text": text, **dataclasses.asdict(reading)}
        for text, reading in zip(texts, readings, strict=True)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['meaning']:13s} {row['score']:.2f}  {row['text']}  ({row['because']})")


@partners.command("match")
@JSON
@click.argument("meme", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument(
    "candidates", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
@plain_errors
def match_command(as_json: bool, meme: Path, candidates: tuple[Path, ...]) -> None:
    """Is CANDIDATE the picture MEME, marked, framed, cropped or compressed as it may be?

    Exits with 1 when a file cannot be read.
    """
    rows: list[dict[str, Any]] = []
    for candidate in candidates:
        try:
            found = match(meme, candidate)
            rows.append({"file": str(candidate), **dataclasses.asdict(found)})
        except ValueError as error:
            rows.append({"file": str(candidate), "same": None, "error": sentence_of(error)})
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            verdict = {True: "same", False: "other", None: "error"}[row["same"]]
            why = row.get("error") or joined("  ", [f"{row['score']:.3f}", row["because"]])
            tell(joined("", [f"{verdict:6s} {row['file']}  ", why]))
    if any(row["same"] is None for row in rows):
        raise SystemExit(1)


@partners.command()
@CONFIG
@click.argument("handle")
@plain_errors
def resume(config: Path, handle: str) -> None:
    """Offer to a partner again that was stopped: you have settled it with them."""
    from publisher.commands.connected import services_of

    services = services_of(config)
    row = Partner.get_or_none(Partner.handle == handle.removeprefix("@").lower())
    if row is None:
        raise Refusal(words("{handle}: no such partner; see: publisher partners", handle=handle))
    ledger.resume_partner(row, services.clock())
    click.echo(f"@{row.handle}: {Partner.get_by_id(row.id).state}")
