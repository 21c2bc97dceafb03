"""The GoTrue dialect's rows: who is it, another pair of tokens, what is on here."""
import hashlib
import json
import pathlib
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from contextlib import ExitStack, closing

from machines import PROGRAM, ROOT, Measured, Portress, answer_size, median, nginx, wrk

sys.path.insert(0, str(ROOT / "tests/contract"))
import postgres  # noqa: E402: a cluster of our own

SECRET = "of-the-bench-and-of-nobody-else-000"
OPERATOR = "operator-of-the-bench-and-of-nothing-else"
PEOPLE = 64     # who asks: as many as there are clients
CROWD = 1000    # more than a reader's cache of pages holds
FAMILIES = 128  # for 64 clients, each time anew: what is under way when wrk ends is lost
POSTGRES_CLIENTS = 8


class Site(Portress):
    """In GoTrue's place. `database` is its URL."""

    def __init__(self, folder, database, **settings):
        super().__init__(folder, "0", words=("serve", "--as", "gotrue"), place={
            "GOTRUE_SITE_URL": "https://site.example",
            "GOTRUE_JWT_SECRET": SECRET,
            "GOTRUE_JWT_EXP": "86400",
            "GOTRUE_OPERATOR_TOKEN": OPERATOR,
            "GOTRUE_DB_DRIVER": "sqlite3" if database.startswith("sqlite:") else "postgres",
            "GOTRUE_DB_DATABASE_URL": database,
            "GOTRUE_MAILER_AUTOCONFIRM": "true",
            "PORTRESS_DATABASE": database,
        }, http_loops=1, hash_argon2_kib=64, hash_argon2_passes=1, **settings)

    def make_person(self):
        """Everybody else is copied from this one."""
        status, _, text = self.ask("POST", "/admin/users", json.dumps({
            "email": "pattern@example.org", "password": "a quiet harbour", "confirm": True,
            "user_metadata": {"full_name": "Ada Lovelace", "avatar_url": "https://a.example/1"},
            "app_metadata": {"provider": "email", "roles": ["editor"]},
        }), Authorization=f"Bearer {OPERATOR}")
        if status != 200:
            raise SystemExit(f"making somebody answered {status}: {text.decode()}")

    def refresh(self, token):
        status, _, text = self.ask(
            "POST", "/token", f"grant_type=refresh_token&refresh_token={token}",
            **{"Content-Type": "application/x-www-form-urlencoded"})
        if status != 200:
            raise SystemExit(f"a refresh answered {status}: {text.decode()}")
        return json.loads(text)


# ---- people, written straight into the store ----

def person(i):
    return str(uuid.UUID(int=(1 << 100) + i * 7919)), f"seed{i:08x}@example.org"


class SqlitePeople:
    def __init__(self, path):
        self.path = path
        self.url = f"sqlite:{path}"

    def open(self):
        link = sqlite3.connect(self.path, timeout=10)
        link.execute("PRAGMA synchronous=OFF")
        return link

    def seed(self, users):
        link = self.open()
        columns = [row[1] for row in link.execute("PRAGMA table_info(portress_account)")]
        first = dict(zip(columns, link.execute("SELECT * FROM portress_account").fetchone()))

        def rows():
            for i in range(users):
                own, email = person(i)
                one = {**first, "id": own, "email": email, "email_key": email}
                yield tuple(one[column] for column in columns)

        marks = ",".join("?" * len(columns))
        link.executemany(f"INSERT INTO portress_account VALUES ({marks})", rows())
        link.commit()
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        link.execute("ANALYZE")
        link.commit()
        link.close()

    def issue(self, tokens):
        link = self.open()
        link.executemany(f"INSERT INTO portress_family ({Token.FAMILY}) VALUES (?, ?, ?, 1, ?, ?, ?)",
                         [t.row() for t in tokens])
        link.executemany("INSERT INTO portress_loose_token (hash, family, generation)"
                         " VALUES (?, ?, 1)", [(t.hash, t.family) for t in tokens])
        link.commit()
        link.close()


