# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of API tokens."""

from __future__ import annotations

TEXTS = {
    "tokens": ("API tokens", "API 토큰"),
    "tokens_none": ("There are no tokens yet.", "아직 토큰이 없습니다."),
    "tokens_use": (
        "A program sends its token as Authorization: Bearer TOKEN.",
        "프로그램은 토큰을 Authorization: Bearer TOKEN 으로 보냅니다.",
    ),
    "token_new": ("New token", "새 토큰"),
    "token_made": ("Token of {name}", "{name} 토큰"),
    "token_text": ("Token", "토큰"),
    "token_copy": (
        "Copy it now. It is not kept, and nobody can show it again.",
        "지금 복사하십시오. 저장되지 않으며 다시 표시할 수 없습니다.",
    ),
    "token_role": ("Role", "역할"),
    "token_created": ("Created (UTC)", "생성 시각 (UTC)"),
    "token_create": ("Create token", "토큰 생성"),
    "token_roles": (
        "A viewer may look. An operator may change everything, and make and revoke tokens.",
        "뷰어는 조회만 할 수 있습니다. 운영자는 모든 것을 변경하고 토큰을 만들거나 폐기할 수 있습니다.",
    ),
    "token_revoke": ("Revoke", "폐기"),
    "token_revoke_it": ("Revoke {name} now", "{name} 지금 폐기"),
    "token_revoke_means": (
        "Programs that use it are refused from now on.",
        "이 토큰을 쓰는 프로그램은 즉시 거부됩니다.",
    ),
    "role_viewer": ("Viewer", "뷰어"),
    "role_operator": ("Operator", "운영자"),
}
