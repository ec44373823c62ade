#include "core/html.h"

#include "core/utf8.h"

namespace veer {

std::string escaped_html(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  while (!text.empty()) {
    const Letter letter = first_letter(text);
    const char first = letter.bytes.front();
    if (first == '&')
      html += "&amp;";
    else if (first == '<')
      html += "&lt;";
    else if (first == '>')
      html += "&gt;";
    else if (first == '"')
      html += "&quot;";
    else if (first == '\'')
      html += "&#39;";
    else if (letter.shows || first == '\n' || first == '\t')
      html += letter.bytes;
    else
      html += "\ufffd";
    text.remove_prefix(letter.bytes.size());
  }
  return html;
}

void Html::begin(std::string_view element, Attributes attributes) {
  html_.append("<").append(element);
  for (const auto& [name, value] : attributes)
    html_.append(" ").append(name).append("=\"").append(escaped_html(value)).append("\"");
}

Html& Html::open(std::string_view element, Attributes attributes) {
  begin(element, attributes);
  html_ += ">";
  open_.push_back(element);
  return *this;
}

Html& Html::close() {
  html_.append("</").append(open_.back()).append(">\n");
  open_.pop_back();
  return *this;
}

Html& Html::text(std::string_view text) {
  html_ += escaped_html(text);
  return *this;
}

Html& Html::element(std::string_view element, std::string_view text, Attributes attributes) {
  begin(element, attributes);
  html_.append(">").append(escaped_html(text)).append("</").append(element).append(">");
  return *this;
}

Html& Html::lone(std::string_view element, Attributes attributes) {
  begin(element, attributes);
  html_ += "/>\n";
  return *this;
}

Html& Html::verbatim(std::string_view text) {
  html_ += text;
  return *this;
}

std::string Html::take() {
  while (!open_.empty()) close();
  return std::move(html_);
}

}  // namespace veer
