"""All that speaks for or against a host's joining a pool: the toolstack's checks in its order, then ours.

Order, codes and versions are those of `pool.join` (xapi), which stops at the first that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.rules.clocks import Interval
from bot.rules.join import advice, networks, processors, settings, software, state, trust
from bot.rules.join.side import Row, Sides

_One = Callable[[Sides], Row | None]
_Some = Callable[[Sides], Iterator[Row]]

_BEFORE: tuple[_One, ...] = (
    state.pooling,
    state.pool_size,
    state.booted,
    state.own_ha,
    state.clustering,
    networks.cluster_network,
    state.pool_ha,
    state.same_pool,
    state.alone,
    state.running,
    state.busy,
    state.guidance,
    software.product,
    software.build,
)
_BETWEEN: tuple[_One, ...] = (trust.shared_storage,)
_AFTER: tuple[_One, ...] = (
    networks.management_vlan,
    trust.external_auth,
    trust.editions,
    networks.backend,
    networks.controller,
    software.api,
    software.schema,
    software.same_updates,
    networks.address_type,
    networks.nbd,
    trust.tls_verification,
    trust.ca_certificates,
    trust.trusted_certificates,
    state.updating,
    software.drivers,
)
_ADVICE: tuple[_One, ...] = (
    advice.size,
    state.paused,
    advice.uuids,
    advice.iqn,
    software.update_level,
    software.parts,
    advice.enabled,
    advice.static_address,
    advice.nics,
    advice.aggregated,
    advice.mtu,
    advice.multipathing,
    settings.settings,
    advice.default_storage,
    advice.names,
)


def toolstack(sides: Sides) -> tuple[Row, ...]:
    """What pool.join asks, as far as it applies to the host's version."""
    ones: tuple[tuple[_One, ...] | _Some, ...] = (
        _BEFORE,
        processors.processors,
        _BETWEEN,
        networks.virtual,
        _AFTER,
    )
    found: list[Row] = []
    for each in ones:
        if isinstance(each, tuple):
            found += [row for check in each if (row := check(sides)) is not None]
        else:
            found += each(sides)
    return tuple(found)


def rows(sides: Sides, apart: Interval | None, clock_unread: str = "") -> tuple[Row, ...]:
    """Everything. `apart` is how far the host's clock is ahead of the coordinator's, None when that is not known."""
    more = [row for check in _ADVICE if (row := check(sides)) is not None]
    more.insert(len(more) - 2, advice.clock(sides, apart, clock_unread))
    return (*toolstack(sides), *more, *processors.forecast(sides))
