"""Harm that breaks a promise for sure, so that it can be seen that the verdict turns red."""

import threading

import faults


class Nothing:
    def begin(self, shop):
        """Before the faults."""

    def end(self, shop):
        """After them."""

    def more_folders(self, _shop):
        """To be checked with those of the nodes."""
        return []


class RolledBack(Nothing):
    """The last node's disk is set back to an old copy, though its shards have not moved, and the
    cluster forgets that it has seen a newer one: what was acknowledged meanwhile is lost."""

    def begin(self, shop):
        m = shop.nodes[-1]
        m.kill()
        faults.copy(m.data, m.folder.parent / "rolled-back")
        m.start()
        shop.await_whole(60, threading.Event())  # so that it acknowledges something

    def end(self, shop):
        m = shop.nodes[-1]
        m.kill()
        faults.copy(m.folder.parent / "rolled-back", m.data)
        shop.forget_life(m)
        m.start()


class TwoOwners(Nothing):
    """A folder is there twice, so that its shards have two holders at the same epochs."""

    def more_folders(self, shop):
        m = shop.nodes[-1]
        twin = m.folder.parent / "twin"
        faults.copy(m.data, twin)
        return [twin]


KINDS = {"none": Nothing, "rolled-back": RolledBack, "two-owners": TwoOwners}
