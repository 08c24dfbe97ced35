# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksum and size of content, of which a block is counted while the next one is read or unpacked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor


def counted(blocks: Iterable[bytes]) -> tuple[str, int]:
    """Hashing a block does not need the interpreter, nor does reading one."""
    total, size = hashlib.sha256(), 0
    counting: Future[None] | None = None
    with ThreadPoolExecutor(1) as beside:
        for block in blocks:
            if counting:
                counting.result()
            counting = beside.submit(total.update, block)
            size += len(block)
    return total.hexdigest(), size
