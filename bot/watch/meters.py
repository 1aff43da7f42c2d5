"""The bot's figures in a registry of their own: counted as things happen, or asked for when somebody looks.

Labels are commands, methods, states and the configuration's names of pools: few, and known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.errors import UserError
from bot.store.figures import Figures
from bot.xapi.pools import PoolSighting

_ANSWER_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
_ACKNOWLEDGE_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 2, 3)
"""Slack waits for three seconds."""


class Meters:
    """Counts. Each method may be called from any thread."""

    def __init__(self, version: str) -> None:
        self.registry = own = CollectorRegistry()
        Info("xenia", "The bot", registry=own).info({"version": version})
        ProcessCollector(registry=own)
        self._commands = Counter(
            "xenia_commands", "Commands, by what they were answered with", ("command", "outcome"), registry=own
        )
        self._seconds = Histogram(
            "xenia_command_seconds",
            "From taking a command up to its answer",
            ("command",),
            buckets=_ANSWER_SECONDS,
            registry=own,
        )
        self._acknowledged = Histogram(
            "xenia_acknowledgement_seconds",
            "From a delivery of Slack's to its acknowledgement",
            buckets=_ACKNOWLEDGE_SECONDS,
            registry=own,
        )
        self._votes = Counter("xenia_votes", "Approvals and rejections", ("ballot", "outcome"), registry=own)
        self._calls = Counter("xenia_pool_calls", "XenAPI calls", ("pool", "method", "outcome"), registry=own)
        self._call_seconds = Histogram(
            "xenia_pool_call_seconds", "XenAPI calls' time", ("pool",), buckets=_ANSWER_SECONDS, registry=own
        )

    def command(self, command: str, outcome: str, seconds: float) -> None:
        self._commands.labels(command, outcome).inc()
        self._seconds.labels(command).observe(seconds)

    def vote(self, ballot: str, outcome: str) -> None:
        self._votes.labels(ballot, outcome).inc()

    def acknowledged(self, seconds: float) -> None:
        self._acknowledged.observe(seconds)

    def pool_call(self, pool: str, method: str, outcome: str, seconds: float) -> None:
        self._calls.labels(pool, method, outcome).inc()
        self._call_seconds.labels(pool).observe(seconds)

    def ask(self, others: Others) -> None:
        """From now on they are asked whenever somebody looks."""
        self.registry.register(others)

    def page(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Others(Collector):
    """What others know. A database that cannot be asked is a figure too, and no failure of the page."""

    figures: Callable[[], Figures]
    pools: Callable[[], Iterable[PoolSighting]]
    connected: Callable[[], bool]
    running: Callable[[], int]

    def describe(self) -> Iterable[Metric]:
        return ()  # nothing is asked before somebody looks

    def collect(self) -> Iterator[Metric]:
        yield _gauge("xenia_slack_connected", "Whether Slack's deliveries can arrive", float(self.connected()))
        yield _gauge("xenia_requests_running", "Requests that this process runs", self.running())
        yield from _of_pools(self.pools())
        try:
            figures = self.figures()
        except UserError:
            yield _gauge("xenia_database_up", "Whether the database can be read", 0)
            return
        yield _gauge("xenia_database_up", "Whether the database can be read", 1)
        yield from _of_store(figures)


def _of_pools(pools: Iterable[PoolSighting]) -> Iterator[Metric]:
    up = GaugeMetricFamily("xenia_pool_up", "Whether the pool answered when it was asked last", labels=("pool",))
    read = GaugeMetricFamily("xenia_pool_read_timestamp_seconds", "When the pool was read last", labels=("pool",))
    for pool in pools:
        if pool.read_at is not None:
            read.add_metric((pool.name,), pool.read_at)
        if pool.read_at is not None or pool.trouble:
            up.add_metric((pool.name,), float(not pool.trouble))
    yield from (up, read)


def _of_store(figures: Figures) -> Iterator[Metric]:
    requests = GaugeMetricFamily("xenia_requests", "Requests on record, by state", labels=("state",))
    for state, count in figures.requests.items():
        requests.add_metric((state,), count)
    yield requests
    yield _gauge("xenia_outbox_waiting", "Messages that Slack does not show yet", figures.outbox_waiting)
    yield _gauge("xenia_outbox_oldest_seconds", "How long the oldest of them has waited", figures.outbox_oldest_seconds)
    lost = CounterMetricFamily("xenia_outbox_given_up", "Messages that can never be delivered")
    lost.add_metric((), figures.outbox_given_up)
    yield lost
    yield _gauge("xenia_ledger_rows", "Rows of the ledger, those in archives included", figures.ledger_rows)
    if figures.verified_at is not None:
        when = figures.verified_at.timestamp()
        yield _gauge("xenia_ledger_verified_timestamp_seconds", "When the ledger was verified last", when)
        yield _gauge("xenia_ledger_whole", "Whether it was whole then", float(not figures.flaw))


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)
