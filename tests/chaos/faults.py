"""What can befall a cluster. Each fault is a generator: it does its harm, yields seconds to wait
(and perhaps does more), and mends what it did when it goes on, or is closed. `w` is a world.World.
"""

import contextlib
import os
import shutil
import signal
import time
import types

from world import Busy

DISK_FULL, NOT_IN_CLUSTER = 5, 11  # exit codes
# Borrowed by those who need it to be gone, and by those who need what it remembers.
ALL_OF_ETCD = types.SimpleNamespace(name="all of etcd")


def seconds(w, chance, most, least=0.5):
    """How long it lasts: short ones are likelier, as most are in life."""
    most = min(most, w.longest_s)
    return least * (most / least) ** chance.random()


# -- processes

def kill(w, chance):
    """kill -9, and a start some time later."""
    with w.borrowed(chance, w.shop.servers) as m:
        w.tell(f"kill -9 of {m.name}")
        m.kill()
        try:
            yield seconds(w, chance, 15)
        finally:
            m.start()


def stop(w, chance):
    """SIGSTOP for 0.1 to 60 s."""
    with w.borrowed(chance, w.shop.servers) as m:
        length = seconds(w, chance, 60, least=0.1)
        w.tell(f"SIGSTOP of {m.name} for {length:.1f} s")
        m.signal(signal.SIGSTOP)
        try:
            yield length
        finally:
            m.signal(signal.SIGCONT)


def clock(w, chance):
    """The wall clock of one node jumps, there and back."""
    with w.borrowed(chance, w.shop.nodes) as m:
        by = chance.choice((-3600, -90, -5, 2, 90, 3600))
        w.tell(f"the clock of {m.name} jumps by {by} s")
        m.set_clock(by)
        try:
            yield seconds(w, chance, 20, least=2)
        finally:
            m.set_clock(0)


def disk_full(w, chance):
    """Not a byte is left on one node's disk."""
    with w.borrowed(chance, w.shop.nodes) as m:
        w.tell(f"the disk of {m.name} is full")
        m.may_end_with.add(DISK_FULL)
        filler = m.folder / "filler"
        with open(filler, "wb") as file:
            try:
                for least in (2, 1):  # the reserve has been given up before the second time
                    fill(file.fileno())
                    yield seconds(w, chance, 10, least)
            finally:
                filler.unlink()


def fill(file):
    """Takes all that is left of the file's disk."""
    size = os.fstat(file).st_size
    for block in (1 << 24, 1 << 16, 1 << 12):
        with contextlib.suppress(OSError):
            while True:
                os.posix_fallocate(file, size, block)
                size += block


def old_disk(w, chance):
    """A node whose shards have all moved on comes back with the disk that it had before."""
    with w.borrowed(chance, w.shop.nodes[1:]) as m:  # the first one's disk has the bank's ledger
        w.tell(f"{m.name} is drained, to come back with an old copy of its disk")
        old = m.folder.parent / f"{m.name}.old"
        m.kill()
        copy(m.data, old)
        m.start()
        try:
            yield from drained(w, m)
            m.kill()
            shutil.rmtree(m.data)
            copy(old, m.data)
            w.tell(f"{m.name} comes back with an old copy of its disk")
        finally:
            m.start()
            shutil.rmtree(old, ignore_errors=True)
        yield seconds(w, chance, 5, least=2)


def stale_disk(w, chance):
    """A node that owns shards is started on an old copy of its disk, and must be refused."""
    with w.borrowed(chance, [ALL_OF_ETCD]), w.borrowed(chance, w.shop.nodes[1:]) as m:
        old, newest = m.folder.parent / f"{m.name}.old", m.folder.parent / f"{m.name}.newest"
        if w.shop.owned(m) == 0:
            raise Busy(f"{m.name} owns nothing that an old copy could lack")
        yield from serving(w, m)  # a life that has joined; a copy of one that has yet to may begin it
        m.kill()
        copy(m.data, old)
        m.start()
        try:
            yield from serving(w, m)
            m.kill()
            copy(m.data, newest)
            copy(old, m.data)
            w.tell(f"{m.name} is started on an old copy of its disk")
            m.may_end_with.add(NOT_IN_CLUSTER)
            for _ in range(3):  # a start that was refused must not count as one
                m.ended_with.clear()
                m.start()
                yield from refused(w, m)
        finally:  # it may be ended at any moment, and must not leave the old copy there
            if newest.exists():
                m.kill()
                copy(newest, m.data)
            m.start()
            shutil.rmtree(old, ignore_errors=True)
            shutil.rmtree(newest, ignore_errors=True)
        yield seconds(w, chance, 5, least=2)


def serves(w, m):
    """True: it runs a shard, so its present life has joined. That it is a member says less: the
    record in etcd may still be the one of the process before."""
    with contextlib.suppress(OSError):
        return any(s["owner"] == m.name and s["state"] == "running" for s in w.shop.shards(m))
    return False


def serving(w, m, within_s=30):
    """Until that node serves; gives it up after a while, as its shards may have moved on."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if serves(w, m):
            return
        yield 0.2
    raise TimeoutError(f"{m.name} did not serve within {within_s} s")


def refused(w, m, within_s=60):
    """Until that node has ended by itself; wrong, when it serves instead."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if NOT_IN_CLUSTER in m.ended_with:
            return
        if serves(w, m):
            w.fail(f"{m.name} serves from an old copy of its disk")
            return
        yield 0.2
    raise TimeoutError(f"{m.name} did not reach the cluster within {within_s} s")


