"""Making memes by hand: meme, render, templates, models, topics, screen."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from publisher.commands.context import (
    CONFIG,
    JSON,
    Refusal,
    plain_errors,
    print_json,
    run_async,
    tell,
)
from publisher.commands.context import language as spoken
from publisher.commands.context import settings_of as _settings
from publisher.commands.meme_folder import SHEET, keep_memes
from publisher.llm import probe
from publisher.memes.corpus import load_corpus
from publisher.memes.make import MakeRequest, make_memes
from publisher.memes.memegen_import import read_memegen
from publisher.memes.preview import contact_sheet
from publisher.memes.render import RenderError, render
from publisher.memes.templates import (
    LICENCE_FILE,
    check_templates,
    load_templates,
)
from publisher.screen import screen_caption, screen_topic
from publisher.sentences import joined, words
from publisher.settings import Settings
from publisher.trends import FeedItem, Item, Topic, fetch_feed, find_topics

LANGUAGE = click.option(
    "--language", type=click.Choice(["ru", "en"]), help="ru or en; by default the owner's."
)


def _or_default(config: Path) -> Settings | None:
    """These commands work without a configuration too."""
    return _settings(config) if config.exists() else None


def _template_dirs(settings: Settings | None) -> list[Path]:
    return [settings.path(d) for d in settings.memes.templates] if settings else []


def model_cache(settings: Settings | None) -> Path:
    """Where is kept what a model can: with the daemon's state, or in the user's cache."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "memegen"
    return (settings.state if settings else home) / "models"


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refusal(
            words("cannot write {file}: {why}", file=out, why=error.strerror or error)
        ) from error


def _embedding(settings: Settings | None) -> str | None:
    given = settings.topics.embedding if settings else ""
    return str(settings.path(given)) if settings and given else None


@click.command()
@CONFIG
@JSON
@LANGUAGE
@click.argument("topic")
@click.option("--count", default=8, show_default=True, type=click.IntRange(1, 50))
@click.option("--template", help="Only this template.")
@click.option("--seed", default=1, show_default=True, help="The same seed, the same memes.")
@click.option("--model", type=click.Path(path_type=Path), help="A GGUF file.")
@click.option("--mode", type=click.Choice(["auto", "free", "frames"]))
@click.option("--out", type=click.Path(path_type=Path), default=Path("memes"), show_default=True)
@plain_errors
def meme(
    config: Path,
    as_json: bool,
    language: str | None,
    topic: str,
    count: int,
    template: str | None,
    seed: int,
    model: Path | None,
    mode: Any,
    out: Path,
) -> None:
    """Make memes on TOPIC: pictures, a contact sheet, and a JSON of what led to each.

    What an earlier run left in the folder is replaced: the pictures that its memes.json names, and
    the sheet. Other files are not touched. Exits with 1 when there is no meme to be had, and says
    why.
    """
    settings = _or_default(config)
    chosen_model = model or (
        settings.path(settings.model.path) if settings and settings.model.path else None
    )
    request = MakeRequest(
        topic=topic.encode("utf-8", "replace").decode(),  # bytes that are no text
        language=language or (settings.language if settings else "ru"),
        count=count,
        seed=seed,
        model_path=str(chosen_model) if chosen_model else None,
        mode=mode or (settings.model.mode if settings else "auto"),
        template=template,
        threads=settings.model.threads if settings else 0,
        template_dirs=tuple(str(d) for d in _template_dirs(settings)),
        embedding_path=_embedding(settings),
        blocklist=settings.topics.blocklist if settings else (),
        cache=str(model_cache(settings)),
    )
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
    made = make_memes(request, lambda line: click.echo(f"… {line}", err=True))
    with _writing(out):
        pictures, record = keep_memes(made, request, out)
    if as_json:
        print_json(record)
    else:
        for path, _ in pictures:
            click.echo(path)
        for note in made.notes:
            tell(note, err=True)
        tell(_summary(len(pictures), made.seconds, out), err=True)
    if not pictures:
        raise SystemExit(1)


def _summary(count: int, seconds: float, out: Path) -> str:
    said = words("{count} memes in {seconds:.0f} s", count=count, seconds=seconds)
    return joined(": ", [said, out / SHEET]) if count else said


