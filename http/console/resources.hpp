#pragma once
#include "http/exchange.hpp"

/// The handlers of what the console alone asks for; see http/resources.hpp.
namespace jumun::http {
// whoami.cpp
void get_whoami(const exchange_ptr& ex);
// overview.cpp
void get_overview(const exchange_ptr& ex);
// pages.cpp
void get_console_address(const exchange_ptr& ex);
void get_console(const exchange_ptr& ex);
void get_console_file(const exchange_ptr& ex);
// actors.cpp
void list_actors(const exchange_ptr& ex);
void list_actor_totals(const exchange_ptr& ex);
// recordings.cpp
void record_actor(const exchange_ptr& ex);
void get_recording(const exchange_ptr& ex);
void stop_recording(const exchange_ptr& ex);
void record_order(const exchange_ptr& ex);
void get_order_recording(const exchange_ptr& ex);
void stop_order_recording(const exchange_ptr& ex);
// find.cpp
void find_anything(const exchange_ptr& ex);
// timeline.cpp
void get_timeline(const exchange_ptr& ex);
// attention.cpp, batch.cpp
void list_attention(const exchange_ptr& ex);
void act_on_sagas(const exchange_ptr& ex);
// stock.cpp
void list_reservations(const exchange_ptr& ex);
void check_stock(const exchange_ptr& ex);
// fault_targets.cpp
void list_fault_targets(const exchange_ptr& ex);
} // namespace jumun::http
