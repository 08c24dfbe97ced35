# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations: what runs, and how it ended. Their verbs are those of the activity."""

from __future__ import annotations

TEXTS = {
    "operations": ("Operations", "작업"),
    "operation": ("Operation", "작업"),
    "no_operations": ("Nothing was changed by this console lately.", "최근 이 콘솔에서 변경한 내용이 없습니다."),
    "by": ("By", "실행한 사람"),
    "begun": ("Begun", "시작"),
    "ended": ("Ended", "종료"),
    "begun_by": ("by {name} at {when}", "{name}, {when}"),
    "progress": ("Progress", "진행 상황"),
    "result": ("Result", "결과"),
    "goes_on": ("It goes on when this page is left.", "이 페이지를 떠나도 계속 진행됩니다."),
    "to_the_files": ("Go to the files", "파일로 이동"),
    "to_the_service": ("Go to the service", "서비스로 이동"),
    "to_the_settings": ("Go to the settings", "설정으로 이동"),
    "to_the_dashboard": ("Go to the dashboard", "대시보드로 이동"),
    "interrupted": (
        "The console ended meanwhile. The next change of the same finishes what was begun.",
        "그동안 콘솔이 종료되었습니다. 같은 대상을 다시 변경하면 시작된 작업이 마무리됩니다.",
    ),
    "operation_RUNNING": ("Running", "진행 중"),
    "operation_DONE": ("Done", "완료"),
    "operation_FAILED": ("Failed", "실패"),
    "operation_INTERRUPTED": ("Interrupted", "중단됨"),
    "nothing_changes": ("Nothing changes.", "변경되는 내용이 없습니다."),
    "outcome_actions": ("Objects", "오브젝트"),
    "outcome_restarted": ("Get new pods", "새 파드로 교체"),
    "outcome_kept": ("Stay", "유지"),
    "outcome_not_checked": ("Could not be checked", "확인하지 못함"),
    "outcome_warnings": ("Warnings", "경고"),
}
