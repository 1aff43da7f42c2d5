"""What a workspace is set up with: its names, its tokens, the app's scopes and commands, and the switches."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

# The scopes of an app that does everything this workspace offers (Slack docs: scopes).
ALL_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "pins:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)

ALL_EVENTS = ("app_home_opened", "app_mention", "message.im")


@dataclass(frozen=True)
class SlashCommand:
    """One slash command as the app's manifest declares it."""

    command: str
    description: str
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class Switches:
    """Behaviour that Slack does not document well enough to be sure of, or that a test wants otherwise.

    The block kit rules that are least certain are switched by name, see `blockkit.limits`.
    """

    rate_limits: bool = True
    post_burst: int = 10  # messages a channel takes at once before 1/s applies; Slack: "short bursts", no figure
    smart_quotes: bool = False  # typed quotes and dashes as macOS and iOS change them
    slash_text_entities: bool = False  # whether `&`, `<`, `>` in a command's text arrive as entities
    names_in_mrkdwn: bool = True  # verbatim:false also turns #names and @here into mentions
    home_tab: bool = True
    messages_tab: bool = True
    interactive_accepts_payload: bool = False  # accepts_response_payload of block_actions; samples differ
    ticket_once: bool = True  # a Socket Mode ticket opens one connection
    scheduled_days: int = 120
    block_rules_off: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settings:
    """A workspace's fixed facts. Secrets are new for every workspace unless given."""

    team_id: str = "T0EXAMPLE"
    team_name: str = "Example Infra"
    team_domain: str = "example-infra"
    app_id: str = "A0XENIA"
    bot_user_id: str = "U0XENIA"
    bot_id: str = "B0XENIA"
    bot_name: str = "xenia"
    bot_real_name: str = "Xenia"
    scopes: tuple[str, ...] = ALL_SCOPES
    app_scopes: tuple[str, ...] = ("connections:write",)
    events: tuple[str, ...] = ALL_EVENTS
    commands: tuple[SlashCommand, ...] = (
        SlashCommand("/xen", "Run XenServer and XCP-ng pools", "help | pool status | vm migrate VM to HOST"),
    )
    switches: Switches = field(default_factory=Switches)
    request_url: str | None = None  # HTTP delivery when given, Socket Mode otherwise
    request_ca: Path | None = None  # PEM of the authority that the request URL's certificate is checked with
    ping_seconds: float = 10.0  # how often Slack pings on a Socket Mode connection; the pace is ours
    connection_seconds: float = 18060  # life of one Socket Mode connection (hello's approximate_connection_time)
    bot_token: str = field(default_factory=lambda: f"xoxb-sandbox-{secrets.token_hex(12)}", repr=False)
    app_token: str = field(default_factory=lambda: f"xapp-1-sandbox-{secrets.token_hex(12)}", repr=False)
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)

    def command(self, name: str) -> SlashCommand | None:
        return next((known for known in self.commands if known.command == name), None)
