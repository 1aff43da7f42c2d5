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
from bot.config.operation import BackupsSection, RetentionSection, WatchSection
from bot.config.policy import PolicySection
from bot.config.pools import HostSection, PoolSection
from bot.config.secret import ConfigError, SecretReference, secret
from bot.config.section import Channel, Section, setting
from bot.policy import Rules
from bot.scope import Scopes
from bot.slack.settings import SlackSettings
from bot.xapi.settings import PoolSettings

User = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,}$")]
Name = Annotated[str, Field(pattern=r"^[\w.-]{1,60}$")]


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
    former_ledger_keys: tuple[SecretReference, ...] = setting(
        "Keys that `ledger_key` has replaced, as long as rows sealed with them are to be verified.", ()
    )
    heads_channel: Channel = setting(
        "Channel id where the ledger's newest row number and hash are posted once a day; empty: nowhere. Who keeps them"
        " can tell later whether the record was changed.",
        "",
    )
    timezone: Zone = setting("Time zone of the times that people type without one.", "UTC")
    runs_on: str = setting(
        "The VM or host of a pool that the bot itself runs on, by name or uuid; whoever shuts its pool down has to name"
        " it. Empty: none of them.",
        "",
    )
    log: Literal["plain", "json"] = setting(
        "How the log is written: a line of text or a JSON object a message.", "plain"
    )
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
    backups: BackupsSection = BackupsSection()
    pools: dict[Name, PoolSection] = Field(min_length=1)
    hosts: dict[Name, HostSection] = setting("Hosts that are in no pool (yet), by the names that people type.", {})
    secrets: dict[Name, SecretReference] = setting("Other secrets that commands can name, as `secrets.NAME`.", {})
    channels: dict[Channel, ChannelSection] = setting("Slack channels, by their ids.", {})
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

    def secret(self, name: str) -> str:
        """The value of a secret that a step names: `pools.NAME.password`, `hosts.NAME.password` or `secrets.NAME`.

        :raises ConfigError: the configuration has none of that name, or it cannot be read.
        """
        section, _, rest = name.partition(".")
        owners: dict[str, dict[str, str]] = {
            "pools": {f"{each}.password": found.password for each, found in self.pools.items()},
            "hosts": {f"{each}.password": found.password for each, found in self.hosts.items()},
            "secrets": dict(self.secrets),
        }
        reference = owners.get(section, {}).get(rest)
        if reference is None:
            raise ConfigError(
                f"The configuration has no secret {name}.", remedy="Name it there, or ask for the change again."
            )
        return secret(reference)()

    def host_settings(self) -> tuple[PoolSettings, ...]:
        """:raises UserError: a host's settings contradict each other."""
        return tuple(each.values(name) for name, each in self.hosts.items())

    def pool_settings(self) -> tuple[PoolSettings, ...]:
        """:raises UserError: a pool's settings contradict each other."""
        return tuple(each.values(name) for name, each in self.pools.items())
