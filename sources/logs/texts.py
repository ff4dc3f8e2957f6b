"""Bytes of a log as text."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_PORT: Final = r"^([^:]+|\[.*\]):\d+$"


def decoded(texts: pa.BinaryArray) -> pa.StringArray:
    """Bytes as text: UTF-8 or, each that isn't, Latin-1."""
    try:
        return texts.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_decoded(text) for text in texts.to_pylist()], pa.string())


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def is_blank(texts: pa.StringArray) -> pa.BooleanArray:
    """Which texts have nothing in them that is seen."""
    return pc.equal(pc.utf8_trim_whitespace(texts), "")


def named(column: pa.BinaryArray) -> pa.DictionaryArray:
    """A column of bytes as names, each once in the dictionary."""
    encoded = column.dictionary_encode()
    # What is written in two encodings is one name.
    names = decoded(encoded.dictionary).dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        names.indices.take(encoded.indices), names.dictionary
    )


def sites_of(hosts: pa.BinaryArray) -> pa.DictionaryArray:
    """The sites of hosts, each once in the dictionary.

    They are in small letters and without a port, as one site may have several.
    """
    encoded = hosts.dictionary_encode()
    names = pc.utf8_lower(decoded(encoded.dictionary))
    sites = pc.replace_substring_regex(names, _PORT, r"\1").dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        sites.indices.take(encoded.indices), sites.dictionary
    )
