# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every page says, and words that several of them share."""

from __future__ import annotations

TEXTS = {
    "product": ("Data Ops Manager", "Data Ops Manager"),
    "skip": ("Skip to content", "본문으로 건너뛰기"),
    "language": ("Language", "언어"),
    "sign_out": ("Sign out", "로그아웃"),
    "services": ("Services", "서비스"),
    "name": ("Name", "이름"),
    "state": ("State", "상태"),
    "health": ("Health", "건강 상태"),
    "version": ("Version", "버전"),
    "problem": ("This could not be done", "처리하지 못했습니다"),
    "problem_403": ("You may not do this", "권한이 없습니다"),
    "problem_404": ("There is nothing here", "찾을 수 없습니다"),
    "healthy": ("Healthy", "정상"),
    "unhealthy": ("Unhealthy", "비정상"),
    "unknown": ("Unknown", "알 수 없음"),
    "stopped": ("Stopped", "중지됨"),
    "ago": ("{seconds} s ago", "{seconds}초 전"),
}
