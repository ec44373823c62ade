// Catch2 3, as Debian 13 has it, by the name that Catch2 2 has.
#pragma once

#include <catch2/catch_all.hpp>
