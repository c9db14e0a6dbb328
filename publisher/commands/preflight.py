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
from publisher.settings import ConfigError, Secrets, Settings, load_secrets, load_settings
from publisher.telegram.account import session_path
from publisher.telegram.errors import telegram_name
from publisher.telegram.peers import find_peer
from publisher.telegram.reading import post_rights
from publisher.workers import Workers

ALPHABET = "АаБбЁёЖжЩщЫыЭэЯяQqWwZz0123456789«»—–…№₽!?"


@dataclass(frozen=True)
class Finding:
    ok: bool
    what: str
    found: str
    remedy: str = ""


async def preflight(config: Path, *, offline: bool) -> list[Finding]:
    """Every check in turn; a check that breaks is a finding and does not hide the next."""
    try:
        settings = load_settings(config)
    except ConfigError as error:
        return [Finding(False, "config", f"{p.key}: {p.message}") for p in error.problems]
    secrets = load_secrets()
    findings = [Finding(True, "config", f"{config}, {len(settings.channels)} channels")]
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
        return Finding(False, what, f"{type(error).__name__}: {error}")


def model(settings: Settings) -> Finding:
    given = settings.model.path
    path = settings.path(given) if given else embedded_model_path()
    try:
        header = read_header(path)
    except ModelError as error:
        return Finding(False, "model", str(error), "see model.path in config.toml")
    size = f"{header.parameters / 1e6:.0f} M parameters, {header.file_bytes / 2**20:.0f} MiB"
    return Finding(True, "model", f"{header.name}, {size}")


def templates(settings: Settings) -> Finding:
    dirs = [settings.path(d) for d in settings.memes.templates]
    problems = check_templates(*dirs)
    if problems:
        return Finding(False, "templates", "; ".join(problems), "mend or remove that template")
    return Finding(True, "templates", f"{len(load_templates(*dirs))} templates")


def fonts() -> Finding:
    wanted = {ord(letter) for letter in ALPHABET}
    spare = coverage(FALLBACK)
    lacking = [name for name in FONTS if wanted - coverage(name) - spare]
    if lacking:
        return Finding(False, "fonts", f"letters missing in {lacking}", "install the package again")
    return Finding(True, "fonts", f"{len(FONTS)} fonts, Cyrillic and Latin")


def inbox(settings: Settings) -> Finding:
    folder = settings.path(settings.inbox.folder)
    if not folder.is_dir():
        return Finding(False, "inbox", f"{folder} is not there", f"mkdir {folder}")
    count = sum(1 for p in folder.iterdir() if p.is_file())
    return Finding(True, "inbox", f"{folder}, {count} files waiting")


def database(settings: Settings, secrets: Secrets) -> Finding:
    daemon.open_settings_ledger(settings, secrets, daemon.utc_now())
    scheme = settings.database.url.split(":", 1)[0]
    return Finding(True, "database", f"{scheme}, schema {schema_version()}")


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
        return [Finding(False, "session", f"{session.name}: {error}", "publisher login")]


async def _signed_in(services: Services) -> AsyncIterator[Finding]:
    me = await services.account.client.get_me()
    yield Finding(True, "session", f"{me.first_name} (id {me.id})")
    if services.bot:
        bot = await services.bot.client.get_me()
        yield Finding(True, "bot", f"@{bot.username}")
    elif services.settings.bot.enabled:
        remedy = "set TELEGRAM_BOT_TOKEN, or bot.enabled = false"
        yield Finding(False, "bot", "there is no token", remedy)
    for channel in sync_channels(services):
        try:
            peer = await find_peer(services.account, channel.handle, services.clock())
            rights = await post_rights(services.account, peer)
        except Exception as error:
            yield Finding(False, f"@{channel.handle}", telegram_name(error), "is the name right?")
            continue
        remedy = "make the account an administrator who may post"
        yield Finding(rights.may_post, f"@{channel.handle}", rights.reason or "may post", remedy)
