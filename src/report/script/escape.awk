# Writes characters of a text in ASCII as escapes of JSON: HOW says which.
BEGIN {
  for (n = 1; n < 128; n++) code[sprintf("%c", n)] = n
  how = ENVIRON["HOW"]
}
{
  size = length($0)
  for (n = 1; n <= size; n++) {
    letter = substr($0, n, 1)
    if (how == "slash" && letter == "/") printf "\\/"
    else if (how == "upper") printf "\\u%04X", code[letter]
    else if (how == "all" || (how == "mixed" && n % 2 == 0) || (how == "first" && n == 1) || (how == "last" && n == size)) printf "\\u%04x", code[letter]
    else printf "%s", letter
  }
}
