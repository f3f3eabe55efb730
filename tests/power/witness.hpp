#pragma once
#include "domain/ids.hpp"
#include "storage/store.hpp"
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

namespace jumun::tests {
/// One number for a set of rows, whatever their order: equal for equal rows, or (with odds of
/// 2^-64) different.
using rows_digest = std::uint64_t;

inline std::uint64_t hash_of_row(storage::table in, std::string_view key, std::string_view value) {
  std::string all{static_cast<char>(in)};
  all.append(std::to_string(key.size())).append(":").append(key).append(value);
  return domain::stable_hash(all);
}

/// Reads all rows there are, as `jumun check` does. Throws std::runtime_error where one can't be
/// read.
inline rows_digest digest_of(const storage::store& disk) {
  rows_digest sum = 0;
  for (std::size_t t = 0; t < storage::table_count; ++t) {
    const auto in = static_cast<storage::table>(t);
    for (auto at = disk.scan(in, {}, {}, storage::direction::forward); at->valid(); at->next())
      sum += hash_of_row(in, at->key(), at->value());
  }
  return sum;
}

/// Writes through to a store, and knows what must be there after each write: the state after write
/// k is states()[k]; what a disk may hold later is one of those from acked() to started().
class witness_store final : public storage::store {
public:
  /// What all lives of one disk share.
  struct story {
    std::map<std::string, std::uint64_t> rows; // table and key → hash
    rows_digest now = 0;
    std::vector<rows_digest> states; // [0]: before the first write
    std::size_t acked = 0;           // index into states; what was told durable
    [[nodiscard]] std::size_t started() const { return states.empty() ? 0 : states.size() - 1; }
  };
  witness_store(std::shared_ptr<storage::store> inner, std::shared_ptr<story> of)
      : inner_(std::move(inner)), story_(std::move(of)) {
    if (!story_->states.empty()) { // a later life
      if (digest_of(*inner_) != story_->now) throw std::logic_error{"a clean restart lost rows"};
      return;
    }
    read_all();
    story_->states.push_back(story_->now);
  }

  std::optional<storage::failure> apply(const std::vector<storage::entry>& entries) override {
    for (const auto& e : entries) note(e);
    story_->states.push_back(story_->now);
    auto why = inner_->apply(entries);
    if (!why) story_->acked = story_->started();
    return why;
  }
  std::optional<std::string> get(storage::table in, std::string_view key) const override {
    return inner_->get(in, key);
  }
  std::unique_ptr<storage::cursor> scan(storage::table in, std::string_view from,
    std::string_view to, storage::direction way) const override {
    return inner_->scan(in, from, to, way);
  }

private:
  void read_all() {
    for (std::size_t t = 0; t < storage::table_count; ++t) {
      const auto in = static_cast<storage::table>(t);
      for (auto at = scan(in, {}, {}, storage::direction::forward); at->valid(); at->next())
        note({in, std::string{at->key()}, std::string{at->value()}});
    }
  }
  void note(const storage::entry& e) {
    const auto key = static_cast<char>(e.in) + e.key;
    if (const auto old = story_->rows.find(key); old != story_->rows.end()) {
      story_->now -= old->second;
      story_->rows.erase(old);
    }
    if (!e.value) return;
    const auto hash = hash_of_row(e.in, e.key, *e.value);
    story_->rows.emplace(key, hash);
    story_->now += hash;
  }
  std::shared_ptr<storage::store> inner_;
  std::shared_ptr<story> story_;
};
} // namespace jumun::tests
