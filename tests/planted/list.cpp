#include "domain/planted.hpp"
#include <cstdio>

/// Prints each planted bug, a line each: its name, how many nodes it takes, what it breaks.
int main() {
#define JUMUN_LINE(name, what) std::puts(#name "\t1\t" what);
  JUMUN_PLANTED_ALONE(JUMUN_LINE)
#undef JUMUN_LINE
#define JUMUN_LINE(name, what) std::puts(#name "\t3\t" what);
  JUMUN_PLANTED_BETWEEN_NODES(JUMUN_LINE)
#undef JUMUN_LINE
}
