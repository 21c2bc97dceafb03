#!/usr/bin/env python3
"""Holds every #include of src/ against the list of who may see whom (docs/ARCHITECTURE.md)."""
import pathlib
import re
import sys

MAY_SEE = {
    "base": {"base", "portress/base.h"},
    "crypt": {"crypt", "base", "portress/base.h"},
    "core": {"core", "base", "crypt", "portress"},
    "store": {"store", "base", "portress"},
    "outbound": {"outbound", "base", "crypt/seal.h", "crypt/digest.h", "crypt/jwk.h",
                 "crypt/jwt.h", "portress/base.h", "portress/courier.h", "portress/hook.h",
                 "portress/provider.h", "portress/store.h"},
    "http": {"http", "base", "portress/base.h"},
    "surface": {"surface", "base", "http", "portress"},
    "cli": {"cli", "base", "portress"},
    "server": {"server", "base", "crypt", "core", "store", "outbound", "http", "surface", "cli",
               "portress"},
}
# A surface speaks to core by acts; the store's contract is none of its business.
NEVER = {"surface": {"portress/store.h"}}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def allowed(layer, header):
    top = header.split("/")[0]
    if header in NEVER.get(layer, ()):
        return False
    return header in MAY_SEE[layer] or top in MAY_SEE[layer]


def main():
    root = pathlib.Path(__file__).resolve().parent.parent / "src"
    bad = []
    for path in sorted(root.rglob("*.[ch]")):
        layer = path.relative_to(root).parts[0]
        for header in INCLUDE.findall(path.read_text()):
            if header.endswith(".def") or not allowed(layer, header):
                if not (header.endswith(".def") and header.startswith(layer)):
                    bad.append(f"{path.relative_to(root.parent)}: {layer} may not include {header}")
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


sys.exit(main())
