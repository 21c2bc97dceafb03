#!/usr/bin/env python3
"""A private PostgreSQL for tests.

    postgres.py run PROGRAM [ARGUMENT...]
        starts a new cluster on a Unix socket and on loopback, runs the program with
        PORTRESS_TEST_POSTGRES (a URL) and PORTRESS_TEST_CLUSTER (a directory) in its environment,
        stops the cluster, removes it, and ends with the program's status. An argument `{url}` is
        replaced by the URL.

    postgres.py pause|resume|kill|start|restart DIRECTORY
        what a test does to the server of that cluster: stops all of its processes where they are,
        lets them go on, kills them, starts them (and waits until they answer).
"""

import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

USER = "postgres"


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
    if not found:
        sys.exit("postgres.py: PostgreSQL is not installed; the package is called postgresql")
    return found[-1]


def as_user():
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


def read(directory, name):
    with open(os.path.join(directory, name), encoding="ascii") as file:
        return file.read().strip()


def write(directory, name, text):
    with open(os.path.join(directory, name), "w", encoding="ascii") as file:
        file.write(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def create():
    directory = tempfile.mkdtemp(prefix="portress-pg-")
    if os.getuid() == 0:
        shutil.chown(directory, USER, USER)
    subprocess.run(
        as_user() + [programs() + "/initdb", "-D", directory + "/data", "-A", "trust", "-U", USER,
                     "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL, cwd=directory)
    write(directory, "port", str(free_port()))
    return directory


def is_answering(directory):
    return subprocess.run(
        [programs() + "/pg_isready", "-q", "-h", directory, "-p", read(directory, "port"),
         "-U", USER, "-t", "1"],
        check=False).returncode == 0


def start(directory):
    with open(os.path.join(directory, "log"), "ab") as log:
        server = subprocess.Popen(
            as_user() + [programs() + "/postgres", "-D", directory + "/data",
                         "-c", "listen_addresses=127.0.0.1", "-c", "port=" + read(directory, "port"),
                         "-c", "unix_socket_directories=" + directory,
                         "-c", "fsync=off", "-c", "max_connections=100",
                         "-c", "deadlock_timeout=200ms",
                         "-c", "log_statement=all", "-c", "log_min_messages=notice"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, start_new_session=True)
    write(directory, "pid", str(server.pid))
    until = time.monotonic() + 30
    while not is_answering(directory):
        if server.poll() is not None or time.monotonic() > until:
            sys.stderr.write(open(os.path.join(directory, "log"), encoding="utf-8").read())
            sys.exit("postgres.py: the server does not start")
        time.sleep(0.02)


def family(pid):
    """The server and its backends; each backend leads a session of its own."""
    pids = [pid]
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            pids.append(int(path.split("/")[2]))
    return pids


def tell(directory, number):
    for pid in family(int(read(directory, "pid"))):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def wait_gone(directory):
    pid = int(read(directory, "pid"))
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except OSError:
            return
        time.sleep(0.02)
    sys.exit("postgres.py: the server does not stop")


def kill(directory):
    """As after a power cut."""
    tell(directory, signal.SIGKILL)
    wait_gone(directory)
    # The next server must not take the number of the dead one, whose parent is busy, for its life.
    os.unlink(directory + "/data/postmaster.pid")
    os.unlink(f"{directory}/.s.PGSQL.{read(directory, 'port')}.lock")


def stop(directory):
    tell(directory, signal.SIGCONT)
    try:
        os.kill(int(read(directory, "pid")), signal.SIGINT)
    except ProcessLookupError:
        return
    wait_gone(directory)


def restart(directory):
    stop(directory)
    start(directory)


def run(arguments):
    directory = create()
    try:
        start(directory)
        url = f"postgres://{USER}@localhost:{read(directory, 'port')}/postgres"
        environment = dict(
            os.environ,
            PORTRESS_TEST_CLUSTER=directory,
            PORTRESS_TEST_CLUSTER_TOOL=os.path.abspath(__file__),
            PORTRESS_TEST_POSTGRES=url)
        command = [argument.replace("{url}", url) for argument in arguments]
        status = subprocess.run(command, check=False, env=environment).returncode
        stop(directory)
        return status if status >= 0 else 128 - status
    finally:
        if os.environ.get("PORTRESS_TEST_KEEP"):
            print("kept", directory)
        else:
            shutil.rmtree(directory, ignore_errors=True)


def main():
    acts = {
        "pause": lambda d: tell(d, signal.SIGSTOP),
        "resume": lambda d: tell(d, signal.SIGCONT),
        "kill": kill,
        "start": start,
        "restart": restart,
    }
    if len(sys.argv) >= 3 and sys.argv[1] == "run":
        sys.exit(run(sys.argv[2:]))
    if len(sys.argv) == 3 and sys.argv[1] in acts:
        acts[sys.argv[1]](sys.argv[2])
        return
    sys.exit(__doc__)


if __name__ == "__main__":
    main()
