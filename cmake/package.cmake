# What is installed beside the program, and the Debian package: cmake --build --preset release --target package
include(GNUInstallDirs)
set(VEER_DEBIAN ${PROJECT_SOURCE_DIR}/cmake/debian)
set(VEER_MADE ${PROJECT_BINARY_DIR}/package)

# Debian wants manuals and its changelog compressed, and the licence in its own form.
function(veer_compressed source name)
  add_custom_command(OUTPUT ${VEER_MADE}/${name}.gz
    COMMAND ${CMAKE_COMMAND} -E copy ${source} ${VEER_MADE}/${name}
    COMMAND gzip -9nf ${VEER_MADE}/${name}
    DEPENDS ${source} VERBATIM)
endfunction()
veer_compressed(${PROJECT_SOURCE_DIR}/docs/man/veer.1 veer.1)
veer_compressed(${VEER_DEBIAN}/changelog changelog)
# What 'journalctl -x' tells of alerts, from the program's own texts; the name's middle is the language.
function(veer_catalog language name)
  add_custom_command(OUTPUT ${VEER_MADE}/${name}
    COMMAND sh -c "ASAN_OPTIONS=detect_leaks=0 '$<TARGET_FILE:veer>' alerts catalog ${language} >'${VEER_MADE}/${name}'"
    DEPENDS veer VERBATIM)
endfunction()
veer_catalog(en veerdienst.catalog)
veer_catalog(nl veerdienst.nl.catalog)
add_custom_target(veer_packaged ALL DEPENDS ${VEER_MADE}/veer.1.gz ${VEER_MADE}/changelog.gz ${VEER_MADE}/veerdienst.catalog
                                            ${VEER_MADE}/veerdienst.nl.catalog)
file(READ ${PROJECT_SOURCE_DIR}/LICENSE licence)
string(REGEX REPLACE "\n\n+" "\n.\n" licence "${licence}")
string(REGEX REPLACE "\n" "\n " licence "${licence}")
configure_file(${VEER_DEBIAN}/copyright.in ${VEER_MADE}/copyright @ONLY)

install(FILES ${VEER_MADE}/veer.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN man EXCLUDE PATTERN images EXCLUDE)
install(FILES CHANGELOG.md ${VEER_MADE}/changelog.gz ${VEER_MADE}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES daemon/commands/veer.bash-completion DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME veer)
foreach(unit veerdienst@.service veerdienst-check@.service veerdienst-check@.timer veerdienst-failed@.service)
  install(FILES systemd/${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES ${VEER_DEBIAN}/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME veerdienst)
install(FILES ${VEER_MADE}/veerdienst.catalog ${VEER_MADE}/veerdienst.nl.catalog DESTINATION lib/systemd/catalog)
install(FILES systemd/bus.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/system.d RENAME org.veerdienst.Exchange1.conf)
install(FILES systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME veerdienst.conf)
install(FILES systemd/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME veerdienst.conf)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "Veerdienst <veerdienst@example.org>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "yearly list of the civic-integration obligation, from AII to AVSB")
set(CPACK_PACKAGE_DESCRIPTION "Both ends of one exchange: a list of national numbers that is dropped at
the sending agency is checked, signed and encrypted with OpenPGP, and
carried over a share that nobody trusts. The receiving agency records it
once and whole, and answers with a signed receipt. Each side is an instance
of one service.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Versions with the fixes that docs/dependencies.md names. Not gnupg: it brings a program that speaks to key servers.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "gpg (>= 2.2.40-1.1+deb12u2), gpg-agent (>= 2.2.40-1.1+deb12u2), libgpgme11 (>= 1.18.0-3+deb12u1), systemd (>= 252)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "default-dbus-system-bus | dbus-system-bus, openssh-client")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS sqlite3)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${VEER_DEBIAN}/postinst ${VEER_DEBIAN}/prerm ${VEER_DEBIAN}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# A list of what is inside, for whoever watches for flaws in libraries.
set(CPACK_VEER_SBOM ${PROJECT_SOURCE_DIR}/script/sbom ${PROJECT_BINARY_DIR})
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/sbom.cmake)
include(CPack)
