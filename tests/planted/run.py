#!/usr/bin/env python3
"""Plants one bug after the other (domain/planted.hpp) and asks the catchers: the simulator's swarm,
its stories, the unit tests. A bug that nobody catches fails, and so does a catcher that is red
without any. Replay one by hand: JUMUN_PLANT=oversell_by_one build/tests/planted/swarm_planted"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Of one catcher with one bug, or five times what it took without any, if that is more: what hangs
# is caught, too, and a machine that has other things to do hangs nobody.
SECONDS_MAX = 150
BASELINE_SECONDS_MAX = 1200

# NODES: the swarm of three nodes.
SWARM, NODES, SIM, UNIT = "swarm", "nodes", "sim", "unit"

# Bugs that a simulated day does not show, or seldom, and who knows them instead: a test binary, and
# a Catch2 filter. The others are asked, too, when that one has missed it.
ELSEWHERE = {
    # The simulator commits in one step, so nothing is appended during a commit.
    "overlay_erased_early": (UNIT, "[journal]"),
    # A checker that overlooks can't see itself; the swarm's model has the same sum of its own.
    "check_overlooks": (UNIT, "[check]"),
    # What is under way when a pause lands may still leave: from outside that is no fault.
    "pause_ignored": (UNIT, "[operator]"),
    # Few of the swarm's outages are long enough for the breaker.
    "breaker_burns_attempts": (UNIT, "[breaker]"),
    "not_asked_taken_for_unknown": (UNIT, "[breaker]"),
    "delivery_tombstone_forgotten": (UNIT, "[delivery]"),
    # Its deadline asks again in the end, so no promise is broken: it is late.
    "sleeper_forgotten": (SIM, "[dormant]"),
    # It takes an old copy of a disk that is not refused.
    "any_copy_served": (UNIT, "[mover]"),
    "missing_rows_given": (UNIT, "[mover]"),
    "missing_forgotten": (UNIT, "[ownership]"),
    # It takes two holders at one epoch, which all the rest prevents.
    "passed_by_anybody": (UNIT, "[assignment]"),
    # The swarm's nodes rebuild the map for ever: red, but late.
    "map_rebuilt_from_oldest": (UNIT, "[assignment]"),
    # It takes a giver that is back, and an agreement that still can't be written to.
    "given_twice": (UNIT, "[mover]"),
}


class Catcher:
    """One way to find out: a command, and how its red reads."""

    def __init__(self, kind, command, env=None):
        self.kind, self.command, self.env = kind, command, env or {}

    def seconds_max(self, bug):
        if not bug:
            return BASELINE_SECONDS_MAX
        return max(SECONDS_MAX, 5 * took.get(tuple(map(str, self.command)), 0))


class Outcome:
    """What one catcher said about one bug."""

    def __init__(self, kind, caught, by="", after="", seconds=0.0, reached=None):
        self.kind, self.caught, self.by, self.after = kind, caught, by, after
        self.seconds, self.reached = seconds, reached


took = {}  # by a catcher's command: seconds without a bug
running, stopped = set(), threading.Event()
guard = threading.Lock()


def run(catcher, bug):
    """Runs one catcher with one bug ("": none); nothing is left behind when it is stopped."""
    env = {k: v for k, v in os.environ.items() if k != "JUMUN_PLANT"} | catcher.env
    if bug:
        env["JUMUN_PLANT"] = bug
    start = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as out:
        with guard:
            if stopped.is_set():
                raise InterruptedError
            child = subprocess.Popen(catcher.command, stdout=out, stderr=subprocess.STDOUT, env=env,
                                     stdin=subprocess.DEVNULL, start_new_session=True, cwd=ROOT)
            running.add(child)
        try:
            code = child.wait(catcher.seconds_max(bug))
        except subprocess.TimeoutExpired:
            code = None
        finally:
            kill(child)
            with guard:
                running.discard(child)
        out.seek(0)
        text = out.read()
    if stopped.is_set():
        raise InterruptedError
    seconds = time.monotonic() - start
    if not bug:
        took[tuple(map(str, catcher.command))] = seconds
    return judge(catcher, code, text, seconds)


def kill(child):
    """The child and whatever it has started: it is the leader of its own session."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def judge(catcher, code, text, seconds):
    times = re.findall(r"^planted: \w+ was reached (\d+) times", text, re.M)
    reached = max(map(int, times)) if times else None
    if code == 0:
        return Outcome(catcher.kind, False, seconds=seconds, reached=reached)
    by, after = "", ""
    if found := re.search(r"invariant broken: .*\((.+?)\)$", text, re.M):
        by = f"an invariant of the product: {found.group(1)}"
    if found := re.search(r"^FAILED seed=(\d+)(.*)$", text, re.M):
        after = f"seed {found.group(1)}"
        by = by or found.group(2).strip()
    elif catcher.kind in (SWARM, NODES) and (found := re.findall(r"\bseed=(\d+)", text)):
        after = f"seed {found[-1]}"
    if not by and catcher.kind not in (SWARM, NODES):
        by = catch2_says(text)
    if code is None:
        by = f"it did not end within {seconds:.0f} s" + (f" ({by})" if by else "")
    by = by or f"exit code {code}: {' / '.join(text.strip().splitlines()[-2:])}"
    return Outcome(catcher.kind, True, by, after, seconds, reached)


