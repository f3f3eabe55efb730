#!/usr/bin/env python3
"""Prints bench/history.json as tables: one for each scenario, a line for each recorded run, and the change against the run before.

    bench/history.py [--noise 10] [--scenario settle] [bench/history.json]

Runs on machines of different speed can't be compared by their plain figures, so the throughput is told by its ratio to GET /livez,
too. A figure that got worse by more than --noise percent (two runs of one binary differ by as much) is marked with "<--", and the
exit code is 3 when the last run has such a one: for people to look at, not for a gate.
"""
import argparse
import json
import pathlib
import sys

# name in the file, title, +1: more is better, -1: less is better
FIGURES = [
    ("per_second", "per s", +1),
    ("to_livez", "/livez", +1),
    ("p50_ms", "p50 ms", -1),
    ("p99_ms", "p99 ms", -1),
    ("cpu_us", "CPU us", -1),
    ("bytes_written", "written B", -1),
    ("allocations", "allocs", -1),
    ("rss_peak_mb", "peak MB", -1),
    ("goodput, of the peak", "goodput", +1),
    ("normal again after, s", "again s", -1),
    ("p50 of a lone order beyond 3 fsyncs, ms", "lone ms", -1),
    ("p99 at 30 % of the peak, in fsyncs", "30 % fsyncs", -1),
    ("p99 at 80 % of the peak, ms", "80 % ms", -1),
    ("bytes of memory a saga", "B a saga", -1),
    ("ready after, empty, ms", "empty ms", -1),
    ("ready after, with these, ms", "full ms", -1),
    ("of the empty database's throughput", "of empty", +1),
]


def same_machine(a, b):
    return a.get("cores") == b.get("cores") and a.get("cpu") == b.get("cpu")


def text_of(x):
    return "-" if x is None else f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"


def change(before, now, better, noise):
    """(text, whether it got worse by more than the noise)."""
    if not before or now is None:
        return "", False
    percent = 100 * (now / before - 1)
    worse = -percent * better > noise
    return f"{percent:+.0f} %" + (" <--" if worse else ""), worse


def table(name, runs, noise):
    """The lines of one scenario's table, and what got worse with the last run."""
    columns = [f for f in FIGURES if any(r["scenarios"][name].get(f[0]) for r in runs)]
    lines = [f"{name:<14}" + "".join(f"{title:>20}" for _, title, _ in columns)]
    fallen, before = [], None
    for run in runs:
        line, fallen = f"{run['commit']:<14}", []
        for key, title, better in columns:
            now = run["scenarios"][name].get(key)
            comparable = before and (same_machine(before, run) or key == "to_livez")
            text, worse = change(before["scenarios"][name].get(key), now, better, noise) if comparable else ("", False)
            line += f"{text_of(now):>10}{text:>10}"
            if worse:
                fallen.append(f"{name}: {title}")
        note = run.get("note", "")
        lines.append(f"{line}  {run['time'][:10]}{', ' + note if note else ''}")
        before = run
    return lines, fallen


def report(history, noise, only=None):
    names = list(dict.fromkeys(n for run in history for n in run["scenarios"]))
    lines, fallen = [], []
    for name in names:
        runs = [r for r in history if name in r["scenarios"]]
        if only and name != only:
            continue
        of_one, worse = table(name, runs, noise)
        lines += of_one + [""]
        if runs[-1] is history[-1]:
            fallen += worse
    return lines, fallen


def self_test():
    """A fall is seen, noise is not, and another machine's plain figures are no fall."""
    def run(commit, per_second, to_livez, p99, cpu="a"):
        return {"commit": commit, "time": "2026-01-01T00:00:00Z", "cores": 2, "cpu": cpu,
                "scenarios": {"settle": {"per_second": per_second, "to_livez": to_livez, "p99_ms": p99}}}
    first = run("1", 1000, 0.1, 10)
    for second, expected in [(run("2", 950, 0.095, 10.5), []), (run("2", 800, 0.1, 10), ["settle: per s"]),
                             (run("2", 1200, 0.1, 20), ["settle: p99 ms"]), (run("2", 300, 0.1, 40, "b"), []),
                             (run("2", 1000, 0.05, 10, "b"), ["settle: /livez"])]:
        lines, fallen = report([first, second], 10)
        assert fallen == expected, (second, fallen)
        assert ("<--" in "\n".join(lines)) == bool(expected), lines
    _, fallen = report([run("0", 9000, 1, 1), first, first], 10)
    assert fallen == [], "only the last run counts"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default=pathlib.Path(__file__).parent / "history.json", type=pathlib.Path)
    parser.add_argument("--noise", type=float, default=10, help="percent")
    parser.add_argument("--scenario")
    parser.add_argument("--self-test", action="store_true")
    asked = parser.parse_args()
    if asked.self_test:
        return self_test()
    history = json.loads(asked.file.read_text()) if asked.file.exists() else []
    if not history:
        sys.exit(f"{asked.file}: nothing is recorded; see scripts/bench.sh --record")
    lines, fallen = report(history, asked.noise, asked.scenario)
    print("\n".join(lines))
    for what in fallen:
        print(f"worse than the run before by more than {asked.noise:g} %: {what}")
    return 3 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
