"""Those who look on while a shop is hurt: who serves what, and who has to be started again."""

import threading
import time

from claims import Claims


class Watch:
    """A context manager. What it finds wrong goes to the world."""

    def __init__(self, shop, world):
        self.shop, self.world, self.claims = shop, world, Claims()
        self.ended_by_itself = {}  # "n1: exit code 5" → times
        self._over, self._guard = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._owners, args=(m,)) for m in shop.nodes]
        self._threads.append(threading.Thread(target=self._start_again))

    def __enter__(self):
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for t in self._threads:
            t.join()

    def _owners(self, m):
        while not self._over.wait(0.7):
            asked = time.monotonic()
            try:
                rows = self.shop.shards(m)
            except OSError:
                continue
            with self._guard:
                known = len(self.claims.wrong)
                self.claims.hear(m.name, asked, time.monotonic(), rows)
                for why in self.claims.wrong[known:]:
                    self.world.fail(why)

    def _start_again(self):
        """As a platform would: whoever ended by itself, a second later."""
        while not self._over.wait(0.2):
            for m in [*self.shop.servers, *self.shop.etcd]:
                code = m.ended()
                if code is not None:
                    self._ended(m, code)

    def _ended(self, m, code):
        m.ended_with.add(code)
        what = f"{m.name}: " + (f"exit code {code}" if code >= 0 else f"signal {-code}")
        self.ended_by_itself[what] = self.ended_by_itself.get(what, 0) + 1
        self.world.tell(f"{what}, by itself; it is started again")
        if code not in m.may_end_with:
            self.world.fail(f"{what}, by itself; the end of its log:\n{m.end_of_log()}")
        if not self._over.wait(1):
            m.start_again()
