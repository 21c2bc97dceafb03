#!/usr/bin/env python3
"""A private MariaDB for tests.

    mariadb.py run PROGRAM [ARGUMENT...]
        starts a new server on a Unix socket and on loopback, runs the program with
        PORTRESS_TEST_MARIADB (a URL) and PORTRESS_TEST_CLUSTER (a directory) in its environment,
        stops the server, removes it, and ends with the program's status. An argument `{url}` is
        replaced by the URL.

        The user portress has no password, the user secret has "s/e:c@r?t". The directory has a
        certificate for localhost, roots.pem to check it by, and the server's socket, `socket`.

    mariadb.py pause|resume|kill|start|restart DIRECTORY
        what a test does to that server: stops it where it is, lets it go on, kills it, starts it
        (and waits until it answers).
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# The folder of the sources stays as it is.
sys.dont_write_bytecode = True
from postgres import free_port, read, wait_gone, write

USER = "nobody"

BEGINNING = """\
CREATE DATABASE IF NOT EXISTS portress;
CREATE USER IF NOT EXISTS portress@'%';
CREATE USER IF NOT EXISTS secret@'%' IDENTIFIED BY 's/e:c@r?t';
GRANT ALL ON *.* TO portress@'%';
GRANT ALL ON *.* TO secret@'%';
"""


def program(name):
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        sys.exit(f"mariadb.py: there is no {name}; the packages are called mariadb-server-core and "
                 "mariadb-client-core")
    return found


def as_user():
    """MariaDB refuses to run as root."""
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups"]


def certify(directory):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", directory + "/key.pem", "-out", directory + "/roots.pem"],
        check=True, stderr=subprocess.DEVNULL)


def own_tmp(directory):
    """Servers that start side by side clear away each other's temporary tables in a shared folder."""
    return {**os.environ, "TMPDIR": directory}


def create():
    directory = tempfile.mkdtemp(prefix="portress-my-")
    certify(directory)
    write(directory, "port", str(free_port()))
    write(directory, "beginning.sql", BEGINNING)
    os.mkdir(directory + "/data")
    if os.getuid() == 0:
        for path in ["", "/data", "/key.pem", "/roots.pem"]:
            shutil.chown(directory + path, USER, "nogroup")
    subprocess.run(
        as_user() + [program("mariadb-install-db"), "--no-defaults", "--datadir=" + directory + "/data",
                     "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, stdout=subprocess.DEVNULL, cwd=directory, env=own_tmp(directory))
    return directory


def is_answering(directory):
    """A server that is ready speaks first."""
    try:
        with socket.create_connection(("127.0.0.1", int(read(directory, "port"))), 1) as probe:
            return probe.recv(1) != b""
    except OSError:
        return False


def start(directory):
    with open(os.path.join(directory, "log"), "ab") as log:
        server = subprocess.Popen(
            as_user() + [program("mariadbd"), "--no-defaults", "--datadir=" + directory + "/data",
                         "--socket=" + directory + "/socket", "--pid-file=" + directory + "/data/pid",
                         "--bind-address=127.0.0.1", "--port=" + read(directory, "port"),
                         "--init-file=" + directory + "/beginning.sql",
                         "--ssl-cert=" + directory + "/roots.pem", "--ssl-key=" + directory + "/key.pem",
                         "--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=0",
                         "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M",
                         "--max-connections=300"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, start_new_session=True,
            env=own_tmp(directory))
    write(directory, "pid", str(server.pid))
    until = time.monotonic() + 30
    while not is_answering(directory):
        if server.poll() is not None or time.monotonic() > until:
            sys.stderr.write(open(os.path.join(directory, "log"), encoding="utf-8").read())
            sys.exit("mariadb.py: the server does not start")
        time.sleep(0.02)


def tell(directory, number):
    try:
        os.kill(int(read(directory, "pid")), number)
    except ProcessLookupError:
        pass


def kill(directory):
    """As after a power cut."""
    tell(directory, signal.SIGKILL)
    wait_gone(directory)


def stop(directory):
    tell(directory, signal.SIGCONT)
    tell(directory, signal.SIGTERM)
    wait_gone(directory)


def restart(directory):
    stop(directory)
    start(directory)


def run(arguments):
    directory = create()
    try:
        start(directory)
        url = f"mysql://portress@localhost:{read(directory, 'port')}/portress"
        environment = dict(
            os.environ,
            PORTRESS_TEST_CLUSTER=directory,
            PORTRESS_TEST_CLUSTER_TOOL=os.path.abspath(__file__),
            PORTRESS_TEST_MARIADB=url)
        command = [argument.replace("{url}", url) for argument in arguments]
        status = subprocess.run(command, check=False, env=environment).returncode
        return status if status >= 0 else 128 - status
    finally:
        stop(directory)
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
        # Whoever loses patience with the test ends the server too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        sys.exit(run(sys.argv[2:]))
    if len(sys.argv) == 3 and sys.argv[1] in acts:
        acts[sys.argv[1]](sys.argv[2])
        return
    sys.exit(__doc__)


if __name__ == "__main__":
    main()
