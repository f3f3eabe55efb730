#include "tests/support/contract.hpp"
#include "http/openapi.hpp"
#include <map>
#include <memory>
#include <mutex>
#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

namespace jumun::tests {
using nlohmann::json;

namespace {
const json& followed(const json& maybe) {
  if (!maybe.is_object() || !maybe.contains("$ref")) return maybe;
  const auto path = maybe.at("$ref").get<std::string>().substr(1);
  return followed(api_description().at(json::json_pointer{path}));
}

std::unique_ptr<rapidjson::SchemaDocument> compiled(const std::string& schema) {
  rapidjson::Document d;
  d.Parse(schema.c_str(), schema.size());
  return std::make_unique<rapidjson::SchemaDocument>(d);
}
std::string text_of(const rapidjson::Pointer& p) {
  rapidjson::StringBuffer out;
  p.Stringify(out);
  return std::string{out.GetString(), out.GetSize()};
}
std::string text_fault(const rapidjson::SchemaDocument& schema, const std::string& value) {
  rapidjson::Document d;
  d.Parse(value.c_str(), value.size());
  if (d.HasParseError()) return "it is no JSON";
  rapidjson::SchemaValidator check{schema};
  if (d.Accept(check)) return {};
  return "at " + text_of(check.GetInvalidDocumentPointer()) + " it breaks \""
         + check.GetInvalidSchemaKeyword() + "\" of " + text_of(check.GetInvalidSchemaPointer());
}

std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}
bool matches(std::string_view form, std::string_view path) {
  while (!form.empty() && !path.empty()) {
    const auto expected = next_segment(form), segment = next_segment(path);
    if (expected.starts_with("{") ? segment.empty() : expected != segment) return false;
  }
  return form.empty() && path.empty();
}
/// null: no such path, or not that method.
const json* operation(std::string_view method, std::string_view target) {
  std::string name{method == "HEAD" ? "GET" : method};
  for (char& c : name) c = static_cast<char>(c | 0x20);
  for (const auto& [form, item] : api_description().at("paths").items())
    if (item.contains(name) && matches(form, target.substr(0, target.find('?'))))
      return &item.at(name);
  return nullptr;
}

std::string body_fault(const json& answer, const response& r) {
  const auto type = r.field("content-type");
  const auto media = type.substr(0, type.find(';'));
  static const json none = json::object();
  const auto has_content = answer.contains("content");
  const auto& content = has_content ? answer.at("content") : none; // no copy: see `all`
  if (content.empty()) return r.body.empty() ? "" : "it has a body";
  const auto* form = content.contains(media)   ? &content.at(media)
                     : content.contains("*/*") ? &content.at("*/*")
                                               : nullptr;
  if (!form) return "its Content-Type is " + type;
  if (media.find("json") == std::string::npos) return {};
  // To make a schema whole and to compile it takes longer than to ask: kept by its place in the
  // description, which stays where it is.
  static std::mutex one_at_a_time;
  static std::map<const json*, std::unique_ptr<rapidjson::SchemaDocument>> all;
  const std::lock_guard lock{one_at_a_time};
  auto& schema = all[&form->at("schema")];
  if (!schema) schema = compiled(whole_schema(form->at("schema"), true).dump());
  return text_fault(*schema, r.body);
}
} // namespace

const json& api_description() {
  static const auto all = json::parse(http::description().document);
  return all;
}

json whole_schema(const json& schema, bool closed) {
  auto s = followed(schema);
  for (const auto* prose : {"description", "examples", "default"}) s.erase(prose);
  if (s.contains("const")) s["enum"] = {s["const"]}; // older drafts do not know the word
  s.erase("const");
  for (const auto* inner : {"items", "not"})
    if (s.contains(inner)) s[inner] = whole_schema(s[inner], closed);
  if (s.contains("oneOf"))
    for (auto& one : s["oneOf"]) one = whole_schema(one, closed);
  if (!s.contains("properties")) return s;
  for (auto& property : s["properties"]) property = whole_schema(property, closed);
  if (closed && !s.contains("additionalProperties")) s["additionalProperties"] = false;
  return s;
}

std::string schema_fault(const json& schema, const json& value) {
  return text_fault(*compiled(schema.dump()), value.dump());
}

std::string reply_fault(std::string_view method, std::string_view target, const response& r) {
  const auto* op = operation(method, target);
  if (!op) return {};
  // Asked of the other listener, which does not have the path.
  if (r.status == 404 && r.body.find("no resource has this path") != std::string::npos) return {};
  const auto status = std::to_string(r.status);
  const auto name = std::string{method}.append(" ").append(target).append(" answered " + status);
  const auto& answers = op->at("responses");
  if (!answers.contains(status)) return name + ", which http/openapi does not have for it";
  if (method == "HEAD") return {};
  const auto why = body_fault(followed(answers.at(status)), r);
  return why.empty() ? why : name + ", unlike http/openapi: " + why + "\n" + r.body;
}
} // namespace jumun::tests
