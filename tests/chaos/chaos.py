#!/usr/bin/env python3
"""Breaks a real cluster, again and again, under load, and audits its books: see README.md here.

Exit codes: 0 all books hold; 1 they don't; 2 a wrong argument; 77 it can't run on this machine.
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import faults
import sabotage
from lab import Absent, Lab, ROOT
from one_round import Round
from shop import Shop

ROUND_S = 240  # of faults; then the books are closed
PROGRESS_S = 5
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def arguments():
    names = [f.__name__ for f in faults.ALL]
    p = argparse.ArgumentParser(prog="scripts/chaos.sh", description=__doc__.splitlines()[0])
    p.add_argument("--minutes", type=float, default=10, help="of faults, in all (10)")
    p.add_argument("--seed", type=int, help="the same choices again (else: by chance)")
    p.add_argument("--nodes", type=int, default=3, choices=range(2, 10), metavar="2..9",
                   help="nodes with shards, beside a gateway (3)")
    p.add_argument("--rate", type=int, default=80, metavar="N",
                   help="questions a second of the crowd (80)")
    p.add_argument("--fault", action="append", choices=names, default=[], metavar="NAME",
                   help="only this one, short and alone; can be given again: " + ", ".join(names))
    p.add_argument("--tour", action="store_true", help="each fault once, short and alone")
    p.add_argument("--sabotage", choices=sabotage.KINDS, default="none",
                   help="breaks a promise: exits 0 when the verdict turned red")
    p.add_argument("--folder", type=pathlib.Path, help="where data and logs go (a temporary one)")
    return p.parse_args()


class Plan:
    """What all rounds have in common."""

    def __init__(self, given, folder):
        build = pathlib.Path(os.environ.get("JUMUN_BUILD_DIR", ROOT / "build"))
        build = build if build.is_absolute() else ROOT / build
        self.jumun = os.environ.get("JUMUN_BINARY", build / "jumun")
        self.crowd = build / "tests" / "jumun_crowd"
        self.clock = build / "tests" / "libjumun_clock.so"
        self.seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**9)
        self.nodes, self.rate, self.folder = given.nodes, given.rate, folder
        self.only = faults.TOUR if given.tour else [getattr(faults, name) for name in given.fault]
        self.longest_s = 3 if self.only else 60
        self.sabotage = sabotage.KINDS[given.sabotage]()
        self.seconds = 0 if self.only else 60 * given.minutes


def say(what):
    print(f"chaos: {what}", flush=True)


class Campaign:
    def __init__(self, plan):
        self.plan = plan
        self.halt = threading.Event()  # no more rounds, and this one's verdict now
        self.began = time.monotonic()
        self.rounds, self.now = [], None

    def run(self):
        """True: all books hold."""
        with Lab(Shop.hosts(self.plan.nodes), self.plan.folder) as lab:
            over = threading.Event()
            progress = threading.Thread(target=self._progress, args=(over,))
            progress.start()
            try:
                return self._rounds(lab)
            finally:
                over.set()
                progress.join()

    def _rounds(self, lab):
        left, number = self.plan.seconds, 0
        while number == 0 or (left > 5 and not self.halt.is_set()):
            number += 1
            seconds = min(ROUND_S, left)
            left -= seconds
            self.now = Round(self.plan, number, lab, self.halt)
            self.rounds.append(self.now)
            wrong = self.now.run(seconds)
            if wrong:
                say(f"FAILED in round {number}, seed {self.plan.seed}")
                for why in wrong:
                    print("  " + why)
                return False
            shutil.rmtree(self.now.folder)
        return True

    def _progress(self, over):
        while not over.wait(PROGRESS_S):
            r = self.now
            if r is None or r.world is None:
                continue
            told = r.crowd.told if r.crowd else {}
            now = time.monotonic()
            under_way = [f"{name} ({now - since:.0f} s)"
                         for name, since in list(r.world.under_way.items())]
            say(f"{now - self.began:.0f} s  round {r.number}  answers {told.get('answers', 0)}  "
                f"orders {told.get('orders', 0)}  oldest open {told.get('oldest_open_s', 0):.1f} s"
                f"  now: {', '.join(under_way) or '-'}")

    def print_table(self):
        tally, ended, errors = {}, {}, {}
        for r in self.rounds:
            for name, (times, seconds) in (r.world.tally if r.world else {}).items():
                count = tally.setdefault(name, [0, 0.0])
                count[0] += times
                count[1] += seconds
            for into, found in ((ended, r.watch.ended_by_itself if r.watch else {}),
                                (errors, r.errors)):
                for what, times in found.items():
                    into[what] = into.get(what, 0) + times
        print(f"{'fault':<14} {'times':>5} {'seconds':>8}")
        for fault in faults.ALL:
            times, seconds = tally.get(fault.__name__, (0, 0))
            print(f"{fault.__name__:<14} {times:>5} {seconds:>8.0f}  {fault.__doc__}")
        for title, found in (("ended by themselves", ended), ("errors in logs", errors)):
            if found:
                print(f"{title}: " + ", ".join(f"{k} ({n})" for k, n in sorted(found.items())))

    def print_verdict(self, all_hold):
        def total(of):
            return sum(r.crowd.told[of] for r in self.rounds if r.crowd)

        claims = sum(r.watch.claims.heard for r in self.rounds if r.watch)
        say(f"{'all books hold' if all_hold else 'FAILED'}: {len(self.rounds)} rounds in "
            f"{time.monotonic() - self.began:.0f} s, {total('answers')} answers, "
            f"{total('orders')} orders, {claims} claims on shards, seed {self.plan.seed}")


def main():
    given = arguments()
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="jumun-chaos-", dir=given.folder))
    plan = Plan(given, folder)
    try:
        campaign = Campaign(plan)

        def asked_to_end(*_):
            campaign.halt.set()
            signal.signal(signal.SIGINT, signal.default_int_handler)  # asked twice: at once

        signal.signal(signal.SIGINT, asked_to_end)
        signal.signal(signal.SIGTERM, asked_to_end)
        say(f"seed {plan.seed}, {plan.nodes} nodes and a gateway, in {folder}")
        all_hold = campaign.run()
    except Absent as why:
        say(f"skipped: {why}")
        shutil.rmtree(folder)
        return SKIPPED
    campaign.print_table()
    campaign.print_verdict(all_hold)
    is_sabotaged = given.sabotage != "none"
    if is_sabotaged:
        say("which is wrong: a promise was broken" if all_hold else "as it must be: sabotage")
    if all_hold or is_sabotaged:
        shutil.rmtree(folder)
    else:
        say(f"kept: {folder} (faults.log, the logs and the disks of the last round)")
    return 0 if all_hold != is_sabotaged else 1


if __name__ == "__main__":
    sys.exit(main())
