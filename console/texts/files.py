# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of uploaded files."""

from __future__ import annotations

TEXTS = {
    "files": ("Files", "파일"),
    "files_every": ("All", "전체"),
    "files_plugin": ("Plugin Files", "플러그인 파일"),
    "files_shared": ("Shared Files", "공유 파일"),
    "files_library": ("Python Library Files", "Python 라이브러리 파일"),
    "files_one_plugin": ("Plugin File", "플러그인 파일"),
    "files_one_shared": ("Shared File", "공유 파일"),
    "files_one_library": ("Python Library File", "Python 라이브러리 파일"),
    "files_kinds": ("Kinds of files", "파일 종류"),
    "files_volume": ("Volume", "볼륨"),
    "files_room": ("{used} of {total} used, {free} free", "{total} 중 {used} 사용, {free} 남음"),
    "files_show": ("Show", "보기"),
    "files_of": ("Files of", "대상 서비스"),
    "files_for": ("For", "대상"),
    "files_all_services": ("All services", "모든 서비스"),
    "files_none": ("There are no files yet.", "아직 파일이 없습니다."),
    "files_kind": ("Kind", "종류"),
    "files_size": ("Size", "크기"),
    "files_count_one": ("1 file, {size}", "파일 1개, {size}"),
    "files_count": ("{count} files, {size}", "파일 {count}개, {size}"),
    "files_checksum": ("Checksum", "체크섬"),
    "files_uploaded": ("Uploaded (UTC)", "업로드 (UTC)"),
    "files_used_by": ("Used by", "사용 서비스"),
    "files_more": ("{count} more", "외 {count}개"),
    "files_nobody": ("No service", "없음"),
    "files_newer": ("Newest: {number}", "최신: {number}"),
    "files_in_use": ("In use", "사용 중"),
    "files_not_in_use": ("Not in use", "사용 안 함"),
    "files_versions": ("Versions", "버전"),
    "files_version": ("Version {number}", "버전 {number}"),
    "files_contents": ("Contents", "내용"),
    "files_decided": ("Chosen by {name}, {when} UTC", "{name} 선택, {when} UTC"),
    "files_deleted": ("Deleted by {name}, {when} UTC", "{name} 삭제, {when} UTC"),
    "files_unpacked": ("Unpacked from archive {checksum}", "압축 파일 {checksum}에서 풀었습니다"),
    "files_use": ("Use this version", "이 버전 사용"),
    "files_use_number": ("Use version {number}", "버전 {number} 사용"),
    "files_delete": ("Delete", "삭제"),
    "files_back": ("Back", "뒤로"),
    "files_ask_use": ("Use version {number} of {name}?", "{name}의 버전 {number}을(를) 사용하시겠습니까?"),
    "files_ask_delete": ("Delete {name}?", "{name}을(를) 삭제하시겠습니까?"),
    "files_kept": (
        "Its versions are kept for a while, so it can be taken back.",
        "버전은 당분간 보관되므로 되돌릴 수 있습니다.",
    ),
    "files_restarts": (
        "These components restart, one service after the other:",
        "다음 구성 요소가 서비스별로 차례로 재시작됩니다:",
    ),
    "files_restarts_none": ("Nothing restarts.", "재시작되는 구성 요소가 없습니다."),
    "files_at_once": ("Services see it within seconds.", "몇 초 안에 서비스에 반영됩니다."),
    "files_proven": (
        "Each service tries the files first, in its own image. If they do not work there, nothing changes.",
        "먼저 각 서비스의 이미지에서 파일을 시험합니다. 문제가 있으면 아무것도 바뀌지 않습니다.",
    ),
}
