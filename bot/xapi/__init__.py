"""Pools over XenAPI: XenServer 5.6 to 8 and XCP-ng, through the official client."""

from bot.xapi.pools import XapiPools
from bot.xapi.settings import PoolSettings

__all__ = ["PoolSettings", "XapiPools"]
