# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""Every program of the node, in the order in which they start: how it is called and how one sees that it works."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from string import Template

from . import kube, settings
from .certificates import COMPONENTS_GROUP
from .ports import accepts, listens
from .processes import Component, Probe
from .shell import run

_PKI = settings.PKI


def _options(program: str, **options: object) -> tuple[str, ...]:
    """Command line of a program: an option is spelled with underscores here and dashes there."""
    return (str(settings.BIN / program), *(f"--{name.replace('_', '-')}={value}" for name, value in options.items()))


def _answers(url: str) -> Probe:
    """A Probe for a health page, whatever its certificate: health pages of control plane programs are self-signed."""

    def probe() -> str:
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_any_certificate())]
        try:
            with urllib.request.build_opener(*handlers).open(url, timeout=3):
                return ""
        except urllib.error.HTTPError as error:
            return f"its health page answers {error.code}"
        except OSError as error:
            return f"its health page does not answer ({getattr(error, 'reason', error)})"

    return probe


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _running() -> str:
    """The Probe of a program without anything to ask: that its process is there is all that can be known."""
    return ""


def etcd() -> Component:
    # Losing the last seconds in a power cut is fine for this cluster; waiting for the disk on every write is not.
    client, peer = f"https://{settings.ETCD}", f"http://{settings.ETCD_PEER}"
    argv = _options(
        "etcd",
        name=settings.NODE,
        data_dir=settings.STATE / "etcd",
        listen_client_urls=client,
        advertise_client_urls=client,
        listen_peer_urls=peer,
        initial_advertise_peer_urls=peer,
        initial_cluster=f"{settings.NODE}={peer}",
        cert_file=_PKI / "etcd.crt",
        key_file=_PKI / "etcd.key",
        trusted_ca_file=_PKI / "ca.crt",
        client_cert_auth="true",
        unsafe_no_fsync="true",
        auto_compaction_retention="5m",
        log_level="warn",
    )
    return Component("etcd", argv, lambda: listens(settings.ETCD))


def apiserver() -> Component:
    argv = _options(
        "kube-apiserver",
        advertise_address=settings.NODE_ADDRESS,
        bind_address=settings.NODE_ADDRESS,
        secure_port=settings.API.port,
        allow_privileged="true",
        authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction",
        token_auth_file=_PKI / "tokens.csv",
        client_ca_file=_PKI / "ca.crt",
        tls_cert_file=_PKI / "apiserver.crt",
        tls_private_key_file=_PKI / "apiserver.key",
        etcd_servers=f"https://{settings.ETCD}",
        etcd_cafile=_PKI / "ca.crt",
        etcd_certfile=_PKI / "etcd.crt",
        etcd_keyfile=_PKI / "etcd.key",
        kubelet_client_certificate=_PKI / "apiserver-client.crt",
        kubelet_client_key=_PKI / "apiserver-client.key",
        # By default the node is looked up by its name, which no DNS server knows.
        kubelet_preferred_address_types="InternalIP",
        service_account_issuer=f"https://kubernetes.default.svc.{settings.CLUSTER_DOMAIN}",
        service_account_key_file=_PKI / "service-accounts.key",
        service_account_signing_key_file=_PKI / "service-accounts.key",
        service_cluster_ip_range=settings.SERVICE_NETWORK,
        audit_policy_file=settings.CONFIG / "audit.yaml",
        audit_log_path=settings.AUDIT_LOG,
        audit_log_maxsize=100,
        audit_log_maxbackup=2,
        profiling="false",
        v=1,
    )
    reads = (settings.CONFIG / "audit.yaml", _PKI / "tokens.csv")
    return Component("kube-apiserver", argv, kube.why_not_ready, reads)


