# Prints the lines that are valid national numbers: check digits for births before and from 2000, a day that exists,
# a serial number from 1 to 998.
function days(year, month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}
length($0) == 11 && !/[^0-9]/ {
  body = substr($0, 1, 9) + 0
  check = substr($0, 10, 2) + 0
  if (97 - body % 97 == check) year = 1900 + substr($0, 1, 2)
  else if (97 - (2000000000 + body) % 97 == check) year = 2000 + substr($0, 1, 2)
  else next
  month = substr($0, 3, 2) + 0
  day = substr($0, 5, 2) + 0
  serial = substr($0, 7, 3) + 0
  if (month >= 1 && month <= 12 && day >= 1 && day <= days(year, month) && serial >= 1 && serial <= 998) print
}
