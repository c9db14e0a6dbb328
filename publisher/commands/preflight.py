"""`publisher check`: is everything ready, and if not, what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from jobs.plan import sync_channels
from jobs.services import Services
from publisher import daemon
from publisher.ledger.migrations import schema_version
from publisher.llm import ModelError, embedded_model_path
from publisher.llm.gguf import read_header
from publisher.lock import sole_owner
from publisher.memes.fonts import FALLBACK, FONTS, coverage
from publisher.memes.templates import check_templates, load_templates
from publisher.sentences import is_worded, joined, sentence_of, words
from publisher.settings import ConfigError, Secrets, Settings, load_secrets, load_settings
from publisher.telegram.client import session_path
from publisher.telegram.errors import telegram_name
from publisher.telegram.peers import find_peer
from publisher.telegram.reading import post_rights
from publisher.workers import Workers

DEMO_HOST = ".sandbox.invalid/"
DEMO_HANDLES = frozenset(
    {
        "kotiki_i_kod",
        "dedlain_segodnya",
        "novosti_sandbox",
        "tech_sandbox",
        "memy_dlya_svoih",
        "chatik_memy_kanal",
        "smeshnoe_ryadom",
    }
)
"""What the shipped config.toml names, and `publisher demo` has."""

ALPHABET = "АаБбЁёЖжЩщЫыЭэЯяQqWwZz0123456789«»—–…№₽!?"


@dataclass(frozen=True)
class Finding:
    ok: bool
    what: str
    found: str
    remedy: str = ""


async def preflight(config: Path, *, offline: bool) -> list[Finding]:
    """Every check in turn; a check that breaks is a finding and does not hide the next.

    What is found, and the remedy, are sentences to be said in the owner's language.
    """
    try:
        settings = load_settings(config)
    except ConfigError as error:
        return [Finding(False, "config", joined(": ", [p.key, p.message])) for p in error.problems]
    secrets = load_secrets()
    read = words("{file}, {count} channels", file=config, count=len(settings.channels))
    findings = [Finding(True, "config", read), owner(settings)]
    findings += [channels(settings), sources(settings), partners(settings)]
    findings += [_guarded("model", lambda: model(settings))]
    findings += [_guarded("templates", lambda: templates(settings))]
    findings += [_guarded("fonts", fonts)]
    findings += [_guarded("inbox", lambda: inbox(settings))]
    ledger = _guarded("database", lambda: database(settings, secrets))
    findings.append(ledger)
    if ledger.ok and not offline:
        findings += await telegram(settings, secrets)
    return findings


def _guarded(what: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:
        return Finding(False, what, said_by(error))


def said_by(error: Exception) -> str:
    return sentence_of(error) if is_worded(error) else f"{type(error).__name__}: {error}"


def owner(settings: Settings) -> Finding:
    if settings.owner.ids:
        return Finding(True, "owner", words("{count} named", count=len(settings.owner.ids)))
    found = words("owner.ids is empty, nobody is told of alerts")
    return Finding(False, "owner", found, words("write your Telegram id into owner.ids"))


def channels(settings: Settings) -> Finding:
    return _own("channels", [f"@{c.handle}" for c in settings.channels])


def sources(settings: Settings) -> Finding:
    if settings.sources:
        return _own("sources", [s.feed or f"@{s.key}" for s in settings.sources])
    if settings.memes.evergreen:
        return Finding(True, "sources", words("none: topics are those of memes.evergreen"))
    found = words("none, and no memes.evergreen: there is nothing to make memes of")
    return Finding(False, "sources", found, words("name feeds or channels in [[sources]]"))


def partners(settings: Settings) -> Finding:
    if not settings.partners:
        return Finding(True, "partners", words("none: memes are offered to nobody"))
    return _own("partners", [f"@{p.handle}" for p in settings.partners])


def _own(section: str, names: list[str]) -> Finding:
    """Whether what a section names is the owner's own, and not what config.toml ships with."""
    shipped = [name for name in names if _of_the_demo(name)]
    if not shipped:
        return Finding(True, section, words("{count} named", count=len(names)))
    return Finding(
        False,
        section,
        words("of the demo, not yours: {names}", names=", ".join(shipped)),
        words("put your own in their place, or delete them: [[{section}]]", section=section),
    )


