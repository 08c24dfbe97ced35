# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages say, in each language: a key, English, Korean."""

from __future__ import annotations

from collections.abc import Callable

LANGUAGES = {"en": "English", "ko": "한국어"}
DEFAULT = "en"

TEXTS: dict[str, tuple[str, str]] = {
    "product": ("Data Ops Manager", "Data Ops Manager"),
    "skip": ("Skip to content", "본문으로 건너뛰기"),
    "language": ("Language", "언어"),
    "sign_in": ("Sign in", "로그인"),
    "sign_out": ("Sign out", "로그아웃"),
    "account": ("Account", "계정"),
    "password": ("Password", "비밀번호"),
    "wrong": ("Account or password is wrong.", "계정 또는 비밀번호가 올바르지 않습니다."),
    "too_many": (
        "Too many tries. Wait {seconds} seconds.",
        "시도가 너무 많습니다. {seconds}초 후에 다시 시도하십시오.",
    ),
    "dashboard": ("Dashboard", "대시보드"),
    "services": ("Services", "서비스"),
    "no_services": ("There are no services yet.", "아직 서비스가 없습니다."),
    "attention": ("Needs attention", "확인 필요"),
    "total": ("Services", "서비스"),
    "healthy": ("Healthy", "정상"),
    "unhealthy": ("Unhealthy", "비정상"),
    "unknown": ("Unknown", "알 수 없음"),
    "stopped": ("Stopped", "중지됨"),
    "name": ("Name", "이름"),
    "state": ("State", "상태"),
    "health": ("Health", "건강 상태"),
    "components": ("Components", "구성 요소"),
    "version": ("Version", "버전"),
    "heartbeat": ("Heartbeat", "하트비트"),
    "import_errors": ("Import errors", "가져오기 오류"),
    "open": ("Open Airflow", "Airflow 열기"),
    "ago": ("{seconds} s ago", "{seconds}초 전"),
    "seen": ("Seen {seconds} s ago", "{seconds}초 전에 확인"),
    "not_seen": ("Not looked yet", "아직 확인하지 않음"),
    "stale": ("The cluster cannot be read: {reason}", "클러스터를 읽을 수 없습니다: {reason}"),
    "dags_fail": ("{count} DAG files cannot be imported", "DAG 파일 {count}개를 가져올 수 없습니다"),
}

Translator = Callable[..., str]


def translator(language: str) -> Translator:
    column = list(LANGUAGES).index(language)

    def text(key: str, **values: object) -> str:
        return TEXTS[key][column].format(**values)

    return text


def chosen(kept: str, accepted: str) -> str:
    """:param kept: by the switch. :param accepted: the browser's Accept-Language."""
    if kept in LANGUAGES:
        return kept
    for wish in accepted.split(","):
        language = wish.partition(";")[0].partition("-")[0].strip().lower()
        if language in LANGUAGES:
            return language
    return DEFAULT
