# SPDX-License-Identifier: MIT
"""As much of MessagePack as the chat's protocol needs: nil, bool, int, str, bin, array, map."""

import struct


def head(size, small, small_max, codes):
    """The bytes before `size` elements or bytes; `codes` pairs a first byte with a format of the size."""
    if size <= small_max:
        return bytes([small + size])
    for code, form in codes:
        if size < 1 << 8 * struct.calcsize(form):
            return bytes([code]) + struct.pack(form, size)
    raise ValueError(f"{size} is too much for MessagePack")


def encode_integer(value):
    if -32 <= value < 128:
        return struct.pack("b" if value < 0 else "B", value)
    if value >= 0:
        return head(value, 0, -1, [(0xCC, "B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q")])
    for code, form in ((0xD0, "b"), (0xD1, ">h"), (0xD2, ">i"), (0xD3, ">q")):
        if -value <= 1 << 8 * struct.calcsize(form) - 1:
            return bytes([code]) + struct.pack(form, value)
    raise ValueError(f"{value} is too small for MessagePack")


def encode(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return encode_integer(value)
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        return head(len(text), 0xA0, 31, [(0xD9, "B"), (0xDA, ">H"), (0xDB, ">I")]) + text
    if isinstance(value, bytes):
        return head(len(value), 0, -1, [(0xC4, "B"), (0xC5, ">H"), (0xC6, ">I")]) + value
    if isinstance(value, list):
        return head(len(value), 0x90, 15, [(0xDC, ">H"), (0xDD, ">I")]) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = b"".join(encode(key) + encode(item) for key, item in value.items())
        return head(len(value), 0x80, 15, [(0xDE, ">H"), (0xDF, ">I")]) + pairs
    if isinstance(value, Raw):
        return value.data
    raise TypeError(type(value))


class Raw:
    """Bytes that stand in a message as they are: a str that is not UTF-8, for one."""

    def __init__(self, data):
        self.data = data


def raw_str(data):
    return Raw(head(len(data), 0xA0, 31, [(0xD9, "B"), (0xDA, ">H"), (0xDB, ">I")]) + data)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        part = self.data[self.at:self.at + size]
        if len(part) != size:
            raise ValueError(f"{size} bytes wanted at {self.at} of {len(self.data)}")
        self.at += size
        return part

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self, size):
        return self.take(size).decode()

    def array(self, count):
        return [self.value() for _ in range(count)]

    def map(self, count):
        return {self.value(): self.value() for _ in range(count)}

    def value(self):
        code = self.number("B")
        if code < 0x80:
            return code
        if code < 0x90:
            return self.map(code & 15)
        if code < 0xA0:
            return self.array(code & 15)
        if code < 0xC0:
            return self.text(code & 31)
        if code >= 0xE0:
            return code - 256
        plain = {0xC0: None, 0xC2: False, 0xC3: True}
        if code in plain:
            return plain[code]
        numbers = {0xCC: "B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: "b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
        if code in numbers:
            return self.number(numbers[code])
        sized = {0xC4: ("B", self.take), 0xC5: (">H", self.take), 0xC6: (">I", self.take),
                 0xD9: ("B", self.text), 0xDA: (">H", self.text), 0xDB: (">I", self.text),
                 0xDC: (">H", self.array), 0xDD: (">I", self.array),
                 0xDE: (">H", self.map), 0xDF: (">I", self.map)}
        if code not in sized:
            raise ValueError(f"byte {code:#x} at {self.at - 1}")
        form, read = sized[code]
        return read(self.number(form))


def decode(data):
    reader = Reader(data)
    value = reader.value()
    if reader.at != len(data):
        raise ValueError(f"{len(data) - reader.at} bytes behind the value")
    return value
