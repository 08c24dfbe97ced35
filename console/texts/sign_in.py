# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on which people sign in."""

from __future__ import annotations

TEXTS = {
    "sign_in": ("Sign in", "로그인"),
    "account": ("Account", "계정"),
    "password": ("Password", "비밀번호"),
    "wrong": ("Account or password is wrong.", "계정 또는 비밀번호가 올바르지 않습니다."),
    "too_many": (
        "Too many tries. Wait {seconds} seconds.",
        "시도가 너무 많습니다. {seconds}초 후에 다시 시도하십시오.",
    ),
}
