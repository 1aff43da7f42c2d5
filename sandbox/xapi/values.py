"""Values that need more than a Python type to be sent right: times, and the one 32-bit integer of XenAPI."""

import datetime
from typing import Any

NULL = "OpaqueRef:NULL"
EPOCH = "19700101T00:00:00Z"

Row = dict[str, Any]
"""One object's record, as JSON types: int, float, bool, str (also refs, enums and times), list, dict."""


class I4(int):
    """An integer that XML-RPC sends as `<i4>`. Only `valid_ref_counts` of `event.from` uses it."""


class Time(str):
    """A time as XenAPI writes it: `YYYYMMDDTHH:MM:SSZ`, in UTC, to whole seconds.

    It is a string, so records stay plain JSON; its type tells the wire to send `dateTime.iso8601`.
    A local time (`host.get_server_localtime`) has no `Z`.
    """

    __slots__ = ()

    @classmethod
    def of(cls, moment: datetime.datetime) -> "Time":
        """`moment` must know its zone."""
        return cls(moment.astimezone(datetime.UTC).strftime("%Y%m%dT%H:%M:%SZ"))

    @classmethod
    def at(cls, unix_seconds: float) -> "Time":
        return cls.of(datetime.datetime.fromtimestamp(unix_seconds, datetime.UTC))

    @classmethod
    def parse(cls, text: str) -> "Time":
        """Any of the ISO 8601 forms that xapi takes. Raises ValueError."""
        compact = text.strip()
        for form in _FORMS:
            try:
                moment = datetime.datetime.strptime(compact, form)
            except ValueError:
                continue
            zone = moment.tzinfo or datetime.UTC
            return cls.of(moment.replace(tzinfo=zone))
        raise ValueError(text)

    def unix(self) -> float:
        form = "%Y%m%dT%H:%M:%SZ" if self.endswith("Z") else "%Y%m%dT%H:%M:%S"
        return datetime.datetime.strptime(self, form).replace(tzinfo=datetime.UTC).timestamp()


_FORMS = tuple(
    date + time + zone
    for date in ("%Y%m%dT", "%Y-%m-%dT")
    for time in ("%H:%M:%S", "%H:%M:%S.%f")
    for zone in ("Z", "%z", "")
)
