"""Bytes of a log as text."""

import pyarrow as pa


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


def named(column: pa.BinaryArray) -> pa.DictionaryArray:
    """A column of bytes as names, each once in the dictionary."""
    encoded = column.dictionary_encode()
    # What is written in two encodings is one name.
    names = decoded(encoded.dictionary).dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        names.indices.take(encoded.indices), names.dictionary
    )
