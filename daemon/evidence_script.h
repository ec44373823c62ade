#pragma once

#include <string_view>

namespace veer {

/// verify.sh of the evidence.
inline constexpr std::string_view kVerifyScript = R"SH(#!/bin/bash
# Verifies the evidence in this folder, with gpg, sha256sum and bash alone. It ends with 1 when something does not hold.
#   ./verify.sh [OTHER]     OTHER: anchors.txt of the other side's evidence, which knows points of this side's chain
set -u
other=${1:+$(realpath "$1")}
cd "$(dirname "$0")" || exit 1
export LC_ALL=C
bad=0
good() { printf 'good     %s\n' "$1"; }
fail() { printf 'NOT GOOD %s\n' "$1"; bad=1; }
home=$(mktemp -d) || exit 1
trap 'gpgconf --homedir "$home" --kill all 2>/dev/null; rm -rf "$home"' EXIT

if sha256sum --quiet --strict -c SHA256SUMS && [ "$(find . -type f ! -name SHA256SUMS | wc -l)" = "$(wc -l < SHA256SUMS)" ]
then good 'every file is as it was written'; else fail 'a file is not as it was written, is missing, or was added'; fi

gpg --homedir "$home" --batch --quiet --import keys/*.asc 2>/dev/null || fail 'the public keys cannot be read'
for receipt in receipts/*.json; do
  [ -e "$receipt" ] || continue
  signer=$(gpg --homedir "$home" --batch --status-fd 1 --verify "$receipt.sig" "$receipt" 2>/dev/null |
           sed -n 's/^\[GNUPG:\] VALIDSIG .* \([0-9A-F]*\)$/\1/p')
  if [ -z "$signer" ]; then fail "$receipt is not signed by a key of this folder"; continue; fi
  if ! grep -q "^$signer receiver " signers.txt; then fail "$receipt is signed by a key that is not the receiver's"; continue; fi
  digest=$(sed -n 's/.*"package_sha256": *"\([0-9a-f]*\)".*/\1/p' "$receipt")
  if grep -q "^$digest " packages.txt; then good "$receipt is signed by the receiver, and tells of a package that is known here"
  else fail "$receipt tells of a package that is not known here"; fi
done

# Each record names the hash of the one before it (docs: the audit chain).
previous=0000000000000000000000000000000000000000000000000000000000000000 n=0
while IFS= read -r record; do
  n=$((n + 1))
  case $record in
    "{\"seq\":$n,"*"\"previous\":\"$previous\"}") ;;
    *) fail "record $n of the chain does not follow the one before it" ;;
  esac
  length=$(printf '%016x' "${#record}" | sed 's/../\\x&/g')
  previous=$({ printf 'veerdienst-audit/1'; printf "$length"; printf '%s' "$record"; } | sha256sum)
  previous=${previous%% *}
  echo "$n:$previous" >> "$home/heads"
done < audit.jsonl
if [ "$(tail -n 1 "$home/heads" 2>/dev/null)" = "$(cat head.txt)" ]; then good "the chain of $n records is whole up to its end"
else fail 'the chain does not end where it says'; fi

# What signed receipts tell of the chain of whoever signed them.
while read -r role point; do
  if [ "$role" = ours ] && ! grep -qx "$point" "$home/heads"; then fail "a receipt names $point, which the chain does not hold"; fi
done < receipts.txt
if [ -n "$other" ]; then
  points=0
  while read -r party point _; do
    [ "$party" = "$(cat party.txt)" ] || continue
    points=$((points + 1))
    grep -qx "$point" "$home/heads" || fail "the other side knows $point of this chain, which it does not hold"
  done < "$other"
  if [ "$points" -gt 0 ]; then good "$points point(s) that the other side knows were held against this chain"
  else fail 'the other side knows no point of this chain'; fi
fi
[ "$bad" = 0 ] && echo 'All of it holds.'
exit "$bad"
)SH";

}  // namespace veer