def copy(here, there):
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(here, there)


def drained(w, m, within_s=100):
    """Until that node has no shards; gives it up after a while, as other faults may hold it up."""
    end = time.monotonic() + within_s
    is_asked = False
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if not is_asked:
                is_asked = w.shop.ops(m, "POST", f"/admin/v1/nodes/{m.name}/drain")[0] == 202
            elif w.shop.owned(m) == 0:
                return
        yield 0.2
    raise TimeoutError(f"{m.name} was not drained within {within_s} s")


# -- the network; one of these at a time, as heal() mends all of them

def partition(w, chance):
    """A node is cut off from everybody, or two nodes from each other."""
    m = chance.choice(w.shop.servers)
    other = chance.choice([None, *(o for o in w.shop.nodes if o is not m)])
    w.tell(f"{m.name} is cut off from {other.name if other else 'everybody'}")
    w.lab.call("cut", m.host, *([other.host] if other else []))
    try:
        yield seconds(w, chance, 30, least=1)
    finally:
        w.lab.call("heal")


def one_way(w, chance):
    """Nothing passes from one host to another; back, all does."""
    sender, receiver = chance.sample([*w.shop.servers, *w.shop.etcd], 2)
    w.tell(f"nothing passes from {sender.name} to {receiver.name}")
    w.lab.call("cut1", sender.host, receiver.host)
    try:
        yield seconds(w, chance, 30, least=1)
    finally:
        w.lab.call("heal")


def flapping(w, chance):
    """A node is cut off and is back, again and again."""
    m = chance.choice(w.shop.nodes)
    w.tell(f"the network of {m.name} flaps")
    end = time.monotonic() + seconds(w, chance, 30, least=2)
    while time.monotonic() < end:
        w.lab.call("cut", m.host)
        try:
            yield chance.uniform(0.1, 1.5)
        finally:
            w.lab.call("heal")
        yield chance.uniform(0.1, 1.5)


def loss(w, chance):
    """10 % of all frames are lost."""
    hosts = [m.host for m in (*w.shop.servers, *w.shop.etcd)]
    w.tell("10 % of all frames are lost")
    try:
        for i, one in enumerate(hosts):
            for other in hosts[i + 1:]:
                w.lab.call("loss", one, other, 10)
        yield seconds(w, chance, 30, least=2)
    finally:
        w.lab.call("heal")


def delay(w, chance):
    """All that a node sends and receives takes 200 ms more."""
    m = chance.choice(w.shop.nodes)
    w.tell(f"all of {m.name}'s frames take 200 ms more each way")
    w.lab.call("delay", m.host, 200)
    try:
        yield seconds(w, chance, 30, least=2)
    finally:
        w.lab.call("heal")


# -- etcd

def etcd_leader(w, chance):
    """The leader of etcd is killed."""
    m = w.shop.etcd_leader()
    w.tell(f"kill -9 of {m.name}, which leads etcd")
    m.kill()
    try:
        yield seconds(w, chance, 15, least=2)
    finally:
        m.start()


def etcd_down(w, chance):
    """All of etcd is down for a minute."""
    with w.borrowed(chance, [ALL_OF_ETCD]):
        w.tell("kill -9 of all of etcd")
        for m in w.shop.etcd:
            m.kill()
        try:
            yield min(60, 2 * w.longest_s)
        finally:
            for m in w.shop.etcd:
                m.start()


def etcd_wipe(w, chance):
    """etcd comes back as if it had never been."""
    with w.borrowed(chance, [ALL_OF_ETCD]):
        w.tell("etcd's data is wiped")
        for m in w.shop.etcd:
            m.kill()
        try:
            yield seconds(w, chance, 5)
        finally:
            for m in w.shop.etcd:
                shutil.rmtree(m.data, ignore_errors=True)
                m.start()
        yield seconds(w, chance, 10, least=3)


# -- what people ask for meanwhile

def move(w, chance):
    """Some shards are asked to other nodes."""
    asked, to = chance.choice(w.shop.nodes), chance.choice(w.shop.nodes)
    for shard in chance.sample(range(256), chance.randint(1, 8)):
        w.shop.ops(asked, "POST", f"/admin/v1/shards/{shard}/move", {"to": to.name}, timeout=2)
    yield seconds(w, chance, 4)


def drain(w, chance):
    """A node is emptied under load, and started anew."""
    with w.borrowed(chance, w.shop.nodes) as m:
        w.tell(f"{m.name} is drained")
        yield from drained(w, m)
        if m.end() != 0:
            w.fail(f"{m.name}, drained, did not end with exit code 0")
        m.start()
        yield seconds(w, chance, 10, least=1)


LANES = {
    "processes": (kill, stop, clock, disk_full, old_disk, stale_disk),
    "network": (partition, one_way, flapping, loss, delay),
    "etcd": (etcd_leader, etcd_down, etcd_wipe),
    "moves": (move, move, move, move, drain),
}
ALL = tuple(dict.fromkeys(f for lane in LANES.values() for f in lane))
TOUR = tuple(f for f in ALL if f is not drain)  # old_disk begins with one, and they take long
SERVING_GOES_ON = (etcd_leader, etcd_down, etcd_wipe, move)
