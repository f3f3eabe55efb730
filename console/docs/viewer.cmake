# The files of /docs, for jumun_embed(): ours, and the viewer's, which npm fetches by package-lock.json.
# Sets DOCS_ASSETS. Without JUMUN_CONSOLE it is one page that says so, and needs no node.
set(here ${CMAKE_CURRENT_LIST_DIR})
if(NOT JUMUN_CONSOLE)
  set(DOCS_ASSETS docs/index.html=${here}/without.html)
  return()
endif()
find_program(NPM npm)
if(NOT NPM)
  message(FATAL_ERROR "npm is needed for the pages of /docs (scripts/setup.sh installs it); "
    "-DJUMUN_CONSOLE=OFF builds without them")
endif()
set(made ${CMAKE_BINARY_DIR}/console/docs)
set(viewer swagger-ui-bundle.js swagger-ui.css favicon-32x32.png)
list(TRANSFORM viewer PREPEND ${made}/ OUTPUT_VARIABLE viewer_files)
list(TRANSFORM viewer PREPEND ${made}/node_modules/swagger-ui-dist/ OUTPUT_VARIABLE fetched_files)
# No scripts: a package that runs code of its own on this machine is not asked to. Packed files have the
# time of 1985, so the copies get that of now.
add_custom_command(OUTPUT ${viewer_files}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${made}
  COMMAND ${CMAKE_COMMAND} -E copy ${here}/package.json ${here}/package-lock.json ${made}
  COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E copy ${fetched_files} ${made}
  COMMAND ${CMAKE_COMMAND} -E touch ${viewer_files}
  WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/console/docs
  DEPENDS ${here}/package.json ${here}/package-lock.json
  COMMENT "npm ci: the viewer of /docs" VERBATIM)
file(MAKE_DIRECTORY ${made})
set(DOCS_ASSETS docs/index.html=${here}/index.html docs/docs.js=${here}/docs.js
  docs/docs.css=${here}/docs.css)
foreach(file ${viewer})
  list(APPEND DOCS_ASSETS docs/${file}=${made}/${file})
endforeach()
