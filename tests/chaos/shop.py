"""The processes of one shop on the hosts of a lab: three etcd, the nodes, a gateway."""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

CLUSTER = "chaos"
PORT, OPS_PORT, CLUSTER_PORT, ETCD_PORT, ETCD_PEER_PORT = 8080, 9090, 7400, 2379, 2380
SHARDS = 256
ETCD_COUNT = 3
DISK_MB = 384  # of each node, in memory


def program(name):
    """From $PATH, or where scripts/setup.sh has unpacked it."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    kept = os.environ.get("JUMUN_TOOLS") or os.path.join(cache, "jumun", "tools")
    found = shutil.which(name) or shutil.which(name, path=kept)
    if not found:
        raise RuntimeError(f"no {name}: scripts/setup.sh gets it")
    return found


class Machine:
    """One process on one host. While it is `wanted` it runs, or somebody starts it again."""

    def __init__(self, name, lab, host, argv, folder, clock=None):
        """`clock`: the library that makes its clock jump."""
        self.name, self.host, self.folder = name, host, folder
        self.log = folder.parent / f"{name}.log"
        self.data = folder / "data"
        self._lab, self._argv, self._env = lab, argv, {}
        self._clock = folder.parent / f"{name}.clock"
        self.set_clock(0)
        if clock:
            self._env = {"LD_PRELOAD": str(clock), "JUMUN_CHAOS_CLOCK": str(self._clock)}
        self.wanted = False
        self.may_end_with = set()  # exit codes that a fault explains
        self.ended_with = set()  # those with which it did, by itself
        self._process = None
        self._guard = threading.RLock()

    def start(self):
        """Unless it runs."""
        with self._guard:
            self.wanted = True
            if self._process and self._process.poll() is None:
                return
            self._process = self._lab.start(self.host, self._argv, self.log, self._env)

    def signal(self, which):
        with self._guard:
            if self._process and self._process.poll() is None:
                os.kill(self._process.pid, which)

    def kill(self):
        """SIGKILL, and it stays so."""
        with self._guard:
            self.wanted = False
            self.signal(signal.SIGKILL)
            if self._process:
                self._process.wait()

    def end(self, within_s=30):
        """SIGTERM; the exit code, or None when it took longer and was killed."""
        with self._guard:
            self.wanted = False
            self.signal(signal.SIGTERM)
            try:
                return self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                self.kill()
                return None

    def ended(self):
        """The exit code of one that ended by itself; None: it did not."""
        with self._guard:
            return self._process.poll() if self.wanted and self._process else None

    def set_clock(self, ahead_s):
        with open(self._clock, "r+b" if self._clock.exists() else "wb") as file:
            file.write(ahead_s.to_bytes(8, sys.byteorder, signed=True))

    def end_of_log(self):
        return self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""

    def start_again(self):
        """Unless somebody has killed it meanwhile, and wants it so."""
        with self._guard:
            if self.wanted:
                self.start()


class Shop:
    """A context manager, on folders of its own: afterwards all is ended, and the disks are gone."""

    def __init__(self, jumun, clock, lab, folder, count):
        self.jumun, self.lab, self.folder, self._clock = jumun, lab, folder, clock
        self._mounts = []
        self._make_credentials(count)
        self.etcd = [self._etcd(i, count) for i in range(ETCD_COUNT)]
        self.nodes = [self._node(f"n{i}", i, "all", count) for i in range(1, count + 1)]
        self.gateway = self._node("gw", count + ETCD_COUNT + 1, "gateway", count)
        self.servers = [*self.nodes, self.gateway]

    @staticmethod
    def hosts(count):
        """How many hosts it needs, the last of them for the crowd."""
        return count + ETCD_COUNT + 2

    def __enter__(self):
        try:
            for m in self.servers:
                self._mount(m.folder)
            for m in [*self.etcd, *self.servers]:
                m.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for m in [*self.servers, *self.etcd]:
            m.kill()
        for at in self._mounts:
            subprocess.run(["umount", "--lazy", at], check=False)

    # -- what it is made of

    def _make_credentials(self, count):
        certs = self.folder / "certs"
        self._run("certs", "ca", "--dir", certs, "--cluster", CLUSTER)
        for name in [*(f"n{i}" for i in range(1, count + 1)), "gw"]:
            self._run("certs", "node", "--dir", certs, "--cluster", CLUSTER, "--node", name)
        self.keys = self.folder / "keys.json"
        self.key = self._run("keys", "add", "--file", self.keys, "--role", "admin", "--principal",
                             "chaos").split()[-1]

    def _run(self, *words):
        return subprocess.run([self.jumun, *map(str, words)], check=True, text=True,
                              capture_output=True).stdout

    def _etcd(self, i, count):
        def url(k, port):
            return f"http://{self.lab.address(count + 1 + k)}:{port}"

        name, folder = f"e{i + 1}", self.folder / f"e{i + 1}"
        folder.mkdir()
        members = ",".join(f"e{k + 1}={url(k, ETCD_PEER_PORT)}" for k in range(ETCD_COUNT))
        argv = [program("etcd"), "--name", name, "--data-dir", folder / "data",
                "--listen-client-urls", url(i, ETCD_PORT), "--advertise-client-urls",
                url(i, ETCD_PORT), "--listen-peer-urls", url(i, ETCD_PEER_PORT),
                "--initial-advertise-peer-urls", url(i, ETCD_PEER_PORT), "--initial-cluster",
                members, "--log-level", "warn", "--logger", "zap"]
        return Machine(name, self.lab, count + 1 + i, argv, folder)

    def _node(self, name, host, role, count):
        folder, certs, at = self.folder / name, self.folder / "certs", self.lab.address(host)
        folder.mkdir()
        etcd = ",".join(f"{self.lab.address(count + 1 + k)}:{ETCD_PORT}"
                        for k in range(ETCD_COUNT))
        argv = [self.jumun, "serve", "--cluster", CLUSTER, "--node-id", name, "--role", role,
                "--data-dir", folder / "data", "--etcd", etcd, "--cluster-owners-min", count,
                "--simulator-node", "n1", "--cluster-bind", at, "--cluster-port", CLUSTER_PORT,
                "--cluster-cert", certs / f"{name}.pem", "--cluster-key", certs / f"{name}.key",
                "--cluster-ca", certs / "ca.pem", "--keys", self.keys, "--bind", at, "--port", PORT,
                "--ops-bind", at, "--ops-port", OPS_PORT, "--memory-mb", 64,
                "--payment-timeout-ms", 500]
        return Machine(name, self.lab, host, argv, folder, self._clock)

    def _mount(self, at):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "jumun-chaos", at],
                       check=True)
        self._mounts.append(at)

    # -- asking it

    def ops(self, m, method, path, body=None, timeout=5.0):
        """What that machine's ops listener answers; OSError where it doesn't."""
        return self.lab.ask(m.host, OPS_PORT, method, path, body, self.key, timeout)

    def told(self, m, path):
        """What that node answers with 200; OSError where it doesn't."""
        status, said = self.ops(m, "GET", path)
        if status != 200:
            raise OSError(f"{path} of {m.name} is {status}: {said}")
        return said

    def shards(self, m):
        """The 256 rows as that node tells them; OSError where it doesn't."""
        return self.told(m, "/admin/v1/shards")["data"]

    def owned(self, m):
        """How many shards are that node's, as a node sees it that knows whose each is: when etcd
        was wiped nobody does for a while."""
        for other in self.nodes:
            with contextlib.suppress(OSError):
                owners = [s["owner"] for s in self.shards(other)]
                if all(owners):
                    return owners.count(m.name)
        raise OSError("no node knows all owners")

    def trouble(self):
        """Why the shop is not whole yet, as each of its nodes sees it. Empty: it is."""
        for m in self.servers:
            try:
                rows = self.shards(m)
                away = [p["id"] for p in self.told(m, "/admin/v1/cluster").get("members", [])
                        if p["state"] == "away"]
            except OSError as why:
                return f"{m.name} does not answer: {why}"
            served = sum(r["state"] == "running" for r in rows)
            if served != SHARDS:
                return f"{m.name} sees {served} of {SHARDS} shards served"
            if away:
                return f"{m.name} takes {', '.join(away)} for away"
        return ""

    def await_whole(self, within_s, stop):
        """Why it did not become whole; empty: it is. `stop`: an event that ends the waiting."""
        end = time.monotonic() + within_s
        while (why := self.trouble()) and time.monotonic() < end:
            if stop.wait(0.2):
                break
        return why

    def forget_life(self, m):
        """etcd forgets what it knows of that node's folder (ADR 0021)."""
        self._delete_in_etcd("lives/" + m.name)

    def take_back_drains(self):
        """Nodes that are drained stay as they are."""
        self._delete_in_etcd("draining/", "draining0")  # all that begins so

    def _delete_in_etcd(self, *keys):
        names = [base64.b64encode(f"/jumun/{CLUSTER}/{key}".encode()).decode() for key in keys]
        status, said = self.lab.ask(self.etcd_leader().host, ETCD_PORT, "POST",
                                    "/v3/kv/deleterange", dict(zip(("key", "range_end"), names)))
        if status != 200:
            raise OSError(f"etcd did not delete {keys}: {said}")

    def etcd_leader(self):
        """The member that leads; OSError where none says so."""
        for m in self.etcd:
            with contextlib.suppress(OSError, KeyError):
                _, said = self.lab.ask(m.host, ETCD_PORT, "POST", "/v3/maintenance/status", {},
                                       timeout=1.0)
                if said["leader"] == said["header"]["member_id"]:
                    return m
        raise OSError("etcd has no leader")
