"""The names of users and pages, and other columns, as text."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.origin import BadInput
from sources.parts import EXACT

_IN_STORAGE: Final = ("arrow.uuid", "arrow.json")
_EXACT: Final = {32: 2**24, 64: EXACT}
"""By the bits of a float, the number below which all whole numbers are exact."""


def read_names(
    column: pa.ChunkedArray, what: str, locate: Callable[[int], str]
) -> pa.DictionaryArray:
    """The names in a column, each once in the dictionary; missing where it is blank.

    Text is left as it is, numbers are in digits, 16 bytes that are no text are a UUID.
    *what* has the names, such as "user"; *locate* says where the row of an index is.
    Raises BadInput where the column's type, or a number in it, can't be a name.
    """
    indices, values = _encoded(column)
    kind = values.type
    if pa.types.is_float16(column.type) or not (
        _is_text(kind) or _is_bytes(kind) or _is_plain_value(kind)
    ):
        words = f"holds {column.type}, where names should be"
        raise BadInput(f"the column of the {what} {words}")
    if pa.types.is_floating(kind):
        _check_whole(indices, values, what, locate)
    names = _texts(values)
    blank = pc.or_(pc.equal(names, ""), pc.utf8_is_space(names))
    if _is_text(column.type) and not (values.null_count or pc.any(blank).as_py()):
        # They are different already.
        return pa.DictionaryArray.from_arrays(indices, names)
    names = pc.if_else(blank, None, names).dictionary_encode()
    if len(names.dictionary) == len(names):
        return pa.DictionaryArray.from_arrays(indices, names.dictionary)
    # Values that are missing, or that have the same text.
    return pa.DictionaryArray.from_arrays(names.indices.take(indices), names.dictionary)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as text such as a person would write: "DE", "200", "2024-03-01".

    Whole numbers have no decimals, times no zeros at the end of their fraction. Raises
    BadInput where a type has no such text.
    """
    indices, values = _encoded(column)
    try:
        return pa.chunked_array([_texts(values).take(indices)])
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        words = f"a column that holds {column.type} can't be compared with a text"
        raise BadInput(words) from None


def _encoded(column: pa.ChunkedArray) -> tuple[pa.Int32Array, pa.Array]:
    """For each row the index of its value, and the values, which may repeat."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        try:
            if _is_text(kind.value_type):
                encoded = column.unify_dictionaries().combine_chunks()
                return encoded.indices.cast(pa.int32()), encoded.dictionary
        except pa.ArrowInvalid:
            # Some dictionaries hold a null, or all of them too much for their indices.
            pass
        return _encoded(column.cast(kind.value_type))
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name in _IN_STORAGE:
        storages = [chunk.storage for chunk in column.chunks]
        column = pa.chunked_array(storages, kind.storage_type)
    elif pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        column = column.cast(pa.decimal128(kind.precision, kind.scale))
    elif pa.types.is_float16(kind):
        # Arrow's dictionaries take their bits for whole numbers.
        column = column.cast(pa.float32())
    try:
        # Of many small chunks the dictionaries take longer to unify than all to encode.
        whole = column.combine_chunks()
        encoded = whole.dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
    except pa.ArrowNotImplementedError:
        # Of a type that is no name, nor has a text.
        return pa.nulls(len(column), pa.int32()), pa.nulls(0, kind)
    return encoded.indices, encoded.dictionary


def _texts(values: pa.Array) -> pa.Array:
    """The text of each value, as a string; missing where the value is."""
    kind = values.type
    if _is_text(kind) or _is_bytes(kind):
        return _decoded(values)
    if pa.types.is_floating(kind):
        return _of_floats(values)
    if pa.types.is_decimal(kind) and kind.scale:
        plain = (
            value if value is None else f"{value:f}" for value in values.to_pylist()
        )
        return pc.replace_substring_regex(pa.array(plain, pa.string()), r"\.0+$", "")
    texts = values.cast(pa.string())
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        texts = pc.replace_substring_regex(texts, r"(\.[0-9]*?)0+($|[Z+-])", r"\1\2")
        texts = pc.replace_substring_regex(texts, r"\.($|[Z+-])", r"\1")
    return texts


def _decoded(values: pa.Array) -> pa.Array:
    """Bytes as the text that they are or, where they are none, as UUID or in hex."""
    if values.type != pa.binary(16):
        try:
            # To binary first, for Arrow believes that what is text is valid.
            return values.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            pass
    always_uuid = values.type == pa.binary(16)

    def text(value: bytes) -> str:
        try:
            return str(UUID(bytes=value)) if always_uuid else value.decode()
        except UnicodeDecodeError:
            return str(UUID(bytes=value)) if len(value) == 16 else value.hex()

    every = values.cast(pa.binary()).to_pylist()
    return pa.array((v if v is None else text(v) for v in every), pa.string())


def _of_floats(values: pa.Array) -> pa.Array:
    """Numbers as text; "1" where it is exactly that whole number, "1.5", "1e+20"."""
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    whole = _is_whole(values)
    digits = pa.array(np.where(whole, numbers, 0).astype(np.int64)).cast(pa.string())
    others = [None if n != n else repr(n) for n in numbers[~whole].tolist()]
    return pc.replace_with_mask(digits, pa.array(~whole), pa.array(others, pa.string()))


def _is_whole(values: pa.Array) -> Any:
    """Which floats are whole numbers that no other number was rounded to."""
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    below = _EXACT[values.type.bit_width]
    return (np.trunc(numbers) == numbers) & (np.abs(numbers) < below)


def _check_whole(
    indices: pa.Int32Array, values: pa.Array, what: str, locate: Callable[[int], str]
) -> None:
    """Raise BadInput unless all floats that occur are whole and exact, or NaN."""
    bad = pc.and_not(pc.is_valid(values), pc.is_nan(values).fill_null(True))
    bad = pc.and_not(bad, pa.array(_is_whole(values)))
    row = pc.index(bad.take(indices), True).as_py()
    if row >= 0:
        value = values[indices[row].as_py()].as_py()
        raise BadInput(
            f"{locate(row)}: {value!r} in the column of the {what} is no whole number "
            "that is exact, so it can't be an identifier; store it as text or a whole "
            "number"
        )


def _is_text(kind: pa.DataType) -> bool:
    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_kind(kind) for is_kind in is_text)


def _is_bytes(kind: pa.DataType) -> bool:
    words = ("binary", "large_binary", "binary_view", "fixed_size_binary")
    return str(kind).partition("[")[0] in words


def _is_plain_value(kind: pa.DataType) -> bool:
    is_value = (
        *(pa.types.is_integer, pa.types.is_float32, pa.types.is_float64),
        *(pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null),
    )
    return any(is_kind(kind) for is_kind in is_value)
