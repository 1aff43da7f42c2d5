"""What all sections of the configuration have in common."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,}\Z")


def _channel(text: str) -> str:
    if text and not _CHANNEL.match(text):
        raise ValueError(f"“{text}” is no channel's id: Slack shows it at the end of the channel's details (C…)")
    return text


Channel = Annotated[str, AfterValidator(_channel)]
"""A Slack channel by its id; "" is none."""


class Section(BaseModel):
    """A table of the file. A setting that it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def setting(description: str, default: Any = ..., **limits: Any) -> Any:
    """A setting and what it is for, in one sentence or two."""
    return Field(default, description=description, **limits)
