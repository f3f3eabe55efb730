#pragma once
#include <stdexcept>
#include <string_view>

/// One function a target: libFuzzer calls it with bytes of its own making (entry.cpp), the unit
/// tests with each file of corpus/<name>/. A broken promise is a fault; what the sanitizers see is
/// one too.
namespace jumun::fuzz {
using target = void(std::string_view bytes);
target request_head; // http/head_check, and the grammars of a head's fields
target order_json;   // http/json and object_reader, by the form of an order
target codecs;       // ids, cursors, places in the feed, times
target rows;         // what the disk gives back
target keys;         // keys file, JWK Set, PEM, JWT
target wire;         // what another node sends

/// @throws std::logic_error that says which promise was broken.
inline void must(bool holds, const char* promise) {
  if (!holds) throw std::logic_error{promise};
}
} // namespace jumun::fuzz
