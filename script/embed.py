#!/usr/bin/env python3
"""embed.py OUT.c SYMBOL FILE... - files as a sorted table in a C source.

Defines `const struct embedded SYMBOL[]` of { name, data, size }, ordered by name, and
`const size_t SYMBOL_count`. A name is the file's path below --root (default: its last part). Data
ends in a NUL that size does not count.
"""
import argparse
import os


def c_bytes(data):
    rows = (data[i:i + 16] for i in range(0, len(data), 16))
    return "\n".join("\t" + " ".join(f"{byte}," for byte in row) for row in rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root")
    parser.add_argument("out")
    parser.add_argument("symbol")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()

    def name(path):
        return os.path.relpath(path, args.root) if args.root else os.path.basename(path)

    files = sorted(args.files, key=lambda path: name(path).encode())
    with open(args.out, "w", encoding="ascii") as out:
        out.write('#include "base/embedded.h"\n\n')
        for i, path in enumerate(files):
            with open(path, "rb") as file:
                data = file.read()
            out.write(f"static const unsigned char file_{i}[] = {{\n{c_bytes(data)}\n\t0\n}};\n\n")
        out.write(f"extern const struct embedded {args.symbol}[];\n")
        out.write(f"extern const size_t {args.symbol}_count;\n\n")
        out.write(f"const struct embedded {args.symbol}[] = {{\n")
        for i, path in enumerate(files):
            quoted = name(path).replace("\\", "\\\\").replace('"', '\\"')
            out.write(f'\t{{ "{quoted}", (const char *)file_{i}, sizeof(file_{i}) - 1 }},\n')
        out.write("};\n")
        out.write(f"const size_t {args.symbol}_count = {len(files)};\n")


main()
