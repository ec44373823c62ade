# Runs after the package is made: its SBOM beside it.
get_filename_component(name ${CPACK_PACKAGE_FILES} NAME_WLE)
execute_process(COMMAND ${CPACK_VEER_SBOM} ${CPACK_PACKAGE_FILES}
                OUTPUT_FILE ${CPACK_PACKAGE_DIRECTORY}/${name}.spdx.json COMMAND_ERROR_IS_FATAL ANY)
