# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn an answer of the API server that is no success into the error a person can act on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ApiError, Conflict, Forbidden, Invalid, NotFound, Unauthorized
from .access import Access
from .masking import scrubbed
from .request import Request

_LONGEST_SENTENCE = 600
_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)"'
    r'(?: in API group "(?P<group>[^"]*)")?(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"')
# How server-side apply words a field that does not exist or has the wrong type.
_WRONG_TYPE = ("failed to create typed", "failed to convert new object", "unable to convert unstructured")
# What an admission check says, and what a person can do about it.
_POLICIES = (
    ("exceeded quota", "Raise the ResourceQuota of the namespace, or ask for less"),
    ("failed quota", "Raise the ResourceQuota of the namespace, or give every container the sizes it asks for"),
    ("violates PodSecurity", "Use a namespace whose Pod Security level allows this"),
    ("is being terminated", "Wait until the namespace is gone, then run this again"),
    ("admission webhook", "Change what the webhook's policy names, or ask who owns the policy"),
)


@dataclass(frozen=True)
class Status:
    """The parts of a Kubernetes Status object that are meant for people."""

    message: str
    reason: str
    causes: tuple[dict[str, Any], ...] = ()


def status_of(body: bytes) -> Status | None:
    """The Status in `body`; None when something else than the API server wrote it."""
    try:
        raw = json.loads(body)
    except ValueError:
        return None
    if not isinstance(raw, dict) or raw.get("kind") != "Status":
        return None
    details = raw.get("details") or {}
    return Status(
        message=str(raw.get("message") or ""),
        reason=str(raw.get("reason") or ""),
        causes=tuple(details.get("causes") or ()),
    )


def explain(request: Request, code: int, body: bytes, access: Access) -> ApiError:
    """The error for an answer with HTTP status `code` (>= 300); secrets of request and access never get into it."""
    said = status_of(body) or Status(message=body[:_LONGEST_SENTENCE].decode(errors="replace").strip(), reason="")
    secrets = (*request.secrets(), *access.secrets)
    status = replace(
        said,
        message=scrubbed(said.message, secrets),
        causes=tuple({key: scrubbed(str(text), secrets) for key, text in cause.items()} for cause in said.causes),
    )
    kind, what, next_step = _story(request, code, status, access)
    error = kind(what, where=request.target, next_step=next_step, status=code, reason=status.reason)
    if isinstance(error, Conflict):
        error.owners = tuple(sorted(_owners(status)))
    return error


def is_final(code: int, body: bytes) -> bool:
    """Whether an answer stays the same however often it is asked for; a field of the wrong type is answered by 500."""
    status = status_of(body)
    return code < 500 or (status is not None and any(words in status.message for words in _WRONG_TYPE))


def _story(request: Request, code: int, status: Status, access: Access) -> tuple[type[ApiError], str, str]:
    said = _shortened(status.message)
    if code == 401:
        return (
            Unauthorized,
            f"the API server {access.host} does not accept the credentials ({access.user or 'none were given'})",
            "They are wrong or expired: renew the token or certificate, and check that it belongs to this cluster",
        )
    if code == 403:
        return (Forbidden, *_forbidden(request, said, access))
    if code == 404:
        return NotFound, said or "it does not exist", _after_not_found(status.message)
    if code == 409:
        return (Conflict, *_conflict(request, status))
    if code in (400, 422) or any(words in status.message for words in _WRONG_TYPE):
        return (Invalid, *_invalid(request, status))
    if code == 410:
        return ApiError, "the list that was being followed has expired", "Read it again"
    if code == 429:
        return ApiError, f"the API server is too busy to {request.verb} it", "Run this again in a minute"
    if code < 400:
        return ApiError, f"{access.host} redirects elsewhere instead of answering", "Give the API server's own address"
    return (
        ApiError,
        f"the API server could not {request.verb} it (HTTP {code}): {said or 'it gave no reason'}",
        "Look at the state of the cluster's control plane, then run this again",
    )


def _forbidden(request: Request, said: str, access: Access) -> tuple[str, str]:
    for words, next_step in _POLICIES:
        if words in said:
            return said, next_step
    match = _FORBIDDEN.search(said)
    if not match:
        return f"the API server forbids to {request.verb} it: {said or 'it gave no reason'}", "Ask for this right"
    if match["user"] == "system:anonymous":
        return (
            f"no credentials were sent to {access.host} (from {access.source})",
            "Give api_key, client_cert and client_key, or a kubeconfig",
        )
    resource = f"{match['resource']}.{match['group']}" if match["group"] else match["resource"]
    place = f"in namespace {match['namespace']}" if match["namespace"] else "in the cluster"
    return (
        f"user {match['user']} may not {match['verb']} {resource} {place}",
        "Grant this right with a role and a role binding, or use credentials that have it",
    )


def _after_not_found(message: str) -> str:
    if message.startswith("namespaces "):
        return "Create the namespace first, or correct its name"
    if "could not find the requested resource" in message or message == "404 page not found":
        return "This cluster does not serve that kind: its Kubernetes version is too old, or the address is wrong"
    return "Correct the name, or create it first"


def _conflict(request: Request, status: Status) -> tuple[str, str]:
    owners = _owners(status)
    if owners:
        fields = "; ".join(f"{manager} owns {', '.join(sorted(names))}" for manager, names in sorted(owners.items()))
        return f"another tool manages some of its fields: {fields}", "Use force: true to take them over"
    if status.reason == "AlreadyExists":
        return "it exists already", "Choose another name, or delete it first"
    return f"cannot {request.verb} it: {_shortened(status.message)}", "Run this again"


def _owners(status: Status) -> dict[str, list[str]]:
    """The fields that stand in the way of an apply, by the manager that owns them."""
    owners: dict[str, list[str]] = {}
    for cause in status.causes:
        match = _MANAGER.search(str(cause.get("message") or ""))
        if match:
            owners.setdefault(match["manager"], []).append(str(cause.get("field") or "").lstrip("."))
    return owners


def _invalid(request: Request, status: Status) -> tuple[str, str]:
    if "HTTP request to an HTTPS server" in status.message:
        return "the API server speaks HTTPS only", "Write the host as https://"
    reasons = [
        f"{cause.get('field')}: {cause.get('message')}" if cause.get("field") else str(cause.get("message"))
        for cause in status.causes
    ]
    said = _shortened("; ".join(reasons) or _of_field(status.message) or "it gave no reason")
    if "immutable" in said:
        return f"the API server cannot change it: {said}", "Delete it first, or leave this part as it is"
    return f"the API server does not take it: {said}", "Correct what it names"


def _of_field(message: str) -> str:
    """Without the inner workings in front of what is said about the field."""
    _start, found, rest = message.partition("): ")
    return rest if found and any(words in message for words in _WRONG_TYPE) else message


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SENTENCE else f"{text[:_LONGEST_SENTENCE]} ..."
