// Linked into what ThreadSanitizer watches, with tsan.supp.
#include <cstdlib>
#include <new>

extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line); // ThreadSanitizer's
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);

/// RocksDB, which is not instrumented, takes its arenas and blocks by new char[] and publishes what
/// is in them by atomics that ThreadSanitizer does not see. It takes an allocation for a write, so
/// that each row that we read in place would be a race with that one, whose stack is mostly
/// forgotten and can't be suppressed. Here an allocation writes nothing. What instrumented code
/// writes into an array afterwards is seen as ever.
void* operator new[](std::size_t bytes) {
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  void* const made = std::malloc(bytes);
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  if (made == nullptr) throw std::bad_alloc{};
  return made;
}
