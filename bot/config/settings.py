"""The sections of the configuration file, each setting with what it is for. The documentation is generated from
them.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot.config.secret import SecretReference, secret
from bot.model import Risk
from bot.policy import EVERYONE, Rules
from bot.scope import Scopes
from bot.slack.settings import SlackSettings
from bot.xapi.settings import PoolSettings

ChangeRisk = Literal["routine", "disruptive", "destructive"]
DEFAULT_APPROVALS: dict[ChangeRisk, int] = {"routine": 1, "disruptive": 1, "destructive": 2}

_PERSON = re.compile(r"[UWS][A-Z0-9]{2,}\Z|os:[\w.-]+\Z")


def _person(name: str) -> str:
    if name != EVERYONE and not _PERSON.match(name):
        raise ValueError("a person is a Slack user id (U…), a user group id (S…), or a login as “os:name”")
    return name


Person = Annotated[str, AfterValidator(_person)]


def _setting(description: str, default: Any = ..., **limits: Any) -> Any:
    """A setting and what it is for, in one sentence or two."""
    return Field(default, description=description, **limits)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BotSection(_Section):
    """The bot itself."""

    database: Path = _setting("The SQLite file that holds requests and the ledger.", Path("xenia.sqlite3"))
    ledger_key: SecretReference | None = _setting(
        "Key of the ledger's hash chain. Without it, whoever can write the file can make the whole chain anew.", None
    )
    sandbox: bool = _setting(
        "This is the pretend lab: `--as` works. Refused unless Slack and every pool are on the loopback address.", False
    )


class SlackSection(_Section):
    """The Slack workspace."""

    bot_token: SecretReference = _setting("Bot token (`xoxb-…`).")
    app_token: SecretReference | None = _setting("App-level token (`xapp-…`) for Socket Mode.", None)
    signing_secret: SecretReference | None = _setting("Signing secret for HTTP mode.", None)
    mode: Literal["socket", "http"] = _setting("How Slack reaches the bot.", "socket")
    team: str = _setting("Id of the workspace (`T…`); needed for requests from the terminal.", "")
    command: str = _setting("The slash command.", "/xen", pattern=r"^/[a-z0-9_-]{1,31}$")
    api_url: str = _setting("Slack's Web API; only the sandbox has another.", "https://slack.com/api/")
    http_address: str = _setting("HTTP mode: where to listen, behind a proxy that speaks TLS.", "127.0.0.1")
    http_port: int = _setting("HTTP mode: the port.", 3000, ge=0, le=65535)


class PolicySection(_Section):
    """Who may do what. People are Slack user ids (`U…`) or user groups (`S…`)."""

    operators: frozenset[Person] = _setting("People who may ask for changes.")
    approvers: frozenset[Person] = _setting("People who may approve them (and ask for them).")
    readers: frozenset[Person] = _setting(
        "People who may look besides; `everyone` is every full member of the workspace.", frozenset()
    )
    approvals: dict[ChangeRisk, Annotated[int, Field(ge=0, le=10)]] = _setting(
        "How many different approvers each risk needs; 0: none.", dict(DEFAULT_APPROVALS)
    )
    self_approval: bool = _setting("May people approve what they asked for themselves?", False)
    expiry_minutes: int = _setting("How long a request waits for a decision.", 60, ge=1, le=7 * 24 * 60)


class PoolSection(_Section):
    """One pool; its name here is what people type after `in`."""

    hosts: tuple[str, ...] = _setting("Addresses of the pool's hosts; any one finds the others.", min_length=1)
    username: str = _setting("XenAPI account.", "root")
    password: SecretReference = _setting("Its password.")
    fingerprints: tuple[str, ...] = _setting(
        "SHA-256 fingerprints of the hosts' certificates: only these are trusted.", ()
    )
    ca_file: Path | None = _setting("Certificates are verified against these authorities.", None)
    verify: bool = _setting("false: trust any certificate. `pool status` shows it as a weakness.", True)
    allow_tls1: bool = _setting("Accept TLS 1.0 (XenServer 6.5 and older); only with fingerprints.", False)
    plain_http: bool = _setting("Speak plain HTTP: the password can be read on the way. `pool status` shows it.", False)
    address_map: dict[str, str] = _setting(
        "Host addresses as the pool knows them → where the bot reaches them (NAT, tunnels).", {}
    )
    approvals_channel: str = _setting(
        "Channel id where requests for this pool are decided; empty: where they are asked.", ""
    )


class ChannelSection(_Section):
    """A Slack channel, by its id."""

    pools: tuple[str, ...] | None = _setting("Only these pools can be named here.", None)
    default: str | None = _setting("The pool that is meant when none is named.", None)


class PersonSection(_Section):
    """A person, by Slack user id."""

    default: str = _setting("The pool that is meant when neither the command nor the channel says.")


class Settings(_Section):
    """The whole file."""

    bot: BotSection = BotSection()
    slack: SlackSection
    policy: PolicySection
    pools: dict[Annotated[str, Field(pattern=r"^[\w.-]{1,60}$")], PoolSection] = Field(min_length=1)
    channels: dict[str, ChannelSection] = {}
    people: dict[str, PersonSection] = {}
    terminal: dict[str, str] = _setting(
        "Logins of the bot's host → Slack user ids: who it is that acts with `xenia cmd`.", {}
    )

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        for channel, section in self.channels.items():
            named = {*(section.pools or ()), *((section.default,) if section.default else ())}
            if unknown := named - self.pools.keys():
                raise ValueError(
                    f"channels.{channel} names pools that are not configured: {', '.join(sorted(unknown))}"
                )
            if section.pools is not None and section.default and section.default not in section.pools:
                raise ValueError(f"channels.{channel}: its default pool {section.default} is not among its pools")
        for person, choice in self.people.items():
            if choice.default not in self.pools:
                raise ValueError(f"people.{person}: there is no pool {choice.default}")
        if self.slack.mode == "socket" and self.slack.app_token is None:
            raise ValueError("slack: Socket Mode needs app_token")
        if self.slack.mode == "http" and self.slack.signing_secret is None:
            raise ValueError("slack: HTTP mode needs signing_secret")
        if self.bot.sandbox and (outside := self._outside()):
            raise ValueError(f"bot.sandbox is only for the pretend lab, but {outside} is not on the loopback address")
        return self

    def _outside(self) -> str:
        """The first thing that is not on this machine; "" when everything is."""
        ends = {"slack.api_url": self.slack.api_url.partition("//")[2].partition("/")[0]}
        for name, pool in self.pools.items():
            ends |= {f"pools.{name}": pool.address_map.get(host, host) for host in pool.hosts}
            ends |= {f"pools.{name} ({host})": end for host, end in pool.address_map.items()}
        return next((name for name, end in ends.items() if not _is_loopback(end)), "")

    # --- for the parts ------------------------------------------------------------------------------------------------

    def rules(self) -> Rules:
        return Rules(
            operators=frozenset(self.policy.operators),
            approvers=frozenset(self.policy.approvers),
            readers=frozenset(self.policy.readers),
            approvals={Risk(risk): count for risk, count in self.policy.approvals.items()},
            self_approval=self.policy.self_approval,
            expiry_seconds=self.policy.expiry_minutes * 60,
        )

    def scopes(self) -> Scopes:
        return Scopes(
            channel_pools={name: each.pools for name, each in self.channels.items() if each.pools is not None},
            channel_default={name: each.default for name, each in self.channels.items() if each.default},
            person_default={name: each.default for name, each in self.people.items()},
            approvals_channel={name: each.approvals_channel for name, each in self.pools.items()},
        )

    def slack_settings(self) -> SlackSettings:
        named = self.policy.operators | self.policy.approvers | self.policy.readers
        return SlackSettings(
            bot_token=secret(self.slack.bot_token),
            app_token=secret(self.slack.app_token) if self.slack.app_token else None,
            signing_secret=secret(self.slack.signing_secret) if self.slack.signing_secret else None,
            mode=self.slack.mode,
            command=self.slack.command,
            team_id=self.slack.team,
            groups=tuple(sorted(name for name in named if name.startswith("S"))),
            base_url=self.slack.api_url,
            http_address=self.slack.http_address,
            http_port=self.slack.http_port,
        )

    def pool_settings(self) -> tuple[PoolSettings, ...]:
        return tuple(
            PoolSettings(
                name=name,
                addresses=each.hosts,
                username=each.username,
                password=secret(each.password),
                fingerprints=each.fingerprints,
                ca_file=each.ca_file,
                verify=each.verify,
                allow_tls1=each.allow_tls1,
                plain_http=each.plain_http,
                address_map=each.address_map,
            )
            for name, each in self.pools.items()
        )


def _is_loopback(end: str) -> bool:
    """`127.0.0.1:80`, `[::1]:443`, `localhost`."""
    host = urlsplit(f"//{end}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
