#!/usr/bin/env python3
"""The parts of the chaos run that judge, on records made by hand: each must turn red."""

import random
import tempfile
import threading
import unittest

import faults
from claims import Claims
from world import World


def row(shard, owner, epoch, state="running"):
    return {"shard": shard, "owner": owner, "epoch": epoch, "state": state}


class ClaimsTest(unittest.TestCase):
    def setUp(self):
        self.claims = Claims()

    def test_a_shard_that_moves_is_right(self):
        self.claims.hear("n1", 0, 1, [row(7, "n1", 1), row(8, "n2", 1)])
        self.claims.hear("n2", 2, 3, [row(7, "n2", 2), row(8, "n2", 1)])
        self.claims.hear("n1", 4, 5, [row(7, "n2", 2)])
        self.assertEqual((self.claims.wrong, self.claims.heard), ([], 3))

    def test_two_owners_at_one_epoch(self):
        self.claims.hear("n1", 0, 1, [row(7, "n1", 4)])
        self.claims.hear("n2", 0, 1, [row(7, "n2", 4)])
        self.assertEqual(len(self.claims.wrong), 1)

    def test_a_former_owner_that_still_serves(self):
        self.claims.hear("n2", 2, 3, [row(7, "n2", 5)])
        self.claims.hear("n1", 4, 5, [row(7, "n1", 4)])
        self.assertEqual(len(self.claims.wrong), 1)

    def test_an_old_answer_that_comes_late_is_no_claim_of_now(self):
        self.claims.hear("n2", 2, 3, [row(7, "n2", 5)])
        self.claims.hear("n1", 2, 9, [row(7, "n1", 4)])
        self.assertEqual(self.claims.wrong, [])

    def test_what_is_told_of_others_or_not_served_counts_for_nothing(self):
        self.claims.hear("n1", 0, 1, [row(7, "n2", 4), row(8, "n1", 4, "restarting")])
        self.claims.hear("n2", 2, 3, [row(8, "n2", 4)])
        self.assertEqual(self.claims.wrong, [])


class WorldTest(unittest.TestCase):
    def setUp(self):
        self.log = tempfile.TemporaryFile("w+")
        self.addCleanup(self.log.close)
        self.world = World(None, None, self.log, longest_s=60)

    def test_a_fault_that_is_broken_off_mends_what_it_did(self):
        mended = threading.Event()

        def broken_off(w, _chance):
            try:
                w.stop.set()
                yield 60
                raise AssertionError("it went on")
            finally:
                mended.set()

        self.assertTrue(self.world.run(broken_off, random))
        self.assertTrue(mended.is_set())
        self.assertEqual((self.world.under_way, self.world.tally["broken_off"][0]), ({}, 1))

    def test_a_fault_that_can_t_mend_what_it_did_is_told(self):
        def unmended(_w, _chance):
            try:
                yield 0
            finally:
                raise RuntimeError("the tool says no")

        self.assertFalse(self.world.run(unmended, random))
        self.assertIn("the tool says no", self.world.wrong[0])
        self.assertTrue(self.world.stop.is_set())  # its lane would be quiet, and the rest go on

    def test_a_machine_is_one_fault_s_at_a_time(self):
        class Machine:
            name = "n1"

        def greedy(w, chance):
            with w.borrowed(chance, [Machine]):
                yield 0

        with self.world.borrowed(random, [Machine]):
            self.assertFalse(self.world.run(greedy, random))
        self.assertTrue(self.world.run(greedy, random))

    def test_each_fault_is_in_a_lane_and_says_what_it_is(self):
        self.assertEqual(len({f.__name__ for f in faults.ALL}), len(faults.ALL))
        for fault in faults.ALL:
            self.assertTrue(fault.__doc__, fault.__name__)

    def test_the_same_seed_lasts_equally_long(self):
        one, other = (faults.seconds(self.world, random.Random("7/1"), 60) for _ in range(2))
        self.assertEqual(one, other)
        self.assertTrue(0.5 <= one <= 60)


if __name__ == "__main__":
    unittest.main()
