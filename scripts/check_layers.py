#!/usr/bin/env python3
"""Checks the walls of the house (docs/ARCHITECTURE.md, "Rooms"): who may include whom, no clock or
chance in the rooms that decide, line length, README length. Prints file:line for each broken rule
and exits 1. With --self-test it first proves on planted faults that it sees them."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS_MAX = 100
README_LINES_MAX = 40

# room: (our own headers it may include, outside libraries), both as prefixes. None: everything.
STORAGE_PORTS = ("storage/store.hpp", "storage/journal.hpp", "storage/rows.hpp",
                 "storage/queries.hpp")
ROOMS = {
    "domain": (("domain/",), ()),
    "storage": (("domain/", "storage/"), ("rocksdb/", "google/protobuf/")),
    "actors": (("domain/", "actors/") + STORAGE_PORTS, ("caf/",)),
    "transport": (("domain/", "transport/"), ("boost/", "openssl/")),
    "cluster": (("domain/", "cluster/", "transport/", "actors/messages.hpp", "actors/interfaces.hpp"),
                ("caf/", "boost/", "nlohmann/", "openssl/", "google/protobuf/")),
    "http": (("domain/", "http/", "transport/"), ("boost/", "nlohmann/", "openssl/")),
    "app": None,
    "tests": None,
    "bench": None,
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")')
POSIX = re.compile(r"^(sys/|netinet/|arpa/|linux/)?\w+\.h$")
# Time and chance come in from outside, so that a whole node runs again by its seed.
IMPURE = re.compile(r"\b(system_clock|steady_clock|high_resolution_clock)::now\b"
                    r"|\bstd::random_device\b|\bs?rand\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)"
                    r"|\bgetenv\s*\(|\bsleep_(for|until)\b")
PURE_ROOMS = ("domain", "actors")


def include_fault(room, path, target, is_outside):
    """Why a file of this room may not include `target`; None: it may."""
    source_only = path.suffix == ".cpp"
    if target.startswith("rocksdb/") and not (room == "storage" and source_only) and room != "tests":
        return "only storage/*.cpp includes RocksDB"
    if target.startswith("caf/io") and room not in ("cluster", "tests"):
        return "only cluster includes caf/io"
    if target.endswith(".pb.h") and not (room in ("storage", "cluster", "app") and source_only) \
            and room != "tests":
        return "generated messages stay inside of storage/*.cpp, cluster/*.cpp and app/*.cpp"
    if ROOMS[room] is None:
        return None
    ours, outside = ROOMS[room]
    if not is_outside:
        if target.endswith(".pb.h") or target.startswith(ours):
            return None
        return f"{room} may include {', '.join(ours)}; not {target}"
    if target.startswith(outside) if outside else False:
        return None
    if "/" not in target and "." not in target:
        return None  # the standard library
    if POSIX.match(target) and room != "domain" and source_only:
        return None
    return f"{room} may include from outside: {', '.join(outside) or 'nothing'}; not <{target}>"


def faults_in(relative, text):
    """(line, what) for each broken rule in one source file."""
    path = pathlib.PurePosixPath(relative)
    room = path.parts[0]
    if path.suffix == ".hpp" and "#pragma once" not in text:
        yield 1, "a header without #pragma once"
    as_it_is = False  # inside a table that is laid out by hand
    for number, line in enumerate(text.splitlines(), 1):
        if "clang-format o" in line:
            as_it_is = "clang-format off" in line
        # Neither such a table nor the raw text of a test's expectation gets clearer by a break.
        if len(line) > COLUMNS_MAX and not as_it_is and 'R"(' not in line:
            yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"
        if found := INCLUDE.match(line):
            outside, own = found.group(2), found.group(3)
            why = include_fault(room, path, outside or own, outside is not None)
            if why:
                yield number, why
        code = line.split("//", 1)[0]
        if room in PURE_ROOMS and (found := IMPURE.search(code)):
            yield number, f"{room} takes time and chance from outside; not {found.group(0)}"
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, "left for later: do it, or make it an issue"


def readme_faults(relative, text):
    lines = len(text.splitlines())
    if lines > README_LINES_MAX:
        yield README_LINES_MAX + 1, f"{lines} lines; a room's README has at most {README_LINES_MAX}"


def check(root):
    """All faults of a tree, as text."""
    found = []
    files = 0
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix not in (".cpp", ".hpp"):
                continue
            files += 1
            relative = path.relative_to(root).as_posix()
            found += [f"{relative}:{n}: {what}"
                      for n, what in faults_in(relative, path.read_text(encoding="utf-8"))]
    for path in sorted(root.glob("*/README.md")):
        if path.parent.name != "docs":
            relative = path.relative_to(root).as_posix()
            found += [f"{relative}:{n}: {what}"
                      for n, what in readme_faults(relative, path.read_text(encoding="utf-8"))]
    return found, files


# (file, text, a part of the fault; "": none)
PLANTED = [
    ("domain/a.cpp", '#include "storage/store.hpp"\n', "domain may include"),
    ("domain/a.cpp", "#include <nlohmann/json.hpp>\n", "from outside: nothing"),
    ("domain/a.cpp", "#include <unistd.h>\n", "from outside: nothing"),
    ("domain/a.cpp", '#include "domain/a.hpp"\n#include <vector>\n', ""),
    ("domain/a.cpp", "auto t = std::chrono::system_clock::now();\n", "system_clock::now"),
    ("domain/a.cpp", "int x = rand();\n", "rand("),
    ("domain/a.cpp", "int operand(int); // rand()\n", ""),
    ("storage/a.cpp", "#include <rocksdb/db.h>\n#include <fcntl.h>\n#include <sys/stat.h>\n", ""),
    ("storage/a.hpp", "#pragma once\n#include <rocksdb/db.h>\n", "only storage/*.cpp"),
    ("storage/a.cpp", '#include "actors/router.hpp"\n', "storage may include"),
    ("actors/a.cpp", "#include <caf/all.hpp>\n", ""),
    ("actors/a.cpp", "#include <caf/io/middleman.hpp>\n", "only cluster"),
    ("actors/a.cpp", '#include "storage/rocks_store.hpp"\n', "actors may include"),
    ("actors/a.cpp", '#include "http/shop.hpp"\n', "actors may include"),
    ("actors/a.cpp", "std::random_device chance;\n", "random_device"),
    ("http/a.cpp", '#include "actors/router.hpp"\n', "http may include"),
    ("http/a.cpp", '#include "storage/queries.hpp"\n', "http may include"),
    ("http/a.cpp", "#include <caf/all.hpp>\n", "http may include"),
    ("http/a.cpp", '#include "transport/stream.hpp"\n', ""),
    ("transport/a.cpp", '#include "http/server.hpp"\n', "transport may include"),
    ("app/a.cpp", "#include <rocksdb/db.h>\n", "only storage/*.cpp"),
    ("app/a.cpp", '#include "http/shop.hpp"\n#include <caf/all.hpp>\n', ""),
    ("app/a.cpp", "x" * 101 + "\n", "101 columns"),
    ("app/a.cpp", "// " + "é" * 97 + "\n", ""),
    ("app/a.hpp", "int x;\n", "#pragma once"),
    ("app/a.cpp", "// TO" + "DO: later\n", "left for later"),
]


def self_test():
    """Every planted fault must be seen, and no other."""
    for path, text, part in PLANTED:
        seen = [what for _, what in faults_in(path, text)]
        right = len(seen) == 1 and part in seen[0] if part else not seen
        if not right:
            sys.exit(f"check_layers: self-test: {path}: {text!r}: expected {part!r}, saw {seen}")


def main():
    if sys.argv[1:] not in ([], ["--self-test"]):
        sys.exit("usage: check_layers.py [--self-test]")
    if sys.argv[1:]:
        self_test()
    found, files = check(ROOT)
    for fault in found:
        print(fault)
    print(f"check_layers: {files} files, {len(found)} faults")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
