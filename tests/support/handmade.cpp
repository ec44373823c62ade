#include "support/handmade.h"

#include "core/digest.h"
#include "core/files.h"
#include "daemon/rules.h"

namespace veer::test {

Handmade good_package(Pair& pair, const std::vector<Insz>& numbers) {
  Handmade made;
  made.list = write_package_list(numbers);
  Manifest& m = made.manifest;
  m.exchange = make_uuid(pair.random);
  m.environment = "test";
  m.reference_date = reference_date_of(kYear);
  m.sender = {"aii", pair.aii_config.own_keys[0].fingerprint};
  m.receiver = {"avsb", pair.avsb_config.own_keys[0].fingerprint};
  m.sealed_at = pair.clock.now();
  m.records = numbers.size();
  m.list_sha256 = sha256_hex(made.list);
  m.audit = {0, std::string(64, '0')};
  m.generator = "by hand";
  made.name = file_name(make_stem(Purpose::list, kYear, 1, pair.clock.now()), FileKind::package);
  return made;
}

void lay_bytes(Pair& pair, const std::string& name, std::string_view bytes) {
  const fs::path folder = pair.root / "share/to_avsb";
  if (!fs::exists(folder)) return pair.aii_share.files().put(name, MemoryBlob(bytes), {}, {});
  // On the share's own disk, which no power cut of ours reaches.
  write_file(folder / ".laying", bytes);
  rename_file(folder / ".laying", folder / name);
}

std::string lay(Pair& pair, const Handmade& made, Seal* seal) {
  const std::string archive =
      made.archive ? made.archive(made.manifest, made.list) : write_package(made.manifest, made.list);
  StringSink sealed(std::size_t{1} << 26);
  (seal != nullptr ? *seal : *pair.aii_seal).seal(MemoryBlob(archive), sealed, {});
  lay_bytes(pair, made.name, sealed.bytes());
  return sealed.take();
}

}  // namespace veer::test
