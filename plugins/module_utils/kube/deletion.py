# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete objects and see them gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from ..errors import NotReady
from .client import Kube
from .feed import Feed, News, Seen, Source
from .objects import Manifest, Ref, ref_of

# Seconds for a pod whose work nobody will look at.
SOON = 2


def delete_all(
    kube: Kube,
    refs: Iterable[Ref],
    *,
    timeout: float,
    say: Callable[[str], None] | None = None,
    hasten: Callable[[Manifest], bool] | None = None,
    follow: Callable[[Kube, Sequence[Source]], News] = Feed,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Delete objects together with what they control, and return when all are gone; else raise NotReady.

    :param hasten: which pods that are ending get no more than SOON, however long they ask for.
    """
    left = dict.fromkeys(refs, "")
    kube.each(lambda ref: kube.delete(ref.kind, ref.name, ref.namespace, propagation="Foreground"), left)
    kinds = {(ref.kind, ref.namespace) for ref in left}
    if hasten:
        kinds |= {("Pod", ref.namespace) for ref in left}
    sources = {Source(f"{kind} in {namespace}", kind, namespace) for kind, namespace in kinds}
    end = clock() + timeout
    news = follow(kube, sorted(sources, key=lambda source: source.name))
    try:
        while left:
            seen = news.next(end - clock())
            if seen is None:
                what = "; ".join(f"{ref}{reason}" for ref, reason in left.items())
                raise NotReady(
                    f"still being deleted after {timeout:.0f} s: {what}",
                    next_step="See what the named finalizers or pods wait for, then run this again",
                )
            if seen.error:
                raise seen.error
            for pod in filter(hasten, filter(_is_slow, _present(seen))) if hasten else ():
                kube.delete("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"], grace=SOON)
            for ref in _gone(seen, left):
                del left[ref]
                if say:
                    say(f"{ref}: gone")
    finally:
        news.close()


def _present(seen: Seen) -> list[Manifest]:
    return [*(seen.items or ()), *([seen.changed] if seen.changed else [])]


def _is_slow(item: Manifest) -> bool:
    """A pod that has been told to end, and has longer for it than some would give it."""
    return item["kind"] == "Pod" and int(item["metadata"].get("deletionGracePeriodSeconds") or 0) > SOON


def _gone(seen: Seen, left: dict[Ref, str]) -> list[Ref]:
    """Which of `left` do not exist any more; notes in `left` what holds the others."""
    for item in _present(seen):
        finalizers = item["metadata"].get("finalizers") or []
        if ref_of(item) in left:
            left[ref_of(item)] = f" (held by {', '.join(finalizers)})" if finalizers else ""
    if seen.gone:
        return [ref_of(seen.gone)] if ref_of(seen.gone) in left else []
    if seen.items is None:
        return []
    names = {ref_of(item) for item in seen.items}
    return [ref for ref in left if f"{ref.kind} in {ref.namespace}" == seen.source and ref not in names]
