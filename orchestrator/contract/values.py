"""Kinds of values that several bodies share, and the bodies that say nothing but why."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from orchestrator.core import limits
from orchestrator.core.engine import usage

#: No database stores a NUL character in a text.
NO_NUL = r"^[^\x00]*$"

#: A text that people read, such as a note or a reason; longer ones belong into an output file.
Text = Annotated[str, Field(max_length=limits.TEXT_CHARACTERS)]
#: A user name, or another short word.
Name = Annotated[str, Field(max_length=150, pattern=NO_NUL)]
#: The name of a plan, a bundle or a workflow, in one line.
Title = Annotated[str, Field(max_length=200, pattern=NO_NUL)]
#: The part of an address that names a plan or a workflow, and the name of an executor.
Slug = Annotated[str, Field(max_length=60, pattern=NO_NUL)]
#: The key of a step, such as `A1`.
Key = Annotated[str, Field(max_length=80, pattern=NO_NUL)]
#: The name of a git commit.
Commit = Annotated[str, Field(max_length=64)]
#: The SHA-256 of a plan's text in hexadecimal digits.
Sha256 = Annotated[str, Field(max_length=64)]
#: A row's id or a fencing token: as wide as the database's own integers.
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Body(BaseModel):
    """What a request carries. A member without a name here is refused: no request can set it, and nobody
    believes that it did (B29)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Body):
    """Which part of a list: at most `limit` rows, the first `offset` left out."""

    limit: Annotated[int, Field(ge=1, le=limits.ROWS)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class StatedReason(Body):
    """An act that says why it is done."""

    reason: Text


class OptionalReason(Body):
    """An act that may say why it is done."""

    reason: Text = ""


#: What a call without a body says.
NO_REASON = OptionalReason()


def _form(expression: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({expression})?$", "default": ""})


class UsageGiven(Body):
    """What was used since the word before: tokens, money as it is written (`"1.25"`) with its ISO currency,
    the model, and seconds of wall time."""

    tokens_in: Annotated[int, Field(ge=0, le=usage.MOST, strict=True)] = 0
    tokens_out: Annotated[int, Field(ge=0, le=usage.MOST, strict=True)] = 0
    # What does not fit is refused by `core/engine/usage.py`, which says it in words.
    cost: Annotated[str, Field(max_length=100), _form(usage.COST)] = ""
    currency: Annotated[str, Field(max_length=100), _form(usage.CURRENCY)] = ""
    model: Annotated[str, Field(max_length=usage.MODEL_LENGTH, pattern=NO_NUL)] = ""
    seconds: Annotated[int, Field(ge=0, le=usage.MOST, strict=True)] = 0


@dataclass(frozen=True)
class UsageFacts:
    """What an executor said it used: tokens, exact money with its currency (both empty where none was named),
    the model named last, and seconds of wall time; `sentence` says it in words."""

    sentence: str
    tokens_in: int
    tokens_out: int
    cost: str
    currency: str
    model: str
    seconds: int
