#include "app/auth/bearer.hpp"
#include "app/auth/jwt.hpp"
#include "tests/catch.hpp"
#include "tests/support/make_jwt.hpp"

using namespace jumun;
using namespace jumun::app;
using namespace jumun::tests;
using nlohmann::json;

namespace {
constexpr double now_s = 1'800'000'000;
const jwt_rules rules{"https://id.example", "jumun", "role", "sub"};

json claims(const json& more = json::object()) {
  json all{{"iss", "https://id.example"}, {"aud", "jumun"}, {"exp", now_s + 60}, {"sub", "c-42"},
    {"role", "customer"}};
  for (const auto& [name, value] : more.items())
    value.is_null() ? void(all.erase(name)) : void(all[name] = value);
  return all;
}
jwt_keys keys_of(const std::variant<jwt_keys, std::string>& made) {
  if (const auto* why = std::get_if<std::string>(&made)) FAIL(*why);
  return std::get<jwt_keys>(made);
}
std::string why_of(const std::variant<jwt_keys, std::string>& made) {
  REQUIRE(std::holds_alternative<std::string>(made));
  return std::get<std::string>(made);
}
const std::string secret = "0123456789abcdef0123456789abcdef";
jwt_keys hs256() { return keys_of(jwt_keys::from_file(jwt_algorithm::hs256, secret + "\n")); }
std::string hs_token(const json& with, const json& header = {{"alg", "HS256"}}) {
  return make_jwt(header, with, hmac_signer(secret));
}
bool passes(const std::string& token, const jwt_keys& keys) {
  return verify_jwt(token, keys, rules, now_s).has_value();
}
} // namespace

