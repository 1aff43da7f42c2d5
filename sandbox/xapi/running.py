"""A lab that runs: every host served, fate's hands on them, and the control server that outlives them.

with start(load("tutorial"), tls=True) as lab:
    session = XenAPI.Session(lab.hosts["xs1"], ignore_ssl=True)
    …
    lab.kill("xs1")
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.xapi import http_handlers
from sandbox.xapi import tls as certificates
from sandbox.xapi.connections import LOOPBACK, Switchboard
from sandbox.xapi.control import ControlServer, WrongRequest
from sandbox.xapi.estate import NOBODY, Estate
from sandbox.xapi.faults import HostFaults, When
from sandbox.xapi.hosts import Host
from sandbox.xapi.recording import Recording
from sandbox.xapi.server import HostServer
from sandbox.xapi.tls import Era
from sandbox.xapi.wire import json_rpc_of
from sandbox.xapi.world import Lab
from sandbox.xapi.worlds import worldfile

LIFE_WATCH_SECONDS = 0.1
"""How soon a host that the estate itself turns off or on (a reboot, a shutdown) stops or starts to be reachable."""


@dataclass(frozen=True)
class Options:
    """How a lab is served. `tls10` None means: TLS as the release had it; otherwise as a present host does, or TLS 1.0
    alone.
    """

    tls: bool = False
    tls10: bool | None = False
    record: Path | None = None
    speed: float = 1.0
    latency: float = 0.0
    """Seconds that every call takes longer, on the wall clock."""
    control_port: int = 0
    accounts: tuple[tuple[str, str], ...] = ()
    """Accounts besides root's, each with its role; they have root's password."""


@dataclass(frozen=True)
class _Served:
    estate: Estate
    uuid: str
    name: str
    server: HostServer
    fingerprint: str | None

    @property
    def host(self) -> Host:
        """The host as it is now: it may have joined another pool since the lab began."""
        return self.estate.hosts[self.uuid]


def start(
    lab: Lab,
    *,
    tls: bool = False,
    tls10: bool | None = False,
    record: Path | None = None,
    speed: float = 1.0,
    latency: float = 0.0,
    control_port: int = 0,
    accounts: Mapping[str, str] = NOBODY,
) -> RunningLab:
    """Serve every host of the lab on 127.0.0.1 (see `Options`). Raises OSError for a port or file it cannot have."""
    return RunningLab(lab, Options(tls, tls10, record, speed, latency, control_port, tuple(accounts.items())))


class RunningLab:
    """A lab whose hosts answer. Wherever a host is asked for, its name, address or uuid will do."""

    def __init__(self, lab: Lab, options: Options) -> None:
        self.lab = lab
        self.username, self.password = lab.username, lab.password
        self.estate = Estate(lab.pools, lab.username, lab.password, options.speed, lab.storage, dict(options.accounts))
        self._recording = Recording(options.record) if options.record else None
        self._stopped = threading.Event()
        self._lives = threading.Lock()
        self._switchboard = Switchboard()
        names = unique_names([(host.name, host.uuid) for host in self.estate.hosts.values()])
        self._served = {
            uuid: self._serve(host, name, options)
            for (uuid, host), name in zip(self.estate.hosts.items(), names, strict=True)
        }
        try:
            self._control = ControlServer(self, options.control_port)
        except OSError:
            self._end_hosts()
            raise
        for served in self._served.values():
            served.server.start()
        self._watcher = threading.Thread(target=self._watch_lives, name="xapi-lives", daemon=True)
        self._watcher.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End every host and the control server; calls in progress get no answer."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._watcher.join()
        self._control.stop()
        self._end_hosts()

    # What there is.

    @property
    def hosts(self) -> dict[str, str]:
        """Name → url. A name that several hosts share is followed by a part of the uuid."""
        return {served.name: served.server.url for served in self._served.values()}

    @property
    def fingerprints(self) -> dict[str, str]:
        """Name → SHA-256 of the certificate, as `aa:bb:…`; empty without TLS."""
        return {served.name: served.fingerprint for served in self._served.values() if served.fingerprint}

    @property
    def addresses(self) -> dict[str, str]:
        """Address in the database → `host:port` where it is served. Without those that hosts share or lack."""
        shared = Counter(served.host.address for served in self._served.values())
        return {
            served.host.address: f"{LOOPBACK}:{served.server.port}"
            for served in self._served.values()
            if served.host.address and shared[served.host.address] == 1
        }

    @property
    def pools(self) -> dict[str, dict[str, Any]]:
        """Name (of a nameless pool its coordinator's) → uuid, release, coordinator and hosts by name."""
        names: list[tuple[str, str]] = []
        described: list[dict[str, Any]] = []
        for pool in self.estate.pools:
            members = [s for s in self._served.values() if s.host.pool is pool and s.host.is_known]
            coordinator = next((served.name for served in members if served.host.is_coordinator), "")
            if not coordinator:  # it follows another by now, and these have not heard of it
                continue
            with pool.db.lock:
                name, uuid = pool.record["name_label"], pool.record["uuid"]
            twice = any(uuid == other for _, other in names)  # two hosts lead it: see `sandbox.xapi.emergency`
            names.append((coordinator if twice else name or coordinator, uuid))
            hosts = [served.name for served in members]
            described.append({"uuid": uuid, "release": pool.release, "coordinator": coordinator, "hosts": hosts})
        return dict(zip(unique_names(names), described, strict=True))

    @property
    def control(self) -> str:
        """The control server's url."""
        return self._control.url

    def ready(self) -> dict[str, Any]:
        """Everything that a client has to know, as it is printed when the lab is ready."""
        line = {
            "hosts": self.hosts,
            "username": self.username,
            "password": self.password,
            "control": self.control,
            "addresses": self.addresses,
            "pools": self.pools,
        }
        return {**line, "fingerprints": self.fingerprints} if self.fingerprints else line

    # What fate can do.

    def kill(self, host: str) -> None:
        """Its power fails: connections are refused, open ones break. Nothing if it is dead already."""
        served = self._find(host)
        with self._lives:
            self.estate.kill(served.host.uuid)
            served.server.kill()

    def start(self, host: str) -> None:
        """Power comes back, at the same port. Nothing if it is alive."""
        served = self._find(host)
        with self._lives:
            if not served.host.alive:
                self.estate.start(served.host.uuid)
            served.server.start()

    def pause(self, host: str) -> None:
        """It accepts connections and never answers, until `resume`."""
        self._find_alive(host).server.faults.pause()

    def resume(self, host: str) -> None:
        self._find(host).server.faults.resume()

    def drop(self, host: str, when: When, count: int = 1, method: str | None = None) -> None:
        """Cut the connection of the next `count` calls (of that method, as the client writes it), before the host
        takes them or after it has carried them out."""
        self._find(host).server.faults.drop(when, count, method)

    def slow(self, host: str, seconds: float, method: str | None = None) -> None:
        """Hold back answers (of that method) for so many seconds of the wall clock; 0 ends it."""
        self._find(host).server.faults.slow(seconds, method)

    def clock(self, host: str, offset: float, ppm: float = 0.0) -> None:
        """Set its clock wrong by `offset` seconds, from now on gaining `ppm` microseconds per second."""
        self._find(host).host.clock.set(offset, ppm)

    def set_speed(self, factor: float) -> None:
        """Simulated work takes its real time divided by `factor`."""
        self.estate.speed = factor

    def calls(self) -> Mapping[str, int]:
        """How often hosts took a call, by method."""
        return dict(self.estate.counts)

    def world(self) -> Any:
        """The lab as it is now, as `--world` loads it."""
        storage = self.estate.storage.declared(pool.db for pool in self.estate.pools)
        return worldfile.to_json(replace(self.lab, pools=tuple(self.estate.dump()), storage=storage))

    # Within.

    def _serve(self, host: Host, name: str, options: Options) -> _Served:
        context = fingerprint = None
        if options.tls or options.tls10:
            era = Era.TLS10 if options.tls10 else Era.PRESENT
            if options.tls10 is None:
                era = certificates.era_of(host.pool.release)
            certificate = certificates.certificate_of(name, host.address, era)
            context = certificates.server_context(certificate, era)
            fingerprint = certificate.fingerprint

        def toolstack(method: str, params: list[Any]) -> Any:
            return self.estate.call(host.uuid, method, params)

        def fetch(visit: http_handlers.Visit) -> bytes | None:
            return http_handlers.serve(self.estate.hosts[host.uuid], visit)

        server = HostServer(
            toolstack,
            self._switchboard,
            json_rpc=json_rpc_of(host.pool.release),
            tls=context,
            faults=HostFaults(options.latency),
            recording=self._recording,
            fetch=fetch,
        )
        return _Served(self.estate, host.uuid, name, server, fingerprint)

    def _find(self, wanted: str) -> _Served:
        found = [
            served
            for served in self._served.values()
            if wanted in (served.name, served.host.uuid, served.host.address, served.host.name)
        ]
        if len(found) > 1:
            raise WrongRequest(f"{wanted!r} may be any of {', '.join(served.name for served in found)}")
        if not found:
            raise WrongRequest(f"there is no host {wanted!r}; the hosts are {', '.join(self.hosts)}")
        return found[0]

    def _find_alive(self, wanted: str) -> _Served:
        served = self._find(wanted)
        if not served.host.alive:
            raise WrongRequest(f"{served.name} is dead")
        return served

    def _watch_lives(self) -> None:
        """What the estate does to a host's life shows at its address."""
        while not self._stopped.wait(LIFE_WATCH_SECONDS):
            for served in self._served.values():
                if served.host.alive != served.server.listening:
                    with self._lives:
                        if served.host.alive:
                            served.server.start()
                        else:
                            served.server.kill()

    def _end_hosts(self) -> None:
        for served in self._served.values():
            served.server.close()
        self.estate.close()
        self._switchboard.stop()
        if self._recording:
            self._recording.close()


def unique_names(named: Sequence[tuple[str, str]]) -> list[str]:
    """The names of (name, uuid) pairs, with a part of the uuid where a name is empty or not the only one."""
    often = Counter(name for name, _ in named)
    return [name if name and often[name] == 1 else f"{name or 'unnamed'}-{uuid[:8]}" for name, uuid in named]
