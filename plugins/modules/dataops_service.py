#!/usr/bin/python

# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Data Ops Service, present or absent."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dataops_service
short_description: Create, change and remove a Data Ops Service, an Apache Airflow
version_added: 0.1.0
author: scp.dataops contributors (!UNKNOWN)
description:
  - A Data Ops Service is an Apache Airflow in the namespace of a Data Ops Manager, with its database, keys, account,
    logs and address.
  - An option that is left out keeps the value it has, or the one inherited from the Manager's
    O(scp.dataops.dataops_manager#module:default_settings). An explicit empty value clears it.
  - A change restarts only the components that consume it, and running tasks go on. RV(restarted) names them, in check
    mode too.
  - Keys and passwords are made once and kept in Secrets, for ever.
extends_documentation_fragment:
  - scp.dataops.auth
  - scp.dataops.change
options:
  name:
    description:
      - Name of the service, 3 to 30 lower-case letters, digits and V(-).
    type: str
    required: true
  manager:
    description:
      - Name of the Manager that the service belongs to.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the Manager. Defaults to O(manager).
    type: str
  state:
    description:
      - V(present) creates or changes the service, and starts it when it was stopped.
      - V(stopped) lets running tasks finish, up to O(drain_timeout), and then takes all pods away, those of the
        database too. Settings, data, keys and address stay. Options given along are taken over and hold from the next
        start.
      - V(restarted) does what V(present) does and then gives new pods to all components that did not get any by that.
        Running tasks go on.
      - V(absent) removes it.
    type: str
    choices: [present, stopped, restarted, absent]
    default: present
  purge:
    description:
      - With O(state=absent), remove the volumes and the Secrets too. Without it they stay, are named in RV(kept), and a
        service of the same name finds its data and keys again.
      - So do files that were uploaded for this service alone with M(scp.dataops.dataops_upload); with it they are
        removed with all their versions. The Manager's console does that. While it does not answer, nothing is removed
        at all and the task fails; without purge it is not asked.
    type: bool
    default: false
  preflight:
    description:
      - Look at the cluster before a change is written. Ingress Controller, address, storage class, room on the nodes,
        quotas and limits of the namespace, and whether it takes the pods are looked at; all reasons against the change
        are named at once, and nothing is written then.
      - V(false) skips that, for clusters that make nodes when pods wait for them.
      - What it finds out can be had without a change with M(scp.dataops.dataops_preflight).
    type: bool
    default: true
  description:
    description:
      - Up to 150 characters. A change restarts nothing.
    type: str
  domain:
    description:
      - Domain of the service, 3 to 50 characters; its address is V({name}.{domain}). Defaults to the Manager's.
    type: str
  tls_secret:
    description:
      - Name of a Secret in the namespace of the service that holds a certificate for its address and the key, as
        C(kubectl create secret tls) makes it. The address then is V(https://{name}.{domain}), and the Ingress
        Controller serves the certificate; ingress-nginx and Contour send there who comes by HTTP. The Secret is
        yours, it is never changed or removed.
      - Without it, the address begins with V(http://). A change restarts the web server.
    type: str
  storage_class:
    description:
      - StorageClass of the service's two volumes, database and logs; it must offer ReadWriteMany. It cannot be changed
        later.
    type: str
  storage_size:
    description:
      - Size of each of the two volumes. Defaults to V(10Gi). It can grow where the StorageClass allows that.
    type: str
  account:
    description:
      - The first Airflow account, an administrator.
    type: dict
    suboptions:
      id:
        description:
          - 6 to 30 lower-case letters and digits. Defaults to V(dataops). When it changes, the former account is
            locked.
        type: str
      password:
        description:
          - 8 to 50 characters with an upper-case letter, a lower-case letter, a digit and one of V(!@#$%^&*).
          - Without it a password is made once and kept in the Secret that RV(service.account) names.
        type: str
  executor:
    description:
      - How tasks run. With V(KubernetesExecutor), the default, each task gets a pod of its own; with V(CeleryExecutor)
        standing workers take tasks from a broker, which starts them at once.
      - With both, the first is what a task gets that does not choose by its C(executor) argument.
      - An executor is taken away only when none of its tasks run. New ones are held back and running ones waited for,
        up to O(drain_timeout); then the change is refused with the number that still runs, and all goes on as before.
    type: str
    choices:
      - KubernetesExecutor
      - CeleryExecutor
      - CeleryExecutor,KubernetesExecutor
      - KubernetesExecutor,CeleryExecutor
  drain_timeout:
    description:
      - Seconds that running tasks get to finish before something they depend on is stopped, 0 to 86400. Defaults to
        V(600).
      - It is also how long a Celery worker may go on with its tasks while its successor takes the new ones.
      - O(wait_timeout) does not count it.
    type: int
  flower:
    description:
      - Flower, the monitor of Celery workers. It asks for the service's account, and has no address outside of the
        cluster; reach it with C(kubectl port-forward service/NAME-flower 5555).
    type: dict
    suboptions:
      enabled:
        description:
          - Whether it runs. Only with the V(CeleryExecutor).
        type: bool
  monitoring:
    description:
      - Metrics for those who have Prometheus, see C(docs/monitoring.md). Airflow sends them to a statsd-exporter beside
        the service, under names that alerts and dashboard agree with. Off unless asked for.
      - A change of O(monitoring.enabled) restarts all components of Airflow, other changes none of them.
      - Where the cluster has the kinds of the Prometheus Operator, a C(ServiceMonitor) and a C(PrometheusRule) come
        with it. Elsewhere they are left out, with a warning, and the Service C(NAME-metrics) can be scraped at port
        9102.
    type: dict
    version_added: 0.3.0
    suboptions:
      enabled:
        description: Whether the service is monitored. Defaults to V(false).
        type: bool
      labels:
        description:
          - >-
            Labels of the C(ServiceMonitor) and the C(PrometheusRule), by which a Prometheus selects them, such as
            C({release: prometheus}).
        type: dict
      dashboard:
        description:
          - Whether a Grafana dashboard comes with it, in a ConfigMap with the label C(grafana_dashboard) that Grafana's
            own helper looks for. Defaults to V(true).
        type: bool
      interval:
        description: Seconds between two readings by Prometheus, 5 to 120. Defaults to V(30).
        type: int
  version:
    description:
      - Minor version of Airflow. A new service gets that of its Manager, or V(3.3); a service that exists
        keeps the one it has.
      - Another version than the one that runs is an upgrade, from V(2.11) to V(3.3) only.
    type: str
    choices: ['2.11', '3.3']
  image_registry:
    description:
      - Registry and path in front of every image but O(image), such as V(registry.example.com/mirror). Defaults to the
        Manager's.
    type: str
  image:
    description:
      - Image of Airflow by its full reference with tag or digest, such as V(registry.example.com/airflow:3.3.2-own).
        Without it that of O(version) is used.
      - It must hold the minor version that O(version) names. That is looked at before anything restarts.
    type: str
  size:
    description:
      - A size for everything at once. What O(web_server), O(scheduler), O(dag_processor), O(triggerer), O(worker),
        O(task_pod) and O(storage_size) say wins over it.
      - V(small) reserves little CPU, for a machine of two cores. V(recommended) is the published size of a Data Ops,
        43 cores with the KubernetesExecutor or 25 with the CeleryExecutor, 50 GB of memory and 100 GB of storage.
      - Volumes that are there already keep their size.
    type: str
    choices: [small, recommended]
  web_server: &size
    description:
      - Resources of each pod of this component, and how many there are.
    type: dict
    suboptions:
      cpu:
        description:
          - Cores or thousandths of a core that are reserved, such as V(2) or V(500m).
        type: str
      memory:
        description:
          - Memory that is reserved, such as V(2Gi).
        type: str
      cpu_limit:
        description:
          - Cores that it may use at most. Without it there is no limit; one slows the start of Airflow.
        type: str
      memory_limit:
        description:
          - Memory that it may use at most. Defaults to what is reserved.
        type: str
      replicas:
        description:
          - Number of pods, 1 to 20.
        type: int
  scheduler: *size
  dag_processor: *size
  triggerer: *size
  worker:
    description:
      - With the V(CeleryExecutor), resources of each standing worker and how many there are. A worker that is replaced
        finishes its tasks, see O(drain_timeout).
      - Also the resources of the pod that the KubernetesExecutor starts for each task, unless O(task_pod) says other
        ones. Only the scheduler restarts when they change; running tasks keep theirs.
    type: dict
    suboptions:
      cpu:
        description:
          - Cores or thousandths of a core that are reserved.
        type: str
      memory:
        description:
          - Memory that is reserved.
        type: str
      cpu_limit:
        description:
          - Cores that it may use at most. Without it there is no limit; one slows the start of Airflow.
        type: str
      memory_limit:
        description:
          - Memory that it may use at most. Defaults to what is reserved.
        type: str
      replicas:
        description:
          - Number of standing workers, 1 to 100, unless O(worker.autoscaling) is set. Only with the CeleryExecutor.
        type: int
      concurrency:
        description:
          - Tasks that each standing worker runs at once, 1 to 128. Defaults to V(4). Only with the CeleryExecutor.
        type: int
      autoscaling:
        description:
          - Let the cluster choose the number of standing workers. An empty dictionary turns it off. Only with the
            CeleryExecutor.
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
            description:
              - V(hpa), the default, is Kubernetes' own HorizontalPodAutoscaler and looks at the workers' CPU. In a
                cluster that does not measure it (no metrics server) there are O(worker.autoscaling.min_replicas).
              - V(keda) looks at the number of queued and running tasks. The cluster must have KEDA.
            type: str
            choices: [hpa, keda]
  task_pod:
    description:
      - Resources of the pod that the KubernetesExecutor starts for each task. What it leaves out is that of O(worker).
    type: dict
    suboptions:
      cpu:
        description:
          - Cores or thousandths of a core that are reserved.
        type: str
      memory:
        description:
          - Memory that is reserved.
        type: str
      cpu_limit:
        description:
          - Cores that it may use at most. Without it there is no limit; one slows the start of Airflow.
        type: str
      memory_limit:
        description:
          - Memory that it may use at most. Defaults to what is reserved.
        type: str
  git_sync:
    description:
      - The git repository that DAGs come from, and further ones. An empty dictionary turns GitSync off.
      - Each repository is tried from inside the cluster before anything is changed, with the new credentials, and
        through the service's own host aliases.
      - Another repository or ref restarts only what reads it.
    type: dict
    suboptions:
      mode:
        description:
          - How DAGs get to Airflow. With V(bundle), the default where Airflow has bundles, that is from version 3
            on, Airflow reads the repository itself and each run of a DAG uses one commit from its first to its last
            task.
          - With V(sidecar), git-sync runs beside Airflow in each pod that needs DAGs, and a pod of a task fetches
            the newest commit when it starts. Airflow 2.11 has only this.
        type: str
        choices: [bundle, sidecar]
      repo:
        description:
          - Its address, V(https://HOST/PATH), V(http://HOST/PATH), V(ssh://USER@HOST/PATH) or V(USER@HOST:PATH),
            without a password.
        type: str
      ref:
        description:
          - Branch, tag or commit. Defaults to V(main).
          - A commit, with all of its 40 digits, pins the DAGs to it, and so does a tag that nobody moves. To roll
            back, name an earlier one.
        type: str
      subdir:
        description:
          - Folder in the repository that holds the DAGs. Defaults to its root.
        type: str
      interval:
        description:
          - Seconds between two looks for a new commit, 5 to 86400. Defaults to V(60).
        type: int
      depth:
        description:
          - How many commits are fetched with V(sidecar). Defaults to V(1); V(0) is the whole history. V(bundle)
            always has the whole one, since a run may need any commit of it.
        type: int
      submodules:
        description:
          - Whether submodules are fetched too, at all depths. They are read with the same credentials as long as
            they are on the same server.
        type: bool
      username:
        description:
          - User, for a repository that is read by HTTPS and not public.
        type: str
      password:
        description:
          - Password or token of the user. It is kept in a Secret and handed to git without ever being part of an
            address or a command. A new one restarts nothing.
        type: str
      ssh_key:
        description:
          - Private key, for a repository that is read by SSH. It is kept in a Secret, and a new one restarts
            nothing.
          - It must have no passphrase. Windows line ends, a missing last line end, lost line breaks and base64
            around it are repaired; all else that is no private key is refused.
        type: str
      known_hosts:
        description:
          - Host keys of the server as C(ssh-keyscan) prints them, or lines of a C(known_hosts) file. Required with
            SSH, because without them nobody could tell whether it is that server which answers.
        type: str
      ca:
        description:
          - Certificate of the authority that signed the server's, in PEM form. It is trusted for this server only,
            and instead of all others.
        type: str
      repositories:
        description:
          - Further repositories, up to 9. Their ids of DAGs must differ from each other's.
          - The list is replaced as a whole; passwords and keys that are left out are kept by name and server.
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - Its name, 3 to 30 lower-case letters, digits and V(-). V(dags) is the repository in
                O(git_sync.repo).
            type: str
            required: true
          repo:
            description:
              - Its address, V(https://HOST/PATH), V(http://HOST/PATH), V(ssh://USER@HOST/PATH) or
                V(USER@HOST:PATH), without a password.
            type: str
          ref:
            description:
              - Branch, tag or commit. Defaults to V(main).
              - A commit, with all of its 40 digits, pins the DAGs to it, and so does a tag that nobody moves. To
                roll back, name an earlier one.
            type: str
          subdir:
            description:
              - Folder in the repository that holds the DAGs. Defaults to its root.
            type: str
          interval:
            description:
              - Seconds between two looks for a new commit, 5 to 86400. Defaults to V(60).
            type: int
          depth:
            description:
              - How many commits are fetched with V(sidecar). Defaults to V(1); V(0) is the whole history. V(bundle)
                always has the whole one, since a run may need any commit of it.
            type: int
          submodules:
            description:
              - Whether submodules are fetched too, at all depths. They are read with the same credentials as long
                as they are on the same server.
            type: bool
          username:
            description:
              - User, for a repository that is read by HTTPS and not public.
            type: str
          password:
            description:
              - Password or token of the user. It is kept in a Secret and handed to git without ever being part of
                an address or a command. A new one restarts nothing.
            type: str
          ssh_key:
            description:
              - Private key, for a repository that is read by SSH. It is kept in a Secret, and a new one restarts
                nothing.
              - It must have no passphrase. Windows line ends, a missing last line end, lost line breaks and base64
                around it are repaired; all else that is no private key is refused.
            type: str
          known_hosts:
            description:
              - Host keys of the server as C(ssh-keyscan) prints them, or lines of a C(known_hosts) file. Required
                with SSH, because without them nobody could tell whether it is that server which answers.
            type: str
          ca:
            description:
              - Certificate of the authority that signed the server's, in PEM form. It is trusted for this server
                only, and instead of all others.
            type: str
  database:
    description:
      - A PostgreSQL database that you keep. Left out, the service gets one of its own, a single pod on one volume,
        which is for trials and not highly available.
      - It is tried from inside the cluster before anything is changed, with both drivers of Airflow. Address, login,
        certificate, version, encoding and rights are looked at, and how many connections are free.
      - It needs encoding UTF8 and a user that owns it. Airflow 3.3 takes PostgreSQL 14 to 18, Airflow 2.11 takes 12
        to 16.
      - State is never moved. A service that has a database refuses another one until O(database.moved_from) says from
        where.
    type: dict
    suboptions:
      host:
        description:
          - Its host name, IPv4 or IPv6 address.
        type: str
      port:
        description:
          - Its port. Defaults to V(5432). Give the server itself, not a pooler that hands out transactions.
        type: int
      name:
        description:
          - Name of the database. Defaults to V(airflow).
        type: str
      ssl_mode:
        description:
          - How far TLS is insisted on, in PostgreSQL's own words. Defaults to V(verify-full) with
            O(database.ca_secret), else to V(prefer).
        type: str
        choices: [disable, prefer, require, verify-ca, verify-full]
      moved_from:
        description:
          - Confirms that the service leaves the database in which its state is now, V(embedded) or V(HOST:PORT/NAME)
            as the refusal names it. Nothing is copied; without a copy of your own the service starts empty.
          - It may stay set afterwards. It says yes to this one move and to no other.
        type: str
      secret:
        description:
          - Name of the Secret, in the service's namespace, that holds user and password. It has to be there, and
            stays yours. It is read at every run; a password that changed restarts the components that use it, and no
            others.
        type: str
      username_key:
        description:
          - Key of the user in O(database.secret). Defaults to V(username).
        type: str
      password_key:
        description:
          - Key of the password in O(database.secret). Defaults to V(password). Any character may be in it but a line
            break.
        type: str
      ca_secret:
        description:
          - Name of a Secret, in the service's namespace, with the certificate of the authority that signed the
            server's. Left out, the authorities in Airflow's image are trusted. A renewed one is taken without a
            restart.
        type: str
      ca_key:
        description:
          - Key of the certificate in O(database.ca_secret). Defaults to V(ca.crt).
        type: str
  broker:
    description:
      - A Redis or RabbitMQ that you keep, for the CeleryExecutor. Left out, the service gets a Redis of its own, a
        single pod on one volume, which is for trials and not highly available. Without the CeleryExecutor it is not
        used.
      - It is tried from inside the cluster before anything is changed.
      - While workers stand it cannot be changed to another server, since tasks in the queue would be lost. Stop the
        service first.
    type: dict
    suboptions:
      type:
        description:
          - What it is. Defaults to V(redis).
        type: str
        choices: [redis, rabbitmq]
      host:
        description:
          - Its host name, IPv4 or IPv6 address.
        type: str
      port:
        description:
          - Its port. Defaults to V(6379) for Redis, V(5672) for RabbitMQ and V(5671) for RabbitMQ with TLS.
        type: int
      database:
        description:
          - With Redis, number of the database for the queues. The next one holds the results. Defaults to V(0).
            RabbitMQ leaves the results to the service's database.
        type: int
      vhost:
        description:
          - With RabbitMQ, the virtual host. Defaults to V(/).
        type: str
      tls:
        description:
          - Whether to connect with TLS. The server's certificate and host name are verified then.
        type: bool
      secret:
        description:
          - Name of the Secret, in the service's namespace, that holds user and password. It has to be there, and
            stays yours. It is read at every run; a password that changed restarts the components that use it, and no
            others.
          - A Redis without a password needs none.
        type: str
      username_key:
        description:
          - Key of the user in O(broker.secret). Defaults to V(username) for RabbitMQ; a Redis without it is asked
            with the password alone.
        type: str
      password_key:
        description:
          - Key of the password in O(broker.secret). Defaults to V(password). Any character may be in it but a line
            break.
        type: str
      ca_secret:
        description:
          - Name of a Secret, in the service's namespace, with the certificate of the authority that signed the
            server's. Left out, the authorities in Airflow's image are trusted. A renewed one is taken without a
            restart.
        type: str
      ca_key:
        description:
          - Key of the certificate in O(broker.ca_secret). Defaults to V(ca.crt).
        type: str
  wait_for_commit:
    description:
      - With V(true), wait until the commit that O(git_sync.ref) stands for now is the one that DAGs are read from, of
        every repository. With a commit, or 7 or more of its digits, wait for that one in O(git_sync.repo).
      - With V(bundle), Airflow is asked from which commit it read each DAG; DAGs that cannot be imported do not count.
        With V(sidecar), all pods beside git-sync must have the commit, and the DAGs must have been read since. The wait
        is part of O(wait_timeout), and its end names the wanted and the running commit.
      - It is not recorded. In check mode nobody waits.
    type: raw
  host_aliases:
    description:
      - Names that resolve in every pod of the service, up to 20 addresses.
    type: list
    elements: dict
    suboptions:
      ip:
        description:
          - IPv4 or IPv6 address.
        type: str
        required: true
      hostnames:
        description:
          - Names of this address.
        type: list
        elements: str
        required: true
  node_selector:
    description:
      - Labels of the nodes that pods of the service may run on.
    type: dict
  config:
    description:
      - >-
        Settings of Airflow beside those that the service makes itself, C({section: {option: value}}), as its
        configuration reference names them. Each is checked against what this version of Airflow and its providers know.
      - Sections and options are merged one by one; an option that is left out keeps its value, an empty one clears it.
      - >-
        A value may be a text, a number, a boolean, a list of words, or a dictionary, which is written as JSON. It may
        also be C({secret: NAME, key: KEY}), a key of a Secret in the service's namespace; for passwords and other
        sensitive options that is the only way. When the Secret's content changes, the next run restarts its readers.
      - Options that follow from options of this module are refused, with the one to use instead.
      - What the service does not set is as in the default settings of its Manager, option by option.
      - A change restarts only the components that read the section; task pods read it when they start.
    type: dict
    version_added: 0.2.0
  environment:
    description:
      - >-
        Variables in the containers that run Airflow, C({part: {NAME: value}}). A part is V(all), V(web-server),
        V(scheduler), V(dag-processor), V(triggerer), V(worker), V(task) (task pods) or V(jobs) (migration and account);
        what is set for one part wins over V(all).
      - >-
        A value is a text, which is taken as it is, or C({secret: NAME, key: KEY}). Connections (C(AIRFLOW_CONN_*)) and
        whatever is named like a password are taken from Secrets only.
      - C(AIRFLOW__SECTION__OPTION) is checked as in O(config), and wins over it in this part.
      - Merged and inherited like O(config). A change restarts the parts it is for; for V(task) that is the scheduler.
    type: dict
    version_added: 0.2.0
  overrides:
    description:
      - >-
        A way out for what has no option, C({part: patch}). The patch is a strategic merge patch of the part's pod, with
        C(metadata) and C(spec), and is applied after everything else. Dictionaries are merged, null deletes;
        containers, init containers, variables, volumes and mounts are merged by name or path, other lists are replaced.
      - A part is V(web-server), V(scheduler), V(dag-processor), V(triggerer), V(worker), V(flower), V(task), V(jobs),
        V(database) or V(broker). The Airflow container has the name of its part, in task pods V(base).
      - The patch of a part is replaced as a whole, an empty one clears it. The API server refuses fields that it does
        not know. Nothing else is checked, so an option is better wherever there is one.
    type: dict
    version_added: 0.2.0
  tolerations:
    description:
      - Taints of nodes that pods of the service may run on all the same, in the form of a Pod's C(spec.tolerations).
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
  tags:
    description:
      - Up to 50 keys and values of your own. A change restarts nothing.
    type: dict
notes:
  - The embedded database is one PostgreSQL pod on one volume. It is not highly available.
seealso:
  - module: scp.dataops.dataops_manager
  - module: scp.dataops.dataops_service_info
"""

EXAMPLES = r"""
- name: A service with DAGs from a public repository
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    git_sync:
      repo: https://git.example.com/team/dags.git
      subdir: dags
  register: etl

- name: Where it is, and where its password is
  ansible.builtin.debug:
    msg: >-
      {{ etl.service.web_url }}, account {{ etl.service.account.id }},
      password in Secret {{ etl.service.account.secret }}

- name: Larger tasks and one host alias, all else as it is
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    worker:
      cpu: "2"
      memory: 4Gi
    host_aliases:
      - ip: 10.0.0.5
        hostnames: [warehouse.internal]

- name: What would restart with two web servers?
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    web_server:
      replicas: 2
  check_mode: true
  diff: true

- name: DAGs from a repository that is not public
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    git_sync:
      repo: https://git.example.com/team/private-dags.git
      username: deploy
      password: "{{ vault_git_token }}"

- name: DAGs by SSH, and those of a second team beside them
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    git_sync:
      repo: git@git.example.com:team/dags.git
      ssh_key: "{{ vault_git_key }}"
      known_hosts: "{{ lookup('ansible.builtin.file', 'files/known_hosts') }}"
      repositories:
        - name: reports
          repo: https://git.example.com/reports/dags.git
          subdir: dags

- name: Settings of Airflow, one of them from a Secret, and what would restart
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    config:
      core:
        parallelism: 64
        max_active_runs_per_dag: 4
      sentry:
        sentry_on: true
        sentry_dsn: {secret: sentry, key: dsn}
    environment:
      task:
        OMP_NUM_THREADS: "2"
        AIRFLOW_CONN_WAREHOUSE: {secret: warehouse, key: uri}
  check_mode: true
  diff: true

- name: What has no option of its own
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    overrides:
      scheduler:
        spec:
          containers:
            - name: scheduler
              volumeMounts:
                - {name: scratch, mountPath: /scratch}
          volumes:
            - {name: scratch, emptyDir: {sizeLimit: 1Gi}}

- name: Stop the service over the weekend; the same with state present starts it
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    state: stopped

- name: Standing workers beside pods, and a task may choose
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    executor: CeleryExecutor,KubernetesExecutor
    worker:
      replicas: 3
      concurrency: 8

- name: Roll back to an earlier commit, and go on when it runs
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    git_sync:
      ref: 3f0e5c1f0f7a4c7bb1d0e7a9c6a2b5d4e8f90123
    wait_for_commit: true

- name: Remove the service, keep its data and keys
  scp.dataops.dataops_service:
    name: etl
    manager: analytics
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done, one line per object.
  returned: success
  type: list
  elements: str
  sample: [update ConfigMap/etl-record, update Deployment/etl-scheduler]
restarted:
  description: Components whose running pods were replaced, or in check mode would be.
  returned: success
  type: list
  elements: str
  sample: [scheduler]
kept:
  description: With O(state=absent), what was left in the cluster.
  returned: success
  type: list
  elements: str
  sample: [PersistentVolumeClaim/etl-database, Secret/etl-keys]
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
  sample: ["2.3 s migrating the database: its pod runs", "31.0 s scheduler 1/1 ready after 12 s"]
service:
  description: The service as it is after the run; in check mode the settings are the new ones, its state that of now.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: etl
    manager:
      description: Its Manager.
      returned: when present
      type: str
      sample: analytics
    namespace:
      description: Its namespace.
      returned: when present
      type: str
      sample: analytics
    state:
      description: Life cycle. RUNNING, UPDATING (pods are being replaced), STOPPED, ERROR or DELETED.
      returned: always
      type: str
      sample: RUNNING
    health:
      description: One verdict, healthy, unhealthy or stopped.
      returned: when present
      type: str
      sample: healthy
    reasons:
      description: Why it is not healthy, one line per cause.
      returned: when present
      type: list
      elements: str
      sample: []
    components:
      description: Each component with state, ready and wanted pods, cpu and memory.
      returned: when present
      type: dict
      sample: {scheduler: {state: ready, ready: 1, wanted: 1, cpu: 500m, memory: 1536Mi}}
    web_url:
      description: Its address.
      returned: when present
      type: str
      sample: http://etl.dataops.example.com
    hosts_file:
      description: A line for /etc/hosts that makes the address resolve where no DNS does. Empty until the Ingress
        Controller has published an address.
      returned: when present
      type: str
      sample: 10.0.0.10 etl.dataops.example.com
    description:
      description: Its description.
      returned: when present
      type: str
      sample: Nightly loads
    domain:
      description: Its domain.
      returned: when present
      type: str
      sample: dataops.example.com
    executor:
      description: Its executor.
      returned: when present
      type: str
      sample: KubernetesExecutor
    version:
      description: Exact version of Airflow.
      returned: when present
      type: str
      sample: 3.3.2
    image:
      description: Image of its components.
      returned: when present
      type: str
      sample: apache/airflow:3.3.2
    account:
      description: The account's id, and the Secret and key where its password is.
      returned: when present
      type: dict
      sample: {id: dataops, secret: etl-account, key: password}
    size:
      description: The size that was chosen for everything at once, empty when none was.
      returned: when present
      type: str
      sample: small
    worker:
      description: Resources of a standing worker, or of a task's pod when there is none.
      returned: when present
      type: dict
      sample: {cpu: 500m, memory: 1Gi}
    database:
      description: Where its state is. An embedded database is one pod on one volume and not highly available.
      returned: when present
      type: dict
      sample: {type: embedded, host: etl-database, name: airflow, highly_available: false}
    broker:
      description: Where Celery's queue is; empty without the CeleryExecutor.
      returned: when present
      type: dict
      sample: {type: redis, host: redis.example.com, port: 6379, secret: queue-login, tls: true}
    files:
      description: The generations of uploaded plugins and libraries that it runs with, named by their content; empty
        for none. Shared files have none, since they are live.
      returned: when present
      type: dict
      sample: {plugins: 5d0c8e1f0b7d4c56a8f5f6d2f0b6d1c3a4e5f60718293a4b5c6d7e8f90a1b2c3, libraries: 4af5a03b0f}
    git_sync:
      description: Where its DAGs come from. Never with a password or key; empty without GitSync.
      returned: when present
      type: dict
      sample:
        mode: bundle
        repo: https://git.example.com/team/dags.git
        ref: main
        subdir: dags
        interval: 60
        depth: 1
        submodules: false
        username: ""
        known_hosts: ""
        ca: ""
        repositories: []
    host_aliases:
      description: Its host aliases.
      returned: when present
      type: list
      elements: dict
      sample: []
    node_selector:
      description: Labels of its nodes.
      returned: when present
      type: dict
      sample: {}
    storage_class:
      description: Class of its volumes.
      returned: when present
      type: str
      sample: nfs
    storage_size:
      description: Size of each of its volumes.
      returned: when present
      type: str
      sample: 10Gi
    tags:
      description: Its tags.
      returned: when present
      type: dict
      sample: {}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.scp.dataops.plugins.module_utils import arguments, door
from ansible_collections.scp.dataops.plugins.module_utils.airflow import removal, service
from ansible_collections.scp.dataops.plugins.module_utils.airflow.git import commit
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.purge import Uploaded
from ansible_collections.scp.dataops.plugins.module_utils.manager.files.remote import RemoteStore


def argument_spec() -> dict[str, Any]:
    return {
        **door.AUTH,
        **door.CHANGE,
        **door.STATE,
        "state": {"type": "str", "choices": ["present", "stopped", "restarted", "absent"], "default": "present"},
        **arguments.OWN,
        **arguments.IDENTITY,
        "wait_for_commit": {"type": "raw"},
        "preflight": {"type": "bool", "default": True},
    }


def perform(call: door.Call) -> dict[str, Any]:
    params = call.params
    request = arguments.request(
        params,
        state=params["state"],
        check_mode=call.check_mode,
        force=params["force"],
        preflight=params["preflight"],
        wait=params["wait"],
        timeout=params["wait_timeout"],
        wait_for_commit=commit.option(params["wait_for_commit"]),
    )
    if params["state"] == "absent":
        store = RemoteStore(call.kube, request.namespace, request.manager)
        purge = Uploaded(call.kube, store, request) if params["purge"] else None
        done = removal.remove(call.kube, request, purge=purge, timeline=call.timeline)
    else:
        done = service.apply(call.kube, request, call.timeline)
    return door.report("service", done, with_diff=call.diff)


def main() -> None:
    door.run(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), perform)


if __name__ == "__main__":
    main()
