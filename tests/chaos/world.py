"""What faults act on, and what they leave behind: a log, a tally, machines that are borrowed."""

import contextlib
import threading
import time


class Busy(Exception):
    """No machine is free for a fault, or none is as it needs one."""


class World:
    def __init__(self, lab, shop, log, longest_s):
        self.lab, self.shop, self.longest_s = lab, shop, longest_s
        self.stop = threading.Event()  # no more faults
        self.began = time.monotonic()
        self.wrong = []
        self.under_way = {}  # fault's name → since
        self.tally = {}  # fault's name → [times, seconds]
        self._log, self._guard, self._borrowed = log, threading.Lock(), set()

    def tell(self, what):
        with self._guard:
            print(f"{time.monotonic() - self.began:8.2f} {what}", file=self._log, flush=True)

    def fail(self, why):
        self.tell("WRONG: " + why)
        with self._guard:
            if len(self.wrong) < 20:
                self.wrong.append(why)

    @contextlib.contextmanager
    def borrowed(self, chance, machines):
        """One of them that no other fault has."""
        with self._guard:
            free = [m for m in machines if m.name not in self._borrowed]
            if not free:
                raise Busy
            m = chance.choice(free)
            self._borrowed.add(m.name)
        try:
            yield m
        finally:
            with self._guard:
                self._borrowed.discard(m.name)

    def run(self, fault, chance):
        """The fault from its beginning to its end, or to `stop`. True: it took place."""
        began, name = time.monotonic(), fault.__name__
        self.under_way[name] = began
        steps = fault(self, chance)
        try:
            with contextlib.closing(steps):
                for pause in steps:
                    if self.stop.wait(pause):
                        break
        except (Busy, OSError) as why:
            self.tell(f"{name} is left out: {why or 'no machine is free'}")
            return False
        except Exception as why:  # else its lane would be quiet, and what it did stay
            self.fail(f"{name} broke off, and may not be mended: {type(why).__name__}: {why}")
            self.stop.set()
            return False
        finally:
            del self.under_way[name]
        count = self.tally.setdefault(name, [0, 0.0])
        count[0] += 1
        count[1] += time.monotonic() - began
        self.tell(f"{name} is over")
        return True
