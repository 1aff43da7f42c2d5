"""Which calls only read. A call that is not recognised here is never sent by a plan."""

from __future__ import annotations

# Calls that answer a question without changing the pool, beside the getters. SR.probe and SR.probe_ext look at a
# storage server for a moment and leave nothing behind; the ha_compute_… calls refresh derived fields only.
_QUESTIONS = frozenset({
    "SR.assert_can_host_ha_statefile",
    "SR.probe",
    "SR.probe_ext",
    "VM.query_data_source",
    "host.has_extension",
    "host.is_in_emergency_mode",
    "host.list_timezones",
    "host.query_data_source",
    "message.get",
    "pool.check_update_readiness",
    "pool.ha_failover_plan_exists",
    "pool.has_extension",
    "pool.is_slave",
})  # fmt: skip
_PREFIXES = ("get_", "assert_", "compute_", "ha_compute_")
# What even reading would give away.
_SECRET = frozenset({"VTPM.get_contents", "secret"})


def is_read_only(call: str) -> bool:
    """Is it a getter, a check, a computation or a listed question? `Async.` forms never are: they make tasks."""
    cls, _, message = call.partition(".")
    if not cls or not message or "." in message or cls == "Async" or cls in _SECRET or call in _SECRET:
        return False
    return call in _QUESTIONS or message.startswith(_PREFIXES)
