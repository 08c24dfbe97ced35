# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration files and manifests, filled in and read back in their own language."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomllib
import yaml

from cluster import addons, components, settings
from cluster.build import Binaries
from cluster.errors import ClusterError

CONFIG, MANIFESTS = settings.SOURCES / "config", settings.SOURCES / "manifests"
TEMPLATES = {str(file.relative_to(settings.SOURCES)): file for file in (*CONFIG.iterdir(), *MANIFESTS.iterdir())}
LANGUAGES: dict[str, Callable[[str], Any]] = {
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
    ".toml": tomllib.loads,
    ".conflist": json.loads,
}


def filled(name: str) -> Any:
    """A template as its program will read it."""
    file = settings.SOURCES / name
    return LANGUAGES[file.suffix](components.filled_in(file))


def objects() -> list[dict[str, Any]]:
    return [thing for file in MANIFESTS.iterdir() for thing in filled(f"manifests/{file.name}")]


@pytest.mark.parametrize("file", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_nothing_is_left_to_fill_in(file: Path) -> None:
    wanted = re.findall(r"\$\w+", re.sub(r"^\s*#.*$", "", file.read_text(), flags=re.MULTILINE))
    assert wanted
    assert "$" not in components.filled_in(file)


@pytest.mark.parametrize("name", [name for name, file in TEMPLATES.items() if file.suffix in LANGUAGES])
def test_it_is_valid(name: str) -> None:
    assert filled(name)


def test_only_the_corefile_is_in_a_language_of_its_own() -> None:
    assert [name for name, file in TEMPLATES.items() if file.suffix not in LANGUAGES] == ["config/Corefile"]
    text = components.filled_in(CONFIG / "Corefile")
    assert text.count("{") == text.count("}") > 0
    assert 'answer "{{ .Name }} 60 IN A 10.250.0.1"' in text


def test_a_name_nobody_knows_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text("a: $brigde")
    with pytest.raises(KeyError, match="brigde"):
        components.filled_in(tmp_path / "new.yaml")


# Template; the way to a value; what it must be, for others rely on it.
VALUES: dict[str, tuple[str, tuple[str | int, ...], Callable[[], Any]]] = {
    "containerd's socket": ("config/containerd.toml", ("grpc", "address"), lambda: str(settings.CONTAINERD_SOCKET)),
    "the kubelet's way to it": (
        "config/kubelet.yaml", (0, "containerRuntimeEndpoint"), lambda: f"unix://{settings.CONTAINERD_SOCKET}"
    ),
    "the folder of volumes in the cache": (
        "config/registry.yaml", (0, "storage", "filesystem", "rootdirectory"), lambda: str(settings.REGISTRY_STORAGE)
    ),
    "the registry's address": ("config/registry.yaml", (0, "http", "addr"), lambda: "10.250.0.1:5000"),
    "how the registry is spoken to": ("config/hosts.toml", ("server",), lambda: "http://10.250.0.1:5000"),
    "the pods' bridge": ("config/cni.conflist", ("plugins", 0, "bridge"), lambda: settings.BRIDGE),
    "the pods' network": (
        "config/cni.conflist", ("plugins", 0, "ipam", "ranges", 0, 0, "subnet"), lambda: settings.POD_NETWORK
    ),
    "where pods ask for names": ("config/kubelet.yaml", (0, "clusterDNS", 0), lambda: settings.DNS_SERVICE),
    "the control group": ("config/kubelet.yaml", (0, "cgroupRoot"), lambda: f"/{settings.CGROUP}"),
    "the components, left out of the audit log": (
        "config/audit.yaml", (0, "rules", 1, "userGroups", 0), lambda: "dataops:components"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "way", "expected"), VALUES.values(), ids=VALUES.keys())
def test_values(name: str, way: tuple[str | int, ...], expected: Callable[[], Any]) -> None:
    value = filled(name)
    for part in way:
        value = value[part]
    assert value == expected()


def test_no_body_of_a_request_is_in_the_audit_log() -> None:
    (policy,) = filled("config/audit.yaml")
    assert {rule["level"] for rule in policy["rules"]} == {"None", "Metadata"}
    assert policy["rules"][-1] == {"level": "Metadata"}


def test_files_are_written_where_components_look_for_them(commands: Any) -> None:
    components.write_configuration()
    written = {str(file.relative_to(settings.CONFIG)) for file in settings.CONFIG.rglob("*") if file.is_file()}
    assert written == {
        "containerd.toml", "registries/10.250.0.1:5000/hosts.toml", "cni/10-bridge.conflist", "kubelet.yaml",
        "audit.yaml", "Corefile", "registry.yaml",
    }  # fmt: skip
    assert len(written) == len(list(CONFIG.iterdir()))
    assert f"contour bootstrap {settings.CONFIG}/envoy.json" in commands.ran[0]
    made_elsewhere = {settings.CONFIG / "envoy.json", settings.PKI / "tokens.csv"}
    reads = {file for make in components.ALL for file in make().reads}
    assert {str(file) for file in reads - made_elsewhere if not file.exists()} == set()


def test_every_component_is_started_once_with_the_settings_alone() -> None:
    made = [make() for make in components.ALL]
    assert {component.name for component in made} == {endpoint.component for endpoint in settings.ENDPOINTS} | {
        "containerd",
        "shared-storage",
    }
    assert len({component.name for component in made}) == len(made)
    options = [word.partition("=")[0] for component in made for word in component.argv if word.startswith("--")]
    assert [option for option in options if "_" in option] == []


# Component; an option it must be given.
OPTIONS = {
    "only known clients": ("kube-apiserver", "--authorization-mode=Node,RBAC"),
    "only from this machine": ("kube-apiserver", "--bind-address=10.250.0.1"),
    "an audit log": ("kube-apiserver", "--audit-log-path={state}/logs/audit.log"),
    "pods' addresses": ("kube-controller-manager", "--cluster-cidr=10.251.0.0/16"),
    "the same at the proxy": ("kube-proxy", "--cluster-cidr=10.251.0.0/16"),
    "volumes that really go": ("shared-storage", "--root={state}/volumes"),
    "certificates at etcd": ("etcd", "--client-cert-auth=true"),
}


@pytest.mark.parametrize(("name", "option"), OPTIONS.values(), ids=OPTIONS.keys())
def test_options(name: str, option: str) -> None:
    (component,) = [made for make in components.ALL if (made := make()).name == name]
    assert option.format(state=settings.STATE) in component.argv


def test_manifests_are_complete_and_name_nothing_twice() -> None:
    names = [
        (thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"], thing["apiVersion"])
        for thing in objects()
    ]
    assert len(set(names)) == len(names)
    made = {name for kind, _, name, _ in names if kind == "Namespace"} | {"", "kube-system"}
    assert {namespace for _, namespace, _, _ in names} <= made


def test_manifests_hold_what_the_probes_ask_for() -> None:
    by_name = {f"{thing['kind']}/{thing['metadata']['name']}": thing for thing in objects()}
    assert by_name["Deployment/git-server"]["spec"]["template"]["spec"]["containers"][0]["image"] == (
        "10.250.0.1:5000/git-server:2"
    )
    assert by_name["Ingress/git-server"]["spec"]["rules"][0]["host"] == "git.dataops.local"
    assert by_name["Service/kube-dns"]["spec"]["clusterIP"] == "10.252.0.10"
    assert by_name["StorageClass/shared"]["provisioner"] == "scp.dataops/shared-storage"
    assert by_name["Service/envoy"]["metadata"]["namespace"] == "projectcontour"


def test_all_manifests_are_applied_at_once_and_a_password_is_made_only_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("01-crds.yaml", "02-role-contour.yaml"):
        (tmp_path / name).write_text(f"kind: {name}")
    applied: list[str] = []
    patched: list[tuple[str, ...]] = []
    monkeypatch.setattr(addons.kube, "apply", applied.append)
    monkeypatch.setattr(addons.kube, "kubectl", lambda *words: patched.append(words))
    monkeypatch.setattr(addons.kube, "get", lambda _path: {"kind": "Secret"})
    addons.apply(Binaries(*[tmp_path] * 6))
    (text,) = applied
    kinds = [thing["kind"] for thing in yaml.safe_load_all(text)]
    assert sorted(kinds) == sorted([*(thing["kind"] for thing in objects()), "01-crds.yaml", "02-role-contour.yaml"])
    # What is in Contour's files may be used from there on.
    assert kinds.index("01-crds.yaml") < kinds.index("Ingress")
    status = json.loads(patched[0][-1].removeprefix("--patch="))["status"]
    assert status == {"loadBalancer": {"ingress": [{"ip": "10.250.0.1", "ipMode": "Proxy"}]}}


@pytest.fixture
def git_secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """What is in the git server's Secrets of a new cluster, by their names."""

    def run(argv: list[str | Path], stdin: str = "") -> str:
        if argv[0] == "ssh-keygen":
            key = Path(argv[-1])
            key.write_text(f"private key of {key.name}")
            key.with_suffix(".pub").write_text(f"ssh-ed25519 {key.name}")
        return f"crypted({len(stdin)})\n"

    def sign(name: str, _common_name: str, _usage: str, alternatives: list[str]) -> None:
        for file, text in (("ca.crt", "authority"), (f"{name}.crt", ",".join(alternatives)), (f"{name}.key", "key")):
            (settings.PKI / file).write_text(text)

    def missing(path: str) -> None:
        raise ClusterError(f"{path}: the API server answered 404.")

    settings.PKI.mkdir(parents=True)
    applied: list[str] = []
    monkeypatch.setattr(addons, "run", run)
    monkeypatch.setattr(addons.certificates, "certificate", sign)
    monkeypatch.setattr(addons.kube, "get", missing)
    monkeypatch.setattr(addons.kube, "apply", applied.append)
    addons._make_git_secrets()
    made = [json.loads(text) for text in applied]
    assert {secret["metadata"]["namespace"] for secret in made} == {"git"}
    return {
        secret["metadata"]["name"]: {key: b64decode(value).decode() for key, value in secret["data"].items()}
        for secret in made
    }


def test_the_git_server_finds_in_its_secrets_what_it_mounts(git_secrets: dict[str, dict[str, str]]) -> None:
    (server,) = [thing for thing in filled("manifests/git-server.yaml") if thing["kind"] == "Deployment"]
    mounted = {
        volume["secret"]["secretName"]: {item["key"] for item in volume["secret"]["items"]}
        for volume in server["spec"]["template"]["spec"]["volumes"]
        if "secret" in volume
    }
    assert mounted.keys() == git_secrets.keys()
    assert [key for name, keys in mounted.items() for key in keys if key not in git_secrets[name]] == []


def test_the_git_server_is_known_by_its_key_and_its_certificate(git_secrets: dict[str, dict[str, str]]) -> None:
    known, _kind, key = git_secrets["git-server-ssh"]["known_hosts"].split(" ")
    assert (known.split(",")[0], key) == ("git-server.git.svc", "host")
    assert git_secrets["git-server-ssh"]["authorized_keys"] == "ssh-ed25519 user"
    assert git_secrets["git-server-ssh"]["ssh-privatekey"] == "private key of user"
    assert git_secrets["git-server-tls"]["tls.crt"].startswith("DNS:git-server.git.svc,")
    assert git_secrets["git-server-users"]["users"] == "demo:crypted(24)\n"
