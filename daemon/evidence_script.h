#pragma once

#include <string_view>

namespace veer {

/// verify.sh of the evidence.
inline constexpr std::string_view kVerifyScript = R"SH(#!/bin/bash
# Verifies the evidence in this folder, with gpg, coreutils and bash alone. It ends with 1 when something does not hold,
# with 3 when all does but for what a restored backup took away, with 2 when OTHER knows nothing to compare it with.
#   ./verify.sh [OTHER]     OTHER: anchors.txt of the other side's evidence, which knows points of this side's chain
set -u
export LC_ALL=C
bad=0 lost=0 unknown=
good() { printf 'good     %s\n' "$1"; }
fail() { printf 'NOT GOOD %s\n' "$1"; bad=1; }
other=
if [ $# -gt 0 ]; then
  other=$(realpath -e -- "$1" 2>/dev/null)
  if [ -z "$other" ] || [ ! -f "$other" ] || [ ! -r "$other" ]; then
    fail "anchors.txt of the other side cannot be read: $1"; exit 1
  fi
fi
cd "$(dirname "$0")" || exit 1
home=$(mktemp -d) || exit 1
trap 'gpgconf --homedir "$home" --kill all 2>/dev/null; rm -rf "$home"' EXIT
: > "$home/heads" > "$home/answered" > "$home/odd"

if sha256sum --quiet --strict -c SHA256SUMS &&
   [ "$(find . -type f ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | wc -l)" = "$(wc -l < SHA256SUMS)" ]
then good 'every file is as it was written'; else fail 'a file is not as it was written, is missing, or was added'; fi

# Each record names the hash of the one before it (docs: the audit chain).
previous=0000000000000000000000000000000000000000000000000000000000000000 n=0 broken=0
while IFS= read -r record; do
  n=$((n + 1))
  case $record in
    "{\"seq\":$n,"*"\"previous\":\"$previous\"}") ;;
    *) fail "record $n of the chain does not follow the one before it"; broken=1 ;;
  esac
  length=$(printf '%016x' "${#record}" | sed 's/../\\x&/g')
  previous=$({ printf 'veerdienst-audit/1'; printf "$length"; printf '%s' "$record"; } | sha256sum)
  previous=${previous%% *}
  echo "$n:$previous" >> "$home/heads"
done < audit.jsonl
if [ "$broken" = 0 ] && [ "$n" -gt 0 ] && [ "$(tail -n 1 "$home/heads")" = "$(cat head.txt)" ]
then good "the chain of $n records is whole in itself"; else fail 'the chain is not whole, or does not end where it says'; fi

gpg --homedir "$home" --batch --quiet --import keys/*.asc 2>/dev/null || fail 'the public keys cannot be read'
us=$(cat party.txt)
# The primary key by which FILE is signed, when it bears one good signature by a key of this folder.
signer_of() { # SIGNATURE FILE
  local status signers
  status=$(gpg --homedir "$home" --batch --status-fd 1 --verify "$1" "$2" 2>/dev/null)
  signers=$(printf '%s\n' "$status" | sed -n 's/^\[GNUPG:\] VALIDSIG .* \([0-9A-F]*\)$/\1/p')
  [[ $signers =~ ^[0-9A-F]{40}$ ]] &&
    ! printf '%s\n' "$status" | grep -qE '^\[GNUPG:\] (BADSIG|ERRSIG|REVKEYSIG|NO_PUBKEY)' && printf '%s\n' "$signers"
}
signed=
if [ -e SHA256SUMS.sig ]; then
  if signer=$(signer_of SHA256SUMS.sig SHA256SUMS) &&
     awk -v key="$signer" -v us="$us" '$1 == key && $3 == us { found = 1 } END { exit !found }' signers.txt
  then signed=yes; good "the folder as a whole is signed by $us ($signer)"
  else fail "the signature of the folder is not a good one by a key of $us"; fi
fi
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([0-9a-zA-Z]*\).*/\1/p" "$2" | head -n 1; }
for receipt in receipts/*.json; do
  [ -e "$receipt" ] || continue
  if ! signers=$(signer_of "$receipt.sig" "$receipt"); then
    fail "$receipt does not bear one good signature by a key of this folder"; continue
  fi
  party=$(awk -v key="$signers" '$1 == key && $2 == "receiver" { print $3; exit }' signers.txt)
  if [ -z "$party" ]; then fail "$receipt is signed by a key that is not the receiver's"; continue; fi
  digest=$(field package_sha256 "$receipt") status=$(field status "$receipt")
  known=$(awk -v digest="$digest" '$1 == digest { print $5, $6; exit }' packages.txt)
  case "$status ${known% *}" in
    *' ') fail "$receipt tells of a package that is not known here" ;;
    recorded\ acknowledged | recorded\ answered | recorded\ recorded | refused\ refused | refused\ answered | *' withdrawn')
      if [ "$status" = recorded ] && [ "$(field records "$receipt")" != "${known#* }" ]
      then fail "$receipt tells of another number of records than packages.txt"
      else
        good "$receipt is signed by the receiver ($party, $signers): $status, a package that is known here"
        printf '%s\n' "$digest" >> "$home/answered"
      fi ;;
    *) printf '%s %s\n' "$digest" "$receipt says $status, and packages.txt ${known% *}" >> "$home/odd" ;;
  esac
  # The receipt names the newest record of the receiver's chain.
  if [ "$party" = "$us" ]; then
    point="$(field seq "$receipt"):$(field head "$receipt")"
    grep -qxF -- "$point" "$home/heads" || fail "$receipt names record $point, which this chain does not hold"
  fi
done
# An answer that says something else, after a restore, beside the one that counts, is told; alone it is wrong.
while read -r digest said; do
  if grep -qxF -- "$digest" "$home/answered"; then printf 'ODD      %s; another receipt counts\n' "$said"
  else fail "$said"; fi
done < "$home/odd"
while read -r digest name _ _ stage _; do
  case $stage in
    acknowledged|answered|refused)
      grep -qxF -- "$digest" "$home/answered" 2>/dev/null || fail "there is no receipt for $name, which is $stage" ;;
  esac
done < packages.txt
# What the chain tells of that year's packages is what is told of them here.
year=$(field reference_year facts.json)
role=$(awk -v us="$us" '$3 == us { print $2; exit }' signers.txt)
awk '{ print $1, $6 }' packages.txt > "$home/packages"
told=0
while IFS= read -r record; do
  told=$((told + 1))
  name=$(sed -n 's/.*"package":"\([^"]*\)".*/\1/p' <<< "$record")
  digest=$(sed -n 's/.*"sha256":"\([0-9a-f]*\)".*/\1/p' <<< "$record")
  records=$(sed -n 's/.*"records":"\([0-9]*\)".*/\1/p' <<< "$record")
  case $record in
    *'"event":"receipt"'*)  # the receiver's name for it, which may be that of another copy
      digest=$(awk -v name="$name" 'function stem(n) { sub(/(-[0-9]+)?\.pgp$/, "", n); return n }
        stem($2) == stem(name) { print $1; exit }' packages.txt) ;;
    *) grep -qxF -- "$digest $records" "$home/packages" ||
         fail "the chain tells of $name with $records numbers, and packages.txt does not" ;;
  esac
  stage=$(awk -v digest="$digest" '$1 == digest { print $5; exit }' packages.txt)
  case $record$stage in
    *'"event":"sealed"'*) ;;
    *'}'recorded) [ "$role" = receiver ] || fail "$name is called recorded by who does not record" ;;  # not yet signed
    *) grep -qxF -- "$digest" "$home/answered" 2>/dev/null || fail "the chain tells of an answer to $name that is not here" ;;
  esac
