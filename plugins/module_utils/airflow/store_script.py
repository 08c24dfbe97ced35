# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that tries external stores from inside the cluster. It runs in the Airflow image, with its drivers.

Its last line is a JSON object: for each store what was found, or the problem and what to do about it. It opens the very
addresses that Airflow will be given, and prints none of them.
"""

from __future__ import annotations

STORE_CHECK = r'''
import asyncio
import json
import os
import re
import socket
import ssl
from urllib.parse import unquote, urlsplit

SECONDS = 10
# What a driver's words mean, in ours: first match wins. {user}, {place} and {database} are filled in.
DATABASE_WORDS = (
    (r"password authentication failed|no password supplied|role \".*\" does not exist",
     "the server does not accept user '{user}' with the password given",
     "Compare user and password in the Secret with those of the server"),
    (r"no pg_hba.conf entry",
     "the server admits no such connection of user '{user}' from this cluster",
     "Allow it in the server's pg_hba.conf, or use another ssl_mode if it insists on TLS"),
    (r"database \".*\" does not exist", "there is no database '{database}' at {place}",
     "Create it with encoding UTF8, owned by user '{user}'"),
    (r"does not support SSL", "the server does not offer TLS", "Turn it on there, or use another ssl_mode"),
    (r"does not match host name|Hostname mismatch|doesn't match|certificate is not valid for",
     "the server's certificate is for another host name than '{host}'",
     "Use the name in the certificate, or ssl_mode verify-ca"),
    (r"certificate verify failed|CERTIFICATE_VERIFY_FAILED|signature failure",
     "the server's certificate is not signed by an authority that is trusted here",
     "Name the Secret with the certificate of its authority in ca_secret"),
    (r"invalid response to SSL negotiation|server closed the connection unexpectedly|expected authentication request",
     "what answers at {place} is no PostgreSQL", "Correct host and port"),
    (r"too many (clients|connections)|remaining connection slots",
     "the server has no connection left", "Raise max_connections there, or free some"),
)
BROKER_WORDS = (
    (r"WRONGPASS|invalid username-password|NOAUTH|Authentication required|without any password configured"
     r"|ACCESS_REFUSED|AccessRefused|Login was refused|invalid password",
     "the server does not accept the user and password given",
     "Compare user and password in the Secret with those of the server"),
    (r"NOPERM", "the user may not do what Celery needs", "Give it all commands and keys of this database"),
    (r"DB index is out of range|invalid DB index",
     "the server has no such database; queues and results need two, one after the other", "Choose a lower number"),
    (r"vhost .* not found|NOT_ALLOWED|NotAllowed", "there is no such virtual host, or the user may not open it",
     "Create it, and give the user all rights in it"),
    (r"Hostname mismatch|doesn't match|certificate is not valid for",
     "the server's certificate is for another host name than '{host}'", "Use the name in the certificate"),
    (r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
     "the server's certificate is not signed by an authority that is trusted here",
     "Name the Secret with the certificate of its authority in ca_secret"),
    (r"WRONG_VERSION_NUMBER|record layer failure|wrong version number", "the server does not speak TLS at {place}",
     "Clear tls, or use the port for TLS"),
    (r"Connection reset|Connection closed by server|Server unexpectedly closed|EOF|ConnectionResetError",
     "the server at {place} ends the connection; it may want TLS, or none",
     "Compare tls and port with the server's"),
    (r"TimeoutError|timed out", "what listens at {place} does not answer as a broker does",
     "Correct type, host and port"),
)


class Problem(Exception):
    """What is wrong, and what to do about it."""


def parts_of(url):
    found = urlsplit(url)
    host = found.hostname
    shown = f"[{host}]" if ":" in host else host
    return {
        "host": host,
        "port": found.port,
        "user": unquote(found.username or ""),
        "password": unquote(found.password or ""),
        "database": unquote(found.path[1:]),
        "place": f"{shown}:{found.port}",
    }


def reach(parts):
    """A plain connection first: no driver says as clearly what the network refuses."""
    host, port = parts["host"], parts["port"]
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Problem(f"host '{host}' is not known inside the cluster", "Correct it, or add it to host_aliases")
    try:
        socket.create_connection((host, port), SECONDS).close()
    except ConnectionRefusedError:
        raise Problem(f"nothing listens at {parts['place']}", "Correct host and port, or start the server")
    except OSError as error:
        what = "does not answer" if isinstance(error, TimeoutError) else f"cannot be reached ({error.strerror})"
        raise Problem(f"{parts['place']} {what}", "Look for a firewall or a network policy in between")


def explained(error, words, parts):
    """A driver's error as a Problem. Its own words are shown when they mean nothing to us."""
    chain, said = error, []
    while chain is not None:
        said.append(f"{type(chain).__name__}: {chain}")
        chain = chain.__cause__ or chain.__context__
    text = "\n".join(said)
    for pattern, what, step in words:
        if re.search(pattern, text):
            return Problem(what.format(**parts), step.format(**parts))
    first = next(line for line in said[0].splitlines() if line.strip())
    if parts["password"]:
        first = first.replace(parts["password"], "***")
    return Problem(f"{parts['place']} cannot be used ({first})", "Look at the log of the server")


