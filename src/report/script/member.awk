# Prints a member of a JSON object as it stands in a JSON text again: a string without its quotes, or an integer.
# WANTED is its path: a line break and a name for each level. UPPER gives a string in upper case. Ends with 1 if the
# text is no JSON, has no such member, or one that is no ASCII and the like: those cannot be copied byte for byte.
function space() {
    while (substr(text, at, 1) ~ /^[ \t\r\n]$/) at++
}
function hex(digits,   n, k, digit) {
    if (length(digits) != 4) exit 1
    for (k = 1; k <= 4; k++) {
        if (!(digit = index("0123456789abcdef", tolower(substr(digits, k, 1))))) exit 1
        n = 16 * n + digit - 1
    }
    return n
}
function string(upper,   out, c) {
    if (substr(text, at, 1) != "\"") exit 1
    for (at++; (c = substr(text, at, 1)) != "\""; at++) {
        if (c < " ") exit 1
        if (c == "\\") {
            c = substr(text, ++at, 1)
            if (c == "u") {
                c = hex(substr(text, at + 1, 4))
                at += 4
                c = c in escaped ? escaped[c] : c < 128 ? sprintf("%c", c) : "\377"
            } else if (c in code) c = escaped[code[c]]
            else if (c != "/") exit 1
        }
        out = out (upper && length(c) == 1 ? toupper(c) : c)
    }
    at++
    return out
}
function value(path,   c, first, name) {
    if (index(wanted "\n", path "\n") == 1) found = 0
    space()
    c = substr(text, at, 1)
    if (c == "\"") {
        c = string(path == wanted && UPPER)
        if (path == wanted) { found = c !~ /[\200-\377]/; result = c }
    } else if (c == "{" || c == "[") {
        if (++depth > 127) exit 1
        at++; space(); first = 1
        while (substr(text, at, 1) != (c == "{" ? "}" : "]")) {
            if (!first && substr(text, at++, 1) != ",") exit 1
            first = 0
            if (c == "{") {
                space(); name = string(0); space()
                if (substr(text, at++, 1) != ":") exit 1
            }
            value(c == "{" ? path "\n" name : "\n\n"); space()
        }
        at++; depth--
    } else {
        first = at
        while (substr(text, at, 1) ~ /^[-+.0-9A-Za-z]$/) at++
        c = substr(text, first, at - first)
        if (c !~ /^(true|false|null|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)$/) exit 1
        if (path == wanted) { found = !UPPER && (c ~ /^[tfn]/ || c !~ /[.eE]|^-0$/ && length(c) < 19); result = c }
    }
}
{ text = text $0 "\n" }
END {
    wanted = ENVIRON["WANTED"]; UPPER = ENVIRON["UPPER"]
    for (at = 0; at < 32; at++) escaped[at] = sprintf("\\u%04x", at)
    escaped[8] = "\\b"; escaped[9] = "\\t"; escaped[10] = "\\n"; escaped[12] = "\\f"; escaped[13] = "\\r"
    escaped[34] = "\\\""; escaped[92] = "\\\\"
    code["b"] = 8; code["t"] = 9; code["n"] = 10; code["f"] = 12; code["r"] = 13; code["\""] = 34; code["\\"] = 92
    at = 1
    value(""); space()
    if (at <= length(text) || !found) exit 1
    printf "%s", result
}
