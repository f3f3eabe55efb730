#include "domain/planted.hpp"
#include <cstdio>

/// Prints each planted bug, a line each: its name, a tab, what it breaks.
int main() {
#define JUMUN_LINE(name, what) std::puts(#name "\t" what);
  JUMUN_PLANTED_BUG_LIST(JUMUN_LINE)
#undef JUMUN_LINE
}
