# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the activity: who changed what and when."""

from __future__ import annotations

TEXTS = {
    "activity": ("Activity", "활동"),
    "activity_none": ("Nothing was changed yet.", "아직 변경된 것이 없습니다."),
    "activity_none_fits": ("No entry fits this filter.", "이 필터에 맞는 항목이 없습니다."),
    "activity_range": ("{first}-{last} of {total}, newest first", "전체 {total}개 중 {first}-{last}, 최신순"),
    "activity_when": ("When (UTC)", "시각 (UTC)"),
    "activity_who": ("Who", "누가"),
    "activity_what": ("What", "무엇을"),
    "activity_details": ("Details", "세부 정보"),
    "activity_target": ("Target", "대상"),
    "activity_door": ("By way of", "경로"),
    "activity_name": ("Who", "누가"),
    "activity_any": ("All", "전체"),
    "activity_filter": ("Filter", "필터"),
    "activity_clear": ("Show all", "모두 보기"),
    "activity_options": ("Options:", "옵션:"),
    "activity_objects": ("Objects", "오브젝트"),
    "activity_restarted": ("Restarted:", "재시작됨:"),
    "activity_failed": ("Failed", "실패"),
    "activity_done": ("Done", "완료"),
    "activity_pages": ("Pages of the activity", "활동 페이지"),
    "activity_newer": ("Newer", "이후"),
    "activity_older": ("Older", "이전"),
    "door_console": ("Console", "콘솔"),
    "door_api": ("API", "API"),
    "door_playbook": ("Playbook", "플레이북"),
    "verb_create": ("Create", "생성"),
    "verb_change": ("Change", "변경"),
    "verb_upgrade": ("Upgrade", "업그레이드"),
    "verb_start": ("Start", "시작"),
    "verb_stop": ("Stop", "중지"),
    "verb_restart": ("Restart", "재시작"),
    "verb_remove": ("Remove", "제거"),
    "verb_publish": ("Publish", "게시"),
    "verb_revoke": ("Revoke", "폐기"),
}
