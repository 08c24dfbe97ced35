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
    "work": ("Work", "작업"),
    "work_running": ("{count} running", "실행 중 {count}"),
    "work_queued": ("{count} queued", "대기 중 {count}"),
    "work_failed": ("{count} failed runs in 24 h", "24시간 내 실패한 실행 {count}"),
    "work_import_errors": ("{count} import errors", "가져오기 오류 {count}"),
    "git_runs": ("runs {commit}", "실행: {commit}"),
    "git_asked": ("asked for {ref}", "요청: {ref}"),
    "open": ("Open Airflow", "Airflow 열기"),
    "seen": ("Seen {seconds} s ago", "{seconds}초 전에 확인"),
    "not_seen": ("Not looked yet", "아직 확인하지 않음"),
    "stale": ("The cluster cannot be read: {reason}", "클러스터를 읽을 수 없습니다: {reason}"),
    "last_hour": ("The last hour", "최근 1시간"),
    "tasks_running": ("Running tasks", "실행 중인 태스크"),
    "tasks_queued": ("Queued tasks", "대기 중인 태스크"),
    "services_healthy": ("Healthy services", "정상 서비스"),
    "chart_most": ("At most {count} in the last hour", "최근 1시간 최대 {count}"),
    "heart_stopped": ("{part}: no heartbeat for {seconds} s", "{part}: {seconds}초 동안 하트비트 없음"),
    "runs_fail": ("DAG runs that failed in the last 24 hours: {count}", "최근 24시간 동안 실패한 DAG 실행: {count}"),
    "git_late": (
        "Commit {wanted} was asked for, and DAGs still run from {running}",
        "커밋 {wanted}을(를) 요청했지만 DAG는 아직 {running}에서 실행됩니다",
    ),
    "volume": ("Volume for files", "파일 볼륨"),
    "volume_full": ("It is {percent} % full", "{percent}% 찼습니다"),
    "dags_fail": ("{count} DAG files cannot be imported", "DAG 파일 {count}개를 가져올 수 없습니다"),
}
