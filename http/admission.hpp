#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace jumun::http {
/// The permits of the edge: CAF mailboxes have no bound, so this is where the crowd is bounded. New
/// orders get three quarters of the permits at most: what is left is for reads and cancellations.
/// Thread-safe.
class admission {
public:
  /// `given` counts the permits that are out; it outlives this.
  admission(
    std::size_t in_all_max, std::size_t per_principal_max, std::atomic<std::int64_t>& given);

  /// Gives itself back when it is destroyed.
  class permit {
  public:
    permit() = default;
    permit(permit&& other) noexcept { swap(other); }
    permit& operator=(permit&& other) noexcept {
      permit{std::move(other)}.swap(*this);
      return *this;
    }
    ~permit() {
      if (from_) from_->give_back(*this);
    }

  private:
    friend class admission;
    void swap(permit& other) noexcept {
      std::swap(from_, other.from_);
      std::swap(principal_, other.principal_);
      std::swap(new_order_, other.new_order_);
    }
    admission* from_ = nullptr;
    std::string principal_;
    bool new_order_ = false;
  };

  enum class verdict { admitted, principal_full, full };
  /// At once, never waits. `out` must not outlive this.
  [[nodiscard]] verdict admit(const std::string& principal, bool new_order, permit& out);
  /// How many of the permits new orders may have.
  [[nodiscard]] std::size_t orders_max() const { return static_cast<std::size_t>(orders_max_); }

private:
  void give_back(permit& p);
  bool count_principal(const std::string& principal);
  void uncount_principal(const std::string& principal);

  /// Many small maps, so that principals seldom wait for each other.
  struct bucket {
    std::mutex mutex;
    std::unordered_map<std::string, std::size_t> waiting;
  };
  bucket& bucket_of(const std::string& principal) {
    return buckets_[std::hash<std::string>{}(principal) % buckets_.size()];
  }

  const std::int64_t in_all_max_;
  const std::int64_t orders_max_;
  const std::size_t per_principal_max_;
  std::atomic<std::int64_t>& given_;
  std::atomic<std::int64_t> orders_ = 0;
  std::array<bucket, 16> buckets_;
};
} // namespace jumun::http
