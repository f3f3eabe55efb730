#pragma once
#include "http/console/inspector.hpp"
#include "http/exchange.hpp"
#include "http/json_writer.hpp"

/// In a cluster an order's stock lies wherever its SKUs' shards are: what other nodes know of it is
/// asked for by the order's node, and merged there.
namespace jumun::http {
/// A row of what is told by time.
struct timed_row {
  std::int64_t at_us = 0;
  std::string json;
};
/// Oldest first; rows of one moment stay as they are.
void sort_by_time(std::vector<timed_row>& rows);

/// What is asked of the node of a shelf.
struct shelf_question {
  std::vector<shelf_line> lines;
  recording_form how; // where a recording is to begin
};
/// The question in a request of another node; empty: there is none in it.
[[nodiscard]] shelf_question read_shelf_question(const exchange_ptr& ex);
/// This node's answer to it. `seen`: of its recording.
/// @pre ex->wants_rows
void send_shelf_rows(const exchange_ptr& ex, std::vector<timed_row> rows, std::uint64_t seen);

/// What the nodes of an order's other shelves answered.
struct shelf_rows {
  std::vector<timed_row> rows;
  std::uint64_t seen = 0;
  std::vector<std::string> silent; // nodes that did not answer in time
};
/// Asks the request of `ex` once more of each other node that has a shelf of the order, and hands
/// on what they say: at once where there is none, else on an I/O thread, guarded. May read rows:
/// reader threads only.
void ask_shelves(const exchange_ptr& ex, domain::order_id id, const recording_form& how,
  std::function<void(shelf_rows)> then);

/// The member `missing_nodes`.
void put_silent(json_writer& w, const std::vector<std::string>& nodes);
} // namespace jumun::http