def controller_manager() -> Component:
    kubeconfig = settings.CONFIG / "kube-controller-manager.kubeconfig"
    argv = _options(
        "kube-controller-manager",
        kubeconfig=kubeconfig,
        authentication_kubeconfig=kubeconfig,
        authorization_kubeconfig=kubeconfig,
        bind_address=settings.LOOPBACK,
        secure_port=settings.CONTROLLER_MANAGER.port,
        allocate_node_cidrs="true",
        cluster_cidr=settings.POD_NETWORK,
        service_cluster_ip_range=settings.SERVICE_NETWORK,
        root_ca_file=_PKI / "ca.crt",
        service_account_private_key_file=_PKI / "service-accounts.key",
        use_service_account_credentials="true",
        leader_elect="false",
        profiling="false",
        v=1,
    )
    return Component("kube-controller-manager", argv, _answers(f"https://{settings.CONTROLLER_MANAGER}/healthz"))


def scheduler() -> Component:
    kubeconfig = settings.CONFIG / "kube-scheduler.kubeconfig"
    argv = _options(
        "kube-scheduler",
        kubeconfig=kubeconfig,
        authentication_kubeconfig=kubeconfig,
        authorization_kubeconfig=kubeconfig,
        bind_address=settings.LOOPBACK,
        secure_port=settings.SCHEDULER.port,
        leader_elect="false",
        profiling="false",
        v=1,
    )
    return Component("kube-scheduler", argv, _answers(f"https://{settings.SCHEDULER}/healthz"))


def containerd() -> Component:
    file = settings.CONFIG / "containerd.toml"
    argv = ("containerd", "--config", str(file), "--log-level", "warn")
    return Component("containerd", argv, lambda: accepts(settings.CONTAINERD_SOCKET), (file,))


def kubelet() -> Component:
    file = settings.CONFIG / "kubelet.yaml"
    argv = _options(
        "kubelet",
        config=file,
        kubeconfig=settings.CONFIG / "kubelet.kubeconfig",
        root_dir=settings.STATE / "kubelet",
        cert_dir=settings.STATE / "kubelet" / "pki",
        hostname_override=settings.NODE,
        node_ip=settings.NODE_ADDRESS,
        v=1,
    )
    return Component("kubelet", argv, _answers(f"http://{settings.KUBELET_HEALTH}/healthz"), (file,))


def proxy() -> Component:
    argv = _options(
        "kube-proxy",
        kubeconfig=settings.CONFIG / "kube-proxy.kubeconfig",
        hostname_override=settings.NODE,
        proxy_mode="iptables",
        cluster_cidr=settings.POD_NETWORK,
        conntrack_max_per_core=0,
        iptables_localhost_nodeports="false",
        healthz_bind_address=settings.PROXY_HEALTH,
        metrics_bind_address=settings.PROXY_METRICS,
        v=1,
    )
    return Component("kube-proxy", argv, _answers(f"http://{settings.PROXY_HEALTH}/healthz"))


def coredns() -> Component:
    file = settings.CONFIG / "Corefile"
    argv = (str(settings.BIN / "coredns"), "-conf", str(file))
    return Component("coredns", argv, _answers(f"http://{settings.DNS_HEALTH}/health"), (file,))


def shared_storage() -> Component:
    argv = _options(
        "shared-storage",
        kubeconfig=settings.CONFIG / "shared-storage.kubeconfig",
        root=settings.VOLUMES,
        provisioner=settings.STORAGE_PROVISIONER,
        node=settings.NODE,
    )
    return Component("shared-storage", argv, _running)


def registry() -> Component:
    file = settings.CONFIG / "registry.yaml"
    argv = (str(settings.BIN / "registry"), "serve", str(file))
    environment = {"OTEL_TRACES_EXPORTER": "none"}
    return Component("registry", argv, _answers(f"http://{settings.REGISTRY}/v2/"), (file,), environment)


