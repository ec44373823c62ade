#include "formats/list.h"

#include <fmt/format.h>

namespace veer {
namespace {

constexpr std::string_view kHeader = "insz\n";
constexpr std::size_t kRecordSize = 12;

void require_one_column(std::string_view line, std::uint64_t number) {
  if (line.find_first_of(";,\t") != std::string_view::npos)
    throw Error(Code::f_extra_data,
                fmt::format("line {} of list.csv holds more than a number (protocol, article 3)", number));
}

}  // namespace

ListReport read_package_list(std::string_view bytes, Date reference) {
  if (!bytes.starts_with(kHeader))
    throw Error(Code::f_extra_data,
                "list.csv holds something else than one column 'insz' (protocol, article 3)");
  bytes.remove_prefix(kHeader.size());
  ListReport report;
  report.numbers.reserve(bytes.size() / kRecordSize);
  const auto fault_here = [&](Code code) { note(report, code, fmt::format("line {}", report.lines + 1)); };
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view line = bytes.substr(0, end);
    ++report.lines;
    Insz number;
    if (const auto fault = Insz::parse(line, reference, number)) {
      require_one_column(line, report.lines + 1);
      fault_here(*fault);
    } else if (!report.numbers.empty() && number <= report.numbers.back()) {
      fault_here(number == report.numbers.back() ? Code::r_duplicate : Code::r_format);
    } else {
      report.numbers.push_back(number);
      if (end == std::string_view::npos) fault_here(Code::r_format);  // the last line must end too
    }
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
  }
  if (!report.good()) report.numbers.clear();
  return report;
}

std::string write_package_list(const std::vector<Insz>& numbers) {
  std::string text;
  text.reserve(kHeader.size() + kRecordSize * numbers.size());
  text += kHeader;
  for (const Insz& number : numbers) {
    const auto digits = number.digits();
    text.append(digits.data(), digits.size());
    text += '\n';
  }
  return text;
}

}  // namespace veer
