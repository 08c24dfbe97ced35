# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: the Manager, its defaults and those of its services, and the form that changes them."""

from __future__ import annotations

TEXTS = {
    "settings": ("Settings", "설정"),
    "settings_manager": ("Manager", "Manager"),
    "settings_change": ("Change", "변경"),
    "settings_address": ("Address", "주소"),
    "settings_version": ("Version of new services", "새 서비스의 버전"),
    "settings_domain": ("Domain", "도메인"),
    "settings_ingress": ("Ingress class", "Ingress 클래스"),
    "settings_of_cluster": ("as the cluster has it", "클러스터에 있는 것"),
    "settings_account": ("Account", "계정"),
    "settings_password_in": ("password in Secret {secret}, key {at}", "비밀번호는 Secret {secret}의 {at} 키에 있음"),
    "settings_registry": ("Image registry", "이미지 레지스트리"),
    "settings_others": (
        "Account, certificate, registry and what has no field are changed with the module or the API.",
        "계정, 인증서, 레지스트리와 입력란이 없는 항목은 모듈이나 API로 변경합니다.",
    ),
    "settings_defaults": ("All services", "모든 서비스"),
    "settings_defaults_help": (
        "What every service has unless it says otherwise. A change reaches a service with its next run.",
        "서비스가 따로 정하지 않으면 적용되는 값입니다. 변경한 값은 서비스가 다음에 실행될 때 반영됩니다.",
    ),
    "settings_no_defaults": ("No default is set.", "설정된 기본값이 없습니다."),
    "settings_services": ("Each service", "서비스별 설정"),
    "settings_no_services": ("There are no services yet.", "아직 서비스가 없습니다."),
    "settings_nothing": ("It has nothing of its own and inherits nothing.", "자체 설정도 상속된 설정도 없습니다."),
    "settings_value": ("Value", "값"),
    "settings_unless": ("Differs in", "다르게 정한 서비스"),
    "settings_from": ("From", "출처"),
    "settings_own": ("Own", "자체 설정"),
    "settings_inherited": ("Inherited", "상속됨"),
    "settings_count": ("{own} own, {inherited} inherited", "자체 설정 {own}개, 상속 {inherited}개"),
    "settings_instead_of": ("instead of {value}", "기본값 {value} 대신"),
    "settings_unreadable": ("It cannot be read: {reason}", "읽을 수 없습니다: {reason}"),
    "settings_change_service": ("Change of {name}:", "{name} 변경:"),
    "settings_group_sizes": ("Resource sizes", "리소스 크기"),
    "settings_group_config": ("Airflow configuration", "Airflow 구성"),
    "settings_group_environment": ("Environment", "환경 변수"),
    "settings_group_placement": ("Placement", "배치"),
    "settings_group_network": ("Network", "네트워크"),
    "settings_group_images": ("Storage and images", "스토리지와 이미지"),
    "settings_group_monitoring": ("Monitoring", "모니터링"),
    "settings_change_title": ("Change settings", "설정 변경"),
    "settings_console": ("Console", "콘솔"),
    "settings_files": ("Storage for files", "파일 스토리지"),
}
