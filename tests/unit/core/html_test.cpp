#include "core/html.h"

#include <catch2/catch.hpp>

using namespace veer;

TEST_CASE("markup in a text is escaped, and what does not show is replaced") {
  CHECK(escaped_html("<a href=\"x\">Tom & 'Jerry'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Jerry&#39;&lt;/a&gt;");
  CHECK(escaped_html("één\tregel\n") == "één\tregel\n");
  CHECK(escaped_html(std::string_view("a\0b\x1b[1m\r", 8)) == "a\ufffdb\ufffd[1m\ufffd");
  CHECK(escaped_html("\xff\xc3 \xed\xa0\x80") == "\ufffd\ufffd \ufffd\ufffd\ufffd");
  CHECK(escaped_html("evil\u202egnp.exe \ufeff\uffff") == "evil\ufffdgnp.exe \ufffd\ufffd");
  CHECK(escaped_html("\U0001f600") == "\U0001f600");
  CHECK(escaped_html("").empty());
}

TEST_CASE("every element that is opened is closed, and no text or value ends it early") {
  Html html;
  html.open("p", {{"class", "a\"b"}})
      .text("1 < 2")
      .lone("br", {})
      .element("b", "</p>", {{"id", "x"}})
      .open("i");
  CHECK(html.take() == "<p class=\"a&quot;b\">1 &lt; 2<br/>\n<b id=\"x\">&lt;/p&gt;</b><i></i>\n</p>\n");
}
