#pragma once
#include "actors/registry.hpp"
#include "app/monitoring/census.hpp"
#include "app/monitoring/families.hpp"
#include "storage/journal.hpp"

/// What the inside counts, as metrics. None of it scans rows.
namespace jumun::app {
void add_order_figures(families& to, const census& orders);
void add_actor_figures(families& to, const actors::actor_registry& all);
void add_journal_figures(families& to, const storage::journal& of);
void add_rocks_figures(families& to, const storage::store& disk);
} // namespace jumun::app
