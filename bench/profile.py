#!/usr/bin/env python3
"""Where each microsecond of a settled order goes: samples the server under `jumun bench settle`, and draws the shares.

    bench/profile.py [--seconds 8] [--svg bench/profile.svg]

Needs perf (Debian's linux-perf) and build/jumun. A sample counts for the innermost of our own parts on its stack (PARTS), so that
what RocksDB or the kernel do counts for whoever asked for it. Shares are good to a percent or two.
"""
import argparse
import collections
import html
import json
import pathlib
import subprocess
import sys
import tempfile
import time

# A part and what names it on a stack; the first that is anywhere on the stack takes the sample.
PARTS = [
    ("fsync", "disk: fdatasync", ["fdatasync"]),
    ("memtable", "disk: rows into memtables", ["WriteBatchInternal::InsertInto"]),
    ("batch", "disk: the rest of a commit", ["rocks_store::apply", "claim_keeper"]),
    ("flush", "disk: flushes and compactions", ["BGWork", "BackgroundCall", "BackgroundFlush"]),
    ("reads", "disk: rows that are looked up", ["rocks_store::get", "rocks_store::scan"]),
    ("ledger", "the payment simulator and its ledger", ["payment_simulator", "ledger_file"]),
    ("append", "journal: append and overlay", ["journal::append", "journal::latest", "write_set_for"]),
    ("landed", "journal: the committer, and who is told", ["journal::"]),
    ("answer", "edge: answers", ["session::answer", "session::write", "renderer", "send_settled"]),
    ("request", "edge: requests", ["http::place_order", "http::dispatch", "check_head", "session::"]),
    ("waiting", "edge: waiting for the end", ["waiter", "watch_hub"]),
    ("decide", "sagas: decisions", ["domain::advance", "domain::begin", "domain::owed"]),
    ("actors", "actors: handlers", ["jumun::actors"]),
    ("caf", "CAF: mailboxes and scheduling", ["caf::"]),
    ("other", "the rest (threads, queues, kernel)", [""]),
]


def record(seconds):
    """Runs the bench, samples its server, and gives back (JSON row, stacks)."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        bench = subprocess.Popen(["build/jumun", "bench", "settle", "--warmup", "2", "--seconds", str(seconds + 1),
                                  "--json", str(folder / "row.json")], stdout=subprocess.DEVNULL)
        # Its ceilings come first, on a server of their own, and that one writes nothing.
        while not is_loaded(server := child_of(bench.pid)):
            if bench.poll() is not None:
                sys.exit("profile: the bench ended before its server had a load")
        subprocess.run(["perf", "record", "-q", "-F", "199", "--call-graph", "dwarf,8192", "-p", server,
                        "-o", str(folder / "perf.data"), "--", "sleep", str(seconds - 2)], check=True)
        if bench.wait() != 0:
            sys.exit("profile: the bench failed")
        text = subprocess.run(["perf", "script", "-i", str(folder / "perf.data"), "--no-inline", "-F", "comm,ip,sym"],
                              capture_output=True, text=True, errors="replace", check=True).stdout
        row = json.loads((folder / "row.json").read_text())["scenarios"][0]
        return row, [block for block in text.split("\n\n") if block.strip()]


def child_of(pid):
    return subprocess.run(["pgrep", "-n", "-P", str(pid)], capture_output=True, text=True).stdout.strip()


def is_loaded(pid):
    """Whether it writes much, looked at for 0.2 s."""
    def writes():
        try:
            lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
        except (OSError, ProcessLookupError):
            return 0
        return next(int(line.split()[1]) for line in lines if line.startswith("syscw"))
    before = writes()
    time.sleep(0.2)
    return before > 0 and writes() - before > 50


def shares(stacks):
    counts = collections.Counter()
    for stack in stacks:
        for key, _, marks in PARTS:
            if any(mark in stack for mark in marks):
                counts[key] += 1
                break
    return {key: counts[key] / len(stacks) for key, _, _ in PARTS}


def picture(row, share):
    cpu = row["cost_each"]["cpu_us"]
    parts = [(name, share[key] * cpu) for key, name, _ in PARTS]
    widest = max(us for _, us in parts)
    height = 74 + 24 * len(parts)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 {height}" role="img">', """<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2937 } .title { font-size: 15px; font-weight: 600 }
  .quiet { fill: #4b5563 } .page { fill: #ffffff } .bar { fill: #1d6fd1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f3f4f6 } .quiet { fill: #b6bdc9 } .page { fill: #111827 } .bar { fill: #6cb2ff }
  }
</style>""", f'<rect class="page" width="420" height="{height}"/>',
           '<text class="title" x="12" y="24">Where an order\'s CPU time goes</text>',
           f'<text class="quiet" x="12" y="44">{cpu:.0f} µs each, settled; {row["connections"]} connections, '
           f'{row["cost_each"]["write_sets_per_commit"]:.0f} write sets a commit</text>']
    for i, (name, us) in enumerate(parts):
        y = 62 + 24 * i
        out.append(f'<text x="238" y="{y + 13}" text-anchor="end">{html.escape(name)}</text>'
                   f'<rect class="bar" x="246" y="{y + 3}" width="{max(1, 118 * us / widest):.1f}" height="13" rx="2"/>'
                   f'<text class="quiet" x="{252 + 118 * us / widest:.1f}" y="{y + 14}">{us:.0f} µs</text>')
    return "\n".join(out) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=8, help="of load that are sampled (3 or more)")
    parser.add_argument("--svg", help="draw them into this file")
    args = parser.parse_args()
    row, stacks = record(max(args.seconds, 3))
    share = shares(stacks)
    cpu = row["cost_each"]["cpu_us"]
    print(f"{len(stacks)} samples; {row['per_second']:.0f} orders/s, {cpu:.0f} µs of CPU each")
    for key, name, _ in PARTS:
        print(f"{100 * share[key]:5.1f} %  {share[key] * cpu:5.0f} µs  {name}")
    if args.svg:
        pathlib.Path(args.svg).write_text(picture(row, share))


if __name__ == "__main__":
    main()
