"""Hosts in network namespaces, made and hurt by netns-hosts.sh: programs and sockets on them."""

import ctypes
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Absent(Exception):
    """Something that a lab needs is not on this machine; says what, and where it is from."""


def tool():
    """The path of netns-hosts.sh; Absent where it can't be used."""
    named = os.environ.get("JUMUN_NETNS_HOSTS")
    path = pathlib.Path(named) if named else ROOT.parent / "shared" / "tools" / "netns-hosts.sh"
    if not path.is_file():
        raise Absent(f"no {path}: it makes hosts of network namespaces; $JUMUN_NETNS_HOSTS names "
                     "it where it is elsewhere")
    if os.geteuid() != 0:
        raise Absent("network namespaces and mounts need root")
    for program, package in (("ip", "iproute2"), ("nft", "nftables"), ("wirefilter", "vde2")):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            raise Absent(f"no {program}: apt-get install {package}")
    return path


class Lab:
    """Hosts 1 … `hosts` on one Ethernet. A context manager: afterwards nothing is left."""

    def __init__(self, hosts, folder):
        self.hosts = hosts
        self._tool = tool()
        self.name = f"jc{os.getpid()}"
        self._env = dict(os.environ, LAB=self.name, LAB_STATE=str(folder / "lab"))
        self._env["PATH"] += ":/usr/sbin:/sbin"

    def __enter__(self):
        self.call("up", self.hosts, "--delay")
        return self

    def __exit__(self, *_):
        self.call("down")

    def call(self, *words):
        """One command of the tool: cut, cut1, loss, delay, heal. Those that talk to a wirefilter
        are said again: it has 2 s to answer, which a busy machine may not give it."""
        end = time.monotonic() + (60 if words[0] in ("heal", "delay") else 0)
        while True:
            done = subprocess.run([self._tool, *map(str, words)], env=self._env, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if done.returncode == 0:
                return
            if time.monotonic() > end:
                raise RuntimeError(f"netns-hosts.sh {words}: {done.stderr.strip()}")

    def start(self, host, argv, log, more_env=None, **how):
        """A program on that host; its output goes behind `log`, unless `how` says else."""
        with open(log, "ab") as out:
            return subprocess.Popen(
                [self._tool, "exec", str(host), *map(str, argv)],
                **{"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out,
                   "env": {**self._env, **(more_env or {})}, "start_new_session": True, **how})

    def run(self, host, argv, text_in=""):
        """A program on that host, to its end."""
        subprocess.run([self._tool, "exec", str(host), *argv], input=text_in, text=True,
                       env=self._env, check=True, capture_output=True)

    def forward(self, host, ports):
        """On that host local ports are other hosts'. `ports`: {local: (address, port)}."""
        rules = "".join(f"ip daddr 127.0.0.1 tcp dport {local} dnat to {address}:{port};\n"
                        for local, (address, port) in ports.items())
        self.run(host, ["tee", "/proc/sys/net/ipv4/conf/all/route_localnet"], "1")
        self.run(host, ["nft", "-f", "-"], f"""table ip forward {{}}
        delete table ip forward
        table ip forward {{
            chain out {{ type nat hook output priority -100; {rules} }}
            chain back {{ type nat hook postrouting priority 100; oifname "eth0" masquerade; }}
        }}""")

    @staticmethod
    def address(host):
        return f"10.77.0.{host}"

    def connect(self, host, port, timeout):
        """A socket on that host, to that host: no cut between hosts is in its way."""
        with open("/proc/thread-self/ns/net") as home, \
                open(f"/run/netns/{self.name}-h{host}") as there:
            _enter(there)
            try:
                return socket.create_connection((self.address(host), port), timeout)
            finally:
                _enter(home)

    def ask(self, host, port, method, path, body=None, key=None, timeout=5.0):
        """(status, what its JSON says), from that host itself. OSError where it does not answer."""
        c = http.client.HTTPConnection(self.address(host), port)
        c.sock = self.connect(host, port, timeout)
        try:
            fields = {"Content-Type": "application/json"} if body is not None else {}
            if key:
                fields["Authorization"] = "Bearer " + key
            c.request(method, path, None if body is None else json.dumps(body), fields)
            answer = c.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text else None
        except http.client.HTTPException as broken:
            raise OSError(str(broken)) from broken
        finally:
            c.close()


def _enter(namespace):
    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
