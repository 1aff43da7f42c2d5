"""`log`: whose rows are told where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.answers import Ask, Shown
from bot.model import BOT, Entry
from bot.scope import Scopes
from tests.bot.fake_bot import FakeBot, running
from tests.bot.fakes import CHANNEL, POOL, SAM, FakePool, HandClock


def told(bot: FakeBot, text: str = "log") -> str:
    answer = bot.engine.answer(Ask(text=text, actor=SAM, place=CHANNEL))
    assert isinstance(answer, Shown), answer
    return str(answer.report)


def record(bot: FakeBot) -> None:
    for kind, pool in (("of the lab", POOL.name), ("of another", "elsewhere"), ("of the bot", "")):
        bot.store.record(Entry(kind=kind, actor=BOT, pool=pool))


def test_where_every_pool_may_be_seen_the_bots_own_rows_are_told_too(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        record(bot)
        shown = told(bot)
        assert ("of the lab" in shown, "of the bot" in shown, "of another" in shown) == (True, True, False)
        named = told(bot, "log in lab")
        assert ("of the lab" in named, "of the bot" in named) == (True, True)  # lab is all there is


def test_in_a_channel_for_some_pools_only_their_rows_are_told(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        record(bot)
        limited = Scopes(channel_pools={CHANNEL.channel: ()})
        bot.engine = replace(bot.engine, resolver=replace(bot.engine.resolver, scopes=limited))
        assert "Nothing is in the ledger here" in told(bot)
