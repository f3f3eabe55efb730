#include "app/shard_permits.hpp"
#include "tests/catch.hpp"

using jumun::app::shard_permits;

TEST_CASE("a shard's permits run out, come back, and are its own", "[admission]") {
  shard_permits permits{2};
  CHECK(permits.take(7));
  CHECK(permits.take(7));
  CHECK_FALSE(permits.take(7));
  CHECK_FALSE(permits.take(7)); // a refusal costs none
  CHECK(permits.take(8));
  permits.give_back(7);
  CHECK(permits.take(7));
  CHECK_FALSE(permits.take(7));
}
