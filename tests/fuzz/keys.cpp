#include "app/auth/jwt.hpp"
#include "app/auth/keys_file.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/make_jwt.hpp"

namespace jumun::fuzz {
namespace {
using namespace app;
constexpr double now_s = 1'800'000'000;
const std::string secret = "0123456789abcdef0123456789abcdef";

void keys_file(std::string_view bytes) {
  const auto parsed = parse_keys(bytes);
  const auto* keys = std::get_if<std::vector<api_key>>(&parsed);
  if (!keys) return must(!std::get<std::string>(parsed).empty(), "a refusal says why");
  const auto plain = render_keys(*keys);
  const auto again = parse_keys(plain);
  must(std::holds_alternative<std::vector<api_key>>(again), "a file that we write can be read");
  must(render_keys(std::get<0>(again)) == plain, "and says the same");
  must(keyring{*keys}.size() <= keys->size(), "a keyring has no other keys");
}

void checked(const std::optional<http::identity>& who) {
  if (who) must(is_principal(who->principal), "who gets in has a principal's name");
}

void tokens(std::string_view bytes) {
  static const auto keys =
    std::get<jwt_keys>(jwt_keys::from_file(jwt_algorithm::hs256, secret + "\n"));
  static const jwt_rules rules{"https://id.example", "jumun", "role", "sub"};
  static const auto sign = tests::hmac_signer(secret);
  checked(verify_jwt(bytes, keys, rules, now_s));
  // Signed as it should be, so that what is said in it gets looked at.
  const auto signed_with = [&](std::string_view header, std::string_view claims) {
    const auto text = tests::base64url(header) + "." + tests::base64url(claims);
    checked(verify_jwt(text + "." + tests::base64url(sign(text)), keys, rules, now_s));
  };
  signed_with(R"({"alg":"HS256"})", bytes);
  signed_with(bytes, R"({"iss":"https://id.example","aud":"jumun","exp":1800000060,"sub":"c"})");
}
} // namespace

void keys(std::string_view bytes) {
  keys_file(bytes);
  tokens(bytes);
  for (const auto one : {jwt_algorithm::hs256, jwt_algorithm::rs256, jwt_algorithm::es256}) {
    (void)jwt_keys::from_file(one, bytes);
    (void)jwt_keys::from_jwks(one, bytes);
  }
  (void)base64url_decoded(bytes);
}
} // namespace jumun::fuzz
