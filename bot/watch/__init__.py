"""What programs look at: whether the bot is well, whether it is ready, and its figures for Prometheus.

Nothing here is needed by the rest: it is fed by functions that the composition root hands over, and names no VM and no
person.
"""

from bot.watch.desk import WatchedDesk
from bot.watch.health import Health, Pulse
from bot.watch.meters import Meters, Others
from bot.watch.probe import Probe
from bot.watch.server import WatchServer

__all__ = ["Health", "Meters", "Others", "Probe", "Pulse", "WatchServer", "WatchedDesk"]
