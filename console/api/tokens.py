# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API tokens: made, listed and revoked by operators. A viewer does not even learn which there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from ansible_collections.scp.dataops.plugins.module_utils.common import activity
from ansible_collections.scp.dataops.plugins.module_utils.common.activity import By, Deed
from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Ref
from ansible_collections.scp.dataops.plugins.module_utils.kube.plan import Change
from ansible_collections.scp.dataops.plugins.module_utils.manager.names import TOKENS
from fastapi import APIRouter, Body, Depends, Path, Request

from ..cluster import writer
from ..tokens import Token, Tokens
from . import examples, models
from .common import DOORS, ERRORS, PREFIX, Here, Operator, Page, Reader, Size, page_of

router = APIRouter(prefix=f"{PREFIX}/tokens", tags=["API tokens"])


@dataclass(frozen=True)
class Keeping:
    """What an operator does with tokens, each deed with an entry in the activity."""

    request: Request
    kube: Kube
    known: Tokens
    namespace: str
    by: By

    def all(self) -> list[Token]:
        """By name."""
        return sorted(self.known.all(self.kube).values(), key=lambda token: token.name)

    def create(self, name: str, role: str) -> tuple[Token, str]:
        """A new token, and its text. What is refused is no deed, and has no entry."""
        with writer(self.request) as kube:
            name, role = self.known.check(kube, name, role)
            with activity.told(kube, self.namespace, self._deed("create", name)):
                return self.known.create(kube, name, role)

    def revoke(self, identifier: str) -> None:
        """:raises NotFound: there is none."""
        with writer(self.request) as kube:
            found = self.known.get(kube, identifier)
            with activity.told(kube, self.namespace, self._deed("revoke", found.name)):
                self.known.revoke(kube, identifier)

    def _deed(self, verb: str, name: str) -> Deed:
        change = Change("update", Ref("Secret", TOKENS, self.namespace))
        return Deed(by=self.by, target=f"API token '{name}'", verb=verb, changes=(change,))


def keeping(request: Request, settings: Here, kube: Reader, who: Operator) -> Keeping:
    return Keeping(request, kube, request.app.state.tokens, settings.namespace, By(DOORS[who.door], who.name))


Keeper = Annotated[Keeping, Depends(keeping)]


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: ERRORS[status] for status in statuses}


def shown(token: Token) -> dict[str, Any]:
    return {"id": token.id, "name": token.name, "role": token.role, "created_dt": token.created}


@router.get("", response_model=models.Tokens, responses=refusals(400, 401, 403, 502))
def list_tokens(keeper: Keeper, page: Page = 0, size: Size = 20) -> dict[str, Any]:
    """By name; what each of them is, and never its text."""
    return page_of([shown(token) for token in keeper.all()], page, size)


@router.post("", status_code=201, response_model=models.TokenMade, responses=refusals(400, 401, 403, 409, 502))
def create_token(
    keeper: Keeper, body: Annotated[models.TokenAsked, Body(openapi_examples=examples.TOKEN)]
) -> dict[str, Any]:
    """Make a token. Its text is in this answer, and nowhere else ever."""
    made, text = keeper.create(body.name, body.role)
    return {**shown(made), "token": text}


@router.delete("/{token_id}", status_code=204, responses=refusals(401, 403, 404, 502))
def revoke_token(keeper: Keeper, token_id: Annotated[str, Path(examples=["5e0c1a2b"])]) -> None:
    """Revoke a token: whoever shows it is nobody from now on."""
    keeper.revoke(token_id)
