"""Running the channel: run, check, login, status, job, report."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path

import click
from telethon import TelegramClient, errors

from jobs.report import report as report_job
from jobs.report import week_range
from jobs.runner import run_job
from jobs.services import Services
from jobs.table import JOBS
from publisher import daemon
from publisher.commands.connected import services_of
from publisher.commands.context import (
    CONFIG,
    JSON,
    Refusal,
    language,
    plain_errors,
    print_json,
    run_async,
    settings_of,
    tell,
)
from publisher.commands.preflight import preflight
from publisher.ledger.database import copy_sqlite, open_ledger, sqlite_path
from publisher.ledger.models import JobRun
from publisher.lock import sole_owner
from publisher.sentences import in_language, joined, words
from publisher.settings import Settings, load_secrets
from publisher.state import state_of, state_text
from publisher.telegram.account import find_server, make_key_anew
from publisher.telegram.client import make_client
from publisher.telegram.errors import WAY_TROUBLE, telegram_name


@click.command()
@CONFIG
@click.option("--log-level", default="INFO", show_default=True, help="DEBUG, INFO, WARNING, ERROR.")
@plain_errors
def run(config: Path, log_level: str) -> None:
    """Run the daemon until SIGTERM. systemd starts this; see systemd/publisher.service."""
    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("telethon").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    asyncio.run(daemon.run_daemon(settings_of(config), load_secrets()))


@click.command()
@CONFIG
@JSON
@click.option("--offline", is_flag=True, help="Leave out what needs Telegram.")
@plain_errors
def check(config: Path, as_json: bool, offline: bool) -> None:
    """Look whether everything is ready to run, one line each, with what to do.

    Exits with 1 when something is not.
    """
    findings = run_async(preflight(config, offline=offline))
    if as_json:
        print_json([vars(f) for f in findings])
    else:
        for finding in findings:
            mark = "✓" if finding.ok else "✗"
            parts = [f"{mark} {finding.what}: ", finding.found]
            if not finding.ok and finding.remedy:
                parts += ["  → ", finding.remedy]
            tell(joined("", parts))
    if not all(f.ok for f in findings):
        raise SystemExit(1)


@click.command()
@CONFIG
@click.option("--phone", help="Instead of telegram.phone in the configuration.")
@plain_errors
def login(config: Path, phone: str | None) -> None:
    """Sign the user account in: Telegram sends a code, you type it here.

    The session is kept in var/sessions/, readable by you alone. Do it once.
    """
    settings = settings_of(config)
    with sole_owner(settings.state):
        run_async(_login(settings, phone or settings.telegram.phone))


async def _login(settings: Settings, phone: str) -> None:
    secret = load_secrets().api_hash
    api_hash = secret.get_secret_value() if secret else ""
    daemon.check_api_keys(settings, api_hash)
    client = make_client(settings, api_hash, "user", bot=False)
    phone = phone or _ask(words("Phone, with the country's code"))
    timeout = settings.telegram.request_timeout_seconds
    try:
        if not await find_server(client, timeout, asyncio.sleep):
            tell(words("the server has forgotten the old session; this is a new one"))
            await make_key_anew(client, timeout)
        if not await client.is_user_authorized():
            await _sign_in(client, phone)
        me = await client.get_me()
        tell(words("signed in as {name} (id {id})", name=me.first_name, id=me.id))
    except errors.RPCError as error:
        raise Refusal(words("Telegram refuses: {why}", why=telegram_name(error))) from error
    except WAY_TROUBLE as error:
        raise Refusal(
            words("Telegram is out of reach, or not understood: {why}", why=telegram_name(error))
        ) from error
    finally:
        await client.disconnect()


async def _sign_in(client: TelegramClient, phone: str) -> None:
    try:
        await client.send_code_request(phone)
    except errors.PhoneNumberInvalidError:
        raise Refusal(
            words("«{phone}» is not a phone Telegram knows; write it like +7…", phone=phone)
        ) from None
    for _ in range(3):
        code = _ask(words("Code from Telegram")).strip()
        try:
            await client.sign_in(phone, code)
            return
        except errors.PhoneCodeInvalidError:
            tell(words("that is not the code; look again"), err=True)
        except errors.PhoneCodeExpiredError:
            raise Refusal(words("the code has expired; run login again")) from None
        except errors.SessionPasswordNeededError:
            password = _ask(words("Two-step verification password"), hidden=True)
            await client.sign_in(password=password)
            return
    raise Refusal(words("three wrong codes; wait a little and run login again"))


def _ask(question: str, *, hidden: bool = False) -> str:
    return str(click.prompt(in_language(question, language()), hide_input=hidden))


@click.command()
@CONFIG
@JSON
@plain_errors
def status(config: Path, as_json: bool) -> None:
    """What is queued, what was posted, what is failing, how the experiment stands."""
    services = services_of(config)
    state = state_of(services, daemon.utc_now())
    if as_json:
        print_json(state)
    else:
        click.echo(state_text(state, services.settings.language))


@click.command()
@CONFIG
@click.argument("name", type=click.Choice(sorted(JOBS)))
@click.option("--dry-run", is_flag=True, help="Work on a copy of the ledger and send nothing.")
@plain_errors
def job(config: Path, name: str, dry_run: bool) -> None:
    """Run one job now.

    The daemon must not be running: one process holds a session file.
    """
    settings = settings_of(config)
    with sole_owner(settings.state):
        result = run_async(_job(config, name, dry_run))
    tell(result.note or words("nothing to do"))
    if not result.ok:
        raise SystemExit(1)


async def _job(config: Path, name: str, dry_run: bool) -> JobRun:
    services = services_of(config)
    with tempfile.TemporaryDirectory(prefix="publisher-dry-run-") as folder:
        if dry_run:
            _rehearse(services, Path(folder))
        if JOBS[name].telegram:
            await daemon.connect_accounts(services)
        if dry_run:
            for account in filter(None, (services.user, services.bot)):
                account.rehearsal = []
        try:
            run = await run_job(services, name, services.clock())
        finally:
            services.workers.close()
            await daemon.disconnect_accounts(services)
        for account in filter(None, (services.user, services.bot)):
            for line in account.rehearsal or ():
                tell(words("would send: {what}", what=line))
    return run


def _rehearse(services: Services, folder: Path) -> None:
    """Put a copy of the ledger in the ledger's place."""
    settings = services.settings
    if not settings.database.url.startswith("sqlite"):
        raise Refusal(words("a dry run copies the ledger, and only SQLite can be copied"))
    copy_sqlite(sqlite_path(settings.database.url, settings.root), folder / "ledger.db")
    open_ledger(f"sqlite:////{folder}/ledger.db", folder)
    services.dry_run = True


@click.command()
@CONFIG
@click.option("--week", help="Like 2026-W47; the last full week if left out.")
@click.option("--out", type=click.Path(path_type=Path), help="Instead of the reports folder.")
@plain_errors
def report(config: Path, week: str | None, out: Path | None) -> None:
    """Write a week's report: HTML, Markdown, JSON, CSVs and figures."""
    services = services_of(config)
    if out:
        services.settings = services.settings.model_copy(update={"reports_dir": str(out)})
    moment = daemon.utc_now()
    if week:
        moment = week_range(week, services.settings.zone)[1]
    tell(run_async(report_job(services, moment)))
