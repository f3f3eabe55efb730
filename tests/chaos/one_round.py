"""One round: a new shop, its crowd, what befalls them, and the verdict."""

import json
import random
import re
import shutil
import subprocess
import threading
import time

import faults
from shop import OPS_PORT, PORT, Shop
from watch import Watch
from world import World

STARTING_S, HEALING_S, CLOSING_S = 60, 120, 600
IMPATIENCE_MS = "8000"  # then one of the crowd asks somebody else
# What no fault explains. Other errors (of a full disk, a lost etcd) are counted, and shown.
NEVER_LOGGED = ("actor.fell", "saga.fell", "shard.owned_by_another", "cluster.maps_contradict",
                "etcd.exception", "shards.data_missing")


class Crowd:
    """The program jumun_crowd on the lab's last host."""

    def __init__(self, plan, number, lab, shop, log, on_wrong):
        self.told = {"answers": 0, "orders": 0, "wrong": []}  # what it said last
        self._on_wrong, self._heard = on_wrong, threading.Event()
        # To its people, as to all clients in our tests, everything is on 127.0.0.1.
        here, where = {}, []
        for m in (shop.gateway, *shop.nodes):
            ports = PORT + 100 * m.host, OPS_PORT + 100 * m.host
            here.update(zip(ports, ((lab.address(m.host), p) for p in (PORT, OPS_PORT))))
            where.append("{}:{}".format(*ports))
        lab.forward(lab.hosts, here)
        argv = [plan.crowd, "--seed", plan.seed, "--round", number, "--rate", plan.rate,
                *(word for at in where for word in ("--node", at))]
        env = {"JUMUN_KEY": shop.key, "JUMUN_TEST_SILENCE_MS": IMPATIENCE_MS}
        self._process = lab.start(lab.hosts, argv, log, env, text=True, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()
        if not self._heard.wait(STARTING_S) or self._process.poll() is not None:
            self.kill()
            raise RuntimeError("the crowd did not come: " + log.read_text()[-2000:])

    def _hear(self):
        for line in self._process.stdout:
            self.told = json.loads(line)
            self._heard.set()
            if self.told["wrong"]:
                self._on_wrong()
        self._heard.set()

    def close_books(self):
        """Waits until all has settled and every book is audited. @returns what is wrong."""
        self._process.stdin.write("close\n")
        self._process.stdin.flush()
        self._process.wait(CLOSING_S)
        self._hearing.join()
        wrong = list(self.told["wrong"])
        return wrong if wrong or self.told.get("audited") else ["the books were not audited"]

    def kill(self):
        self._process.kill()
        self._process.wait()


class Round:
    """`plan`: see chaos.py; `halt`: an event that ends it early, verdict and all."""

    def __init__(self, plan, number, lab, halt):
        self.plan, self.number, self.lab, self.halt = plan, number, lab, halt
        self.folder = plan.folder / f"round-{number}"
        self.folder.mkdir()
        self.world = self.crowd = self.watch = None
        self.errors = {}  # event → times, of the logs

    def run(self, seconds):
        """Faults for so long, then the verdict. @returns what is wrong; empty: nothing."""
        p = self.plan
        with Shop(p.jumun, p.clock, self.lab, self.folder, p.nodes) as shop, \
                open(self.folder / "faults.log", "w") as log:
            self.world = World(self.lab, shop, log, self.plan.longest_s)
            try:
                self._live(shop, seconds)
            except Exception as why:  # whatever it is, the logs are kept and tell the rest
                self.world.fail(f"{type(why).__name__}: {why}")
            if self.world.wrong:
                self._keep_disks(shop)
        return self.world.wrong

    def _live(self, shop, seconds):
        trouble = shop.await_whole(STARTING_S, self.halt)
        if self.halt.is_set():
            return
        self._demand(trouble, "the shop did not open")
        with Watch(shop, self.world) as self.watch:
            self.crowd = Crowd(self.plan, self.number, self.lab, shop, self.folder / "crowd.log",
                               self.world.stop.set)
            try:
                self.plan.sabotage.begin(shop)
                self._befall(seconds)
                self.plan.sabotage.end(shop)
                self.world.tell("all faults are healed")
                self._heal(shop)
                self.world.tell("it is whole again, and the books are closed")
                for why in self.crowd.close_books():
                    self.world.fail(why)
            finally:
                self.crowd.kill()
        self._stop(shop)
        self._check(shop)

    @staticmethod
    def _demand(trouble, what):
        if trouble:
            raise RuntimeError(f"{what}: {trouble}")

    # -- what befalls it

    def _befall(self, seconds):
        chosen = random.Random(f"{self.plan.seed}/{self.number}")
        if self.plan.only:
            for fault in self.plan.only:
                self._alone(fault, chosen)
            return
        lanes = [threading.Thread(target=self._lane, args=(name, chosen.random()))
                 for name in faults.LANES]
        end = time.monotonic() + seconds
        try:
            for t in lanes:
                t.start()
            while time.monotonic() < end and not self.halt.is_set():
                if self.world.stop.wait(0.2):
                    break
        finally:
            self.world.stop.set()
            for t in lanes:
                t.join()

    def _lane(self, name, seed):
        chance = random.Random(seed)
        while not self.world.stop.wait(chance.uniform(1, 8)):
            self.world.run(chance.choice(faults.LANES[name]), chance)

    def _alone(self, fault, chosen):
        """With nothing else, so that it can be said whether the shop served meanwhile."""
        if self.world.stop.is_set() or self.halt.is_set():
            return
        before, began = self.crowd.told["answers"], time.monotonic()
        took_place = self.world.run(fault, chosen)
        seconds, answers = time.monotonic() - began, self.crowd.told["answers"] - before
        self.world.tell(f"{answers} answers in {seconds:.1f} s of {fault.__name__}")
        if not took_place and not self.world.stop.is_set():
            self.world.fail(f"{fault.__name__} did not take place: see faults.log")
        elif fault in faults.SERVING_GOES_ON and answers < self.plan.rate * (seconds - 2) / 4:
            self.world.fail(f"the shop did not serve during {fault.__name__}: {answers} answers "
                            f"in {seconds:.1f} s")

    # -- the end

    def _heal(self, shop):
        end = time.monotonic() + HEALING_S
        while True:
            try:
                shop.take_back_drains()  # or shards are under way for as long as a drain takes
                break
            except OSError as why:
                if time.monotonic() > end:
                    raise RuntimeError(f"it did not heal: {why}") from why
                time.sleep(0.2)
        trouble = shop.await_whole(end - time.monotonic(), threading.Event())
        self._demand(trouble, "it did not heal")

    def _stop(self, shop):
        for m in shop.servers:
            code = m.end()
            if code != 0:
                self.world.fail(f"{m.name} did not stop as it should: exit code {code}")

    def _check(self, shop):
        folders = [m.data for m in shop.nodes]
        for some in [[f] for f in folders] + [folders + self.plan.sabotage.more_folders(shop)]:
            done = subprocess.run([self.plan.jumun, "check", *some], text=True, check=False,
                                  capture_output=True)
            self.world.tell(f"jumun check of {len(some)}: {done.stdout.strip()}")
            if done.returncode != 0:
                self.world.fail(f"jumun check: {(done.stdout + done.stderr).strip()[-1500:]}")
        for m in shop.servers:
            self._read_log(m)

    def _read_log(self, m):
        for line in m.log.read_text(errors="replace").splitlines():
            event = re.search(r'"event":"([^"]+)"', line)
            if event and '"level":"error"' in line:
                self.errors[event[1]] = self.errors.get(event[1], 0) + 1
            if event and event[1] in NEVER_LOGGED:
                self.world.fail(f"{m.name} logged: {line[:600]}")

    def _keep_disks(self, shop):
        for m in shop.servers:
            m.kill()
            shutil.copytree(m.folder, self.folder / f"{m.name}.disk",
                            ignore=shutil.ignore_patterns("reserve", "filler"))