def _of_the_demo(name: str) -> bool:
    return DEMO_HOST in name or name.removeprefix("@").lower() in DEMO_HANDLES


def model(settings: Settings) -> Finding:
    given = settings.model.path
    path = settings.path(given) if given else embedded_model_path()
    try:
        header = read_header(path)
    except ModelError as error:
        return Finding(False, "model", sentence_of(error), words("see model.path in config.toml"))
    found = words(
        "{name}, {millions:.0f} M parameters, {size:.0f} MiB",
        name=header.name,
        millions=header.parameters / 1e6,
        size=header.file_bytes / 2**20,
    )
    return Finding(True, "model", found)


def templates(settings: Settings) -> Finding:
    dirs = [settings.path(d) for d in settings.memes.templates]
    problems = check_templates(*dirs)
    if problems:
        return Finding(
            False, "templates", joined("; ", problems), words("mend or remove that template")
        )
    return Finding(True, "templates", words("{count} templates", count=len(load_templates(*dirs))))


def fonts() -> Finding:
    wanted = {ord(letter) for letter in ALPHABET}
    spare = coverage(FALLBACK)
    lacking = [name for name in FONTS if wanted - coverage(name) - spare]
    if lacking:
        found = words("letters missing in {fonts}", fonts=", ".join(lacking))
        return Finding(False, "fonts", found, words("install the package again"))
    return Finding(True, "fonts", words("{count} fonts, Cyrillic and Latin", count=len(FONTS)))


def inbox(settings: Settings) -> Finding:
    folder = settings.path(settings.inbox.folder)
    if not folder.is_dir():
        return Finding(
            False, "inbox", words("{folder} is not there", folder=folder), f"mkdir {folder}"
        )
    count = sum(1 for p in folder.iterdir() if p.is_file())
    return Finding(
        True, "inbox", words("{folder}, {count} files waiting", folder=folder, count=count)
    )


def database(settings: Settings, secrets: Secrets) -> Finding:
    daemon.open_settings_ledger(settings, secrets, daemon.utc_now())
    scheme = settings.database.url.split(":", 1)[0]
    return Finding(
        True, "database", words("{kind}, schema {number}", kind=scheme, number=schema_version())
    )


async def telegram(settings: Settings, secrets: Secrets) -> list[Finding]:
    """The session, the bot, and each channel's rights."""
    session = session_path(settings.state, "user")
    services = Services(settings, secrets, daemon.utc_now, Workers())
    try:
        with sole_owner(settings.state):
            await daemon.connect_accounts(services)
            try:
                return [f async for f in _signed_in(services)]
            finally:
                await daemon.disconnect_accounts(services)
    except Exception as error:
        return [Finding(False, "session", joined(": ", [session.name, error]), "publisher login")]


async def _signed_in(services: Services) -> AsyncIterator[Finding]:
    me = await services.account.client.get_me()
    yield Finding(True, "session", f"{me.first_name} (id {me.id})")
    if services.bot:
        bot = await services.bot.client.get_me()
        yield Finding(True, "bot", f"@{bot.username}")
    elif services.settings.bot.enabled:
        remedy = words("set TELEGRAM_BOT_TOKEN, or bot.enabled = false")
        yield Finding(False, "bot", words("there is no token"), remedy)
    for channel in sync_channels(services):
        try:
            peer = await find_peer(services.account, channel.handle, services.clock())
            rights = await post_rights(services.account, peer)
        except Exception as error:
            said = sentence_of(error) if is_worded(error) else telegram_name(error)
            yield Finding(False, f"@{channel.handle}", said, words("is the name right?"))
            continue
        remedy = words("make the account an administrator who may post")
        found = rights.reason or words("may post")
        yield Finding(rights.may_post, f"@{channel.handle}", found, remedy)
