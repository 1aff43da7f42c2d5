"""Two kinds of time: the lab's, which can be sped up, and each host's wall clock, which can be wrong."""

import threading
import time
from collections.abc import Callable

from sandbox.xapi.values import Time


class LabTime:
    """Seconds of simulated time since the lab began. At `speed` 10, a simulated minute lasts six real seconds."""

    def __init__(self, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._speed = speed
        self._base = 0.0
        self._mark = time.monotonic()

    @property
    def speed(self) -> float:
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Raises ValueError unless `speed` is above zero."""
        if not speed > 0:
            raise ValueError("speed must be above zero")
        with self._lock:
            now = time.monotonic()
            self._base += (now - self._mark) * self._speed
            self._mark, self._speed = now, speed

    def now(self) -> float:
        with self._lock:
            return self._base + (time.monotonic() - self._mark) * self._speed

    def wait(self, condition: threading.Condition, seconds: float, until: Callable[[], bool]) -> bool:
        """Let go of `condition`'s lock until `until()` holds or `seconds` of simulated time have passed.

        Says whether `until()` holds. Whoever changes the speed must notify the condition.
        """
        deadline = self.now() + seconds
        while not until():
            left = deadline - self.now()
            if left <= 0:
                return False
            condition.wait(left / self._speed)
        return True


class HostClock:
    """A host's wall clock: real time, plus an offset in seconds, drifting by parts per million from when it was set."""

    def __init__(self) -> None:
        self.offset, self.ppm = 0.0, 0.0
        self._mark = time.monotonic()

    def set(self, offset: float = 0.0, ppm: float = 0.0) -> None:
        self.offset, self.ppm = offset, ppm
        self._mark = time.monotonic()

    def unix(self) -> float:
        drift = (time.monotonic() - self._mark) * self.ppm / 1e6
        return time.time() + self.offset + drift

    def now(self) -> Time:
        """Truncated to whole seconds."""
        return Time.at(int(self.unix() // 1))