@click.command("render")
@CONFIG
@JSON
@LANGUAGE
@click.argument("template")
@click.argument("texts", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@plain_errors
def render_command(
    config: Path,
    as_json: bool,
    language: str | None,
    template: str,
    texts: tuple[str, ...],
    out: Path,
) -> None:
    """Draw TEMPLATE with one TEXT for each of its boxes into a JPEG file."""
    settings = _or_default(config)
    templates = load_templates(*_template_dirs(settings))
    if template not in templates:
        raise Refusal(
            words(
                "no template «{template}»; there are: {known}",
                template=template,
                known=", ".join(templates),
            )
        )
    tongue = language or (settings.language if settings else "ru")
    drawn = render(templates[template], texts, language=tongue)
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(drawn.jpeg)
    if as_json:
        print_json(
            {
                "template": template,
                "file": str(out),
                "width": drawn.image.width,
                "height": drawn.image.height,
                "boxes": [dataclasses.asdict(box) for box in drawn.boxes],
            }
        )
    else:
        click.echo(out)


@click.group()
def templates() -> None:
    """The pictures that memes are drawn on."""


@templates.command("list")
@CONFIG
@JSON
@plain_errors
def templates_list(config: Path, as_json: bool) -> None:
    """Every template with its boxes and licence."""
    found = load_templates(*_template_dirs(_or_default(config)))
    if as_json:
        print_json([json.loads(t.model_dump_json()) for t in found.values()])
        return
    for t in found.values():
        boxes = ", ".join(box.name for box in t.boxes)
        click.echo(f"{t.id:22} {t.name.of(spoken()):34} {boxes}  [{t.licence}]")


@templates.command("check")
@CONFIG
@click.argument("directory", required=False, type=click.Path(path_type=Path, exists=True))
@plain_errors
def templates_check(config: Path, directory: Path | None) -> None:
    """Look for what is wrong with the templates; exits with 1 if anything is."""
    dirs = [directory] if directory else _template_dirs(_or_default(config))
    problems = check_templates(*dirs)
    for problem in problems:
        tell(problem)
    if problems:
        raise SystemExit(1)
    tell(words("{count} templates, all good", count=len(load_templates(*dirs))))


@templates.command("preview")
@CONFIG
@LANGUAGE
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("templates.png"),
    show_default=True,
)
@plain_errors
def templates_preview(config: Path, language: str | None, out: Path) -> None:
    """All templates on one contact sheet, each with a caption: of the corpus, or its example."""
    settings = _or_default(config)
    tongue = language or (settings.language if settings else "ru")
    examples = {e.template: e.texts for e in reversed(load_corpus()) if e.language == tongue}
    drawn = []
    for template in load_templates(*_template_dirs(settings)).values():
        own = template.example.of(tongue) if template.example else None
        texts = examples.get(template.id) or own or [box.name for box in template.boxes]
        try:
            drawn.append((render(template, texts, language=tongue).image, template.id))
        except RenderError as error:
            tell(words("left out: {why}", why=error), err=True)
    try:
        with _writing(out):
            contact_sheet(drawn, out)
    except ValueError as error:
        raise Refusal(error) from error
    click.echo(out)


@templates.command("import")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--licence",
    metavar="TEXT",
    default="",
    help="State the pictures' licence: written to DIRECTORY/LICENCE, unless that is there.",
)
@plain_errors
def templates_import(directory: Path, licence: str) -> None:
    """Read memegen-style folders (config.yml) and say what became of each.

    Name DIRECTORY under memes.templates in the configuration to use them. Templates without a
    licence are not used.
    """
    found, problems = read_memegen(directory)
    if licence.strip() and any(not template.licence for template in found):
        file = directory / LICENCE_FILE
        if file.exists():
            raise Refusal(words("{file} is there but empty: write the licence into it", file=file))
        with _writing(file):
            file.write_text(licence.strip() + "\n", encoding="utf-8")
        tell(words("wrote {file}", file=file))
        found, problems = read_memegen(directory)
    for template in found:
        stated = template.licence or words("no licence: not used until --licence TEXT states one")
        count = len(template.boxes)
        tell(words("{id}: {count} boxes, {licence}", id=template.id, count=count, licence=stated))
    for problem in problems:
        tell(words("not imported: {why}", why=problem), err=True)
    if not found:
        raise Refusal(words("no template to import in {directory}", directory=directory))


@click.group()
def models() -> None:
    """The language models that write captions."""


