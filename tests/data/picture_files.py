"""Picture files, good and damaged, for the tests of image files and of folders."""

import struct
import zlib

import numpy as np
from PIL import Image


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, picture, **settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **settings)
    return path


def truncated_jpeg(path):
    save(path, noise(64, 64))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def damaged_png(path):
    save(path, noise(64, 64))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def enormous_png(path):
    """A header that promises 100,000×100,000 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for chunk in (b"IHDR" + header, b"IDAT" + zlib.compress(b"")):
        content += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(content)


BAD = {
    "cut.jpg": (truncated_jpeg, "truncated"),
    "damaged.png": (damaged_png, "."),
    "text.png": (lambda path: path.write_text("not a picture\n"), "empty, damaged, or no image"),
    "zero.jpg": (lambda path: path.write_bytes(b""), "empty, damaged, or no image"),
    "phone.heic": (lambda path: path.write_bytes(b"\0\0\0\x18ftypheic"), "save it as JPEG or PNG"),
    "enormous.png": (enormous_png, "million pixels"),
    "broken link.png": (lambda path: path.symlink_to("nowhere.png"), "no such file"),
}
