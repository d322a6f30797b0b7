"""What the API is sent and answers about sets of components."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.deliveries import Request, View
from domain.deliveries.sets import MOST_MEMBERS, SetAct
from domain.phases import Phase

_Name = Annotated[str, Field(max_length=63)]


class MemberOrder(Request):
    """One component of a set."""

    component: str = Field(max_length=63, examples=["api"])
    artifact: str = Field("", max_length=63, description="Empty = what runs in the source.")
    after: tuple[_Name, ...] = Field(
        (), max_length=50, description="Members that must be there before it: what it needs."
    )


class SetOrder(Request):
    """Asks for a promotion of several components."""

    organization: str = Field(examples=["acme"])
    name: str = Field(max_length=63, examples=["checkout"], description="What people call the set.")
    environment: str = Field(examples=["production"])
    members: tuple[MemberOrder, ...] = Field(min_length=1, max_length=MOST_MEMBERS)
    is_unit: bool = Field(
        True,
        description="All or nothing: when one does not come, those that did are rolled back in "
        "reverse. False = a batch, in which each stands for itself.",
    )
    max_parallel: int = Field(5, ge=1, le=50, description="How many are on their way at once.")
    every_seconds: int = Field(0, ge=0, le=86_400, description="Least time between beginnings.")
    failure_budget: int = Field(
        0, ge=0, le=MOST_MEMBERS, description="Of a batch: more failures end it."
    )
    reason: str = Field("", max_length=500, description="Why; it is written down.")


class SetWord(Request):
    """Pauses or resumes a set, or takes a member out of it that has not begun."""

    act: SetAct
    component: str = Field("", max_length=63, description="Of exclude.")
    reason: str = Field("", max_length=500, description="Why; it is written down.")


class MemberView(View):
    """Where one member stands."""

    model_config = ConfigDict(from_attributes=True)

    component: str
    phase: str = Field(
        description="Waiting, Running, Done, Failed, Skipped, Excluded or Undone (rolled back)."
    )
    message: str = ""
    release: str = Field("", description="What it brought there. Empty = nothing new.")


class SetView(View):
    """Where a set stands."""

    model_config = ConfigDict(from_attributes=True)

    organization: str
    name: str
    environment: str
    phase: Phase
    is_unit: bool
    is_paused: bool
    members: tuple[MemberView, ...]
    message: str = ""