@models.command("check")
@CONFIG
@JSON
@click.argument("model", required=False, type=click.Path(path_type=Path, dir_okay=False))
@plain_errors
def models_check(config: Path, as_json: bool, model: Path | None) -> None:
    """Probe MODEL (or the configured one) here: what it can do, how fast, in what memory.

    The answer decides which way to captions `mode = "auto"` takes, and is kept for it.
    """
    settings = _or_default(config)
    given = model or (
        settings.path(settings.model.path) if settings and settings.model.path else None
    )
    tell(words("… a minute or two"), err=True)
    result = probe(given, model_cache(settings), anew=True)
    if as_json:
        print_json(dataclasses.asdict(result))
        return
    for name, value in dataclasses.asdict(result).items():
        tell(joined(": ", [name, value]))


@click.command()
@CONFIG
@JSON
@click.option("--feed", "feeds", multiple=True, help="A feed's address or file; may be repeated.")
@plain_errors
def topics(config: Path, as_json: bool, feeds: tuple[str, ...]) -> None:
    """What is being talked about: clusters, scores, verdicts, and the feeds' errors.

    Without --feed, the feeds of the configuration are read. Nothing is stored.
    """
    settings = _or_default(config)
    wanted = list(feeds) or [s.feed for s in (settings.sources if settings else ()) if s.feed]
    if not wanted:
        raise Refusal(words("no feed to read: name one with --feed, or in [[sources]]"))
    found, errors = run_async(_topics(wanted, settings))
    if as_json:
        print_json({"topics": found, "errors": errors})
        return
    for topic in found:
        mark = "✓" if topic["verdict"]["ok"] else f"✗ {topic['verdict']['reason']}"
        click.echo(f"{topic['score']:.2f}  {topic['title']}  [{mark}]")
        for item in topic["items"]:
            click.echo(f"        {item['source']}: {item['title']}  {item['url']}")
    for url, error in errors.items():
        tell(joined(": ", [url, error]), err=True)


async def _topics(
    feeds: list[str], settings: Settings | None
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    now, items, errors = datetime.now(UTC), [], {}
    for url in feeds:
        fetched = await fetch_feed(url, now=now)
        if fetched.status == "error":
            errors[url] = fetched.error or ""
        items += [_item(url, entry) for entry in fetched.items]
    blocklist = settings.topics.blocklist if settings else ()
    latest = max((item.published_at for item in items), default=now)
    found = find_topics(items, latest, blocklist=blocklist)
    return [_topic_record(topic) for topic in found.topics], errors


def _item(url: str, entry: FeedItem) -> Item:
    return Item(
        id=entry.guid,
        source=url,
        title=entry.title,
        lead=entry.lead,
        language=entry.language,
        published_at=entry.published_at,
        url=entry.url,
    )


def _topic_record(topic: Topic) -> dict[str, Any]:
    return {
        "title": topic.title,
        "score": round(topic.score, 4),
        "parts": {name: round(value, 4) for name, value in topic.parts.items()},
        "language": topic.language,
        "verdict": {
            "ok": topic.verdict.ok,
            "reason": topic.verdict.reason,
            "score": round(topic.verdict.score, 4),
            "terms": list(topic.verdict.terms),
        },
        "items": [
            {
                "title": item.title,
                "url": item.url,
                "source": item.source,
                "published_at": item.published_at.isoformat(),
            }
            for item in topic.items
        ],
    }


@click.command()
@JSON
@click.option("--kind", type=click.Choice(["topic", "caption"]), required=True)
@LANGUAGE
@plain_errors
def screen(as_json: bool, kind: str, language: str | None) -> None:
    """Judge lines of standard input: may this be memed, may this be posted?"""
    judge = screen_topic if kind == "topic" else screen_caption
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", errors="replace")
    for line in lines:
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        verdict = judge(text, language)
        record = {
            "text": text,
            "ok": verdict.ok,
            "verdict": "pass" if verdict.ok else "refuse",
            "reason": verdict.reason,
            "score": round(verdict.score, 4),
            "terms": list(verdict.terms),
        }
        if as_json:
            click.echo(json.dumps(record, ensure_ascii=False))
        else:
            why = f"{verdict.reason} {' '.join(verdict.terms)}".strip()
            click.echo(f"{'✓' if verdict.ok else '✗'} {verdict.score:.2f} {text}  {why}")
