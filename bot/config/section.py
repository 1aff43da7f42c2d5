"""What all sections of the configuration have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of the file. A setting that it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def setting(description: str, default: Any = ..., **limits: Any) -> Any:
    """A setting and what it is for, in one sentence or two."""
    return Field(default, description=description, **limits)