TEST_CASE("RFC 7515's own examples verify, and not when a bit differs", "[auth]") {
  // Appendix A.1 (HS256, a JWK) and A.3 (ES256); A.2's payload is the same text.
  const std::string payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
                              "LmNvbS9pc19yb290Ijp0cnVlfQ";
  const auto hmac = keys_of(jwt_keys::from_jwks(jwt_algorithm::hs256,
    R"({"keys":[{"kty":"oct","kid":"a1","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]})"));
  auto a1 = base64url_decoded("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  REQUIRE(a1);
  const auto a1_text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + payload;
  CHECK(hmac.verifies("a1", a1_text, *a1));
  CHECK_FALSE(hmac.verifies("a2", a1_text, *a1));
  CHECK_FALSE(hmac.verifies(std::nullopt, a1_text, *a1));
  (*a1)[7] = static_cast<char>((*a1)[7] ^ 1);
  CHECK_FALSE(hmac.verifies("a1", a1_text, *a1));
  const auto ec = keys_of(jwt_keys::from_jwks(jwt_algorithm::es256,
    R"({"keys":[{"kty":"EC","crv":"P-256","kid":"a3","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})"));
  const auto a3 = base64url_decoded(
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  REQUIRE(a3);
  CHECK(ec.verifies("a3", "eyJhbGciOiJFUzI1NiJ9." + payload, *a3));
  CHECK_FALSE(ec.verifies("a3", "eyJhbGciOiJFUzI1NiJ9.x" + payload, *a3));
  CHECK_FALSE(ec.verifies("a3", "eyJhbGciOiJFUzI1NiJ9." + payload, a3->substr(0, 63)));
}

TEST_CASE("a token's claims say who asks, and until when", "[auth]") {
  const auto keys = hs256();
  const auto who = verify_jwt(hs_token(claims()), keys, rules, now_s);
  REQUIRE(who);
  CHECK(who->principal == "c-42");
  CHECK(who->roles == http::customer);
  const auto renamed =
    verify_jwt(hs_token(claims({{"email", "a@b.example"}, {"groups", {"x", "admin"}}})), keys,
      {"https://id.example", "jumun", "groups", "email"}, now_s);
  REQUIRE(renamed);
  CHECK(renamed->principal == "a@b.example");
  CHECK(renamed->roles == http::admin);

  const auto fine = std::vector<json>{{{"aud", {"other", "jumun"}}}, {{"exp", now_s - 29}},
    {{"exp", now_s + 0.5}}, {{"nbf", now_s + 29}}, {{"nbf", now_s - 1}}, {{"iat", now_s}},
    {{"role", {"offline_access", "viewer"}}}, {{"sub", std::string(64, 's')}}};
  for (const auto& more : fine) {
    CAPTURE(more.dump());
    CHECK(passes(hs_token(claims(more)), keys));
  }
  const auto wrong = std::vector<json>{{{"iss", nullptr}}, {{"iss", "https://evil.example"}},
    {{"iss", {"https://id.example"}}}, {{"aud", nullptr}}, {{"aud", "other"}},
    {{"aud", json::array()}}, {{"aud", {"jumun2", 5}}}, {{"exp", nullptr}}, {{"exp", now_s - 30}},
    {{"exp", "1900000000"}}, {{"exp", true}}, {{"nbf", now_s + 31}}, {{"nbf", "0"}},
    {{"role", nullptr}}, {{"role", "root"}}, {{"role", "Admin"}}, {{"role", 32}},
    {{"role", json::array()}}, {{"role", {"customer", "admin"}}}, {{"sub", nullptr}}, {{"sub", ""}},
    {{"sub", 42}}, {{"sub", "a\nb"}}, {{"sub", std::string(65, 's')}}};
  for (const auto& more : wrong) {
    CAPTURE(more.dump());
    CHECK_FALSE(passes(hs_token(claims(more)), keys));
  }
}

TEST_CASE("only the pinned algorithm is taken, by the key that is ours", "[auth]") {
  const signing_key rsa{"RSA"}, other_rsa{"RSA"}, p256{"P-256"}, other_p256{"P-256"}, p384{"P-384"};
  struct row {
    jwt_algorithm pinned;
    const signing_key* ours;
    const signing_key* theirs;
    std::string name;
  };
  const auto table = std::vector<row>{{jwt_algorithm::rs256, &rsa, &other_rsa, "RS256"},
    {jwt_algorithm::es256, &p256, &other_p256, "ES256"}};
  for (const auto& [pinned, ours, theirs, name] : table) {
    CAPTURE(name);
    const auto keys = keys_of(jwt_keys::from_file(pinned, ours->public_pem()));
    const json head{{"alg", name}, {"typ", "JWT"}};
    CHECK(passes(make_jwt(head, claims(), ours->signer()), keys));
    CHECK_FALSE(passes(make_jwt(head, claims(), theirs->signer()), keys));
    // The classic: the public key taken for the secret of an HMAC (RFC 8725 §2.1).
    CHECK_FALSE(
      passes(make_jwt({{"alg", "HS256"}}, claims(), hmac_signer(ours->public_pem())), keys));
    CHECK_FALSE(passes(make_jwt(head, claims(), hmac_signer(ours->public_pem())), keys));
    for (const char* other : {"none", "None", "HS256", "RS512", "PS256", "ES384", "EdDSA", ""})
      if (other != name)
        CHECK_FALSE(passes(make_jwt({{"alg", other}}, claims(), ours->signer()), keys));
    CHECK_FALSE(passes(make_jwt(json::object(), claims(), ours->signer()), keys));
    auto crit = head;
    crit["crit"] = {"b64"}, crit["b64"] = true;
    CHECK_FALSE(passes(make_jwt(crit, claims(), ours->signer()), keys));
    // A key that the token brings along is nobody's.
    auto own = head;
    own["jwk"] = theirs->jwk("mine");
    CHECK_FALSE(passes(make_jwt(own, claims(), theirs->signer()), keys));
  }
  const auto ec = keys_of(jwt_keys::from_file(jwt_algorithm::es256, p256.public_pem()));
  CHECK_FALSE(passes(make_jwt({{"alg", "ES256"}}, claims(), p384.signer()), ec)); // 96 bytes
  CHECK_FALSE(passes(make_jwt({{"alg", "ES256"}}, claims(), rsa.signer()), ec));
}

TEST_CASE("of a key set the token's kid chooses, and only among fitting keys", "[auth]") {
  const signing_key rsa{"RSA"}, one{"P-256"}, two{"P-256"}, p384{"P-384"};
  auto enc = two.jwk("enc");
  enc["use"] = "enc";
  auto as_384 = two.jwk("alg384");
  as_384["alg"] = "ES384";
  auto nameless = two.jwk("");
  nameless.erase("kid");
  const json set{{"keys", {one.jwk("one"), two.jwk("two"), rsa.jwk("rsa"), p384.jwk("p384"), enc,
                            as_384, nameless, {{"kty", "OKP"}, {"kid", "new"}}}}};
  const auto keys = keys_of(jwt_keys::from_jwks(jwt_algorithm::es256, set.dump()));
  const auto token = [](const signing_key& by, const json& kid) {
    json head{{"alg", "ES256"}};
    if (!kid.is_null()) head["kid"] = kid;
    return make_jwt(head, claims(), by.signer());
  };
  CHECK(passes(token(one, "one"), keys));
  CHECK(passes(token(two, "two"), keys));
  for (const json& kid : {json("one"), json("rsa"), json("p384"), json("enc"), json("alg384"),
         json("new"), json(""), json("TWO"), json(2), json(nullptr)}) {
    CAPTURE(kid.dump());
    CHECK_FALSE(passes(token(two, kid), keys));
  }
  CHECK_FALSE(passes(token(p384, "p384"), keys));
  const auto rs = keys_of(jwt_keys::from_jwks(jwt_algorithm::rs256, set.dump()));
  CHECK(passes(make_jwt({{"alg", "RS256"}, {"kid", "rsa"}}, claims(), rsa.signer()), rs));
}

TEST_CASE("a key that is too weak, of another kind, or none is refused at the start", "[auth]") {
  const signing_key rsa{"RSA"}, weak{"RSA-1024"}, p256{"P-256"}, p384{"P-384"};
  using a = jwt_algorithm;
  CHECK(why_of(jwt_keys::from_file(a::hs256, "short")).find("32 bytes") != std::string::npos);
  CHECK(why_of(jwt_keys::from_file(a::hs256, std::string(31, 'x') + "\n")).find("32")
        != std::string::npos);
  CHECK(why_of(jwt_keys::from_file(a::rs256, weak.public_pem())).find("2048") != std::string::npos);
  CHECK(why_of(jwt_keys::from_file(a::rs256, p256.public_pem())).find("RSA") != std::string::npos);
  CHECK(
    why_of(jwt_keys::from_file(a::es256, p384.public_pem())).find("P-256") != std::string::npos);
  CHECK(why_of(jwt_keys::from_file(a::es256, rsa.public_pem())).find("P-256") != std::string::npos);
  for (const auto algorithm : {a::rs256, a::es256})
    for (const std::string bad :
      {"", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"})
      CHECK(why_of(jwt_keys::from_file(algorithm, bad)).find("PEM") != std::string::npos);
  for (const std::string bad : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[5]})"})
    CHECK_FALSE(why_of(jwt_keys::from_jwks(a::es256, bad)).empty());
  CHECK(why_of(jwt_keys::from_jwks(a::es256, R"({"keys":[]})")).find("none of its keys") == 0);
  const json twice{{"keys", {p256.jwk("k"), p256.jwk("k")}}};
  CHECK(
    why_of(jwt_keys::from_jwks(a::es256, twice.dump())).find("same \"kid\"") != std::string::npos);
  auto off = p256.jwk("k"); // a point that is not on the curve
  off["y"] = off["x"];
  CHECK_FALSE(why_of(jwt_keys::from_jwks(a::es256, json{{"keys", {off}}}.dump())).empty());
}

TEST_CASE("a token that is not formed as one is nobody's", "[auth]") {
  const auto keys = hs256();
  const auto good = hs_token(claims());
  REQUIRE(passes(good, keys));
  const auto dot = good.find('.'), last = good.rfind('.');
  const auto table = std::vector<std::string>{"", ".", "..", "...", good.substr(0, last),
    good.substr(0, last + 1), good + ".", "." + good, good + "=", good + " ", " " + good,
    good.substr(dot), good.substr(0, dot) + "=" + good.substr(dot), good.substr(0, good.size() - 1),
    good.substr(0, dot) + ".." + good.substr(last + 1), base64url("[]") + good.substr(dot),
    base64url("null") + good.substr(dot), base64url("{") + good.substr(dot),
    make_jwt(json{{"alg", json::array({"HS256"})}}, claims(), hmac_signer(secret)),
    make_jwt(json{{"alg", "HS256"}}, json::array({1}), hmac_signer(secret)),
    make_jwt(json{{"alg", "HS256"}}, json("text"), hmac_signer(secret)), std::string(4096, '.'),
    std::string(4096, 'A') + ".A.A"};
  for (const auto& bad : table) {
    CAPTURE(bad);
    CHECK_FALSE(passes(bad, keys));
  }
  auto flipped = good; // another spelling of the same signature: its last bits say nothing
  flipped.back() = static_cast<char>(flipped.back() + 1);
  CHECK_FALSE(passes(flipped, keys));
}

TEST_CASE("keys and tokens serve side by side, and each may be replaced", "[auth]") {
  bearer both{rules, [] { return static_cast<std::int64_t>(now_s) * 1000; }};
  const auto key = make_key(http::viewer, "v", 0, {});
  const auto token = hs_token(claims());
  CHECK_FALSE(both.identify(key.secret));
  CHECK_FALSE(both.identify(token));
  both.take(std::make_shared<const keyring>(std::vector{key.row}));
  both.take(std::make_shared<const jwt_keys>(hs256()));
  CHECK(both.identify(key.secret)->roles == http::viewer);
  CHECK(both.identify(token)->roles == http::customer);
  both.take(std::make_shared<const keyring>(std::vector<api_key>{}));
  both.take(std::make_shared<const jwt_keys>(
    keys_of(jwt_keys::from_file(jwt_algorithm::hs256, std::string(32, 'n')))));
  CHECK_FALSE(both.identify(key.secret));
  CHECK_FALSE(both.identify(token));
}