def contour() -> Component:
    program, *options = _options(
        "contour",
        kubeconfig=settings.CONFIG / "contour.kubeconfig",
        xds_address=settings.CONTOUR_XDS.host,
        xds_port=settings.CONTOUR_XDS.port,
        http_address=settings.CONTOUR_HEALTH.host,
        http_port=settings.CONTOUR_HEALTH.port,
        health_address=settings.CONTOUR_HEALTH.host,
        health_port=settings.CONTOUR_HEALTH.port,
        debug_http_address=settings.CONTOUR_DEBUG.host,
        debug_http_port=settings.CONTOUR_DEBUG.port,
        envoy_service_http_address=settings.INGRESS_HTTP.host,
        envoy_service_http_port=settings.INGRESS_HTTP.port,
        envoy_service_https_address=settings.INGRESS_HTTPS.host,
        envoy_service_https_port=settings.INGRESS_HTTPS.port,
        stats_address=settings.ENVOY_STATS.host,
        stats_port=settings.ENVOY_STATS.port,
        ingress_class_name="contour",
        ingress_status_address=settings.NODE_ADDRESS,
        envoy_http_access_log=settings.LOGS / "ingress-access.log",
        envoy_https_access_log=settings.LOGS / "ingress-access.log",
    )
    argv = (program, "serve", "--insecure", "--disable-leader-election", *options)
    return Component("contour", argv, _answers(f"http://{settings.CONTOUR_HEALTH}/healthz"))


def envoy() -> Component:
    file = settings.CONFIG / "envoy.json"
    # Unlike all others it does not know the form --option=value.
    options = {"config-path": file, "service-cluster": "projectcontour", "service-node": "envoy", "concurrency": 1}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    argv = (str(settings.BIN / "envoy"), *words, "--log-level", "warn", "--disable-hot-restart")
    return Component("envoy", argv, _answers(f"http://{settings.ENVOY_STATS}/ready"), (file,))


RUNTIME: tuple[Callable[[], Component], ...] = (registry, containerd, etcd)
API: tuple[Callable[[], Component], ...] = (apiserver,)
CONTROLLERS: tuple[Callable[[], Component], ...] = (controller_manager, scheduler)
NODE: tuple[Callable[[], Component], ...] = (kubelet, proxy, coredns, shared_storage)
INGRESS: tuple[Callable[[], Component], ...] = (contour, envoy)
ALL = (*RUNTIME, *API, *CONTROLLERS, *NODE, *INGRESS)


def write_configuration() -> None:
    """Fill in and write the files that the components read."""
    for source, target in (
        ("containerd.toml", "containerd.toml"),
        ("hosts.toml", f"registries/{settings.REGISTRY}/hosts.toml"),
        ("cni.conflist", "cni/10-bridge.conflist"),
        ("kubelet.yaml", "kubelet.yaml"),
        ("audit.yaml", "audit.yaml"),
        ("Corefile", "Corefile"),
        ("registry.yaml", "registry.yaml"),
    ):
        _write(settings.CONFIG / target, filled_in(settings.SOURCES / "config" / source))
    xds = (f"--xds-address={settings.CONTOUR_XDS.host}", f"--xds-port={settings.CONTOUR_XDS.port}")
    admin = f"--admin-address={settings.STATE / 'envoy-admin.sock'}"
    run([settings.BIN / "contour", "bootstrap", settings.CONFIG / "envoy.json", admin, *xds])


def filled_in(file: Path) -> str:
    """The text of a configuration file or manifest with its $-names replaced."""
    return Template(file.read_text()).substitute(
        bridge=settings.BRIDGE,
        cgroup=settings.CGROUP,
        cluster_domain=settings.CLUSTER_DOMAIN,
        cni_network=settings.CNI_NETWORK,
        components_group=COMPONENTS_GROUP,
        config=settings.CONFIG,
        containerd_socket=settings.CONTAINERD_SOCKET,
        dns_health=settings.DNS_HEALTH,
        dns_service=settings.DNS_SERVICE,
        git_host=settings.GIT_HOST,
        git_image=settings.GIT_SERVER.reference,
        ingress_zone=settings.INGRESS_ZONE,
        node_address=settings.NODE_ADDRESS,
        pause_image=settings.PAUSE.reference,
        pki=settings.PKI,
        pod_network=settings.POD_NETWORK,
        registry=settings.REGISTRY,
        registry_storage=settings.REGISTRY_STORAGE,
        state=settings.STATE,
        storage_provisioner=settings.STORAGE_PROVISIONER,
    )


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
