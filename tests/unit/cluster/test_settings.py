# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders by environment, and what the tables of settings promise each other."""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from cluster import build, settings

VARIABLES = ("SCP_DATAOPS_STATE", "XDG_STATE_HOME", "XDG_CACHE_HOME")
README = (settings.SOURCES / "README.md").read_text()

# Environment; state folder; cache folder. All below one folder, which is also the home.
FOLDERS = {
    "nothing is set": ({}, ".local/state/scp-dataops", ".cache/scp-dataops"),
    "the desktop's variables": (
        {"XDG_STATE_HOME": "{top}/s", "XDG_CACHE_HOME": "{top}/c"},
        "s/scp-dataops",
        "c/scp-dataops",
    ),
    "an own state folder": ({"SCP_DATAOPS_STATE": "{top}/mine"}, "mine", ".cache/scp-dataops"),
    "the own one wins": (
        {"SCP_DATAOPS_STATE": "{top}/mine", "XDG_STATE_HOME": "{top}/s"},
        "mine",
        ".cache/scp-dataops",
    ),
    "empty is as good as not set": (
        {"SCP_DATAOPS_STATE": "", "XDG_STATE_HOME": "", "XDG_CACHE_HOME": ""},
        ".local/state/scp-dataops",
        ".cache/scp-dataops",
    ),
    "home by its short name": ({"SCP_DATAOPS_STATE": "~/mine"}, "mine", ".cache/scp-dataops"),
    "relative to the current folder": ({"SCP_DATAOPS_STATE": "mine"}, "here/mine", ".cache/scp-dataops"),
    "with a step up": ({"SCP_DATAOPS_STATE": "../mine"}, "mine", ".cache/scp-dataops"),
    "through a link, which mounts do not show": ({"SCP_DATAOPS_STATE": "{top}/link/s"}, "disk/s", ".cache/scp-dataops"),
}


@pytest.mark.parametrize(("environment", "state", "cache"), FOLDERS.values(), ids=FOLDERS.keys())
def test_folders(
    environment: dict[str, str], state: str, cache: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    top = tmp_path.resolve()
    for folder in ("here", "disk"):
        (top / folder).mkdir()
    (top / "link").symlink_to(top / "disk")
    monkeypatch.chdir(top / "here")
    monkeypatch.setenv("HOME", str(top))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(top=top))
    assert settings.state_folder() == top / state
    assert settings.cache_folder() == top / cache


def test_no_two_components_want_one_port() -> None:
    assert [at for at, times in Counter(map(str, settings.ENDPOINTS)).items() if times > 1] == []


def test_every_endpoint_is_checked_before_a_start() -> None:
    named = {value for value in vars(settings).values() if isinstance(value, settings.Endpoint)}
    assert named == set(settings.ENDPOINTS)


def test_addresses_lie_in_their_networks_and_networks_apart() -> None:
    pods, services = ip_network(settings.POD_NETWORK), ip_network(settings.SERVICE_NETWORK)
    assert not pods.overlaps(services)
    assert ip_address(settings.DNS_SERVICE) in services
    # Kubernetes itself takes the first address of the network.
    assert ip_address(settings.KUBERNETES_SERVICE) == next(services.hosts())
    assert not any(ip_address(settings.NODE_ADDRESS) in network for network in (pods, services))


def test_images_are_named_by_the_registry() -> None:
    assert settings.GIT_SERVER.reference == "10.250.0.1:5000/git-server:2"


def test_the_readme_tells_the_images() -> None:
    told = re.search(r"followed by (.*?)\. They are", README, re.DOTALL)
    assert told
    assert set(re.findall(r"`([^`]+)`", told[1])) == {
        f"{image.repository}:{image.tag}" for image in settings.IMAGES if image is not settings.PAUSE
    }


# Name in the README; Go module and its requirement, or a version in the settings.
VERSIONS = {
    "Kubernetes": ("kubernetes", "k8s.io/kubernetes"),
    "etcd": ("kubernetes", "go.etcd.io/etcd/server/v3"),
    "CoreDNS": ("kubernetes", "github.com/coredns/coredns"),
    "Contour": ("contour", "github.com/projectcontour/contour"),
    "distribution": ("registry", "github.com/distribution/distribution/v3"),
}


@pytest.mark.parametrize(("name", "module", "requirement"), [(name, *row) for name, row in VERSIONS.items()])
def test_the_readme_tells_the_versions_that_are_built(name: str, module: str, requirement: str) -> None:
    wanted = (settings.SOURCES / "go" / module / "go.mod").read_text()
    version = re.search(rf"\b{re.escape(requirement)} v([\d.]+)", wanted)
    assert version
    assert f"{name} {version[1]}" in README
    if name == "Kubernetes":
        assert version[1] == settings.KUBERNETES


def test_the_readme_tells_the_version_of_envoy() -> None:
    assert f"Envoy {settings.ENVOY_WHEEL.partition('==')[2]}," in README


def test_the_binary_holds_every_kubernetes_program() -> None:
    main = (settings.SOURCES / "go" / "kubernetes" / "main.go").read_text()
    assert tuple(re.findall(r'^\t\{"([\w-]+)", "', main, re.MULTILINE)) == build.KUBERNETES_PROGRAMS
