# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that run inside the Airflow image. They are text here and a ConfigMap there: the image is never changed."""

from __future__ import annotations

AT_START = '''\
"""Python imports this at each start: uploaded libraries come after all that the image has, and never in place of it.

A module of this name that the image has itself has its turn first.
"""
import importlib.machinery
import importlib.util
import os
import site
import sys

LIBRARIES = "/opt/airflow/libraries"

here = os.path.dirname(os.path.abspath(__file__))
others = [entry for entry in sys.path if os.path.abspath(entry) != here]
found = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
if found is not None and found.loader is not None:
    of_image = importlib.util.module_from_spec(found)
    sys.modules["sitecustomize"] = of_image
    found.loader.exec_module(of_image)
if os.path.isdir(LIBRARIES):
    # Not by a variable: that would come first. This way entry points and .pth files work, too.
    site.addsitedir(LIBRARIES)
'''

ACCOUNT = '''\
"""Create the service's account, or give it the password that its Secret holds now.

Accounts that this script made under another id earlier are locked, so that a renamed account leaves no open door.
"""
import os

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

MARK = "@account.scp-dataops.invalid"
name, password = os.environ["ACCOUNT_ID"], os.environ["ACCOUNT_PASSWORD"]

with get_application_builder() as builder:
    users = builder.sm
    for user in users.get_all_users():
        former = user.username != name and (user.email or "").endswith(MARK)
        if former and user.active:
            user.active = False
            users.update_user(user)
            print(f"locked former account {user.username}")
    user = users.find_user(username=name)
    if user is None:
        role = users.find_role("Admin")
        if not users.add_user(name, name, "Data Ops", name + MARK, role, password):
            raise SystemExit(f"account {name} could not be created")
        print(f"created account {name}")
    else:
        user.active = True
        users.update_user(user)
        users.reset_password(user.id, password)
        print(f"set the password of account {name}")
'''

HEARTBEAT = '''\
"""Liveness of a component that has no port of its own: the heartbeat that this very pod writes into the database.

Usage: heartbeat.py JOB_TYPE [--start]. A database that does not answer says nothing about this component, so it counts
as alive; only at start (--start) a real answer is needed. This costs milliseconds, Airflow's own command seconds.
"""
import os
import socket
import sys

import psycopg2

QUERY = """
SELECT count(*) FROM job
WHERE job_type = %s AND hostname = %s AND state = 'running'
  AND latest_heartbeat > now() - interval '60 seconds' AND latest_heartbeat > to_timestamp(%s)
"""

job_type, starting = sys.argv[1], "--start" in sys.argv
address = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "", 1)
host = socket.gethostbyname(socket.getfqdn())
# The container's first process: a heartbeat from before it belongs to the container that was here earlier.
started = os.stat("/proc/1").st_ctime
try:
    connection = psycopg2.connect(address, connect_timeout=5)
    with connection, connection.cursor() as cursor:
        cursor.execute(QUERY, (job_type, host, started))
        beating = cursor.fetchone()[0] > 0
except psycopg2.Error:
    sys.exit(starting)
sys.exit(not beating)
'''

WORKER_ALIVE = '''\
"""Liveness of a Celery worker: it answers a ping through the broker.

Usage: worker_alive.py [--start]. A broker that does not answer says nothing about this worker, whose tasks go on, so it
counts as alive; only at start (--start) an answer is needed.
"""
import os
import socket
import sys

from celery import Celery

name = f"celery@{socket.gethostname()}"
try:
    control = Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"]).control
    answers = control.inspect(destination=[name], timeout=5).ping()
except Exception:
    sys.exit("--start" in sys.argv)
sys.exit(not answers)
'''