def look_at_database(connection, parts):
    def value(query):
        return connection.exec_driver_sql(query).scalar()

    number = int(value("SHOW server_version_num")) // 10000
    version = value("SHOW server_version").split()[0]
    oldest, newest = int(os.environ["DATABASE_OLDEST"]), int(os.environ["DATABASE_NEWEST"])
    if number < oldest:
        raise Problem(
            f"it is PostgreSQL {version}, and this Airflow needs {oldest} or later", "Upgrade it, or use another server"
        )
    encoding = value("SHOW server_encoding")
    if encoding != "UTF8":
        raise Problem(
            f"database '{parts['database']}' has encoding {encoding}, and Airflow needs UTF8",
            "Create another one: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
        )
    if value("SELECT pg_is_in_recovery()"):
        raise Problem("the server is a replica that can only be read", "Use the address of the primary server")
    schema = value("SELECT current_schema()")
    if schema is None or not value("SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        where = f"in schema '{schema}' " if schema else ""
        raise Problem(
            f"user '{parts['user']}' may not create tables {where}of database '{parts['database']}'",
            f"Make it the owner of the database, or GRANT CREATE, USAGE ON SCHEMA {schema or 'public'} to it",
        )
    used = value("SELECT to_regclass('alembic_version') IS NOT NULL")
    if used and os.environ.get("DATABASE_MUST_BE_NEW"):
        raise Problem(
            f"database '{parts['database']}' already holds an Airflow, whose keys this service does not have",
            "Use an empty database, or restore the Secret with the keys of that service first",
        )
    warnings = []
    if number > newest:
        warnings.append(f"PostgreSQL {version} is newer than those that this Airflow is tested with (to {newest})")
    free = value(
        "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        " - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
    )
    limit = value("SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user")
    if limit is not None and limit >= 0:
        free = min(free, limit)
    needed = int(os.environ["DATABASE_CONNECTIONS"])
    if free < needed:
        warnings.append(f"{free} connections are free, and the components may open up to {needed}")
    secure = value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    return {"found": f"PostgreSQL {version}, {'with' if secure else 'without'} TLS", "warnings": warnings}


def database():
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    url = os.environ["DATABASE_URL"]
    parts = parts_of(url)
    reach(parts)
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": SECONDS})
        with engine.connect() as connection:
            answer = look_at_database(connection, parts)
        if os.environ.get("DATABASE_URL_ASYNC"):
            asyncio.run(by_the_other_driver(os.environ["DATABASE_URL_ASYNC"]))
    except Problem:
        raise
    except Exception as error:
        raise explained(error, DATABASE_WORDS, parts)
    return answer


async def by_the_other_driver(url):
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": SECONDS})
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    await engine.dispose()


def broker():
    url = os.environ["BROKER_URL"]
    parts = parts_of(url)
    tls = json.loads(os.environ.get("BROKER_TLS") or "{}")
    reach(parts)
    try:
        if url.startswith("redis"):
            return look_at_redis(url, os.environ["RESULT_BACKEND"], tls)
        return look_at_rabbitmq(url, tls)
    except Problem:
        raise
    except Exception as error:
        raise explained(error, BROKER_WORDS, parts)


def opened(url, tls):
    from kombu import Connection

    return Connection(url, ssl=tls or False, connect_timeout=SECONDS)


def look_at_redis(url, results, tls):
    warnings = []
    with opened(url, tls.get("broker_use_ssl")) as connection:
        client = connection.default_channel.client
        client.ping()
        client.set("scp-dataops-check", "1", ex=60)
        client.delete("scp-dataops-check")
        try:
            version = client.info("server")["redis_version"]
            policy = client.info("memory").get("maxmemory_policy", "noeviction")
        except Exception:
            version, policy = "of a version that it does not tell", "noeviction"
        if policy != "noeviction":
            warnings.append(f"its maxmemory-policy is {policy}: it may throw away tasks; noeviction keeps them")
    with opened(results, tls.get("redis_backend_use_ssl")) as connection:
        connection.default_channel.client.ping()
    return {"found": f"Redis {version}, {'with' if tls else 'without'} TLS", "warnings": warnings}


def look_at_rabbitmq(url, tls):
    with opened(url, tls.get("broker_use_ssl")) as connection:
        connection.connect()
        version = connection.connection.server_properties.get("version", "")
        channel = connection.default_channel
        channel.queue_declare("", exclusive=True)
    return {"found": f"RabbitMQ {version}, {'with' if tls else 'without'} TLS", "warnings": []}


def answers():
    found = {}
    for name, look in (("database", database), ("broker", broker)):
        if f"{name.upper()}_URL" not in os.environ:
            continue
        try:
            found[name] = look()
        except Problem as problem:
            found[name] = {"problem": problem.args[0], "next_step": problem.args[1]}
    return found


if __name__ == "__main__":
    print(json.dumps(answers()))
'''