def catch2_says(text):
    """The name of the first test case that failed, and the first words of why."""
    named = re.search(r"^-{20,}\n(.+?)\n-{20,}\n.*?^\S+?:\d+: (?:FAILED|fatal)", text, re.M | re.S)
    name = re.sub(r"\s*\n\s*", " ", named.group(1)).strip() if named else ""
    if "-----" in name:
        name = name.split("-----")[-1].strip(" -")
    why = re.search(r"^  ([a-z][\w -]*? (?:ord_\w+|[^:\n]{1,60}): .*|[a-z].{10,})$", text, re.M)
    listed = re.search(r'joined\(end\.wrong\) := "\s*(.*?)"?$', text, re.M | re.S)
    if listed:
        first = next((w.strip() for w in listed.group(1).splitlines() if w.strip()), "")
        return f'"{name}": {first}'
    return f'"{name}"' if name else (why.group(1) if why else "")


def catchers_for(args, bug, nodes):
    """Who is asked about a bug, in this order. None of those whose binary is not built."""
    tests = args.build / "tests/planted"
    seeds = args.node_seeds if nodes > 1 else args.swarm_seeds
    swarm = Catcher(NODES if nodes > 1 else SWARM,
                    [tests / "swarm_planted", "--nodes", str(nodes), "--first", "1", "--count",
                     str(seeds), "--jobs", "1"])
    others = [Catcher(kind, [tests / f"{kind}_planted_tests", "--abort"]) for kind in (SIM, UNIT)]
    everyone = [swarm, *others]
    if bug in ELSEWHERE:
        kind, which = ELSEWHERE[bug]
        everyone.insert(0, Catcher(kind, [tests / f"{kind}_planted_tests", "--abort", which]))
    return [c for c in everyone if c.command[0].exists()]


def try_bug(args, bug, nodes):
    """All outcomes, up to the first that caught it (--every: of all catchers)."""
    outcomes = []
    for catcher in catchers_for(args, bug, nodes):
        said = run(catcher, bug)
        outcomes.append(said)
        if said.caught and not args.every:
            break
    return outcomes


def baselines(args, bugs):
    """Every catcher of those bugs without one; those that are red. `bugs`: (name, nodes) each."""
    once = {}
    for bug, nodes in bugs:
        for c in catchers_for(args, bug, nodes):
            once.setdefault((tuple(map(str, c.command)), tuple(c.env.items())), c)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(lambda c: (c, run(c, "")), once.values()))
    for c, said in results:
        told = f"RED: {said.after} {said.by}" if said.caught else "green"
        print(f"without a bug: {c.kind:<6} {said.seconds:5.1f} s  {told}", flush=True)
    return [c for c, said in results if said.caught]


def names_in(binary, names):
    """Which of them the product's binary holds: it must hold none."""
    data = binary.read_bytes()
    return [n for n in [*names, "JUMUN_PLANT"] if n.encode() in data]


