#!/usr/bin/env python3
"""Checks the code that the simulator runs: no clock, no chance but the seed's, no order that the
seed doesn't decide. The same seed must be the same run on every machine. Prints file:line for each
broken rule and exits 1; an exception has `// determinism: REASON` on its line, or alone on the line
above, and all of them are listed. With --self-test it first proves on planted faults that it sees
them."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What a simulated node is made of, and the simulator itself. RocksDB's adapter and its backups are
# not: the simulator has a store of its own.
SCOPE = ("domain/**/*", "storage/**/*", "actors/**/*", "app/presenter.*",
         "app/cluster/cluster_core.*", "app/cluster/mover.*", "app/cluster/ownership.*",
         "app/cluster/shared_provider.*", "app/cluster/stock_bridge.*", "cluster/etcd/records.*",
         "cluster/messages.*", "tests/sim/**/*", "tests/support/memory_store.hpp")
NOT_SIMULATED = re.compile(r"^storage/(rocks_|backup)")
EXCEPTION = re.compile(r"//\s*determinism:\s*(\S.*)?$")

POINTER = r"(?:const\s+)?[\w:]+(?:<[^<>]*>)?\s*\*|std::(?:shared|unique)_ptr\b"
RULES = [
    ("a clock", r"\b(?:system|steady|high_resolution|utc|file)_clock\b|\bgettimeofday\b"
                r"|\bclock_gettime\b|\b(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)"
                r"|(?<![.>\w])(?:std::|::)?clock\s*\(\s*\)"
                r"|\b(?:local|gm)time(?:_r)?\s*\("),
    ("global chance", r"(?<![.>\w])(?:std::|::)?[dls]?rand(?:om|48)?\s*\(|\brandom_device\b"
                      r"|\brandom_shuffle\b|\bdefault_random_engine\b|\barc4random\w*|\bgetrandom\b"
                      r"|\b(?:thread_local|static|inline)\b[^;(]*"
                      r"\b(?:mt19937\w*|minstd\w*|\w+_engine)\b"),
    # The standard leaves their arithmetic to each library: another one is another run.
    ("chance that each standard library makes otherwise", r"\bstd::(?:shuffle|sample)\b"
                                                          r"|\bstd::\w+_distribution\b"),
    ("a thread's doing", r"\bthis_thread\b|\bstd::async\b|\bsleep\s*\(|\busleep\b|\bnanosleep\b"),
    ("the process's surroundings", r"\b(?:secure_)?getenv\s*\(|\bgetpid\s*\(|\bgethostname\s*\("),
    ("an order of addresses", rf"\b(?:map|set|multimap|multiset)\s*<\s*(?:{POINTER})"
                              rf"|\bless\s*<\s*(?:{POINTER})|\bowner_less\b"
                              r"|\breinterpret_cast\s*<\s*(?:std::)?u?intptr_t\b"),
]
RULES = [(what, re.compile(pattern)) for what, pattern in RULES]
# `std::unordered_map<…> name`, also by an alias, as a member, a variable or a parameter.
UNORDERED = re.compile(r"\bunordered_(?:multi)?(?:map|set)\s*<")
ALIAS = re.compile(r"\busing\s+(\w+)\s*=\s*[^;]*\bunordered_(?:multi)?(?:map|set)\s*<")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
WALKS = (r"\bfor\s*\([^;)]*:\s*(?:[\w\]\[().]+(?:\.|->))?{name}\s*\)",
         r"\b{name}\s*(?:\.|->)\s*c?begin\s*\(",
         r"\berase_if\s*\(\s*(?:[\w.]+(?:\.|->))?{name}\b", r"\branges::\w+\s*\(\s*{name}\b")


def code_of(text):
    """The text without comments and the insides of strings; as many lines as before."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"'
                       r"|'(?:\\.|[^'\\\n])+'", re.S)

    def blank(found):
        it = found.group(0)
        lines = "\n" * it.count("\n")
        return lines if it.startswith("/") else '""' + lines
    return token.sub(blank, text)


