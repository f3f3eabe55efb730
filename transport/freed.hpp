#pragma once

namespace jumun::transport {
/// Lets std::unique_ptr own what a C library made: unique_ptr<X509, freed<X509_free>>.
template <auto Free> struct freed {
  template <class T> void operator()(T* it) const { Free(it); }
};
} // namespace jumun::transport
