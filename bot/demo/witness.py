"""A second XenAPI client in the tour, who shares nothing with the bot."""

from __future__ import annotations

import XenAPI

from bot.demo.lab import Demo


class Witness:
    """A second client of the pool, which shares nothing with the bot."""

    def __init__(self, running: Demo, name: str) -> None:
        pool = running.lab.pools[name]
        url = running.lab.hosts[pool["coordinator"]]
        self._session = XenAPI.Session(url, ignore_ssl=True)
        self._session.xenapi.login_with_password(running.lab.username, running.lab.password, "1.0", "witness")

    def __enter__(self) -> Witness:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.xenapi.session.logout()

    def host_of(self, vm: str) -> str:
        """The host that it runs on; "" when it does not run."""
        xenapi = self._session.xenapi
        (ref,) = xenapi.VM.get_by_name_label(vm)
        row = xenapi.VM.get_record(ref)
        return str(xenapi.host.get_name_label(row["resident_on"])) if row["power_state"] == "Running" else ""

    def hosts(self) -> set[str]:
        """The hosts that are enabled and alive."""
        xenapi = self._session.xenapi
        rows = xenapi.host.get_all_records().values()
        return {
            str(row["name_label"]) for row in rows if row["enabled"] and xenapi.host_metrics.get_live(row["metrics"])
        }

    def start(self, vm: str) -> None:
        xenapi = self._session.xenapi
        (ref,) = xenapi.VM.get_by_name_label(vm)
        xenapi.VM.start(ref, False, False)

    def migrate(self, vm: str, host: str) -> None:
        xenapi = self._session.xenapi
        (ref,), (target,) = xenapi.VM.get_by_name_label(vm), xenapi.host.get_by_name_label(host)
        xenapi.VM.pool_migrate(ref, target, {"live": "true"})

    def other_host(self, host: str) -> str:
        names = [str(record["name_label"]) for record in self._session.xenapi.host.get_all_records().values()]
        return next(name for name in names if name != host)
