#pragma once

#include <memory>

#include <curl/curl.h>

namespace veer {

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeWords {
  void operator()(curl_slist* words) const { curl_slist_free_all(words); }
};

using CurlHandle = std::unique_ptr<CURL, FreeCurl>;
using MultiHandle = std::unique_ptr<CURLM, FreeMulti>;
using WordsHandle = std::unique_ptr<curl_slist, FreeWords>;

}  // namespace veer
