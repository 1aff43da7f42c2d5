"""What a broken conversation with a host proves about the request: these say it, and nothing else does."""

from __future__ import annotations


class Broken(Exception):
    """The host `address` gave no answer. `why` continues "the host …" in plain words; `remedy` says what to do.
    `absent`: nothing took as much as a connection there. What did, and was not understood or not trusted, is a host
    that runs.
    """

    def __init__(self, address: str, why: str, *, remedy: str = "", absent: bool = False) -> None:
        super().__init__(f"{address} {why}")
        self.absent = absent
        self.address = address
        self.why = why
        self.remedy = remedy


class NotSent(Broken):
    """Not one byte of the request left: the host cannot have taken it."""


class PartlySent(Broken):
    """The connection broke before the whole request was handed over."""


class AnswerLost(Broken):
    """The whole request was handed over; whether the host took it is not known."""

    def __init__(self, address: str, why: str, *, remedy: str = "", timed_out: bool = False) -> None:
        super().__init__(address, why, remedy=remedy)
        self.timed_out = timed_out


class Strange(AnswerLost):
    """An answer came, and it is not XenAPI."""


class TooMuch(AnswerLost):
    """An answer came that is larger than any that is read."""


def timed_out(broken: Broken) -> bool:
    """Was the answer waited for in vain?"""
    return isinstance(broken, AnswerLost) and broken.timed_out
