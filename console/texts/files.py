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
    "files_uploaded": ("Uploaded", "업로드"),
    "files_used_by": ("Used by", "사용 서비스"),
    "files_more": ("{count} more", "외 {count}개"),
    "files_nobody": ("No service", "없음"),
    "files_newer": ("Newest: {number}", "최신: {number}"),
    "files_in_use": ("In use", "사용 중"),
    "files_not_in_use": ("Not in use", "사용 안 함"),
    "files_versions": ("Versions", "버전"),
    "files_version": ("Version {number}", "버전 {number}"),
    "files_contents": ("Contents", "내용"),
    "files_decided": ("Chosen by {name}, {when}", "{name} 선택, {when}"),
    "files_deleted": ("Deleted by {name}, {when}", "{name} 삭제, {when}"),
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
    # Uploads
    "files_upload": ("Upload", "업로드"),
    "files_noscript": (
        "Uploads by browser need JavaScript. Playbooks and the REST API do not.",
        "브라우저 업로드에는 JavaScript가 필요합니다. 플레이북과 REST API에는 필요하지 않습니다.",
    ),
    "files_choose": (
        "Drop files or a folder here, or choose files",
        "파일이나 폴더를 여기에 놓거나 파일을 선택하십시오",
    ),
    "files_name": ("Name (optional)", "이름 (선택)"),
    "files_name_title": (
        "Up to 100 letters, digits, '.', '_' and '-', with a letter or digit first",
        "문자, 숫자, '.', '_', '-' 최대 100자, 첫 글자는 문자 또는 숫자",
    ),
    "files_unpack": ("Unpack archives", "압축 파일 풀기"),
    "files_hint_plugin": (
        "Python files, a folder, or an archive (zip, tar, tar.gz, tar.xz), which is unpacked. Services try them first, "
        "and then restart one after the other.",
        "Python 파일, 폴더 또는 압축 파일(zip, tar, tar.gz, tar.xz)입니다. 압축 파일은 풀어서 저장합니다. "
        "서비스가 먼저 시험한 뒤 차례로 재시작됩니다.",
    ),
    "files_hint_shared": (
        "Whatever tasks read, at /opt/airflow/shared within seconds. Nothing restarts.",
        "태스크가 읽는 모든 파일입니다. 몇 초 안에 /opt/airflow/shared에 나타나며 재시작이 없습니다.",
    ),
    "files_hint_library": (
        "A text of requirements (*.txt), wheels, or both. Services try them first, and then restart one after the "
        "other.",
        "requirements 텍스트(*.txt), wheel 또는 둘 다. 서비스가 먼저 시험한 뒤 차례로 재시작됩니다.",
    ),
    "files_nothing_chosen": ("Choose a file first.", "먼저 파일을 선택하십시오."),
    "files_archive_alone": (
        "An archive that is unpacked is an upload of its own. Choose it alone.",
        "풀어서 저장할 압축 파일은 단독으로 업로드하십시오.",
    ),
    "files_name_needed": (
        "Files that belong together are one upload. Give it a name.",
        "함께 선택한 파일은 하나로 업로드됩니다. 이름을 입력하십시오.",
    ),
    "files_sign_in": (
        "You are signed out. Sign in and choose the same file again: it goes on where it was.",
        "로그아웃되었습니다. 로그인 후 같은 파일을 다시 선택하면 이어서 업로드됩니다.",
    ),
    "files_refused": ("The request was refused", "요청이 거부되었습니다"),
    "files_unreadable": (
        "it cannot be read, or has changed. Choose it again",
        "읽을 수 없거나 변경되었습니다. 다시 선택하십시오",
    ),
    "files_lost": ("Connection lost, trying again", "연결이 끊어져 다시 시도합니다"),
    "files_gave_up": (
        "The connection was lost again and again. What was sent is kept: try again, and it goes on from there.",
        "연결이 계속 끊어졌습니다. 전송된 부분은 보관되며, 다시 시도하면 이어서 업로드됩니다.",
    ),
    "files_interrupted": (
        "The console was restarted meanwhile. Try again: it is finished then",
        "그동안 콘솔이 재시작되었습니다. 다시 시도하면 완료됩니다",
    ),
    "files_waiting": ("Waiting", "대기 중"),
    "files_checking": ("Computing the checksum", "체크섬 계산 중"),
    "files_sending": ("Sending", "전송 중"),
    "files_publishing": ("Checking and publishing", "검사 및 게시 중"),
    "files_done": ("In use", "사용 중"),
    "files_failed": ("Failed", "실패"),
    "files_again": ("Try again", "다시 시도"),
    "files_operation": ("Operation", "작업"),
    # From a text
    "files_write": ("Write a file", "파일 작성"),
    "files_write_instead": ("Write a small file here instead", "작은 파일을 직접 작성"),
    "files_called": ("Name of the file", "파일 이름"),
    "files_text": ("Text", "내용"),
}
