#pragma once
#include "bench/client/control.hpp"
#include "bench/client/load.hpp"
#include "bench/options.hpp"
#include "bench/progress.hpp"
#include "bench/report/figures.hpp"
#include "bench/server/books.hpp"
#include "bench/server/child_server.hpp"
#include "bench/server/proc.hpp"
#include "bench/workloads.hpp"
#include <memory>
#include <optional>

namespace jumun::bench {
/// What every scenario stands on: a server with stock, the ceilings of this minute, a load, and the
/// books afterwards. One for each scenario. Everything blocks; what fails for good throws
/// std::runtime_error.
class stage {
public:
  stage(const options& o, progress& say, std::string scenario);

  /// Measures the ceilings into the row, on a server of their own when there may be one.
  void measure_ceilings();
  /// Starts the server (or takes the one of --url), and puts products and stock there.
  void open(unsigned skus, const std::vector<std::string>& more_args = {});
  /// The load of the options; `make` makes its requests.
  [[nodiscard]] load_plan plan(decltype(load_plan::make) make) const;
  /// Runs it, noting what it was seen to do for the books. With `cost` into the row's costs, too.
  [[nodiscard]] load_result run(load_plan p, bool cost = false);
  /// Compares the books with what was seen; what does not add up goes into the row.
  void verify(const order_price& each);
  /// Stops the server and has `jumun check` look at what it left.
  void close();

  /// One fsync on this disk now, its p50 in ms. Half a second.
  [[nodiscard]] double fsync_p50_ms() const;
  /// What the p99 should be at 30 % and at 80 % of the peak, beside what was seen.
  void aim_at_latency(double share_of_peak, const measured& seen, double fsync_ms);

  /// A row's figures from a result.
  static measured figures_of(const load_result& r, double asked_rate = 0);

  [[nodiscard]] const control& shop() const { return *shop_; }
  [[nodiscard]] const control& ops() const { return *ops_; }
  [[nodiscard]] endpoint shop_at() const { return shop_at_; }
  [[nodiscard]] endpoint ops_at() const { return ops_at_; }
  /// For files of its own, on the disk of the data.
  [[nodiscard]] const std::filesystem::path& folder() const { return scratch_.path(); }
  [[nodiscard]] child_server* child() { return server_.get(); }
  /// The same folder again, after child()->kill() or stop().
  void reopen(const std::vector<std::string>& more_args = {});
  [[nodiscard]] const std::filesystem::path& data() const { return data_; }
  void step(const std::string& what) { say_.step(result.scenario + ": " + what); }

  row result;
  tally seen; // of all runs on this server

private:
  void ceilings_at(endpoint ops);
  void start(const std::vector<std::string>& more_args);
  void note_costs(const proc_figures& before, const std::string& storage_before,
    const load_result& of, const proc_figures& after, const std::string& storage_after);
  void note_allocations();

  const options& o_;
  progress& say_;
  scratch_dir scratch_;
  std::filesystem::path data_;
  std::unique_ptr<child_server> server_;
  endpoint shop_at_, ops_at_;
  std::optional<control> shop_, ops_;
  books before_;
  std::uint64_t good_ = 0; // answers, of all runs on this process
};
} // namespace jumun::bench
