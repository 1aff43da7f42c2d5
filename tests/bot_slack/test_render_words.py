"""What the rendered texts say, and how tables, bars and mistakes look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import Problem
from bot.model import (
    Ballot,
    Cell,
    Elsewhere,
    Finding,
    Level,
    Line,
    Lines,
    ObjectId,
    Plan,
    PoolTarget,
    Progress,
    Report,
    Risk,
    State,
    Step,
    Table,
    Value,
    Verdict,
    Vote,
)
from bot.slack.render import card, details, forms, problem, report
from bot.slack.render.progress import progress_line
from bot.slack.render.table import WIDTH, bar, clip, display_width, lines
from tests.bot_slack import samples
from tests.bot_slack.shown import buttons, preformatted, walk, words


def test_a_card_says_what_an_approver_must_know() -> None:
    shown = words(card.message(samples.request()).blocks)
    order = [
        "lab: Move web-1 to xs2",
        "Waiting for approval: 1 of 2 approvals missing, from web-1",
        "@U0OLGA asked ",
        "vm migrate web-1",
        "Will be done",
        "Move web-1",
        "Checks",
        "1 check passed",
        "What it means meanwhile",
        "Why so",
        "How to go back: web-1",
        "@U0ANA approved ",
        "Approve",
        "Reject",
        "Details",
        "X-7 · disruptive · plan ",
    ]
    at = 0
    for word in order:  # each after the one before
        at = shown.index(word, at) + len(word)


def test_the_pools_name_comes_first() -> None:
    assert card.title(samples.plan()) == "lab: Move web-1 to xs2"
    assert card.title(samples.plan(title="Move web-1")) == "lab: Move web-1"


def test_a_long_name_is_shortened_in_its_middle_and_pushes_nothing_off_the_card() -> None:
    name, pool = "customer-" + "x" * 300 + "-production-7", samples.POOL
    plan = samples.plan(title=f"move {name} from xs1 to xs2")
    plan = replace(plan, steps=(replace(plan.steps[0], title=f"Migrate {name} live from xs1 to xs2"),))
    request = samples.request(plan=plan)
    for room in (1, 60):  # with many checks there is less room for each text
        checks = plan.findings * room
        shown = words(card.message(replace(request, plan=replace(plan, findings=checks))).blocks)
        assert shown.startswith(f"{pool.name}: move customer-xxx")
        assert "xxx-production-7 from xs1 to xs2" in shown
        assert "-production-7 live from xs1 to xs2" in shown
    assert f"{pool.name}: move {name} from xs1 to xs2" in words(details.modal(request)["blocks"])


def test_blockers_come_before_warnings_and_what_passed_is_counted() -> None:
    verdicts = [Verdict.PASS, Verdict.WARN, Verdict.BLOCK, Verdict.PASS]
    findings = tuple(Finding(id=str(v), verdict=v, title=f"it is {v.name}") for v in verdicts)
    shown = words(card.message(samples.request(plan=samples.plan(findings=findings))).blocks)
    assert shown.index("it is BLOCK") < shown.index("it is WARN") < shown.index("2 checks passed")
    assert "it is PASS" not in shown
    everything = words(details.modal(samples.request(plan=samples.plan(findings=findings)))["blocks"])
    assert everything.count("it is PASS") == 2
    order = ["it is BLOCK", "it is WARN", "Calls, in this order", "Checks that passed", "it is PASS", "Votes"]
    assert sorted(order, key=everything.index) == order, "what is sent is not hidden below what passed"


def test_a_long_plan_names_its_first_steps_and_its_last() -> None:
    """Many steps would push the warnings off a phone's screen, and the last one is often the gravest."""
    (step,) = samples.plan().steps
    steps = tuple(replace(step, title=f"Shut down vm-{number}") for number in range(11))
    long = samples.plan(steps=(*steps, replace(step, title="Switch xs1 off")))
    shown = words(card.message(samples.request(plan=long)).blocks)
    assert "Shut down vm-6… and 5 more, the last: Switch xs1 offChecks" in shown
    assert "vm-7" not in shown
    few = words(card.message(samples.request(plan=replace(long, steps=steps[:8]))).blocks)
    assert "Shut down vm-7Checks" in few


