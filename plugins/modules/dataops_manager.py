#!/usr/bin/python

# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Data Ops Manager, present or absent."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dataops_manager
short_description: Create, change and remove a Data Ops Manager
version_added: 0.1.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - A Data Ops Manager owns one namespace. It holds the account, a ReadWriteMany volume for Plugin, Shared and Python
    Library Files, the settings that its Data Ops Services inherit, and the console, a web application from which people
    see and run them.
  - The console runs on the image of Airflow and comes with this collection, so it has the version of the collection
    that last ran. It can do what this module and those of services do, in the Manager's namespace only.
  - An option that is left out keeps the value it has. An explicit empty value clears it.
  - The same run creates and changes. Nothing is written before everything that can be checked was checked.
extends_documentation_fragment:
  - scp.dataops.auth
  - scp.dataops.change
options:
  name:
    description:
      - Name of the Manager, 3 to 30 lower-case letters, digits and V(-).
    type: str
    required: true
  namespace:
    description:
      - Namespace of the Manager and its services. Defaults to O(name). It is created when it does not exist; one that
        exists already is used and never changed.
    type: str
  state:
    description:
      - V(present) creates or changes the Manager.
      - V(absent) removes it. It is refused while services exist.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - With O(state=absent), remove the volume and the Secrets too. Without it they stay and are named in RV(kept).
    type: bool
    default: false
  description:
    description:
      - Up to 150 characters.
    type: str
  version:
    description:
      - Version of Airflow that a service of this Manager is created with unless it chooses. A service that is there
        keeps its version until its own O(scp.dataops.dataops_service#module:version) says otherwise.
      - Defaults to the newest one.
    type: str
    choices: ["2.11", "3.3"]
  domain:
    description:
      - Domain of the Manager and, unless they choose, of its services, 3 to 50 characters. The address of a service is
        V({name}.{domain}).
      - Needed when the Manager is created.
    type: str
  ingress_class:
    description:
      - IngressClass to use. It is only needed when the cluster's one Ingress Controller cannot be read or when there
        are several.
    type: str
  tls_secret:
    description:
      - Secret with C(tls.crt) and C(tls.key) in the namespace, for the address of the console. With it the address
        begins with V(https), and ingress-nginx and Contour send there who comes by HTTP.
    type: str
  image_registry:
    description:
      - Registry and path in front of every image, such as V(registry.example.com/mirror). Without it images come from
        their public home.
    type: str
  storage_class:
    description:
      - StorageClass of the volumes; it must offer ReadWriteMany. Without it the cluster's default is used. It cannot be
        changed later.
    type: str
  storage_size:
    description:
      - Size of the volume for files. Defaults to V(100Gi). It can grow where the StorageClass allows that.
    type: str
  account:
    description:
      - Who may sign in to the Manager.
    type: dict
    suboptions:
      id:
        description:
          - 6 to 30 lower-case letters and digits. Defaults to V(dataops).
        type: str
      password:
        description:
          - 8 to 50 characters with an upper-case letter, a lower-case letter, a digit and one of V(!@#$%^&*).
          - Without it a password is made once and kept in the Secret that RV(manager.account) names.
        type: str
  node_selector:
    description:
      - Labels of the nodes that the Manager's pods may run on.
    type: dict
  host_aliases:
    description:
      - Names that resolve in the Manager's pods, up to 20 addresses.
    type: list
    elements: dict
    suboptions: &alias
      ip:
        description: IPv4 or IPv6 address.
        type: str
        required: true
      hostnames:
        description: Names of this address.
        type: list
        elements: str
        required: true
  tags:
    description:
      - Up to 50 keys and values of your own.
    type: dict
  console:
    description:
      - Resources of the console's pod, and the path of its address.
    type: dict
    suboptions:
      cpu:
        description: Cores or thousandths of a core that are reserved. Defaults to V(50m).
        type: str
      memory:
        description: Memory that is reserved. Defaults to V(256Mi).
        type: str
      cpu_limit:
        description: Cores that it may use at most. Without it there is no limit.
        type: str
      memory_limit:
        description:
          - Memory that it may use at most. Defaults to V(512Mi), or to what is asked for with O(console.memory).
        type: str
      path:
        description: Path of the console's address, such as V(/dataops). Without it the console has the whole host.
        type: str
  console_archive:
    description:
      - The console's application. The action of this module sets it to that of the collection on the host where
        Ansible runs, so there is no need to; whatever is given is replaced.
    type: str
  default_settings:
    description:
      - What services of this Manager have unless they choose. A change reaches a service with its next run.
    type: dict
    suboptions:
      domain:
        description: Domain of the services. Defaults to O(domain).
        type: str
      storage_class:
        description: StorageClass of the services' volumes. Defaults to O(storage_class).
        type: str
      node_selector:
        description: Labels of the nodes that pods of the services may run on.
        type: dict
      host_aliases:
        description: Names that resolve in every pod of the services.
        type: list
        elements: dict
        suboptions: *alias
      size:
        description: A size for everything at once, as with a service.
        type: str
        choices: [small, recommended]
      web_server: &size
        description: Resources of each pod of this component, and how many there are.
        type: dict
        suboptions:
          cpu:
            description: Cores or thousandths of a core that are reserved, such as V(2) or V(500m).
            type: str
          memory:
            description: Memory that is reserved, such as V(2Gi).
            type: str
          cpu_limit:
            description: Cores that it may use at most. Without it there is no limit.
            type: str
          memory_limit:
            description: Memory that it may use at most. Defaults to what is reserved.
            type: str
          replicas:
            description: Number of pods, 1 to 20.
            type: int
      scheduler: *size
      dag_processor: *size
      triggerer: *size
      worker:
        description:
          - Resources of standing workers, and of the pod that each task gets. A service without standing workers leaves
            out what only they have.
        type: dict
        suboptions:
          cpu:
            description: Cores or thousandths of a core that are reserved.
            type: str
          memory:
            description: Memory that is reserved.
            type: str
          cpu_limit:
            description: Cores that it may use at most. Without it there is no limit.
            type: str
          memory_limit:
            description: Memory that it may use at most. Defaults to what is reserved.
            type: str
          replicas:
            description: Number of standing workers, 1 to 100.
            type: int
          concurrency:
            description: Tasks that each standing worker runs at once, 1 to 128.
            type: int
          autoscaling:
            description: Let the cluster choose the number of standing workers.
            type: dict
            suboptions:
              min_replicas:
                description: The fewest workers. Defaults to V(1).
                type: int
              max_replicas:
                description: The most workers, up to 100.
                type: int
              cpu_percent:
                description: With V(hpa), the share of the reserved CPU at which workers are added. Defaults to V(80).
                type: int
              type:
                description: V(hpa), which looks at the workers' CPU, or V(keda), which looks at the number of tasks.
                type: str
                choices: [hpa, keda]
      task_pod:
        description: Resources of the pod that each task gets. What it leaves out is that of the worker.
        type: dict
        suboptions:
          cpu:
            description: Cores or thousandths of a core that are reserved.
            type: str
          memory:
            description: Memory that is reserved.
            type: str
          cpu_limit:
            description: Cores that it may use at most. Without it there is no limit.
            type: str
          memory_limit:
            description: Memory that it may use at most. Defaults to what is reserved.
            type: str
      tolerations:
        description:
          - Taints of nodes that pods of the service may run on all the same, in the form of a Pod's
            C(spec.tolerations).
        type: list
        elements: dict
        suboptions:
          key:
            description: Key of the taint.
            type: str
          operator:
            description: V(Equal), which is the default, or V(Exists).
            type: str
          value:
            description: Value of the taint, with V(Equal).
            type: str
          effect:
            description: V(NoSchedule), V(PreferNoSchedule) or V(NoExecute). Without it all of them.
            type: str
          tolerationSeconds:
            description: With V(NoExecute), seconds after which a pod has to go.
            type: int
      affinity:
        description:
          - Where pods of the service run, in the form of a Pod's C(spec.affinity). Without it, pods of one component
            are spread over the nodes as far as possible.
        type: dict
      priority_class:
        description:
          - PriorityClass of every pod of the service. It must exist.
        type: str
      ca_certificates:
        description:
          - Certificates of authorities, as PEM text, that every container of the service trusts besides those of its
            image, for git, Python and C(curl). No image has to be built.
        type: str
      egress_proxy:
        description:
          - Proxy through which every container of the service reaches what is outside of the cluster. The service's own
            names, names that end with V(.svc) or V(.cluster.local), and private networks are always reached directly.
        type: dict
        suboptions:
          http:
            description: Address for C(http), such as V(http://proxy.example.com:3128). It must not hold a password.
            type: str
          https:
            description: Address for C(https).
            type: str
          no_proxy:
            description: What else is reached directly, as hosts, domains with a dot before them, addresses or networks.
            type: list
            elements: str
      python_index:
        description:
          - Where libraries that were not uploaded as wheels come from, when a set of Python Library Files is installed.
            Wheels that were uploaded are tried first, and alone.
          - Left out, pip's own setting in the image holds, which is PyPI unless the image says otherwise.
        type: dict
        suboptions:
          url:
            description: Address of the index, such as V(https://pypi.example.com/simple). It must not hold a password.
            type: str
          secret:
            description: Name of a Secret in the namespace, with the keys C(username) and C(password), for an index that
              asks for them.
            type: str
      image_pull_secrets:
        description:
          - Names of Secrets in the namespace with which images are pulled. They must exist.
        type: list
        elements: str
      monitoring:
        description:
          - Metrics for those who have Prometheus, as with a service. A service that says some of it inherits the rest.
        type: dict
        version_added: 0.3.0
        suboptions:
          enabled:
            description: Whether services are monitored. Defaults to V(false).
            type: bool
          labels:
            description:
              - >-
                Labels of the C(ServiceMonitor) and the C(PrometheusRule), by which a Prometheus selects them, such as
                C({release: prometheus}).
            type: dict
          dashboard:
            description:
              - Whether a Grafana dashboard comes with it, in a ConfigMap with the label C(grafana_dashboard) that
                Grafana's own helper looks for. Defaults to V(true).
            type: bool
          interval:
            description: Seconds between two readings by Prometheus, 5 to 120. Defaults to V(30).
            type: int
      config:
        description:
          - >-
            Settings of Airflow, C({section: {option: value}}), as with a service. Each option holds in the services
            that do not set it themselves.
          - Merged like that of a service. What no version of Airflow knows is refused, and so is what a service of this
            Manager cannot take with its version; such a setting belongs to the services that can.
          - >-
            C({secret: NAME, key: KEY}) names a Secret in the namespace of the Manager and its services. It has to be
            there when a service is made or changed.
        type: dict
        version_added: 0.3.0
      environment:
        description:
          - >-
            Variables in the containers that run Airflow, C({part: {NAME: value}}), as with a service. Each variable of
            a part holds in the services that do not set it themselves, be it for this part, for V(all), or as a setting
            in their C(config).
        type: dict
        version_added: 0.3.0
seealso:
  - module: scp.dataops.dataops_service
  - module: scp.dataops.dataops_manager_info
"""

EXAMPLES = r"""
- name: A Manager in a namespace of its own
  scp.dataops.dataops_manager:
    name: analytics
    domain: dataops.example.com
    storage_class: nfs

- name: The same with an account and settings that its services inherit
  scp.dataops.dataops_manager:
    name: analytics
    domain: dataops.example.com
    image_registry: registry.example.com/mirror
    account:
      id: operator
      password: "{{ vault_operator_password }}"
    default_settings:
      node_selector:
        pool: dataops
      scheduler:
        cpu: "1"
        memory: 2Gi
      config:
        core:
          default_timezone: Asia/Seoul

- name: What would a new description change?
  scp.dataops.dataops_manager:
    name: analytics
    description: Pipelines of the analytics team
  check_mode: true
  diff: true

- name: Remove it, keep its files and account
  scp.dataops.dataops_manager:
    name: analytics
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done, one line per object.
  returned: success
  type: list
  elements: str
  sample: [create Namespace/analytics, create Secret/dataops-manager-account]
restarted:
  description: Components whose running pods were replaced, of which a Manager has one, the console.
  returned: success
  type: list
  elements: str
  sample: [console]
kept:
  description: With O(state=absent), what was left in the cluster.
  returned: success
  type: list
  elements: str
  sample: [PersistentVolumeClaim/dataops-manager-files]
not_checked:
  description: Checks that could not be made for lack of rights.
  returned: success
  type: list
  elements: str
  sample: []
timeline:
  description:
    - What was waited for, one line per change of state with the seconds since the start.
    - Where the module runs on Ansible's own host, each line is shown as it happens, too.
  returned: success, and on failure after a wait
  type: list
  elements: str
  sample: ["0.4 s volume for files: bound after 0 s"]
manager:
  description: The Manager as it is after the run.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: analytics
    namespace:
      description: Its namespace.
      returned: when present
      type: str
      sample: analytics
    state:
      description: RUNNING, UPDATING, ERROR, UNDEPLOYED (only in check mode) or DELETED.
      returned: always
      type: str
      sample: RUNNING
    web_url:
      description: Address of the console.
      returned: when present
      type: str
      sample: https://analytics.dataops.example.com
    hosts_file:
      description: A line for C(/etc/hosts) by which the address is found without DNS; empty while it is not known.
      returned: when present
      type: str
      sample: 192.0.2.10 analytics.dataops.example.com
    description:
      description: Its description.
      returned: when present
      type: str
      sample: Pipelines of the analytics team
    version:
      description: Version of Airflow that new services get.
      returned: when present
      type: str
      sample: 3.3.2
    domain:
      description: Its domain.
      returned: when present
      type: str
      sample: dataops.example.com
    ingress_class:
      description: The IngressClass of its address.
      returned: when present
      type: str
      sample: contour
    tls_secret:
      description: Secret with the certificate of its address; empty without TLS.
      returned: when present
      type: str
      sample: dataops-tls
    image_registry:
      description: Registry in front of every image.
      returned: when present
      type: str
      sample: registry.example.com/mirror
    storage_class:
      description: Class of its volume.
      returned: when present
      type: str
      sample: nfs
    storage_size:
      description: Size of its volume.
      returned: when present
      type: str
      sample: 100Gi
    files:
      description: The volume for files, by name, and its phase.
      returned: when present
      type: dict
      sample: {volume: dataops-manager-files, phase: Bound}
    account:
      description: The account's id, and the Secret and key where its password is.
      returned: when present
      type: dict
      sample: {id: operator, secret: dataops-manager-account, key: password}
    node_selector:
      description: Labels of its nodes.
      returned: when present
      type: dict
      sample: {}
    host_aliases:
      description: Its host aliases.
      returned: when present
      type: list
      elements: dict
      sample: []
    tags:
      description: Its tags.
      returned: when present
      type: dict
      sample: {}
    console:
      description: Whether the console is ready, with the reason if not, and its resources.
      returned: when present
      type: dict
      sample:
        state: ready
        reason: ""
        ready: 1
        wanted: 1
        path: ""
        cpu: 50m
        memory: 256Mi
        cpu_limit: ""
        memory_limit: 512Mi
    default_settings:
      description: What its services inherit.
      returned: when present
      type: dict
      sample: {scheduler: {cpu: "1", memory: 2Gi}}
"""

import base64
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.scp.dataops.plugins.module_utils import arguments, door
from ansible_collections.scp.dataops.plugins.module_utils.common import record
from ansible_collections.scp.dataops.plugins.module_utils.errors import BadOption
from ansible_collections.scp.dataops.plugins.module_utils.manager import manager
from ansible_collections.scp.dataops.plugins.module_utils.manager.spec import OPTIONS


def argument_spec() -> dict[str, Any]:
    return {
        **door.AUTH,
        **door.CHANGE,
        **door.STATE,
        **arguments.MANAGER,
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str"},
        # Not secret, but long: nobody wants to see it.
        "console_archive": {"type": "str", "no_log": True},
    }


def application_of(text: str | None) -> bytes | None:
    """:raises BadOption: when it is not what the action hands over."""
    try:
        return base64.b64decode(text, validate=True) if text else None
    except ValueError as error:
        raise BadOption("it is not base64", where="console_archive", next_step="Leave it to the action") from error


def perform(call: door.Call) -> dict[str, Any]:
    params = call.params
    options = record.asked({name: params[name] for name in OPTIONS})
    request = manager.Request(
        name=params["name"],
        namespace=params["namespace"] or params["name"],
        account_password=record.take(options, "account", "password"),
        application=application_of(params["console_archive"]),
        options=options,
        check_mode=call.check_mode,
        force=params["force"],
        wait=params["wait"],
        timeout=params["wait_timeout"],
    )
    if params["state"] == "absent":
        done = manager.remove(call.kube, request, purge=params["purge"], timeline=call.timeline)
    else:
        done = manager.apply(call.kube, request, call.timeline)
    return door.report("manager", done, with_diff=call.diff)


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform)


if __name__ == "__main__":
    main()
