#pragma once
#include "storage/store.hpp"
#include <array>
#include <map>
#include <mutex>
#include <utility>

namespace jumun::tests {
/// A store without a disk: counts what is applied, and can fail the n-th time, before or after the
/// rows have landed (a failed fsync tells nobody). After a failure everything fails, as a real disk
/// under a journal that stopped; revive() is the next start of the process. Thread-safe.
class memory_store final : public storage::store {
public:
  /// The n-th apply() of this store's life fails, counted from 1; 0: none.
  void fail_at(std::uint64_t n, bool written_anyway = false) {
    const std::lock_guard lock{guard_};
    fail_at_ = n;
    written_anyway_ = written_anyway;
  }
  /// From now on nothing lands: the power is gone.
  void cut() {
    const std::lock_guard lock{guard_};
    dead_ = true;
  }
  void revive() {
    const std::lock_guard lock{guard_};
    dead_ = false;
    fail_at_ = 0;
  }
  [[nodiscard]] std::uint64_t applies() const { return counted(applies_); }
  [[nodiscard]] std::uint64_t entries() const { return counted(entries_); }
  [[nodiscard]] std::uint64_t gets() const { return counted(gets_); }
  [[nodiscard]] std::size_t rows(storage::table in) const {
    const std::lock_guard lock{guard_};
    return of(in).size();
  }

  std::optional<storage::failure> apply(const std::vector<storage::entry>& all) override {
    const std::lock_guard lock{guard_};
    ++applies_;
    if (dead_) return storage::failure{storage::errc::io_failed, "memory_store: cut off"};
    const bool fails = applies_ == fail_at_;
    if (!fails || written_anyway_) land(all);
    if (!fails) return {};
    dead_ = true;
    return storage::failure{storage::errc::io_failed, "memory_store: told to fail"};
  }
  std::optional<std::string> get(storage::table in, std::string_view key) const override {
    const std::lock_guard lock{guard_};
    ++gets_;
    const auto found = of(in).find(key);
    if (found == of(in).end()) return {};
    return found->second;
  }
  std::unique_ptr<storage::cursor> scan(storage::table in, std::string_view from,
    std::string_view to, storage::direction way) const override {
    const std::lock_guard lock{guard_};
    const auto first = of(in).lower_bound(from);
    const auto last = to.empty() ? of(in).end() : of(in).lower_bound(to);
    auto out = std::make_unique<walk>();
    if (!to.empty() && from >= to) return out;
    if (way == storage::direction::forward)
      out->rows.assign(first, last);
    else
      out->rows.assign(std::make_reverse_iterator(last), std::make_reverse_iterator(first));
    return out;
  }

private:
  using rows_by_key = std::map<std::string, std::string, std::less<>>;
  /// A copy, so that it stays as it was when opened.
  struct walk final : storage::cursor {
    std::vector<std::pair<std::string, std::string>> rows;
    std::size_t at = 0;
    bool valid() const override { return at < rows.size(); }
    std::string_view key() const override { return rows[at].first; }
    std::string_view value() const override { return rows[at].second; }
    void next() override { ++at; }
  };
  const rows_by_key& of(storage::table in) const { return tables_[static_cast<std::size_t>(in)]; }
  void land(const std::vector<storage::entry>& all) {
    entries_ += all.size();
    for (const auto& e : all) {
      auto& rows = tables_[static_cast<std::size_t>(e.in)];
      if (e.value)
        rows.insert_or_assign(e.key, *e.value);
      else
        rows.erase(e.key);
    }
  }
  std::uint64_t counted(const std::uint64_t& n) const {
    const std::lock_guard lock{guard_};
    return n;
  }

  mutable std::mutex guard_;
  std::array<rows_by_key, storage::table_count> tables_;
  std::uint64_t applies_ = 0, entries_ = 0, fail_at_ = 0;
  mutable std::uint64_t gets_ = 0;
  bool written_anyway_ = false, dead_ = false;
};
} // namespace jumun::tests
