#pragma once

#include <string>
#include <vector>

#include "daemon/instance.h"

/// The page on which people see how the exchange stands, in a browser, on a phone and on paper: where each
/// year's list is, what is waited for and from whom, what needs a person and what to type. HTML that is
/// well-formed XML too, without scripts, with its style within it and a Content-Security-Policy that allows
/// that style and nothing else. It never shows an INSZ. Nothing in it needs a network or a port. Times are in
/// Times by the clock on the wall. Of the same books at another moment it differs in the day's keys and in
/// when it was written alone.
namespace veer {

struct PageFile {
  std::string name;  ///< a file beside the others, to which they link by this name
  std::string html;  ///< UTF-8
};

/// index.html in the configuration's language, and the same in the other: index.nl.html or index.en.html. Of
/// a side that has begun (Engine::start). Reads the books, and asks GnuPG how long the keys last; when it
/// cannot say, the page tells so. Throws what the database throws.
std::vector<PageFile> pages_of(Instance& instance);

/// The one in that language.
std::string page_of(Instance& instance, Language language);

}  // namespace veer
