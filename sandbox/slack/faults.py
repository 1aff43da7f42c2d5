"""Misbehaviour on demand: what Slack or the network does to an app on a bad day."""

from dataclasses import dataclass
from typing import Any

from sandbox.slack.errors import Refused

# Faults of Web API calls (`method` names one, or `response_url`; without it any) and faults of deliveries to the app.
CALL_FAULTS = ("rate_limit", "error_500", "not_json", "drop_before", "drop_after", "delay")
DELIVERY_FAULTS = ("duplicate_envelope", "hold", "delay")
IMMEDIATE = ("disconnect", "release")


@dataclass
class Fault:
    """`count` more occasions of `what`; `seconds` is the Retry-After, or how late."""

    what: str
    method: str | None
    count: int
    seconds: float


class Faults:
    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, what: str, method: str | None, count: int, seconds: float) -> None:
        """Raises Refused for an unknown fault, or one that does not fit a method."""
        if what not in (*CALL_FAULTS, *DELIVERY_FAULTS):
            raise Refused(f"no such fault: {what}; there are {', '.join(all_faults())}")
        if method and what not in CALL_FAULTS:
            raise Refused(f"{what} happens to deliveries, not to Web API calls: leave out the method")
        if count < 1 or seconds < 0:
            raise Refused("count is at least 1 and seconds at least 0")
        self._waiting.append(Fault(what, method, count, seconds))

    def for_call(self, method: str) -> Fault | None:
        """The fault that meets this Web API call, used up once. A delay without a method is a delivery's."""
        for fault in self._waiting:
            fits = fault.method == method or (fault.method is None and fault.what != "delay")
            if fault.what in CALL_FAULTS and fits:
                return self._use(fault)
        return None

    def for_delivery(self, what: str) -> Fault | None:
        for fault in self._waiting:
            if fault.what == what and fault.method is None:
                return self._use(fault)
        return None

    def clear(self) -> None:
        self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        return [vars(fault) | {} for fault in self._waiting]

    def _use(self, fault: Fault) -> Fault:
        fault.count -= 1
        if not fault.count:
            self._waiting.remove(fault)
        return fault


def all_faults() -> tuple[str, ...]:
    return tuple(dict.fromkeys((*CALL_FAULTS, *DELIVERY_FAULTS, *IMMEDIATE)))
