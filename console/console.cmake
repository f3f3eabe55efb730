# The files of /console/, for jumun_embed(): bundled from src/ by esbuild, each as it is and packed with gzip.
# Sets CONSOLE_ASSETS. Without JUMUN_CONSOLE it is one page that says so, and needs no node.
set(here ${CMAKE_CURRENT_LIST_DIR})
if(NOT JUMUN_CONSOLE)
  set(CONSOLE_ASSETS console/index.html=${here}/without.html)
  return()
endif()
find_program(NPM npm)
find_program(NODE NAMES node nodejs)
if(NOT NPM OR NOT NODE)
  message(FATAL_ERROR "node and npm are needed for the console (scripts/setup.sh installs them); "
    "-DJUMUN_CONSOLE=OFF builds without it")
endif()
set(made ${CMAKE_BINARY_DIR}/console/web)
file(MAKE_DIRECTORY ${made})
file(CREATE_LINK ${here}/src ${made}/src SYMBOLIC)
# Fetched again only when the lock file changes. No scripts: a package that runs code of its own on this
# machine is not asked to; esbuild's program comes as a package.
add_custom_command(OUTPUT ${made}/fetched
  COMMAND ${CMAKE_COMMAND} -E copy ${here}/package.json ${here}/package-lock.json ${made}
  COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E touch ${made}/fetched
  WORKING_DIRECTORY ${made}
  DEPENDS ${here}/package.json ${here}/package-lock.json
  COMMENT "npm ci: what the console is bundled from" VERBATIM)
file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${here}/src/*)
set(CONSOLE_ASSETS "")
set(files "")
foreach(name index.html console.js console.css icon.svg)
  list(APPEND files ${made}/dist/${name} ${made}/dist/${name}.gz)
  list(APPEND CONSOLE_ASSETS console/${name}=${made}/dist/${name} console/${name}.gz=${made}/dist/${name}.gz)
endforeach()
list(APPEND files ${made}/dist/inter.woff2)
list(APPEND CONSOLE_ASSETS console/inter.woff2=${made}/dist/inter.woff2)
add_custom_command(OUTPUT ${files}
  COMMAND ${CMAKE_COMMAND} -E copy ${here}/tsconfig.json ${here}/build.mjs ${made}
  COMMAND ${NODE} build.mjs
  COMMAND ${CMAKE_COMMAND} -E touch ${files}
  WORKING_DIRECTORY ${made}
  DEPENDS ${made}/fetched ${sources} ${here}/tsconfig.json ${here}/build.mjs
  COMMENT "the console's bundle" VERBATIM)