def test_what_to_do_about_a_check_stands_on_its_own_line() -> None:
    finding = Finding(
        id="vm.tools", verdict=Verdict.WARN, title="no tools", evidence="none seen", remedy="Install them."
    )
    shown = words(card.message(samples.request(plan=samples.plan(findings=(finding,)))).blocks)
    assert "no tools – none seen\n→ Install them." in shown


def test_what_is_destructive_is_asked_about_twice_but_not_three_times() -> None:
    """Where a name is typed anyway, no dialog stands before that form; the form says how to go back."""
    request = samples.request(plan=samples.plan(risk=Risk.DESTRUCTIVE, go_back="Start web-1."))
    sure = buttons(card.message(request).blocks)["Approve"]["confirm"]
    assert sure["text"]["text"] == "lab: Move web-1 to xs2. How to go back: Start web-1."
    typed = replace(request, requirement=replace(request.requirement, type_name="web-1"))
    assert "confirm" not in buttons(card.message(typed).blocks)["Approve"]
    form = words(forms.step_up("X-7", "web-1", "{}", code=False, go_back="Start web-1.")["blocks"])
    assert "How to go back: Start web-1." in form


def test_only_approvals_of_this_very_plan_count_one_for_each_person() -> None:
    request = samples.request()
    vote = request.votes[0]
    assert (request).missing == 1
    assert (replace(request, votes=(vote, vote))).missing == 1
    assert (replace(request, votes=(replace(vote, digest="0" * 64),))).missing == 2
    assert (replace(request, votes=(replace(vote, ballot=Ballot.REJECT),))).missing == 2
    assert (replace(request, votes=(vote, replace(vote, actor=samples.OLGA)))).missing == 0
    stale: Vote = replace(vote, digest="0" * 64)
    assert "approved another version of this plan" in words(card.message(replace(request, votes=(stale,))).blocks)


def test_dates_are_in_the_readers_time_zone_with_a_fallback() -> None:
    (asked, *_) = [item for item in walk(card.message(samples.request()).blocks) if item.get("type") == "date"][1:]
    assert asked["timestamp"] == int(samples.NOW.timestamp())
    assert asked["fallback"] == "2026-03-04 05:06 UTC"


def test_the_result_says_how_long_it_took_and_what_to_do() -> None:
    shown = words(card.message(samples.request(state=State.FAILED)).blocks)
    assert "Failed in 42 s" in shown
    assert "What to do: web-1" in shown
    assert "Replaced by X-8." in shown


def test_an_ended_card_leaves_out_what_was_to_be_weighed() -> None:
    done = words(card.message(samples.request(state=State.SUCCEEDED)).blocks)
    assert "Was done" in done
    assert "Was to be done" in words(card.message(samples.request(state=State.FAILED)).blocks)
    assert "Is being done" in words(card.message(samples.request(state=State.RUNNING)).blocks)
    unknown = words(card.message(samples.request(state=State.UNKNOWN)).blocks)
    assert "Was to be done" in unknown
    for over in (done, unknown):
        assert not [each for each in ("Why so", "Checks", "What it means meanwhile") if each in over]
    assert "How to go back" in done
    for state in (State.REJECTED, State.FAILED, State.CANCELLED, State.STALE):  # what stays done is told one by one
        assert "How to go back" not in words(card.message(samples.request(state=state)).blocks)
    assert "How to go back" in unknown


