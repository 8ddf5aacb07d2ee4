"""Draws the pictures of newswire/samples: landscapes of 640 × 360 and portraits of 128 × 128, as PNG.

Run from the top of the repository, python docs/make_sample_pictures.py: the same pictures every time, in a minute.
"""

import math
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "newswire" / "samples" / "pictures"
Colour = tuple[int, int, int]
# How much of a pixel a shape covers, 0 to 1; coordinates in pixels from the upper left corner.
Shape = Callable[[float, float], float]


def png(width: int, height: int, rows: Sequence[bytes]) -> bytes:
    """A PNG of 8-bit RGB `rows` (W3C PNG, third edition)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


def draw(width: int, height: int, sky: Sequence[Colour], layers: Sequence[tuple[Shape, Colour]]) -> bytes:
    rows = []
    for y in range(height):
        background = [top + (bottom - top) * y / height for top, bottom in zip(*sky, strict=True)]
        row = bytearray()
        for x in range(width):
            colour = background
            for shape, paint in layers:
                if cover := shape(x, y):
                    colour = [old + (new - old) * cover for old, new in zip(colour, paint, strict=True)]
            row += bytes(round(channel) for channel in colour)
        rows.append(bytes(row))
    return png(width, height, rows)


def edge(distance: float) -> float:
    """Smooth over one pixel: 1 inside (positive distances), 0 outside."""
    return min(max(distance + 0.5, 0.0), 1.0)


def ripples(level: float) -> Shape:
    return lambda px, py: 0.25 * (py > level and math.sin((py - level) ** 0.7 * 2.4 + math.sin(px / 47) / 2) > 0.6)


def disc(x: float, y: float, radius: float, squash: float = 1.0) -> Shape:
    return lambda px, py: edge(radius - math.hypot(px - x, (py - y) * squash))


def peak(x: float, top: float, width: float, bottom: float) -> Shape:
    return lambda px, py: edge(min((py - top) * width / 2 / (bottom - top) - abs(px - x), bottom - py))


def hills(level: float, height: float, seed: int) -> Shape:
    chance = random.Random(seed)
    waves = [(height / n, n * chance.uniform(0.004, 0.007), chance.uniform(0, 6)) for n in (1, 2, 4)]
    return lambda px, py: edge(py - level + sum(size * math.sin(px * pace + start) for size, pace, start in waves))


def bar(x: float, y: float, angle: float, length: float, thickness: float) -> Shape:
    along, across = math.cos(angle), math.sin(angle)

    def shape(px: float, py: float) -> float:
        far = min(max((px - x) * along + (py - y) * across, 0), length)
        return edge(thickness / 2 * (1 - far / length / 2) - math.hypot(px - x - far * along, py - y - far * across))

    return shape


def rays(x: float, y: float, start: float, count: int, thickness: float) -> Shape:
    bars = [bar(x, y, start + turn * math.tau / count, 46, thickness) for turn in range(count)]
    return lambda px, py: max(ray(px, py) for ray in bars) if abs(px - x) < 60 and abs(py - y) < 60 else 0.0


def scattered(count: int, seed: int, make: Callable[[float, float], Shape]) -> Shape:
    """`count` shapes side by side, each made from its place across and a chance number."""
    chance = random.Random(seed)
    shapes = [make(640 * (n + chance.random()) / count, chance.random()) for n in range(count)]
    return lambda px, py: max(shape(px, py) for shape in shapes)


DAWN, NOON = ((250, 190, 140), (255, 236, 205)), ((120, 180, 225), (225, 240, 248))
DUSK, NIGHT = ((92, 70, 130), (250, 160, 110)), ((16, 22, 52), (70, 80, 130))
SUN, SNOW, SEA, FAR, DARK = (255, 246, 214), (240, 244, 250), (70, 122, 150), (128, 146, 168), (40, 48, 62)
LAND, FIR, STONE, SAND, VIOLET = (88, 124, 84), (44, 78, 70), (170, 158, 144), (222, 170, 110), (74, 56, 84)
LANDSCAPES: dict[str, tuple[tuple[Colour, Colour], list[tuple[Shape, Colour]]]] = {
    "harbour": (DAWN, [(disc(450, 150, 42), SUN), (hills(210, 12, 3), FAR), (hills(232, 0, 0), SEA),
                       (ripples(232), SUN),
                       (scattered(3, 5, lambda x, c: peak(x, 230 + 30 * c, 50, 290 + 30 * c)), DARK),
                       (scattered(3, 5, lambda x, c: disc(x, 296 + 30 * c, 36, 6)), DARK)]),
    "railway": (DUSK, [(hills(200, 22, 8), (110, 84, 120)), (hills(260, 14, 9), VIOLET),
                       (bar(-700, 232, 0, 4000, 14), STONE), (scattered(40, 2, lambda x, c: disc(x, 232, 3)), SUN)]),
    "observatory": (NIGHT, [(scattered(90, 1, lambda x, c: disc(x, (x * 7.7 + c * 250) % 230, 0.7 + c)), SUN),
                            (disc(330, 240, 46), (196, 200, 210)), (hills(250, 16, 4), DARK)]),
    "windfarm": (NOON, [(disc(120, 90, 34), SUN), (scattered(6, 6, lambda x, c: rays(x, 120 + 40 * c, c, 3, 5)), SNOW),
                        (scattered(6, 6, lambda x, c: bar(x, 120 + 40 * c, 1.57, 170, 6)), SNOW),
                        (hills(275, 14, 12), LAND)]),
    "orchard": (DAWN, [(hills(180, 16, 21), FAR), (hills(250, 8, 22), (150, 160, 88)),
                       (scattered(12, 3, lambda x, c: bar(x, 300 + 20 * c, 1.57, 40, 8)), (112, 82, 60)),
                       (scattered(12, 3, lambda x, c: disc(x, 284 + 20 * c, 24)), LAND),
                       (scattered(60, 4, lambda x, c: disc(x, 270 + 44 * c, 4)), (190, 66, 48))]),
    "lanterns": (NIGHT, [(hills(190, 12, 31), DARK), (hills(230, 0, 0), (30, 44, 80)), (ripples(230), FAR),
                         (scattered(34, 9, lambda x, c: disc(x, 250 + 90 * c, 3 + 5 * c)), (255, 190, 90))]),
    "canal": (NOON, [(hills(170, 12, 41), LAND), (bar(-900, 200, 0, 4000, 40), STONE), (disc(320, 300, 130), STONE),
                     (disc(320, 300, 96), FAR), (hills(270, 0, 0), SEA), (ripples(270), SNOW)]),
    "mountains": (NOON, [(peak(420, 40, 520, 330), FAR), (peak(420, 40, 134, 115), SNOW),
                         (peak(170, 100, 420, 330), FAR), (peak(170, 100, 91, 150), SNOW), (hills(275, 10, 52), LAND),
                         (scattered(14, 4, lambda x, c: peak(x, 220 + 60 * c, 40, 350)), FIR)]),
    "island": (DUSK, [(disc(160, 190, 50), SUN), (peak(400, 90, 460, 250), VIOLET), (hills(245, 0, 0), (80, 84, 128)),
                      (ripples(245), SUN)]),
    "forest": (NOON, [(hills(170, 12, 61), (200, 214, 228)), (hills(335, 5, 62), SNOW),
                      (scattered(18, 7, lambda x, c: peak(x, 190 + 70 * c, 50, 345)), FIR)]),
    "desert": (DUSK, [(disc(500, 140, 36), SUN), (hills(210, 16, 71), SAND), (hills(270, 14, 72), (176, 108, 84)),
                      (scattered(70, 8, lambda x, c: disc(x, 290 + 66 * c, 2.6)), (206, 120, 200))]),
    "oasis": (DAWN, [(disc(330, 170, 60), SUN), (hills(230, 12, 81), SAND),
                     (scattered(5, 14, lambda x, c: bar(x, 200 + 40 * c, 1.5, 200, 9)), (112, 82, 60)),
                     (scattered(5, 14, lambda x, c: rays(x, 200 + 40 * c, 0.26, 6, 13)), LAND)]),
    "terraces": (DUSK, [(hills(150 + 34 * n, 9 + n, 90 + n), (236 - 26 * n, 170 - 12 * n, 120 + 10 * n))
                        for n in range(6)]),
}  # fmt: skip
PORTRAITS = {
    "edmund-vale": (70, 110, 150), "oriel-hatch": (150, 90, 90), "mina-orrel": (90, 80, 150),
    "valley-desk": (90, 140, 80), "solene-marchegay": (180, 120, 70), "vinzenz-lohr": (60, 120, 120),
    "teo-barranco": (170, 100, 60), "vera-lugova": (120, 100, 160), "dana-barkat": (160, 80, 120),
    "layla-haddar": (60, 130, 100), "minato-sagawa": (80, 90, 110),
}  # fmt: skip


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (sky, layers) in LANDSCAPES.items():
        (FOLDER / f"{name}.png").write_bytes(draw(640, 360, sky, layers))
    for name, (red, green, blue) in PORTRAITS.items():
        light, dark = (red + 70, green + 80, blue + 70), (red // 2, green // 2, blue // 2)
        person = [(disc(64, 132, 46), dark), (disc(64, 56, 26), (236, 206, 180))]
        (FOLDER / f"avatar-{name}.png").write_bytes(draw(128, 128, ((red, green, blue), light), person))
