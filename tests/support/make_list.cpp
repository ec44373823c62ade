// veer-make-list N [SEED] [--shuffle]: a list of N fictitious numbers as CSV on standard output.

#include <algorithm>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "support/fictitious.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const bool shuffle = !words.empty() && words.back() == "--shuffle";
  try {
    const std::size_t n = std::stoull(words.at(0));
    const std::uint64_t seed = words.size() > (shuffle ? 2U : 1U) ? std::stoull(words[1]) : 1;
    auto numbers = veer::test::fictitious_list(n, seed);
    if (shuffle) std::shuffle(numbers.begin(), numbers.end(), std::mt19937_64(seed));
    std::string text = "insz\n";
    for (const veer::Insz& number : numbers) {
      const auto digits = number.digits();
      text.append(digits.data(), digits.size());
      text += '\n';
    }
    std::cout << text << std::flush;
    return std::cout ? 0 : 1;
  } catch (const std::exception&) {
    std::cerr << "usage: veer-make-list N [SEED] [--shuffle]\n";
    return 2;
  }
}