def behind_brackets(code, at):
    """Where the template's argument list that starts at `at` (behind its `<`) has ended."""
    depth = 1
    while at < len(code) and depth:
        depth += {"<": 1, ">": -1}.get(code[at], 0)
        at += 1
    return at


def unordered_names(code, aliases):
    """Names in `code` whose type is unordered, by its own words or by an alias."""
    names = set()
    declared = re.compile(r"\s*(?:const\b)?\s*[&*]?\s*(\w+)\s*(?:[;={,)]|$)", re.M)
    for found in UNORDERED.finditer(code):
        if name := declared.match(code, behind_brackets(code, found.end())):
            names.add(name.group(1))
    for alias in aliases:
        for name in re.finditer(rf"\b{alias}\s*[&*]?\s+?[&*]?(\w+)\s*[;={{,)]", code):
            names.add(name.group(1))
    return names


def faults_in(text, others="", own_header=""):
    """(line, what, reason or None) for each broken rule in one file; `others`: the text of what it
    includes, without its own header."""
    code = code_of(text)
    near, far = code_of(own_header) + code, code_of(others)
    aliases = {m.group(1) for m in ALIAS.finditer(far + near)}
    # Another header's private member (name_) is out of reach here, and its name may be ours, too.
    names = unordered_names(near, aliases)
    names |= {n for n in unordered_names(far, aliases) if not n.endswith("_")}
    walks = [(name, re.compile("|".join(WALKS).replace("{name}", re.escape(name))))
             for name in sorted(names)]
    lines = text.splitlines()

    def reason_for(number):
        above = lines[number - 2].strip() if number > 1 else ""
        for where in (lines[number - 1], above if above.startswith("//") else ""):
            if found := EXCEPTION.search(where):
                return (found.group(1) or "").strip()
        return None

    found = [(m.start(), f"{what}: {m.group(0).strip()}")
             for what, pattern in RULES for m in pattern.finditer(code)]
    found += [(m.start(), f"an unordered walk: {name}")
              for name, pattern in walks for m in pattern.finditer(code)]
    for at, what in sorted(found):
        number = code.count("\n", 0, at) + 1
        yield number, what, reason_for(number)


def included(root, text, done):
    """The text of all our own headers that `text` includes, each once."""
    out = ""
    for name in INCLUDE.findall(text):
        path = root / name
        if name in done or not path.is_file():
            continue
        done.add(name)
        inner = path.read_text(encoding="utf-8")
        out += included(root, inner, done) + inner
    return out


def check(root):
    """Faults, exceptions with their reasons, and how many files were read."""
    faults, exceptions = [], []
    files = sorted({path for pattern in SCOPE for path in root.glob(pattern)
                    if path.suffix in (".cpp", ".hpp")})
    files = [f for f in files if not NOT_SIMULATED.match(f.relative_to(root).as_posix())]
    for path in files:
        relative = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        header = path.with_suffix(".hpp")
        has_header = path.suffix == ".cpp" and header.is_file()
        own = header.read_text(encoding="utf-8") if has_header else ""
        seen = {relative, header.relative_to(root).as_posix()}
        others = included(root, text + own, seen)
        for number, what, reason in faults_in(text, others, own):
            if reason:
                exceptions.append(f"{relative}:{number}: {what} ({reason})")
            else:
                faults.append(f"{relative}:{number}: {what}"
                              + ("; an exception needs a reason" if reason == "" else ""))
    return faults, exceptions, len(files)


