"""The sections of the configuration file, each setting with what it is for. The documentation is generated from
them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from bot.config.audits import AuditsSection
from bot.config.operation import RetentionSection, WatchSection
from bot.config.policy import PolicySection
from bot.config.secret import SecretReference, secret
from bot.config.section import Section, setting
from bot.policy import Rules
from bot.scope import Scopes
from bot.slack.settings import SlackSettings
from bot.xapi.settings import PoolSettings

User = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,}$")]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"“{name}” is no time zone: give its name, as Europe/Amsterdam or UTC") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class BotSection(Section):
    """The bot itself."""

    database: Path = setting("The SQLite file that holds requests and the ledger.", Path("xenia.sqlite3"))
    ledger_key: SecretReference | None = setting(
        "Key of the ledger's hash chain. Without it, whoever can write the file can make the whole chain anew.", None
    )
    heads_channel: str = setting(
        "Channel id where the ledger's newest row number and hash are posted once a day; empty: nowhere. Who keeps them"
        " can tell later whether the record was changed.",
        "",
    )
    timezone: Zone = setting("Time zone of the times that people type without one.", "UTC")
    log: Literal["plain", "json"] = setting("How the log is written: a line of text or a JSON object a message.", "plain")
    retention: RetentionSection = RetentionSection()
    sandbox: bool = setting(
        "This is the pretend lab: `--as` works. Refused unless Slack and every pool are on the loopback address.", False
    )


class SlackSection(Section):
    """The Slack workspace."""

    bot_token: SecretReference = setting("Bot token (`xoxb-…`).")
    app_token: SecretReference | None = setting("App-level token (`xapp-…`) for Socket Mode.", None)
    signing_secret: SecretReference | None = setting("Signing secret for HTTP mode.", None)
    mode: Literal["socket", "http"] = setting("How Slack reaches the bot.", "socket")
    team: str = setting("Id of the workspace (`T…`); needed for requests from the terminal.", "")
    command: str = setting("The slash command.", "/xen", pattern=r"^/[a-z0-9_-]{1,31}$")
    api_url: str = setting("Slack's Web API; only the sandbox has another.", "https://slack.com/api/")
    http_address: str = setting("HTTP mode: where to listen, behind a proxy that speaks TLS.", "127.0.0.1")
    http_port: int = setting("HTTP mode: the port.", 3000, ge=0, le=65535)


class PoolSection(Section):
    """One pool; its name here is what people type after `in`."""

    hosts: tuple[str, ...] = setting("Addresses of the pool's hosts; any one finds the others.", min_length=1)
    username: str = setting("XenAPI account.", "root")
    password: SecretReference = setting("Its password.")
    fingerprints: tuple[str, ...] = setting(
        "SHA-256 fingerprints of the hosts' certificates: only these are trusted.", ()
    )
    ca_file: Path | None = setting("Certificates are verified against these authorities.", None)
    verify: bool = setting("false: trust any certificate. `pool status` shows it as a weakness.", True)
    allow_tls1: bool = setting("Accept TLS 1.0 (XenServer 6.5 and older); only with fingerprints.", False)
    plain_http: bool = setting("Speak plain HTTP: the password can be read on the way. `pool status` shows it.", False)
    address_map: dict[str, str] = setting(
        "Host addresses as the pool knows them → where the bot reaches them (NAT, tunnels).", {}
    )
    approvals_channel: str = setting(
        "Channel id where requests for this pool are decided; empty: where they are asked.", ""
    )

    def values(self, name: str) -> PoolSettings:
        """:raises UserError: the settings contradict each other."""
        return PoolSettings(
            name=name,
            addresses=self.hosts,
            username=self.username,
            password=secret(self.password),
            fingerprints=self.fingerprints,
            ca_file=self.ca_file,
            verify=self.verify,
            allow_tls1=self.allow_tls1,
            plain_http=self.plain_http,
            address_map=self.address_map,
        )


class ChannelSection(Section):
    """A Slack channel, by its id."""

    pools: tuple[str, ...] | None = setting("Only these pools can be named here.", None)
    default: str | None = setting("The pool that is meant when none is named.", None)


class PersonSection(Section):
    """A person, by Slack user id."""

    default: str = setting("The pool that is meant when neither the command nor the channel says.", "")
    one_time_code: SecretReference | None = setting(
        "Secret of the person's one-time codes (TOTP, base32), which their authenticator app has too.", None
    )


class Settings(Section):
    """The whole file."""

    bot: BotSection = BotSection()
    slack: SlackSection
    policy: PolicySection
    audits: AuditsSection = AuditsSection()
    pools: dict[Annotated[str, Field(pattern=r"^[\w.-]{1,60}$")], PoolSection] = Field(min_length=1)
    channels: dict[str, ChannelSection] = setting("Slack channels, by their ids.", {})
    people: dict[User, PersonSection] = setting("People, by their Slack user ids.", {})
    watch: WatchSection = WatchSection()
    terminal: dict[str, User] = setting(
        "Logins of the bot's host → Slack user ids: who it is that acts with `xenia cmd`.", {}
    )

    # --- for the parts ------------------------------------------------------------------------------------------------

    def rules(self) -> Rules:
        return self.policy.values()

    def scopes(self) -> Scopes:
        return Scopes(
            channel_pools={name: each.pools for name, each in self.channels.items() if each.pools is not None},
            channel_default={name: each.default for name, each in self.channels.items() if each.default},
            person_default={name: each.default for name, each in self.people.items() if each.default},
            approvals_channel={name: each.approvals_channel for name, each in self.pools.items()},
        )

    def codes(self) -> dict[str, Callable[[], str]]:
        """The secrets of people's one-time codes, by Slack user id."""
        return {name: secret(each.one_time_code) for name, each in self.people.items() if each.one_time_code}

    def slack_settings(self) -> SlackSettings:
        named = self.rules().mentioned
        return SlackSettings(
            bot_token=secret(self.slack.bot_token),
            app_token=secret(self.slack.app_token) if self.slack.app_token else None,
            signing_secret=secret(self.slack.signing_secret) if self.slack.signing_secret else None,
            mode=self.slack.mode,
            command=self.slack.command,
            team_id=self.slack.team,
            groups=tuple(sorted(name for name in named if name[:1] in ("S", "C", "G"))),
            base_url=self.slack.api_url,
            http_address=self.slack.http_address,
            http_port=self.slack.http_port,
        )

    def pool_settings(self) -> tuple[PoolSettings, ...]:
        """:raises UserError: a pool's settings contradict each other."""
        return tuple(each.values(name) for name, each in self.pools.items())
