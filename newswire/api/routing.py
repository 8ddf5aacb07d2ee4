"""`Route`: a row of the route table, which declares one operation of the HTTP interface."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Response
from marshmallow import Schema

from newswire.api.schemas.parameters import Parameters


@dataclass(frozen=True)
class Route:
    """One operation: `view(context, **address)` answers it; a `scope` of None opens it to everyone.

    `takes` are the media types of its body, `sent` describes a JSON body that is no article; `media` are the media
    types that it answers in, the first one where it is all the same to the client, and `streams` those of endless
    or very long answers. With `tagged` its answers carry an ETag, and 304 is one of them. With `token` the token of
    the saved feed in its address opens it too, with `signed` a signature over the body. `name` and `docstring` are
    those of the operation where one view answers several.
    """

    method: str
    path: str
    view: Callable[..., Response]
    scope: str | None
    parameters: type[Parameters]
    answers: Mapping[int, type[Schema] | None]
    takes: tuple[str, ...] = ()
    sent: type[Schema] | None = None
    media: tuple[str, ...] = ("application/json",)
    streams: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    tagged: bool = False
    token: bool = False
    signed: bool = False
    name: str = ""
    docstring: str = ""

    @property
    def operation_id(self) -> str:
        return self.name or self.view.__name__
