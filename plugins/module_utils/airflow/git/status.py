# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitSync in the words of the product: what it was asked to read, and what runs."""

from __future__ import annotations

from typing import Any

from .spec import GitSync, Repository


def source(git: GitSync | None) -> dict[str, Any]:
    """The settings; no secret in them. Empty without GitSync."""
    if git is None:
        return {}
    main, *further = git.repositories
    described = {"mode": git.mode, **repository(main)}
    return {**described, "repositories": [{"name": item.name, **repository(item)} for item in further]}


def repository(item: Repository) -> dict[str, Any]:
    return {
        "repo": item.repo,
        "ref": item.ref,
        "subdir": item.subdir,
        "interval": item.interval,
        "depth": item.depth,
        "submodules": item.submodules,
        "username": item.username,
        "known_hosts": item.known_hosts,
        "ca": item.ca,
    }