# (text, a part of the fault; "": none; None: an exception)
PLANTED = [
    ("auto t = std::chrono::steady_clock::now();\n", "a clock: steady_clock"),
    ("using clock = std::chrono::system_clock;\n", "a clock"),
    ("auto t = std::time(nullptr);\n", "a clock"),
    ("time_t t; time(&t);\n", "a clock"),
    ("timeval v; gettimeofday(&v, nullptr);\n", "a clock"),
    ("o.time(); e.time_ms = 0; auto due = wake_time(o);\n", ""),
    ("int x = rand();\n", "global chance"),
    ("int x = random(); int y = 1;\n", "global chance"),
    ("int x = ctx.random % 7; auto y = env.random() + self->env->random();\n", ""),
    ("std::random_device seed;\n", "global chance"),
    ("thread_local std::mt19937_64 chance{1};\n", "global chance"),
    ("static std::mt19937 chance;\n", "global chance"),
    ("std::mt19937_64 chance_;\nthread_local Message m;\n", ""),
    ("std::random_shuffle(a, b);\n", "global chance"),
    ("std::shuffle(a, b, chance);\n", "each standard library"),
    ("std::uniform_int_distribution<int> dice{1, 6};\n", "each standard library"),
    ("std::this_thread::yield();\n", "a thread's doing"),
    ('auto* x = std::getenv("SEED");\n', "surroundings"),
    ("// std::getenv, rand(), steady_clock\n", ""),
    ('auto text = "std::getenv(";\n', ""),
    ("auto now = steady_clock::now(); // determinism: for a person's eyes alone\n", None),
    ("// determinism: for a person's eyes alone\nauto now = steady_clock::now();\n", None),
    ("auto now = steady_clock::now(); // determinism:\n", "a clock"),
    ("std::map<order*, int> by_address;\n", "an order of addresses"),
    ("std::set<std::shared_ptr<order>> all;\n", "an order of addresses"),
    ("std::map<std::string, const order*> by_name;\n", ""),
    ("std::unordered_map<int, int> m_;\nfor (auto& [k, v] : m_) f(k);\n", "an unordered walk: m_"),
    ("std::unordered_map<int, std::vector<int>> m_;\nfor (auto& x : s.m_) f(x);\n", "unordered"),
    ("std::unordered_set<int> m_;\nauto i = m_.begin();\n", "an unordered walk: m_"),
    ("std::unordered_set<int> m_;\nstd::erase_if(m_, [](int) { return true; });\n", "unordered"),
    ("using sums = std::unordered_map<int, int>;\nvoid f(const sums& all) {\n"
     "  for (const auto& [k, v] : all) g(k);\n}\n", "an unordered walk: all"),
    ("std::unordered_set<int> m_;\nstd::erase_if(\n  m_, [](int) { return 1; });\n", "unordered"),
    ("std::unordered_map<int, int> m_;\nauto i = m_.find(1); m_.erase(i); all.begin();\n", ""),
    ("std::map<int, int> m_;\nfor (auto& [k, v] : m_) f(k);\n", ""),
]
# The walk is in the source, the member in its header.
HEADER = "struct s { std::unordered_map<order_id, int> waiting_; };\n"


def self_test():
    """Every planted fault must be seen, and no other."""
    for text, part in PLANTED:
        seen = list(faults_in(text))
        open_ones = [what for _, what, reason in seen if not reason]
        right = (len(open_ones) == 1 and part in open_ones[0] if part
                 else not open_ones and bool(seen) == (part is None))
        if not right:
            sys.exit(f"check_determinism: self-test: {text!r}: expected {part!r}, saw {seen}")
    walk = "for (auto& w : waiting_) f(w);\n"
    if not list(faults_in(walk, "", HEADER)) or list(faults_in(walk, HEADER)):
        sys.exit("check_determinism: self-test: whose member is walked?")
    public = HEADER.replace("waiting_", "waiting")
    if not list(faults_in(walk.replace("waiting_", "s.waiting"), public)):
        sys.exit("check_determinism: self-test: a public unordered member was not known")


def main():
    if sys.argv[1:] not in ([], ["--self-test"]):
        sys.exit("usage: check_determinism.py [--self-test]")
    if sys.argv[1:]:
        self_test()
    faults, exceptions, files = check(ROOT)
    for line in exceptions:
        print(f"allowed: {line}")
    for line in faults:
        print(line)
    print(f"check_determinism: {files} files, {len(exceptions)} exceptions, {len(faults)} faults")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