class PostgresPeople:
    def __init__(self, directory):
        self.directory = directory
        self.port = postgres.read(directory, "port")
        self.url = f"postgres://{postgres.USER}@localhost:{self.port}/postgres?sslmode=disable"
        self.at = ["-h", directory, "-p", self.port, "-U", postgres.USER]

    def say(self, text):
        done = subprocess.run([f"{postgres.programs()}/psql", *self.at, "-qAtX", "-v",
                               "ON_ERROR_STOP=1"], input=text, text=True, capture_output=True,
                              check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return done.stdout

    def seed(self, users):
        columns = self.say("SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum)"
                           " FROM pg_attribute WHERE attrelid = 'portress_account'::regclass"
                           " AND attnum > 0 AND NOT attisdropped").strip().split(",")
        email = "'seed' || lpad(to_hex(i), 8, '0') || '@example.org'"
        own = {"id": "'00000010-0000-0000-0000-' || lpad(to_hex(i::bigint * 7919), 12, '0')",
               "email": email, "email_key": email}
        values = ", ".join(own.get(name, f"a.{name}") for name in columns)
        self.say(f"INSERT INTO portress_account ({', '.join(columns)}) SELECT {values}"
                 f" FROM generate_series(0, {users - 1}) i,"
                 " (SELECT * FROM portress_account LIMIT 1) a; VACUUM ANALYZE;")

    def issue(self, tokens):
        families = ", ".join("('{}', '{}', {}, 1, {}, {}, {})".format(*t.row()) for t in tokens)
        rows = ", ".join(f"('\\x{t.hash.hex()}', '{t.family}', 1)" for t in tokens)
        self.say(f"INSERT INTO portress_family ({Token.FAMILY}) VALUES {families};"
                 f" INSERT INTO portress_loose_token (hash, family, generation) VALUES {rows};")


class Token:
    """One that another program issued: what follows it is of ours."""
    FAMILY = "id, account, started_at, generation, issued_at, expires_at, purge_at"

    def __init__(self, text, account):
        self.text = text
        self.hash = hashlib.sha256(f"refresh token {text}".encode()).digest()
        self.family = str(uuid.uuid4())
        self.account = account
        self.now = time.time_ns() // 1000

    def row(self):
        day = 86400 * 10**6
        return self.family, self.account, self.now, self.now, self.now + day, self.now + 2 * day


def refresh_tokens(people, users, n):
    """New families, each of somebody else."""
    step = max(users // n, 1)
    tokens = [Token(secrets.token_urlsafe(24), person(i * step % users)[0]) for i in range(n)]
    people.issue(tokens)
    return [token.text for token in tokens]


def written(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return {"BENCH_TOKENS": str(path)}


# ---- loads ----

def load_user(site, env, seconds):
    return Measured(site, lambda s: wrk(s.port, "/user", seconds, "1", script="bearer.lua", env=env))


def load_refresh(site, people, users, folder, seconds):
    env = written(folder / "families", refresh_tokens(people, users, FAMILIES))
    return Measured(site, lambda s: wrk(s.port, "/token", seconds, "1", script="refresh.lua", env=env))


def load_plain(server, path, seconds):
    return Measured(server, lambda s: wrk(s.port, path, seconds, "1"))


def bearers(site, people, users, n, path):
    """Access tokens of n of them, as the site signs them."""
    texts = refresh_tokens(people, users, n)
    return written(path, [site.refresh(text)["access_token"] for text in texts])


def token_size(site, people, users):
    """Bytes on the wire of an answer with a pair of tokens."""
    token = refresh_tokens(people, users, 1)[0]
    _, answer, text = site.ask("POST", "/token", f"grant_type=refresh_token&refresh_token={token}",
                               **{"Content-Type": "application/x-www-form-urlencoded"})
    return 17 + sum(len(f"{k}: {v}\r\n") for k, v in answer.getheaders()) + 2 + len(text)


# ---- SQLite ----

ALGORITHMS = ("HS256", "ES256", "EdDSA")


def site_of(work, people, algorithm):
    folder = work / algorithm
    folder.mkdir(exist_ok=True)
    if algorithm == "HS256":
        return Site(folder, people.url)
    keys = folder / "keys.json"
    subprocess.run([PROGRAM, "keys", "add", "--alg", algorithm], check=True, capture_output=True,
                   env={"PORTRESS_KEYS_SIGNING": str(keys), "PATH": "/usr/bin"})
    return Site(folder, people.url, keys_signing=keys)


def bench(table, work, args):
    work = work / "dialect"
    work.mkdir()
    people = SqlitePeople(work / "gotrue.db")
    with closing(site_of(work, people, "HS256")) as site:
        site.make_person()
    print(f"  writing {args.users} accounts ...", flush=True)
    people.seed(args.users)
    with ExitStack() as running:
        loads = measure(running, people, work, args)
    cpu = {name: median(one.cpu_us for one in all) for name, all in loads.items()}
    rate = {name: median(one.rate for one in all) for name, all in loads.items()}
    rows = [(f"(e) GET /user, {name}, {args.users} users", name, "nginx user", aim)
            for name, aim in (("HS256", "0.5"), ("ES256", "0.45"), ("EdDSA", "0.45"))]
    rows += [("(e) HS256, each time one of a thousand", "crowd", "nginx user", ""),
             ("(f) durable refreshes, 64 clients", "grouped", "nginx token", "0.15"),
             ("(g) GET /settings", "settings", "nginx settings", "0.85")]
    for what, ours, theirs, aim in rows:
        table.add(what, f"{cpu[ours]:.1f} us", "nginx `return 200`", f"{cpu[theirs]:.1f} us",
                  f"{cpu[theirs] / cpu[ours]:.2f}", aim, f"{rate[ours]:,.0f}/s")
    table.add("(f) the same", f"{rate['grouped']:,.0f}/s", "one commit a refresh",
              f"{rate['single']:,.0f}/s", f"{rate['grouped'] / rate['single']:.1f}", "3")
    shutil.rmtree(work)


def measure(running, people, work, args):
    def run(server):
        return running.enter_context(closing(server))

    sites = {name: run(site_of(work, people, name)) for name in ALGORITHMS}
    (work / "single").mkdir()
    single = run(Site(work / "single", people.url, database_group=1))
    first = sites["HS256"]
    tokens = {name: bearers(sites[name], people, args.users, PEOPLE, work / f"{name}.tokens")
              for name in ALGORITHMS}
    crowd = bearers(first, people, args.users, CROWD, work / "crowd.tokens")
    bearer = pathlib.Path(tokens["HS256"]["BENCH_TOKENS"]).read_text().split()[0]
    other = run(nginx(work / "nginx", "0", {
        "/user": ("application/json",
                  answer_size(first.port, "/user", Authorization=f"Bearer {bearer}")),
        "/settings": ("application/json", answer_size(first.port, "/settings")),
        "/token": ("application/json", token_size(first, people, args.users)),
    }))
    loads = defaultdict(list)
    for _ in range(args.rounds):
        loads["nginx user"].append(load_plain(other, "/user", args.seconds))
        for name in ALGORITHMS:
            loads[name].append(load_user(sites[name], tokens[name], args.seconds))
        loads["crowd"].append(load_user(first, crowd, args.seconds))
        loads["nginx settings"].append(load_plain(other, "/settings", args.seconds))
        loads["settings"].append(load_plain(first, "/settings", args.seconds))
        loads["nginx token"].append(load_plain(other, "/token", args.seconds))
        for name, site in (("grouped", first), ("single", single)):
            loads[name].append(load_refresh(site, people, args.users, work, args.seconds))
    return loads


# ---- PostgreSQL ----

def cluster_open():
    """Durable, unlike the one of the tests, and on the server's core."""
    directory = postgres.create()
    log = open(f"{directory}/log", "ab")
    command = postgres.as_user() + [
        "taskset", "-c", "0", f"{postgres.programs()}/postgres", "-D", f"{directory}/data",
        "-c", "listen_addresses=127.0.0.1", "-c", f"port={postgres.read(directory, 'port')}",
        "-c", f"unix_socket_directories={directory}", "-c", "shared_buffers=256MB"]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              cwd=directory, start_new_session=True)
    postgres.write(directory, "pid", str(server.pid))
    for _ in range(500):
        if postgres.is_answering(directory):
            return directory
        time.sleep(0.02)
    raise SystemExit("PostgreSQL does not start")


# The first token of each client of pgbench: of generation 1, as its counter begins at 0.
PGBENCH_FAMILIES = """
DELETE FROM portress_family WHERE id LIKE 'bench-%';
INSERT INTO portress_family ({columns}, secret)
  SELECT 'bench-' || i, '00000010-0000-0000-0000-' || lpad(to_hex(i * 7919), 12, '0'), {now}, 1,
         {now}, {now} + 86400000000, {now} + 172800000000, decode(repeat('07', 32), 'hex')
  FROM generate_series(0, {n} - 1) i;
"""


def pgbench(people, script, users, seconds):
    done = subprocess.run(
        ["taskset", "-c", "1", f"{postgres.programs()}/pgbench", *people.at, "-n", "-M", "prepared",
         "-c", str(POSTGRES_CLIENTS), "-j", "1", "-T", str(seconds), "-D", "n=0",
         "-D", f"people={PEOPLE}", "-D", f"step={max(users // PEOPLE, 1)}",
         "-D", f"run={secrets.randbelow(10**9)}", "-f", ROOT / "tests/bench" / script, "postgres"],
        check=False, text=True, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"pgbench: {done.stdout}{done.stderr}")
    return float(done.stdout.rsplit("tps = ", 1)[1].split()[0])


def bench_postgres(table, work, args):
    directory = cluster_open()
    people = PostgresPeople(directory)
    folder = work / "postgres"
    folder.mkdir()
    site = None
    try:
        site = Site(folder, people.url, database_connections=POSTGRES_CLIENTS)
        site.make_person()
        print(f"  writing {args.users} accounts ...", flush=True)
        people.seed(args.users)
        tokens = bearers(site, people, args.users, PEOPLE, folder / "tokens")
        rates = {"user": [], "raw user": [], "refresh": [], "raw refresh": []}
        for _ in range(args.rounds):
            rates["raw user"].append(pgbench(people, "user.pgbench", args.users, args.seconds))
            rates["user"].append(load_user(site, tokens, args.seconds).rate)
            people.say(PGBENCH_FAMILIES.format(
                columns=Token.FAMILY, n=POSTGRES_CLIENTS, now=time.time_ns() // 1000))
            rates["raw refresh"].append(pgbench(
                people, "refresh.pgbench", args.users, args.seconds))
            rates["refresh"].append(
                load_refresh(site, people, args.users, folder, args.seconds).rate)
        for what, name, aim in (("(h) GET /user, PostgreSQL", "user", ""),
                                ("(h) durable refreshes, PostgreSQL", "refresh", "")):
            mine, raw = median(rates[name]), median(rates[f"raw {name}"])
            table.add(what, f"{mine:,.0f}/s", "pgbench, the same statements", f"{raw:,.0f}/s",
                      f"{mine / raw:.2f}", aim)
    finally:
        if site:
            site.close()
        postgres.stop(directory)
        shutil.rmtree(directory)
