# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options by which a module reaches the Kubernetes API server; the same names as in kubernetes.core."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file on the host where the module runs.
      - Falls back to the environment variables E(K8S_AUTH_KUBECONFIG) and E(KUBECONFIG), then to C(~/.kube/config), and
        inside a pod to its service account.
    type: path
  context:
    description:
      - Context of the kubeconfig to use instead of its current one. Falls back to E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - Address of the API server, such as V(https://10.0.0.1:6443). No kubeconfig is needed then. Falls back to
        E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - Bearer token. Falls back to E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - User for basic authentication, where a proxy in front of the API server wants it. Falls back to
        E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - Password of O(username). Falls back to E(K8S_AUTH_PASSWORD).
    type: str
  ca_cert:
    description:
      - File with the certificate authority of the API server. Falls back to E(K8S_AUTH_SSL_CA_CERT).
    type: path
  client_cert:
    description:
      - File with a client certificate. Falls back to E(K8S_AUTH_CERT_FILE).
    type: path
  client_key:
    description:
      - File with the key of O(client_cert). Falls back to E(K8S_AUTH_KEY_FILE).
    type: path
  validate_certs:
    description:
      - Whether the API server's certificate is verified. Falls back to E(K8S_AUTH_VERIFY_SSL), then to V(true).
    type: bool
  proxy:
    description:
      - Address of an HTTP proxy on the way to the API server. Falls back to E(K8S_AUTH_PROXY).
    type: str
  impersonate_user:
    description:
      - User to act as. Falls back to E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to act as. Falls back to E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
requirements:
  - python >= 3.10
  - kubernetes >= 29.0.0
  - PyYAML >= 6.0
"""
