# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms to create and to change a service and to change the settings, and what they would do."""

from __future__ import annotations

TEXTS = {
    "new_service": ("New service", "새 서비스"),
    "change_it": ("Change", "변경"),
    "change_description": ("Description of {name}", "{name} 설명"),
    "change_size": ("Size of {name}", "{name} 크기"),
    "change_git_sync": ("DAGs GitSync of {name}", "{name} DAGs GitSync"),
    "change_host_alias": ("Host Alias of {name}", "{name} Host Alias"),
    "change_executor": ("Executor of {name}", "{name} 실행기"),
    "change_version": ("Version of {name}", "{name} 버전"),
    "change_airflow_configuration": ("Airflow configuration of {name}", "{name} Airflow 설정"),
    "preview": ("Preview", "미리 보기"),
    "preview_of": ("Preview: {name}", "미리 보기: {name}"),
    "nothing_yet": ("Nothing is changed yet.", "아직 변경된 내용이 없습니다."),
    "would_happen": ("What would happen", "적용 시 변경 내용"),
    "no_restart": ("No component restarts.", "재시작되는 구성 요소가 없습니다."),
    "difference": ("Difference", "차이"),
    "changes": ("What changes", "변경 내용"),
    "option": ("Option", "옵션"),
    "before": ("Before", "변경 전"),
    "after": ("After", "변경 후"),
    "effects_help": (
        "They go on as they are. Each has this with its next run, which restarts what reads it.",
        "서비스는 그대로 계속 실행됩니다. 다음 실행 때 변경이 반영되고 이를 읽는 구성 요소가 재시작됩니다.",
    ),
    "no_effects": ("No service changes by this.", "이 변경으로 바뀌는 서비스가 없습니다."),
    "console_restarts": (
        "The console itself restarts with this. It does not answer for some seconds; who is signed in stays so.",
        "이 변경으로 콘솔이 재시작됩니다. 몇 초 동안 응답하지 않으며 로그인은 유지됩니다.",
    ),
    "apply": ("Apply", "적용"),
    "back_to_the_form": ("Back to the form", "양식으로 돌아가기"),
    "kept_for_a_while": ("This preview is kept for 15 minutes.", "이 미리 보기는 15분 동안 유지됩니다."),
    "own_and_inherited": ("what is its own, and what it inherits", "자체 설정과 상속된 설정"),
    "sizes": ("Size of each component", "구성 요소별 크기"),
    "part_web_server": ("Web server", "웹 서버"),
    "part_scheduler": ("Scheduler", "스케줄러"),
    "part_dag_processor": ("DAG processor", "DAG 프로세서"),
    "part_triggerer": ("Triggerer", "트리거러"),
    "part_worker": ("Worker", "워커"),
    "part_task_pod": ("Task pod", "태스크 파드"),
    "size_cpu": ("CPU", "CPU"),
    "size_memory": ("Memory", "메모리"),
    "size_cpu_limit": ("CPU limit", "CPU 한도"),
    "size_memory_limit": ("Memory limit", "메모리 한도"),
    "size_replica": ("Pods", "파드 수"),
    "storage_size": ("Storage size", "스토리지 크기"),
    "storage_class": ("Storage class", "스토리지 클래스"),
    "git_repo": ("Repository", "저장소"),
    "git_ref": ("Branch, tag or commit", "브랜치, 태그 또는 커밋"),
    "git_subdir": ("Folder with DAGs", "DAG 폴더"),
    "git_interval": ("Look every (seconds)", "확인 주기(초)"),
    "git_username": ("User", "사용자"),
    "git_password": ("Password or token", "비밀번호 또는 토큰"),
    "git_ssh_key": ("SSH key", "SSH 키"),
    "git_known_hosts": ("Host keys (known_hosts)", "호스트 키 (known_hosts)"),
    "host_alias_lines": ("Addresses and names", "주소와 이름"),
    "airflow_configuration": ("Airflow configuration", "Airflow 설정"),
    "config": ("Options of airflow.cfg (YAML)", "airflow.cfg 옵션 (YAML)"),
    "environment": ("Environment variables (YAML)", "환경 변수 (YAML)"),
    "hint_name": (
        "3 to 30 lower-case letters, digits and '-'. It is part of the address and cannot be changed.",
        "영문 소문자, 숫자, '-' 3~30자. 주소에 포함되며 변경할 수 없습니다.",
    ),
    "hint_description": ("Up to 150 characters.", "최대 150자."),
    "hint_tags": ("A line for each, such as team=data", "한 줄에 하나씩, 예: team=data"),
    "hint_size": ("What each component has unless it is set below.", "아래에서 지정하지 않은 구성 요소의 크기입니다."),
    "hint_sizes": (
        "Cores such as 0.5 or 500m, memory such as 2Gi. An empty field has what stands in it in grey.",
        "코어는 0.5 또는 500m, 메모리는 2Gi처럼 입력합니다. 빈 항목에는 회색으로 표시된 값이 적용됩니다.",
    ),
    "hint_default_sizes": (
        "Cores such as 0.5 or 500m, memory such as 2Gi. Empty: as the size, or the product, has it.",
        "코어는 0.5 또는 500m, 메모리는 2Gi처럼 입력합니다. 비워 두면 전체 크기나 제품 기본값을 따릅니다.",
    ),
    "hint_storage_size": ("Such as 10Gi, for each of its volumes.", "예: 10Gi, 볼륨마다 적용됩니다."),
    "hint_storage_class": (
        "Empty for that of the Manager. It cannot be changed later.",
        "비워 두면 Manager의 값을 사용합니다. 나중에 변경할 수 없습니다.",
    ),
    "hint_repo": (
        "Such as https://git.example.com/team/dags.git; empty for none.",
        "예: https://git.example.com/team/dags.git. 사용하지 않으려면 비워 두십시오.",
    ),
    "hint_ref": ("Empty for main.", "비워 두면 main을 사용합니다."),
    "hint_interval": ("Empty for 60.", "비워 두면 60초입니다."),
    "hint_username": ("Empty for a public repository.", "공개 저장소는 비워 두십시오."),
    "hint_secret": (
        "Empty to keep what was given before. It is never shown.",
        "비워 두면 기존 값을 유지합니다. 표시되지 않습니다.",
    ),
    "hint_known_hosts": ("Needed with an SSH key.", "SSH 키를 사용할 때 필요합니다."),
    "hint_host_alias": (
        "Lines as in a hosts file, such as 10.0.0.5 db.internal",
        "hosts 파일 형식, 예: 10.0.0.5 db.internal",
    ),
    "hint_config": (
        "Sections with options, such as core: with parallelism: 64 below it, indented. "
        "A secret stands in a Secret of yours: {{secret: NAME, key: KEY}}",
        "섹션과 옵션, 예: core: 아래에 들여 써서 parallelism: 64. "
        "비밀 값은 Secret으로 지정합니다: {{secret: NAME, key: KEY}}",
    ),
    "hint_environment": (
        "A part (all, web-server, scheduler, dag-processor, triggerer, worker, task, jobs) with NAME: value below it, "
        "indented.",
        "대상(all, web-server, scheduler, dag-processor, triggerer, worker, task, jobs) 아래에 들여 써서 NAME: 값.",
    ),
    "placement": ("Placement", "배치"),
    "node_selector": ("Node selector", "노드 셀렉터"),
    "hint_node_selector": (
        "A label of nodes in a line, such as pool=dataops",
        "한 줄에 노드 레이블 하나, 예: pool=dataops",
    ),
}
