# How every target of the house is compiled. A room is a static library; see CONTRIBUTING.md.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)

function(veer_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow)
  if(VEER_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(VEER_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${VEER_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all
                                             # g++ 12 is wrong about <regex> and std::optional when sanitizing.
                                             -Wno-maybe-uninitialized
                                             # Boost.Asio has fences, which g++ 12 warns of under tsan.
                                             -Wno-tsan)
    target_link_options(${target} PRIVATE -fsanitize=${VEER_SANITIZE})
  elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(${target} PRIVATE -fstack-protector-strong -D_FORTIFY_SOURCE=2)
  endif()
  target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
endfunction()

# With precompiled headers ccache wants to see what is in them, and g++ 12 is wrong about the bounds of strings.
set(veer_precompiling "")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(veer_precompiling -fpch-preprocess -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()

# veer_precompile(TARGET HEADER ...): what costs most to read is read once for the whole target. Headers of libraries
# alone: whether a file includes what it needs of the house stays to be seen.
function(veer_precompile target)
  if(VEER_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${ARGN})
    target_compile_options(${target} PRIVATE ${veer_precompiling})
  endif()
endfunction()

# veer_room(NAME SOURCES file ... USES target ...): one room, as a static library.
function(veer_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES" ${ARGN})
  add_library(veer_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(veer_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(veer_${name} PUBLIC ${ROOM_USES})
  veer_compile_options(veer_${name})
endfunction()
