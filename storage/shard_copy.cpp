#include "storage/shard_copy.hpp"
#include "domain/limits.hpp"
#include "domain/planted.hpp"
#include "rows.pb.h"
#include "storage/row_codec.hpp"
#include <algorithm>

namespace jumun::storage {
namespace {
std::string prefix_of(domain::shard_id shard) { return std::string(1, static_cast<char>(shard)); }

std::optional<table> table_of(std::string_view name) {
  for (std::size_t i = 0; i < table_count; ++i)
    if (name_of(static_cast<table>(i)) == name) return static_cast<table>(i);
  return {};
}
} // namespace

bool sharded(table t) { return t != table::meta; }

std::vector<entry> shard_reader::next(std::size_t bytes) {
  std::vector<entry> rows;
  const auto prefix = prefix_of(shard_);
  for (std::size_t read = 0; table_ < table_count; at_.reset(), ++table_) {
    const auto in = static_cast<table>(table_);
    if (!sharded(in) || (JUMUN_PLANTED(keys_not_copied) && in == table::idempotency)) continue;
    if (!at_) at_ = disk_.scan(in, prefix, after_prefix(prefix), direction::forward);
    for (; at_->valid(); at_->next()) {
      if (!rows.empty() && (read >= bytes || rows.size() == limits::write_set_entries_max))
        return rows;
      read += at_->key().size() + at_->value().size();
      rows.push_back({in, std::string{at_->key()}, std::string{at_->value()}});
    }
  }
  return rows;
}

std::vector<entry> deletes_of(std::vector<entry> rows) {
  for (auto& r : rows) r.value.reset();
  return rows;
}

std::vector<entry> rows_of(const log_batch& batch, std::uint16_t part) {
  std::vector<entry> rows;
  for (std::size_t i = 0; i < batch.rows.size(); ++i)
    if (batch.part_of[i] == part) rows.push_back(batch.rows[i]);
  return rows;
}

std::string encode_rows(const std::vector<entry>& rows) {
  auto& m = codec::scratch<rows::Copied>();
  for (const auto& r : rows) {
    auto& to = *m.add_rows();
    to.set_table(std::string{name_of(r.in)});
    to.set_key(r.key);
    if (r.value) to.set_value(*r.value);
  }
  return codec::seal(0, m);
}

std::optional<std::vector<entry>> decode_rows(std::string_view bytes, domain::shard_id shard) {
  auto& m = codec::scratch<rows::Copied>();
  if (!codec::open(bytes, m)) return {};
  std::vector<entry> rows;
  rows.reserve(static_cast<std::size_t>(m.rows_size()));
  for (const auto& from : m.rows()) {
    const auto in = table_of(from.table());
    if (!in || !sharded(*in) || from.key().empty()) return {};
    if (static_cast<domain::shard_id>(from.key().front()) != shard) return {};
    auto& to = rows.emplace_back();
    to.in = *in, to.key = from.key();
    if (from.has_value()) to.value = from.value();
    if (JUMUN_PLANTED(deletes_not_copied) && !to.value) rows.pop_back();
  }
  return rows;
}

std::string shard_copy_key(domain::shard_id shard) { return "copy/" + prefix_of(shard); }

std::string encode(const shard_copy& c) {
  auto& m = codec::scratch<rows::ShardCopy>();
  m.set_epoch(c.epoch);
  m.set_from(c.from);
  m.set_move(c.move);
  m.set_complete(c.complete);
  return codec::seal(0, m);
}

std::optional<shard_copy> decode_copy(std::string_view row) {
  auto& m = codec::scratch<rows::ShardCopy>();
  if (!codec::open(row, m)) return {};
  return shard_copy{m.epoch(), m.from(), m.move(), m.complete()};
}

std::string shard_given_key(domain::shard_id shard) { return "given/" + prefix_of(shard); }

std::string encode(const shard_given& g) {
  auto& m = codec::scratch<rows::ShardGiven>();
  m.set_epoch(g.epoch);
  m.set_to(g.to);
  return codec::seal(0, m);
}

std::optional<shard_given> decode_given(std::string_view row) {
  auto& m = codec::scratch<rows::ShardGiven>();
  if (!codec::open(row, m)) return {};
  return shard_given{m.epoch(), m.to()};
}
} // namespace jumun::storage
