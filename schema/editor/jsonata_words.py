"""The functions of JSONata and those that the service adds, as hover and completion tell them (language, section 4).

``$eval`` is left out: the service refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping

_TABLE = """
abs(number) -> number | The number without its sign.
append(array, array) -> array | Both arrays, one after the other.
assert(condition, message) | Fails with the message unless the condition is true.
average(numbers) -> number | The mean.
base64decode(text) -> string | The text that was encoded in Base64.
base64encode(text) -> string | The text in Base64.
boolean(value) -> boolean | Whether the value counts as true: not empty, zero, null or missing.
ceil(number) -> number | The next whole number upwards.
contains(text, pattern) -> boolean | Whether a text or a regular expression occurs in the text.
count(array) -> number | How many items there are.
decodeUrl(text) -> string | The URL with its escapes resolved.
decodeUrlComponent(text) -> string | The part of a URL with its escapes resolved.
distinct(array) -> array | The array without repeats.
each(object, function) -> array | What the function answers for each value and name.
encodeUrl(text) -> string | The URL with escapes where they are needed.
encodeUrlComponent(text) -> string | The text escaped as a part of a URL.
error(message) | Fails with the message.
exists(value) -> boolean | Whether the expression finds anything.
filter(array, function) -> array | The items for which the function answers true.
floor(number) -> number | The next whole number downwards.
formatBase(number, base) -> string | The whole number in a base from 2 to 36.
formatInteger(number, picture) -> string | The whole number as a picture says, `w` for words.
formatNumber(number, picture, options) -> string | The number as a picture such as `#,##0.00` says.
fromMillis(number, picture, timezone) -> string | Milliseconds since 1970 as a time.
hash(text, algorithm) -> string | The hash in hexadecimal: MD5, SHA-1, SHA-256, SHA-384 or SHA-512.
join(texts, separator) -> string | The texts one after the other, with the separator between them.
keys(object) -> array | The names of the members.
length(text) -> number | How many characters there are.
lookup(object, name) -> value | The member of that name.
lowercase(text) -> string | The text in small letters.
map(array, function) -> array | What the function answers for each item.
match(text, pattern, limit) -> array | What matches a regular expression, with place and groups.
max(numbers) -> number | The largest.
merge(objects) -> object | The members of all; the later ones win.
millis() -> number | Milliseconds since 1970.
min(numbers) -> number | The smallest.
not(value) -> boolean | True if the value counts as false.
now(picture, timezone) -> string | The time now.
number(value) -> number | The number that a text or a boolean stands for.
pad(text, width, characters) -> string | The text filled up to a width, on the left if it is negative.
parse(text) -> value | The value that a JSON text stands for; added by the service.
parseInteger(text, picture) -> number | The whole number that is written as a picture says.
partition(array, size) -> array | The array cut into arrays of that size; added by the service.
power(base, exponent) -> number | The base to the power of the exponent.
random(seed) -> number | A number from 0 up to 1; the seed may be left out.
range(first, last, step) -> array | The numbers from the first to the last; added by the service.
reduce(array, function, start) -> value | The items put together two at a time.
replace(text, pattern, replacement, limit) -> string | The text with something in place of what matches.
reverse(array) -> array | The array from its end to its beginning.
round(number, precision) -> number | The number rounded half to even.
shuffle(array) -> array | The array in an order of chance.
sift(object, function) -> object | The members for which the function answers true.
single(array, function) -> value | The one item for which the function answers true.
sort(array, function) -> array | The array in order; the function says whether two must change places.
split(text, separator, limit) -> array | The text cut at a separator or a regular expression.
spread(object) -> array | One object for each member.
sqrt(number) -> number | The square root.
string(value, prettify) -> string | The value as text; anything but a text as JSON.
substring(text, start, length) -> string | A piece of the text, from 0.
substringAfter(text, characters) -> string | What follows the first occurrence.
substringBefore(text, characters) -> string | What stands before the first occurrence.
sum(numbers) -> number | The sum.
toMillis(text, picture) -> number | The time as milliseconds since 1970.
trim(text) -> string | The text without blanks around it, and with single ones inside.
type(value) -> string | What the value is: null, number, string, boolean, array, object or function.
uppercase(text) -> string | The text in capital letters.
uuid() -> string | A random UUID (version 4); added by the service.
zip(array, array, ...) -> array | The first items together, the second ones, and so on.
"""


def _read(line: str) -> tuple[str, tuple[str, str]]:
    signature, _, sentence = line.partition(" | ")
    return "$" + signature.partition("(")[0], ("$" + signature, sentence)


#: By name, ``$sum``: how it is called, and what it does.
JSONATA_FUNCTIONS: Mapping[str, tuple[str, str]] = dict(map(_read, _TABLE.strip().splitlines()))


def about_jsonata(function: str) -> str:
    """A function in Markdown."""
    signature, sentence = JSONATA_FUNCTIONS[function]
    return f"```text\n{signature}\n```\n{sentence}"
