"""The tour's part about hosts: one with another CPU joins the pool, and one fails under high availability."""

from __future__ import annotations

from bot.demo.conversation import Conversation
from bot.demo.witness import Witness
from sandbox.xapi.running import RunningLab

REBOOTS_SPEED = 200.0
"""How much faster the lab works while a host is rebooted: its minutes take about a second."""
HA_SPEED = 40.0
"""HA's minute of patience takes a second and a half."""


def a_host_joins(talk: Conversation, witness: Witness, lab: RunningLab) -> None:
    talk.heading("A host with another CPU joins the pool")
    lab.set_speed(REBOOTS_SPEED)
    refused = "\n".join(talk.say("olga", "/xen host add xs3"))
    talk.expect("what stands in the way is named, with the way out", "host mask-cpu xs3 like lab" in refused)
    talk.done("olga", "/xen host mask-cpu xs3 like lab", by="ana")
    talk.done("olga", "/xen host add xs3", by="ben")
    talk.expect("the witness sees three hosts that take VMs", witness.hosts() == {"xs1", "xs2", "xs3"})


def a_host_fails(talk: Conversation, witness: Witness, lab: RunningLab) -> None:
    talk.heading("High availability, and a host that fails")
    lab.set_speed(HA_SPEED)
    home = witness.host_of("web-1")
    talk.done("olga", "/xen ha protect web-1 restart", by="ana")
    talk.done("olga", "/xen ha enable", by="ben")
    talk.note(f"the power of {home} fails")
    lab.kill(home)
    talk.wait(lambda: witness.host_of("web-1") not in ("", home), "the restart of web-1")
    talk.expect(f"the witness sees web-1 on {witness.host_of('web-1')}", home not in witness.hosts())
    told = "\n".join(talk.say("olga", "/xen ha timeline"))
    talk.expect("the timeline says what failed, and what runs again", f"{home} failed" in told and "web-1" in told)
    status = "\n".join(talk.say("olga", "/xen pool status"))
    talk.expect("the status says which host is dead", f"{home} does not answer" in status)
