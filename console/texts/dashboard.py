# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first page: every service at a glance."""

from __future__ import annotations

TEXTS = {
    "dashboard": ("Dashboard", "대시보드"),
    "no_services": ("There are no services yet.", "아직 서비스가 없습니다."),
    "attention": ("Needs attention", "확인 필요"),
    "total": ("Services", "서비스"),
    "components": ("Components", "구성 요소"),
    "heartbeat": ("Heartbeat", "하트비트"),
    "import_errors": ("Import errors", "가져오기 오류"),
    "open": ("Open Airflow", "Airflow 열기"),
    "seen": ("Seen {seconds} s ago", "{seconds}초 전에 확인"),
    "not_seen": ("Not looked yet", "아직 확인하지 않음"),
    "stale": ("The cluster cannot be read: {reason}", "클러스터를 읽을 수 없습니다: {reason}"),
    "dags_fail": ("{count} DAG files cannot be imported", "DAG 파일 {count}개를 가져올 수 없습니다"),
}
