"""What the clock audit tells, each with why it matters; the measuring is in :mod:`bot.audits.clock`."""

from __future__ import annotations

from bot.audits.rule import Declared
from bot.model import Level, ObjectId
from bot.rules.clocks import GRAVE, NOTICEABLE
from bot.rules.drift import UNSTEERED
from bot.text import duration

BOT = ObjectId("bot", "clock", "Xenia")
"""The subject of findings about the bot's own clock."""

UNREAD = Declared(
    id="clock.unread",
    level=Level.WARN,
    title="Every host tells its time",
    why="A host that cannot be asked is in trouble, or its certificate or account is.",
    source="XenAPI: host.get_servertime",
)
STEPPED = Declared(
    id="clock.stepped",
    level=Level.WARN,
    title="No clock jumps while it is measured",
    why="Something sets it again and again: two services fight over it, or NTP cannot hold it.",
    source="readings that no steady clock can give",
)
SKEW = Declared(
    id="clock.skew",
    level=Level.WARN,
    title=f"All clocks of a pool agree within {duration(NOTICEABLE)}",
    why="Certificates, logs and HA rest on one time. From"
    f" {duration(GRAVE)} on the finding is grave, and the pool raises HOST_CLOCK_SKEW_DETECTED itself.",
    source="host.get_servertime, several times at different phases of the second; audits.clock_seconds",
)
AGAINST_BOT = Declared(
    id="clock.bot",
    level=Level.WARN,
    title="The coordinator's clock agrees with the bot's",
    why="One of the two is wrong. Told only where no NTP server can say which.",
    source="host.get_servertime; audits.clock_seconds",
)
AGAINST_TRUTH = Declared(
    id="clock.true",
    level=Level.WARN,
    title="The coordinator's clock is right",
    why="A pool may agree within itself and be wrong all the same: certificates and one-time codes then fail.",
    source="host.get_servertime and NTP servers (audits.ntp_servers): the sum of both intervals",
)
OWN = Declared(
    id="clock.own",
    level=Level.WARN,
    title="The bot's own clock is right",
    why="Approvals expire, windows open and audits run by it.",
    source="NTP servers (audits.ntp_servers): offset, delay and root distance (RFC 5905)",
)
SERVERS = Declared(
    id="clock.servers",
    level=Level.INFO,
    title="The bot's NTP servers answer and agree",
    why="Without one that can be believed nobody knows which clock is right; that is a warning.",
    source="NTP servers (audits.ntp_servers); believed is what more than half of them share",
)
DRIFT = Declared(
    id="clock.drift",
    level=Level.WARN,
    title="Something keeps every clock in step",
    why=f"A clock that runs more than {UNSTEERED:.0f} ppm off (a second a day) is not steered by NTP: it will be wrong"
    " before long, though it may still be right today.",
    source="earlier measurements: the rates that fit all of them",
)

RULES = (UNREAD, STEPPED, SKEW, AGAINST_BOT, AGAINST_TRUTH, OWN, SERVERS, DRIFT)