done < <(grep -E '"event":"(sealed|recorded|refused|receipt)"' audit.jsonl | grep -F "\"package\":\"vsb-inburgering-$year-")
[ "$told" -gt 0 ] || fail "the chain tells of no package of $year"

if [ -n "$other" ]; then
  # A restore takes away what followed its backup: the chain names where that ended.
  kept=$(grep -F '"event":"restored"' audit.jsonl | sed 's/.*"seq":"\([0-9]*\)".*/\1/' | sort -n | head -n 1)
  points=0 missing=0
  while read -r party point _; do
    [ "$party" = "$us" ] || continue
    points=$((points + 1))
    grep -qxF -- "$point" "$home/heads" && continue
    missing=$((missing + 1))
    if [ -n "$kept" ] && [ "${point%%:*}" -gt "$kept" ]; then lost=$((lost + 1))
    else fail "the other side knows $point of this chain, which it does not hold"; fi
  done < "$other"
  if [ ! -s "$other" ]; then
    unknown=yes; printf 'UNKNOWN  %s\n' "the other side's file names no point of any chain: nothing could be compared"
  elif [ "$points" = 0 ]; then fail "the other side's file knows no point of this chain: is it the other side's?"
  elif [ "$points" -gt "$missing" ]; then good "$((points - missing)) point(s) that the other side knows stand in this chain"; fi
  [ "$lost" = 0 ] ||
    printf 'LOST     %s\n' "$lost point(s) that the other side knows lie beyond record $kept, where a backup ended that was restored"
fi
if [ "$bad" != 0 ]; then echo 'It does NOT hold.'
elif [ -z "$signed" ]; then
  echo 'What is called good above holds. The folder bears no signature: the rest of it (facts.json, index.html) is the'
  echo 'word of whoever handed it over.'
elif [ "$lost" != 0 ]; then
  echo 'It holds but for what a restore took away: ask when and why it was restored, and read those records in the other'
  echo "side's evidence of what was exchanged."
elif [ -n "$unknown" ]; then
  echo 'Nothing here contradicts itself, and nothing that the other side knows could be held against it. That is so when'
  echo 'all that this side signed for it was signed before this chain had a record: ask the other side whether it was.'
elif [ -n "$other" ]; then echo 'All of it holds.'
else
  echo "Nothing here contradicts itself. Whether something was cut off or written anew only the other side's"
  echo 'anchors.txt can show: run this again with it.'
fi
echo 'It proves what these keys prove; compare them with those that the agencies confirmed to each other:'
sed 's/^/  /' signers.txt
[ "$bad" = 0 ] || exit 1
[ "$lost" = 0 ] || exit 3
[ -z "$unknown" ] || exit 2
)SH";

}  // namespace veer
