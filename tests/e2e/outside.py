# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores that somebody else keeps: a PostgreSQL and a Redis in a namespace of their own, which take TLS only.

Users and passwords hold every character that an address, a shell or a configuration file could stumble over.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.scp.dataops.plugins.module_utils.kube.client import Kube
from ansible_collections.scp.dataops.plugins.module_utils.kube.objects import Manifest, Ref
from ansible_collections.scp.dataops.plugins.module_utils.kube.wait import wait_ready
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

APP = "app"
USER, PASSWORD = "da:ta@ops", "p@ss$wo%rd/#:? 'ü"
OTHER_PASSWORD = 'an%other$one "}{'
DATABASE, LATIN, THEIRS = "airflow", "latin", "theirs"
TLS, FILES = "/tls", "/files"
UID = 999
# The machine is small and busy: a slow answer is an answer.
PATIENT = {"periodSeconds": 3, "timeoutSeconds": 10, "failureThreshold": 10}

INIT = f"""\
set -eu
psql -v ON_ERROR_STOP=1 -U admin -d {DATABASE} <<'SQL'
CREATE ROLE "{USER}" LOGIN PASSWORD '{PASSWORD.replace("'", "''")}';
ALTER DATABASE {DATABASE} OWNER TO "{USER}";
CREATE DATABASE {LATIN} OWNER "{USER}" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE {THEIRS};
SQL
sed -i 's/^host all all all/hostssl all all all/' "$PGDATA/pg_hba.conf"
"""


def redis_conf() -> str:
    quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(
        (
            "port 0",
            "tls-port 6379",
            "tls-auth-clients no",
            f"tls-cert-file {TLS}/tls.crt",
            f"tls-key-file {TLS}/tls.key",
            f"tls-ca-cert-file {TLS}/ca.crt",
            'save ""',
            "user default off",
            f'user {USER} on ">{quoted}" ~* &* +@all',
            "",
        )
    )


@dataclass(frozen=True)
class Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, *hosts: str) -> dict[str, str]:
        """Key and certificate of a server with these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        signed = _builder(hosts[0][:60], self.certificate.subject, key).add_extension(names, critical=False)
        certificate = signed.sign(self.key, hashes.SHA256())
        return {
            "tls.key": key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
            "tls.crt": certificate.public_bytes(serialization.Encoding.PEM).decode(),
            "ca.crt": self.pem,
        }


def authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of outside stores")])
    builder = _builder("authority of outside stores", subject, key)
    constrained = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Authority(key, constrained.sign(key, hashes.SHA256()))


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=2))
    )


def secret(name: str, namespace: str, values: dict[str, str]) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


def start(kube: Kube, namespace: str, registry: str, signer: Authority) -> None:
    """Both servers, listening when this returns."""
    hosts = [f"{name}.{namespace}.svc" for name in ("postgres", "redis")]
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    kube.apply(secret("tls", namespace, signer.issue(*hosts)))
    kube.apply(secret("files", namespace, {"init.sh": INIT, "redis.conf": redis_conf(), "admin": "only-here"}))
    tls = [f"-c{key}={value}" for key, value in _postgres_tls().items()]
    environment = {"POSTGRES_USER": "admin", "POSTGRES_DB": DATABASE, "POSTGRES_PASSWORD_FILE": f"{FILES}/admin"}
    postgres: dict[str, Any] = {
        "image": f"{registry}/postgres:15",
        "args": ["postgres", *tls],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "readinessProbe": {"exec": {"command": ["pg_isready", "-h", "127.0.0.1"]}, **PATIENT},
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/postgresql/data"},
            {"name": "files", "mountPath": "/docker-entrypoint-initdb.d/init.sh", "subPath": "init.sh"},
        ],
    }
    redis: dict[str, Any] = {
        "image": f"{registry}/redis:7",
        "args": ["redis-server", f"{FILES}/redis.conf"],
        "readinessProbe": {"tcpSocket": {"port": 6379}, **PATIENT},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    for name, container, port in (("postgres", postgres, 5432), ("redis", redis, 6379)):
        kube.apply(deployment(name, namespace, container))
        kube.apply(service(name, namespace, port))
    servers = [Ref("Deployment", name, namespace) for name in ("postgres", "redis")]
    wait_ready(kube, namespace, servers, labels=APP, timeout=120, say=lambda _line: None)


def _postgres_tls() -> dict[str, str]:
    return {"ssl": "on", "ssl_cert_file": f"{TLS}/tls.crt", "ssl_key_file": f"{TLS}/tls.key"}


def deployment(name: str, namespace: str, container: dict[str, Any]) -> Manifest:
    mounts = [{"name": "tls", "mountPath": TLS}, {"name": "files", "mountPath": FILES}, *container.pop("volumeMounts")]
    pod = {
        "securityContext": {"runAsUser": UID, "runAsGroup": UID, "fsGroup": UID},
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": name,
                "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
                "volumeMounts": mounts,
                **container,
            }
        ],
        "volumes": [
            {"name": "tls", "secret": {"secretName": "tls", "defaultMode": 0o440}},
            {"name": "files", "secret": {"secretName": "files", "defaultMode": 0o440}},
            {"name": "data", "emptyDir": {}},
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": {APP: name}},
        "spec": {
            "selector": {"matchLabels": {APP: name}},
            "template": {"metadata": {"labels": {APP: name}}, "spec": pod},
        },
    }


def service(name: str, namespace: str, port: int) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {APP: name}, "ports": [{"port": port, "targetPort": port}]},
    }
