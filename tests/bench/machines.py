"""What the speed table is measured with: servers on a core, nginx beside them, and wrk."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = pathlib.Path(os.environ.get("BENCH_PROGRAM", ROOT / "build/portress"))
NGINX = """
worker_processes 1; daemon off; pid {dir}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; server_tokens off;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{
    listen 127.0.0.1:{port};
{places}
  }}
}}
"""
NGINX_PLACE = '    location {path} {{ default_type {type}; return 200 "{body}"; }}'
NGINX_HEAD = 160  # bytes of the head that nginx writes


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def median(values):
    return statistics.median(values)


class Process:
    """A server of ours on its core, ended by pid."""

    def __init__(self, command, core=None, env=None, cwd=None):
        words = [str(word) for word in command]
        if core is not None:
            words = ["taskset", "-c", core, *words]
        self.began = time.monotonic()
        self.child = subprocess.Popen(words, cwd=cwd, env={**os.environ, **(env or {})},
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def cpu_seconds(self):
        """Of all threads, and of the workers that it started."""
        pids = [self.child.pid]
        for path in pathlib.Path(f"/proc/{pids[0]}/task").glob("*/children"):
            pids += path.read_text().split()
        return sum(int(path.read_text().split()[0]) for pid in pids
                   for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9

    def close(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(20)


class Portress(Process):
    """`place` is its own environment, before the settings that every measured server has."""

    def __init__(self, folder, core, words=("serve",), place=None, **settings):
        self.port = free_port()
        env = {
            "PORTRESS_LISTEN": f"127.0.0.1:{self.port}",
            "PORTRESS_DATABASE": f"sqlite:{folder}/portress.db",
            "PORTRESS_KEYS_FILE": f"{folder}/portress.key",
            "PORTRESS_LOG_LEVEL": "warn",
            "PORTRESS_LOG_REQUESTS": "false",
            "PORTRESS_LIMITS_SIGNIN_PER_ACCOUNT": "0",
            "PORTRESS_LIMITS_SIGNIN_PER_CLIENT": "0",
            "PORTRESS_LIMITS_MAIL_PER_RECIPIENT": "0",
            "PORTRESS_LIMITS_MAIL_PER_CLIENT": "0",
            **(place or {"PORTRESS_URL": f"http://localhost:{self.port}"}),
            **{f"PORTRESS_{name.upper()}": str(value) for name, value in settings.items()},
        }
        super().__init__([PROGRAM, *words], core, env, cwd=folder)
        self.ready_ms = self.wait()

    def wait(self):
        while time.monotonic() - self.began < 30:
            try:
                if self.get("/healthz")[0] == 200:
                    return (time.monotonic() - self.began) * 1000
            except OSError:
                time.sleep(0.0005)
        raise SystemExit(f"portress did not start: {self.child.stderr.read().decode()}")

    def ask(self, method, path, body=None, **headers):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        link.request(method, path, body, headers)
        answer = link.getresponse()
        text = answer.read()
        link.close()
        return answer.status, answer, text

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def csrf(self):
        """A token and its cookie, good for as many requests as we like."""
        _, answer, _ = self.get("/refresh")
        cookie = answer.getheader("Set-Cookie").split(";")[0].split("=", 1)[1]
        return answer.getheader("X-CSRF-Token"), cookie

    def post(self, path, fields):
        token, cookie = self.csrf()
        return self.ask("POST", path, json.dumps(fields), **{
            "Content-Type": "application/json", "X-CSRF-Token": token,
            "Cookie": f"_gorilla_csrf={cookie}"})

    def rss_kib(self):
        pid = self.child.pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def answer_size(port, path, **headers):
    """Bytes on the wire: head and body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}Connection: close\r\n\r\n"
                     .encode())
        return sum(map(len, iter(lambda: link.recv(65536), b"")))


def nginx(folder, core, places):
    """Answers of as many bytes, head and body, as ours have: what nginx saves in headers it sends
    as body. `places`: path -> (type, bytes)."""
    port = free_port()
    folder.mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(dir=folder, port=port, places="\n".join(
        NGINX_PLACE.format(path=path, type=kind, body="x" * max(size - NGINX_HEAD, 3))
        for path, (kind, size) in places.items())))
    server = Process(["nginx", "-p", folder, "-c", folder / "nginx.conf"], core)
    server.port = port
    time.sleep(0.5)
    return server


class Load:
    def __init__(self, text):
        self.requests = int(re.search(r"(\d+) requests in", text)[1])
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
        found = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
        scale = {"us": 0.001, "ms": 1, "s": 1000}
        self.p99_ms = float(found[1]) * scale[found[2]] if found else float("nan")
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        self.bad = int(bad[1]) if bad else 0


def wrk(port, path, seconds, core, headers=(), script=None, env=None, clients=64):
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency"]
    if core is not None:
        command = ["taskset", "-c", core, *command]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", str(ROOT / "tests/bench" / script)]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], text=True, check=False,
                          capture_output=True, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise SystemExit(f"wrk: {done.stdout}{done.stderr}")
    return Load(done.stdout)


class Measured:
    """What a server did under a load, and the microseconds of CPU that each request took it: where other
    programs run beside the bench, these are still its own."""

    def __init__(self, server, run):
        before = server.cpu_seconds()
        load = run(server)
        assert load.bad == 0, load.bad
        self.rate = load.rate
        self.cpu_us = (server.cpu_seconds() - before) / load.requests * 1e6
