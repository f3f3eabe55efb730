# jumun_embed(TARGET NAME=FILE…): puts the files' bytes into the target, as http/embedded.hpp names them.
# A change of a file rebuilds one small source; the assembler reads the bytes (.incbin), not the compiler.
function(jumun_embed target)
  set(blocks "")
  set(declarations "")
  set(rows "")
  set(files "")
  set(number 0)
  foreach(pair ${ARGN})
    string(REGEX MATCH "^([^=]+)=(.+)$" matched "${pair}")
    set(symbol "jumun_asset_${number}")
    math(EXPR number "${number} + 1")
    # The digest is for ccache, which does not see what .incbin takes in. Not of what the build itself makes:
    # that is not there at the first run, and would have the project configured anew after each change.
    set(digest "")
    cmake_path(IS_PREFIX CMAKE_BINARY_DIR "${CMAKE_MATCH_2}" made_here)
    if(NOT made_here)
      file(SHA256 "${CMAKE_MATCH_2}" digest)
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_MATCH_2}")
    endif()
    string(APPEND blocks "/* ${digest} */\n"
      ".global ${symbol}\n${symbol}:\n.incbin \"${CMAKE_MATCH_2}\"\n"
      ".global ${symbol}_end\n${symbol}_end:\n.byte 0\n")
    string(APPEND declarations "extern const char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND rows "  {\"${CMAKE_MATCH_1}\", ${symbol}, ${symbol}_end},\n")
    list(APPEND files "${CMAKE_MATCH_2}")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_assets.cpp)
  file(GENERATE OUTPUT ${source} CONTENT "// Made by cmake/Embed.cmake.
#include \"http/embedded.hpp\"
asm(R\"(
.pushsection .rodata
${blocks}.popsection
)\");
extern \"C\" {
${declarations}}
namespace jumun::http {
namespace {
const struct { const char *name, *begin, *end; } table[] = {
${rows}};
} // namespace
std::vector<asset> embedded_assets() {
  std::vector<asset> all;
  for (const auto& row : table) all.push_back({row.name, {row.begin, std::size_t(row.end - row.begin)}});
  return all;
}
} // namespace jumun::http
")
  set_source_files_properties(${source} PROPERTIES GENERATED TRUE OBJECT_DEPENDS "${files}")
  # Without ccache, which does not see that the bytes are another file's and would hand out old ones.
  add_library(${target}_assets OBJECT ${source})
  set_target_properties(${target}_assets PROPERTIES CXX_COMPILER_LAUNCHER "")
  target_link_libraries(${target}_assets PRIVATE jumun_flags)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_assets>)
endfunction()