def rows_of(results, listed):
    for bug, what in listed:
        caught = [o for o in results[bug] if o.caught]
        yield bug, what, caught


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def markdown(results, listed, args):
    out = ["| bug | what it breaks | caught by | what was seen | after | s |",
           "| --- | --- | --- | --- | --- | --- |"]
    for bug, what, caught in rows_of(results, listed):
        who = ", ".join(o.kind for o in caught) or "**nobody**"
        first = caught[0] if caught else Outcome("", False)
        out.append(f"| `{bug}` | {cell(what)} | {who} | {cell(first.by[:160])} | {first.after} "
                   f"| {first.seconds:.1f} |")
    tally = {}
    for _, _, caught in rows_of(results, listed):
        for o in caught[:1]:
            tally[o.kind] = tally.get(o.kind, 0) + 1
    out += ["", f"{len(listed)} bugs; first caught by: "
            + ", ".join(f"{kind} {n}" for kind, n in sorted(tally.items()))
            + f". Budget: {args.swarm_seeds} seeds of the swarm each, or {args.node_seeds} of three"
            + " nodes."]
    return "\n".join(out) + "\n"


def parsed():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("bugs", nargs="*", help="only these; else all")
    p.add_argument("--build", type=pathlib.Path,
                   default=ROOT / os.environ.get("JUMUN_BUILD_DIR", "build"))
    p.add_argument("--swarm-seeds", type=int, default=300)
    p.add_argument("--node-seeds", type=int, default=100, help="of the swarm of three nodes")
    p.add_argument("--jobs", type=int, default=max(1, min(os.cpu_count() or 1, 4)))
    p.add_argument("--of", choices=["one-node", "nodes"], help="only the bugs of one node, or of a cluster")
    p.add_argument("--every", action="store_true", help="ask every catcher, also after a catch")
    p.add_argument("--markdown", type=pathlib.Path, help="write the table there")
    p.add_argument("--list", action="store_true", help="print the bugs and end")
    return p.parse_args()


def main():
    args = parsed()
    rows = [line.split("\t", 2) for line in
            subprocess.run([args.build / "tests/planted/planted_list"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()]
    nodes = {name: int(n) for name, n, _ in rows}
    listed = [(name, what) for name, _, what in rows]
    if args.list:
        for name, what in listed:
            print(f"{name:<28} {what}")
        return 0
    known = {name for name, _ in listed}
    if wrong := [b for b in [*args.bugs, *ELSEWHERE] if b not in known]:
        sys.exit(f"planted: no bug of the name {', '.join(wrong)}")
    product = args.build / "jumun"
    if found := names_in(product, known) if product.exists() else []:
        sys.exit(f"planted: the product's binary has {', '.join(found)} in it")
    said = "nothing of it is in" if product.exists() else "there is no"
    print(f"planted: {said} {product}", flush=True)
    if args.bugs:
        listed = [row for row in listed if row[0] in args.bugs]
    if args.of:
        listed = [row for row in listed if (nodes[row[0]] > 1) == (args.of == "nodes")]
    if red := baselines(args, [(bug, nodes[bug]) for bug, _ in listed]):
        print(f"planted: {len(red)} catchers are red without any bug")
        return 1
    results, start = {}, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        waiting = {pool.submit(try_bug, args, bug, nodes[bug]): bug for bug, _ in listed}
        for done in concurrent.futures.as_completed(waiting):
            bug = waiting[done]
            results[bug] = done.result()
            at = f"[{len(results)}/{len(listed)} {time.monotonic() - start:4.0f} s]"
            print(f"{at} {told(bug, results[bug])}", flush=True)
    table = markdown(results, listed, args)
    print(table)
    if args.markdown:
        args.markdown.write_text(table, encoding="utf-8")
    flaky = [b for b, os_ in results.items() if any(o.caught and o.reached == 0 for o in os_)]
    free = [b for b, _, caught in rows_of(results, listed) if not caught]
    for bug in flaky:
        print(f"planted: {bug}: a catcher was red, and the bug was never reached")
    for bug in free:
        print(f"planted: nobody caught {bug}")
    seconds = time.monotonic() - start
    print(f"planted: {len(listed) - len(free)} of {len(listed)} bugs caught in {seconds:.0f} s")
    return 1 if free or flaky else 0


def told(bug, outcomes):
    missed = [f"{o.kind} missed it in {o.seconds:.0f} s (reached {o.reached} times)"
              for o in outcomes if not o.caught]
    caught = [f"{o.kind}{' ' + o.after if o.after else ''} in {o.seconds:.1f} s: {o.by[:140]}"
              for o in outcomes if o.caught]
    return f"{bug}: " + "; ".join((caught or ["NOT CAUGHT"]) + missed)


def stop(*_):
    stopped.set()
    for child in list(running):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    sys.exit(main())
