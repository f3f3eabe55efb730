#include "http/openapi.hpp"
#include "http/assets.hpp"
#include "http/resources.hpp"
#include "http/routes.hpp"
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace jumun::http {
namespace {
using json = nlohmann::ordered_json;

/// Turns the short form of http/openapi/ into OpenAPI, and notes what does not fit.
class writer {
public:
  described run() {
    read_files();
    for (auto& [name, schema] : at("schemas").items()) expand_schema(schema, "schema " + name);
    for (auto& [name, parameter] : at("parameters").items()) expand_parameter(parameter, name);
    json paths = json::object();
    for (const auto& r : all_routes()) describe(r, paths);
    for (const auto& [path, item] : items_.items())
      for (const auto& [method, op] : item.items())
        if (op.is_object())
          fault(method + " " + path + " is described and no route of http/routes.cpp: remove it");
    document_["paths"] = std::move(paths);
    return {document_.dump(), std::move(faults_)};
  }

private:
  void fault(std::string what) { faults_.push_back("http/openapi: " + std::move(what)); }
  json& at(const std::string& kind) { return document_["components"][kind]; }
  /// {"$ref": …}, where there is such a component.
  json reference(const std::string& kind, const std::string& name, const std::string& by) {
    if (!at(kind).contains(name)) fault(by + " names " + name + ", and there are no such " + kind);
    return {{"$ref", "#/components/" + kind + "/" + name}};
  }

  void read_files() {
    document_ = json::parse(find_asset("openapi/base.json").value().bytes);
    document_["info"]["version"] = JUMUN_VERSION;
    document_["tags"] = json::array();
    for (const auto& file : embedded_assets()) {
      if (!file.name.starts_with("openapi/") || file.name.ends_with("/base.json")) continue;
      const auto part = json::parse(file.bytes);
      tags_[part.at("tag").at("name")] = part.at("tag");
      for (const auto* kind : {"schemas", "parameters"})
        if (part.contains(kind)) at(kind).update(part.at(kind));
      for (const auto& [path, item] : part.at("paths").items()) {
        items_[path] = item;
        for (auto& [method, op] : items_[path].items())
          if (op.is_object()) op["tags"] = {part.at("tag").at("name")};
      }
    }
  }

  // -- schemas: a text is the name of one; all properties are required that are not `optional`

  void expand_schema(json& s, const std::string& by) {
    if (s.is_string()) s = reference("schemas", s.get<std::string>(), by);
    if (!s.is_object()) return;
    if (s.contains("page_of")) s = page_of(s["page_of"]);
    for (const auto* inner : {"items", "not"})
      if (s.contains(inner)) expand_schema(s[inner], by);
    if (s.contains("oneOf"))
      for (auto& one : s["oneOf"]) expand_schema(one, by);
    if (!s.contains("properties")) return;
    const auto optional = s.value("optional", std::vector<std::string>{});
    auto required = json::array();
    for (auto& [name, property] : s["properties"].items()) {
      expand_schema(property, by);
      if (std::find(optional.begin(), optional.end(), name) == optional.end())
        required.push_back(name);
    }
    for (const auto& name : optional)
      if (!s["properties"].contains(name)) fault(by + " has no " + name + " to be optional");
    s.erase("optional");
    if (!required.empty()) s["required"] = std::move(required);
  }
  static json page_of(const json& row) {
    return {{"type", "object"},
      {"properties", {{"data", {{"type", "array"}, {"items", row}}}, {"next_cursor", "next_cursor"},
                       {"partial", "partial"}, {"missing_shards", "missing_shards"}}}};
  }

  void expand_parameter(json& p, const std::string& by) {
    if (p.is_string()) {
      p = reference("parameters", p.get<std::string>(), by);
      return;
    }
    if (p.value("in", "") == "path") p["required"] = true;
    if (p.contains("schema")) expand_schema(p["schema"], by);
  }
  /// The parameter itself, where `p` may be a reference to it.
  const json& parameter(const json& p) {
    if (!p.contains("$ref")) return p;
    const auto path = p.at("$ref").get<std::string>();
    return at("parameters")[path.substr(path.rfind('/') + 1)];
  }

  // -- one route

  void describe(const route& r, json& paths) {
    const std::string path{r.path};
    std::string method{r.method};
    for (char& c : method) c = static_cast<char>(c | 0x20);
    if (!items_.contains(path) || !items_[path].contains(method)) {
      return fault("no file describes " + method + " " + path
                   + ": add it to \"paths\" of the file of its resource, as README.md there says");
    }
    auto& item = paths[path];
    if (item.is_null()) {
      item = json::object();
      if (items_[path].contains("parameters")) item["parameters"] = items_[path]["parameters"];
      for (auto& p : item["parameters"]) expand_parameter(p, path);
      if (item["parameters"].is_null()) item.erase("parameters");
    }
    auto op = items_[path][method];
    items_[path].erase(method);
    auto& tags = document_["tags"]; // in the order of the route table
    const auto& tag = tags_[op["tags"][0]];
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
    write_operation(r, method + " " + path, op, item.value("parameters", json::array()));
    item[method] = std::move(op);
  }

  void write_operation(
    const route& r, const std::string& name, json& op, const json& path_parameters) {
    auto parameters = op.value("parameters", json::array());
    const bool keyed = r.method == "POST" && r.path.starts_with("/v1/");
    if (keyed) parameters.push_back("idempotency_key");
    for (auto& p : parameters) expand_parameter(p, name);
    write_body(op, name);
    for (auto& [status, answer] : op["responses"].items()) {
      if (keyed && status[0] == '2') answer["headers"].push_back("Idempotency-Replayed");
      write_answer(answer, name);
    }
    add_problems(r, op, parameters);
    write_roles(r, op);
    if (!parameters.empty()) op["parameters"] = std::move(parameters);
    check_path(r, name, path_parameters);
  }

  void write_body(json& op, const std::string& name) {
    if (!op.contains("requestBody") || op["requestBody"].contains("content")) return;
    const auto from = op["requestBody"];
    json content{{"schema", from.at("schema")}};
    expand_schema(content["schema"], name);
    const auto examples = from.value("examples", json::object());
    for (const auto& [title, value] : examples.items()) content["examples"][title]["value"] = value;
    if (examples.empty()) fault(name + " has a body without an example");
    op["requestBody"] = {
      {"required", from.value("required", true)}, {"content", {{"application/json", content}}}};
  }

  void write_answer(json& answer, const std::string& name) {
    json content = json::object(), fields = json::object();
    if (answer.contains("schema")) {
      content["application/json"]["schema"] = answer["schema"];
      expand_schema(content["application/json"]["schema"], name);
    }
    if (answer.contains("media"))
      content[answer["media"].get<std::string>()]["schema"] = {{"type", "string"}};
    for (const auto& field : answer.value("headers", json::array()))
      fields[field.get<std::string>()] = reference("headers", field.get<std::string>(), name);
    json out{{"description", answer.value("description", "")}};
    if (!fields.empty()) out["headers"] = std::move(fields);
    if (!content.empty()) out["content"] = std::move(content);
    if (out["description"] == "") fault(name + " has an answer without a description");
    answer = std::move(out);
  }

  /// Every variable of the path is described, and no other.
  void check_path(const route& r, const std::string& name, const json& parameters) {
    std::set<std::string> left;
    for (const auto& p : parameters)
      if (const auto& known = parameter(p); known.value("in", "") == "path")
        left.insert(known.value("name", ""));
    for (auto rest = r.path; rest.find('{') < rest.size();) {
      rest.remove_prefix(rest.find('{') + 1);
      const std::string variable{rest.substr(0, rest.find('}'))};
      if (left.erase(variable) == 0)
        fault(name + " does not describe {" + variable + "}: add it to the path's parameters");
    }
    for (const auto& variable : left) fault(name + " has no {" + variable + "}");
  }

  static void write_roles(const route& r, json& op) {
    constexpr std::pair<role, const char*> names[] = {{customer, "customer"},
      {inventory, "inventory"}, {courier, "courier"}, {viewer, "viewer"}, {operator_, "operator"},
      {admin, "admin"}};
    const bool open = r.roles == open_to_all;
    auto roles = json::array();
    for (const auto& [bit, name] : names)
      if (!open && (r.roles & bit) != 0) roles.push_back(name);
    op["x-roles"] = roles;
    op["x-listener"] = r.on == listener::on_both  ? json{"public", "ops"}
                       : r.on == listener::on_ops ? json{"ops"}
                                                  : json{"public"};
    op["security"] = open ? json::array() : json::array({json{{"key", json::array()}}});
  }

  // -- problems

  /// The codes that follow from what the route takes; the others are named by the file.
  std::set<std::string> codes_of(const route& r, const json& op, const json& parameters) {
    auto codes = op.value("problems", std::set<std::string>{});
    codes.insert({"bad-request", "request-timeout", "length-required", "too-large", "uri-too-long",
      "expectation-failed", "header-too-large", "internal-error", "not-implemented",
      "version-not-supported"});
    if (r.roles != open_to_all) codes.insert({"unauthenticated", "forbidden"});
    if (r.as != crowd::probe)
      codes.insert({"not-acceptable", "too-many-requests", "overloaded", "shard-unavailable"});
    if (r.method != "GET" && r.at != home::here) codes.insert("outcome-unknown");
    if (r.path.find('{') < r.path.size()) codes.insert("not-found");
    if (op.contains("requestBody")) codes.insert({"malformed-json", "unsupported-media-type"});
    if (r.method == "POST" && r.path.starts_with("/v1/"))
      codes.insert({"idempotency-key-reused", "idempotency-key-running"});
    for (const auto& p : parameters) {
      const auto& known = parameter(p);
      const auto name = known.value("name", "");
      if (known.value("in", "") == "query") codes.insert("validation-failed");
      if (name == "cursor" || name == "after") codes.insert("invalid-cursor");
      if (name == "If-None-Match") codes.insert("precondition-failed");
    }
    return codes;
  }

  void add_problems(const route& r, json& op, const json& parameters) {
    auto& answers = op["responses"];
    if (r.method == "GET" && std::any_of(parameters.begin(), parameters.end(), [&](const json& p) {
          return parameter(p).value("name", "") == "If-None-Match";
        }))
      answers["304"] = {{"description", "not modified"},
        {"headers", {{"ETag", reference("headers", "ETag", op.value("operationId", ""))}}}};
    std::map<std::string, std::vector<const problem_kind*>> by_status;
    for (const auto& code : codes_of(r, op, parameters)) {
      const auto* kind = find_problem(code);
      if (!kind) {
        fault(op.value("operationId", "") + " names the problem " + code + ", and there is none");
        continue;
      }
      by_status[std::to_string(kind->status)].push_back(kind);
    }
    for (const auto& [status, kinds] : by_status)
      if (answers.contains(status))
        answers[status]["content"]["application/problem+json"] = {
          {"schema", {{"$ref", "#/components/schemas/problem"}}}};
      else
        answers[status] = problem_answer(status, kinds);
    op.erase("problems");
  }

  /// A reference to the component for these kinds, which all have that status.
  json problem_answer(const std::string& status, const std::vector<const problem_kind*>& kinds) {
    std::string name, text;
    auto codes = json::array();
    for (const auto* kind : kinds) {
      name.append(name.empty() ? "" : ".").append(kind->code);
      text.append(text.empty() ? "" : "; ").append(kind->code).append(": ").append(kind->title);
      codes.push_back(kind->code);
    }
    auto& answer = at("responses")[name];
    if (answer.is_null()) {
      answer = {{"description", text}, {"x-codes", codes},
        {"content", {{"application/problem+json",
                      {{"schema", {{"$ref", "#/components/schemas/problem"}}}}}}}};
      const std::map<std::string, const char*> with{
        {"401", "WWW-Authenticate"}, {"429", "Retry-After"}, {"503", "Retry-After"}};
      if (const auto field = with.find(status); field != with.end())
        answer["headers"][field->second] = reference("headers", field->second, name);
      if (status == "429")
        for (const auto* field : {"RateLimit-Policy", "RateLimit"})
          answer["headers"][field] = reference("headers", field, name);
    }
    return {{"$ref", "#/components/responses/" + name}};
  }

  json document_, items_ = json::object();
  std::map<std::string, json> tags_;
  std::vector<std::string> faults_;
};
} // namespace

const described& description() {
  static const auto made = writer{}.run();
  return made;
}

/// GET /openapi.json → 200, 304.
void get_description(const exchange_ptr& ex) {
  send_file(ex, description().document, "application/json");
}
} // namespace jumun::http
