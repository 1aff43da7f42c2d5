"""What happens in the middle of a run, and the bot's next life."""

from __future__ import annotations

from collections.abc import Callable

from bot.model import Request
from tests.bot.fake_bot import bot
from tests.bot.fakes import OLGA
from tests.bot.world import World


class Crash(BaseException):
    """The end of the process, as a test has it: nothing is caught or tidied up."""


def after(world: World, seconds: float, do: Callable[[], None]) -> None:
    """Once so much time has passed from now on, while the pool goes on working."""
    began = world.clock.elapsed
    done: list[bool] = []

    def meanwhile() -> None:
        world.pool.work()
        if not done and world.clock.elapsed - began >= seconds:
            done.append(True)
            do()

    world.clock.meanwhile = meanwhile


def crash() -> None:
    raise Crash


def restarted(world: World, seconds: float = 30.0) -> None:
    """Another life of the bot, when the dead one's lease has run out."""
    world.bot.crash()
    world.clock.meanwhile = world.pool.work
    world.bot = bot(world.path, world.pool, world.clock)
    world.clock.sleep(seconds)


def result_of(request: Request) -> str:
    assert request.result is not None
    return " ".join((request.result.summary, *request.result.lines))


def cancel(world: World, id: str) -> None:
    world.say(f"request cancel {id}", OLGA)
