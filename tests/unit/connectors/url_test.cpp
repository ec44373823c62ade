#include "connectors/url.h"

#include <catch2/catch.hpp>

using namespace veer;

TEST_CASE("an address is taken apart, and what comes after the host stays as it came") {
  const auto url =
      parse_https("HTTPS://Contoso.SharePoint.com/a//b%2Fc/?z=1&a=%2b+'()&tempauth=v1.e30%3d&z=2");
  REQUIRE(url);
  CHECK(url->host == "contoso.sharepoint.com");
  CHECK(url->port == 443);
  CHECK(url->target == "/a//b%2Fc/?z=1&a=%2b+'()&tempauth=v1.e30%3d&z=2");
  CHECK(url->origin() == "https://contoso.sharepoint.com");
  CHECK(parse_https("https://localhost:8443?x=1")->target == "/?x=1");
  CHECK(parse_https("https://localhost:8443?x=1")->origin() == "https://localhost:8443");
  CHECK(parse_https("https://[::1]:8443")->host == "[::1]");
  CHECK(parse_https("https://example.org")->target == "/");
}

TEST_CASE("what is no plain https address is none") {
  for (const std::string& text :
       {std::string("http://example.org/"), std::string("example.org"), std::string("https://"),
        std::string("https:///x"), std::string("https://user@example.org/"), std::string("https://a b/"),
        std::string("https://example.org:0/"), std::string("https://example.org:65536/"),
        std::string("https://example.org:/"), std::string("https://example.org/#x"),
        std::string("https://example.org\\@evil.example.org/"), std::string("https://exa_mple.org/"),
        std::string("https://.example.org/"), std::string("https://example.org/a\r\nb"),
        std::string("https://example.org/\xc3\xa9"),
        "https://example.org/" + std::string(std::size_t{17} << 10, 'a')}) {
    CAPTURE(text);
    CHECK_FALSE(parse_https(text));
  }
}

TEST_CASE("segments and values are escaped each by itself") {
  CHECK(in_path("a.pgp") == "a.pgp");
  CHECK(in_path("b!x,y") == "b!x,y");
  CHECK(in_path("a/b#c%d e+f'g:h") == "a%2Fb%23c%25d%20e%2Bf%27g%3Ah");
  CHECK(in_path("\xc3\xa9") == "%C3%A9");
  CHECK(in_form("a b+c&d=e!") == "a%20b%2Bc%26d%3De%21");
}

TEST_CASE("a list of hosts allows what it names, on port 443 unless it says another") {
  HostList hosts;
  hosts.add("graph.microsoft.com");
  hosts.add(".sharepoint.com");
  hosts.add("localhost:8443");
  const auto allows = [&](const char* url) { return hosts.allows(parse_https(url).value()); };
  CHECK(allows("https://graph.microsoft.com/x"));
  CHECK(allows("https://contoso.sharepoint.com/x"));
  CHECK(allows("https://localhost:8443/x"));
  CHECK_FALSE(allows("https://sharepoint.com/x"));
  CHECK_FALSE(allows("https://evilsharepoint.com/x"));
  CHECK_FALSE(allows("https://contoso.sharepoint.com.example.org/x"));
  CHECK_FALSE(allows("https://contoso.sharepoint.com:8443/x"));
  CHECK_FALSE(allows("https://localhost/x"));
  CHECK_FALSE(allows("https://graph.microsoft.com:444/x"));
}