def test_unknown_is_never_told_as_success_and_never_sent_again() -> None:
    shown = words(card.message(samples.request(state=State.UNKNOWN)).blocks)
    assert "The outcome is not known" in shown
    assert "Nothing is sent again" in shown


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress(), "▱▱▱▱▱▱▱▱▱▱▱▱ 0 %"),
        (Progress(fraction=0.52, text="moving web-1"), "▰▰▰▰▰▰▱▱▱▱▱▱ 52 % · moving web-1"),
        (Progress(fraction=0.001), "▰▱▱▱▱▱▱▱▱▱▱▱ 0 %"),
        (Progress(fraction=0.999), "▰▰▰▰▰▰▰▰▰▰▰▱ 99 %"),
        (Progress(fraction=1), "▰▰▰▰▰▰▰▰▰▰▰▰ 100 %"),
        (Progress(fraction=7), "▰▰▰▰▰▰▰▰▰▰▰▰ 100 %"),
        (Progress(fraction=-1), "▱▱▱▱▱▱▱▱▱▱▱▱ 0 %"),
        (Progress(step=1, steps=4, fraction=0.5), "▰▰▰▰▱▱▱▱▱▱▱▱ 37 % · step 2 of 4"),
    ],
)
def test_progress(progress: Progress, line: str) -> None:
    assert progress_line(progress) == line


def test_progress_is_shown_while_it_runs_only() -> None:
    for state in State:
        shown = words(card.message(samples.request(state=state)).blocks)
        assert ("▰" in shown) == (state in (State.RUNNING, State.CANCELLING, State.UNDOING))


# --- tables -----------------------------------------------------------------------------------------------------------


def test_a_table() -> None:
    made = Table(
        columns=("Host", "Memory", "VMs"),
        rows=(
            (Cell("xs1"), Cell("50 %", bar=0.5), Cell("14")),
            (Cell("xs2", Level.BAD), Cell("?"), Cell("3")),
        ),
        more=2,
    )
    assert lines(made, 10) == [
        "Host   Memory       VMs",
        "───────────────────────",
        "  xs1  ███░░░ 50 %   14",
        "✗ xs2         ?       3",
        "… and 2 more",
    ]


def test_rows_left_out_here_and_before_are_counted_together() -> None:
    made = Table(columns=("n",), rows=tuple((Cell(str(number)),) for number in range(9)), more=2)
    assert lines(made, 4)[-1] == "… and 7 more"


def test_a_wide_table_cuts_its_wide_columns_and_keeps_its_short_ones() -> None:
    row = (Cell("x" * 60), Cell("enabled"), Cell("y" * 60))
    (_, _, shown) = lines(Table(columns=("a", "b", "c"), rows=(row,)), 5)
    assert display_width(shown) <= WIDTH
    assert "enabled" in shown
    assert shown.count("…") == 2


def test_wide_characters_keep_the_columns_in_line() -> None:
    rows = tuple((Cell(name), Cell("on")) for name in ("漢字", "abcd", "e\u0301abc"))
    shown = lines(Table(columns=("Name", "HA"), rows=rows), 5)
    assert len({display_width(line) for line in shown[2:]}) == 1


@given(st.lists(st.lists(st.text(max_size=80), min_size=1, max_size=6), max_size=5), st.integers(1, 5))
def test_every_line_of_any_table_is_one_line_of_bounded_width(rows: list[list[str]], count: int) -> None:
    made = Table(columns=("a", "b"), rows=tuple(tuple(Cell(text) for text in row) for row in rows))
    for line in lines(made, count):
        assert "\n" not in line
        assert display_width(line) <= WIDTH


@pytest.mark.parametrize(
    ("fraction", "shown"), [(0, "░░░░"), (0.01, "█░░░"), (0.5, "██░░"), (0.99, "███░"), (1, "████")]
)
def test_bars_show_something_for_little_and_full_only_for_all(fraction: float, shown: str) -> None:
    assert bar(fraction, 4) == shown


def test_clip_counts_columns() -> None:
    assert clip("漢字漢字", 5) == "漢字…"
    assert clip("abc", 3) == "abc"


