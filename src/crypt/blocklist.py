"""Writes the words of blocklist.txt as a sorted C table: one text, and where each word begins.

A table of pointers would cost eight bytes and a relocation a word; offsets cost two bytes.
"""
import sys


def words(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                yield from line.split()


def main(source, target):
    table = sorted({word.encode("utf-8") for word in words(source)})
    if any(word != word.lower() or not 3 <= len(word) <= 32 for word in table):
        sys.exit(source + ": words are in lower case and 3 to 32 bytes long")

    offsets, at = [], 0
    for word in table:
        offsets.append(at)
        at += len(word)
    if at > 0xFFFF:
        sys.exit(source + ": the text is too long for offsets of two bytes")

    with open(target, "w", encoding="ascii") as out:
        out.write("static const char blocklist_text[] =\n")
        for word in table:
            # octal escapes: a hexadecimal one would swallow the letters that follow it
            text = "".join(chr(c) if c < 128 else "\\%03o" % c for c in word)
            out.write('\t"' + text + '"\n')
        out.write("\t;\n\nstatic const uint16_t blocklist_offsets[] = {\n")
        for offset in offsets + [at]:
            out.write("\t%d,\n" % offset)
        out.write("};\n")


main(*sys.argv[1:])
