"""Checks the signature of a program for macOS without macOS."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import lief

_CODE_DIRECTORY = 0xFADE0C02


def signed_pages(file: Path) -> list[bool]:
    """Whether each page of a program has the content that its signature is for; [] without one.

    The layout is that of Apple's ``cs_blobs.h``: a table of blobs, one of them with the hashes.

    Args:
        file: a Mach-O file for one processor.
    """
    parts = lief.MachO.parse(str(file))
    assert parts is not None
    (part,) = parts
    assert part is not None
    signature = part.code_signature
    if signature is None:
        return []
    content = file.read_bytes()
    blobs = content[signature.data_offset :]
    (count,) = struct.unpack_from(">8xI", blobs)
    for index in range(count):
        (offset,) = struct.unpack_from(">4xI", blobs, 12 + index * 8)
        directory = blobs[offset:]
        magic, hashes, pages, limit, hash_size, hash_kind, page_bits = struct.unpack_from(
            ">I12xI8xIIBBxB", directory
        )
        if magic == _CODE_DIRECTORY:
            function = {1: hashlib.sha1, 2: hashlib.sha256}[hash_kind]
            size = 1 << page_bits
            return [
                function(content[page * size : min((page + 1) * size, limit)]).digest()
                == directory[hashes + page * hash_size :][:hash_size]
                for page in range(pages)
            ]
    raise AssertionError("the signature has no hashes")