def test_lines_show_level_detail_and_what_to_do() -> None:
    line = Line(text="nfs-1", level=Level.BAD, detail="unplugged", remedy="Plug it.")
    shown = Report(title="lab", parts=(Lines(lines=(line,)),))
    blocks = report.message(shown).blocks
    assert "nfs-1 – unplugged\n→ Plug it." in words(blocks)
    assert [item["name"] for item in walk(blocks) if item.get("type") == "emoji"] == ["red_circle"]


def test_more_about_a_sentence_follows_as_another() -> None:
    line = Line(text="Any: 2 approvals.", detail="Those who may ask: olga.")
    shown = Report(title="lab", parts=(Lines(lines=(line,)),))
    assert "Any: 2 approvals. Those who may ask: olga." in words(report.message(shown).blocks)


def test_an_empty_part_says_so() -> None:
    assert "none" in words(report.message(Report(title="lab", parts=(Table(heading="VMs"), Lines()))).blocks)


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "start", "end", "shown"),
    [
        ("vm migrat web", 3, 9, ["vm migrat web", "   ^^^^^^"]),
        ("vm show", 7, 7, ["vm show", "       ^"]),
        ("漢字 bad", 3, 6, ["漢字 bad", "     ^^^"]),
        ("a\nb bad", 4, 7, ["a⏎b bad", "    ^^^"]),
        ("\u202ebad", 1, 4, ["⟨202E⟩bad", "      ^^^"]),
        ("x", -5, 99, ["x", "^"]),
    ],
)
def test_the_mistake_is_underlined(text: str, start: int, end: int, shown: list[str]) -> None:
    made = Problem(error="parse", message="m", text=text, start=start, end=end)
    assert preformatted(problem.message(made).blocks) == [shown]


def test_a_mistake_far_into_a_long_text_is_shown_with_its_surroundings() -> None:
    text = "a" * 2000 + " WRONG " + "b" * 2000
    shown, under = problem.place_of_mistake(text, 2001, 2006)
    assert len(shown) < 120
    assert shown.startswith("…a")
    assert shown.endswith("b…")
    assert shown[under.index("^") : under.index("^") + 5] == "WRONG"


# --- details ----------------------------------------------------------------------------------------------------------


def test_calls_show_every_argument_by_name_and_no_reference() -> None:
    step = samples.plan().steps[0]
    assert details.call_line(step) == (
        "Async.VM.pool_migrate(VM web-1 (22222222-2222-4222-8222-222222222222), "
        "host web-1 (33333333-3333-4333-8333-333333333333), "
        '{"live": "web-1"}, the result of step 1, the secret web-1, ["web-1", "web-1"])'
    )
    plain: Step = replace(step, asynchronous=False, arguments=(Value(None), Value(True), Value(3), Value("a b")))
    assert details.call_line(plain) == 'VM.pool_migrate(null, true, 3, "a b")'


def test_details_of_two_pools_say_to_which_each_call_goes_and_what_is_touched_there() -> None:
    prod, made = ObjectId("pool", "99999999-9999-4999-8999-999999999999", "prod"), samples.plan()
    there = replace(made.steps[0], target=PoolTarget(prod.uuid))
    both = replace(made, steps=(there, *made.steps), elsewhere=(Elsewhere(pool=prod, touches=made.touches),))
    shown = words(details.modal(samples.request(plan=both))["blocks"])
    assert "the coordinator of prod" in shown
    assert f"the coordinator of {made.pool.name}" in shown
    assert "in prod: VM web-1" in shown


def test_details_show_undo_facts_and_terms() -> None:
    two: Plan = samples.plan(many=2)
    shown = words(details.modal(samples.request(plan=two))["blocks"])
    for expected in (
        "If a later call fails, taken back by",
        "the VM's host now: web-1",
        "Nothing else may touch meanwhile",
        "Takes 2 of: web-1",
        "Risk: disruptive",
        two.digest(),
    ):
        assert expected in shown
    whole = words(details.modal(samples.request(plan=replace(two, whole_pool=True)))["blocks"])
    assert "the whole pool lab" in whole
