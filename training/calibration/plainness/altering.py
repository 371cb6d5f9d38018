"""Random renderings in which nothing covers a face and yet it is not as a camera takes it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.faces import Picture
from training.calibration.plainness.shapes import colour, smooth_field, waves
from training.data.odd_pictures.portrait import Portrait, Rendering, as_picture, remapped
from training.foundation.arrays import FloatArray

_LUMA = np.array([0.299, 0.587, 0.114])


def mirrored_at_the_middle(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face one half of which is the mirror image of the other."""
    picture = portrait.picture
    height, width = picture.shape[:2]
    axis = float(portrait.centre[0]) + random.normal(0, 3.0) * portrait.pixel
    turn = cv2.getRotationMatrix2D((axis, height / 2), random.normal(0, 3.0), 1.0)
    upright = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    columns = np.arange(width, dtype=np.float32)
    side = random.choice([-1.0, 1.0])
    sources = axis + side * np.abs(columns - axis)
    across = np.broadcast_to(sources.astype(np.float32), (height, width))
    down = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], (height, width))
    whole = cv2.remap(
        upright,
        np.ascontiguousarray(across),
        np.ascontiguousarray(down),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    back = cv2.invertAffineTransform(turn)
    return as_picture(cv2.warpAffine(whole, back, (width, height), borderMode=cv2.BORDER_REPLICATE))


def in_other_colours(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the brightness, perhaps softened, as colours of a random scale."""
    luma = _softened(_luma(portrait.picture), portrait, random, 3.5)
    stops = int(random.integers(3, 8))
    scale = random.uniform(0, 255, (stops, 3))
    vivid = scale.max(axis=1, keepdims=True) - scale.min(axis=1, keepdims=True)
    scale = np.clip(128 + (scale - 128) * np.maximum(1, 120 / np.maximum(vivid, 1)), 0, 255)
    if random.random() < 0.6:  # from dark to light, as most scales of instruments are
        scale = scale[np.argsort(scale @ _LUMA)]
    places = np.linspace(0, 255, stops)
    table = np.stack([np.interp(np.arange(256), places, scale[:, c]) for c in range(3)], axis=1)
    noise = random.normal(0, random.uniform(0, 6), luma.shape)
    return as_picture(table[as_picture(luma * random.uniform(0.7, 1.1) + noise)])


def with_colours_turned(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return other hues, swapped channels or partly inverted tones."""
    picture = portrait.picture.astype(np.float32)
    kind = random.random()
    if kind < 0.35:
        hues = cv2.cvtColor(portrait.picture, cv2.COLOR_RGB2HSV)
        hues[..., 0] = (hues[..., 0].astype(int) + int(random.integers(25, 155))) % 180
        hues[..., 1] = np.clip(hues[..., 1].astype(int) * 1.6 + 40, 0, 255)
        return as_picture(cv2.cvtColor(hues, cv2.COLOR_HSV2RGB))
    if kind < 0.7:  # solarised
        knee = random.uniform(90, 180)
        inverted = np.where(picture > knee, 2 * knee - picture, picture)
        return as_picture(inverted * random.uniform(1.0, 255 / knee))
    chosen = random.random(3) < 0.5
    chosen[int(random.integers(3))] = True
    return as_picture(np.where(chosen, 255 - picture, picture))


def in_few_levels(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return two to six levels, of grey or of each colour, at random places."""
    levels = int(random.integers(2, 7))
    base = _softened(portrait.picture.astype(np.float64), portrait, random, 1.5)
    if random.random() < 0.4:
        base = np.repeat((base @ _LUMA)[..., None], 3, axis=2)
    cuts = np.sort(np.quantile(base, np.linspace(0, 1, levels + 1)[1:-1]) + random.normal(0, 8))
    tones = np.linspace(random.uniform(0, 40), random.uniform(200, 255), levels)
    return as_picture(tones[np.searchsorted(cuts, base)])


def drawn(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return flat areas of colour with or without dark lines, as a filter draws."""
    flat = _flattened(portrait, random)
    if random.random() < 0.75:
        step = random.uniform(14, 56)
        offset = random.uniform(0, step)
        flat = as_picture(np.rint((flat.astype(np.float64) - offset) / step) * step + offset)
    if random.random() < 0.65:
        share = _lines(portrait, random)[..., None]
        flat = as_picture(flat * (1 - share) + colour(random) * 0.3 * share)
    if random.random() < 0.4:
        hues = cv2.cvtColor(flat, cv2.COLOR_RGB2HSV)
        hues[..., 1] = np.clip(hues[..., 1] * random.uniform(1.2, 2.2), 0, 255)
        flat = as_picture(cv2.cvtColor(hues, cv2.COLOR_HSV2RGB))
    return flat


def sketched(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return lines or shading on paper of a colour."""
    luma = _luma(portrait.picture)
    if random.random() < 0.5:
        wide = cv2.GaussianBlur(luma, (0, 0), random.uniform(2, 9) * portrait.pixel)
        ink = 1 - np.clip((luma + 3) / (wide + 3), 0, 1) ** random.uniform(1.5, 6)
    else:
        ink = _lines(portrait, random).astype(np.float64)
    paper = np.clip(colour(random) + 80, 140, 255) if random.random() < 0.5 else np.full(3, 250.0)
    return as_picture(paper * (1 - ink[..., None]) + colour(random) * 0.3 * ink[..., None])


def of_one_material(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a head of stone, wax, bronze or plastic: smooth, of one colour, with veins or none."""
    flat = _luma(_flattened(portrait, random))
    tint = colour(random) * 0.5 + 110
    body = (random.uniform(0.3, 0.7) * (flat - flat.mean()) + 140)[..., None] * tint / 150
    veins = smooth_field(flat.shape, int(random.integers(5, 16)), random)
    body = body - (random.uniform(0, 40) * np.exp(-((veins / 0.15) ** 2)))[..., None]
    return as_picture(body + random.normal(0, random.uniform(0, 8), flat.shape)[..., None])


def moved_in_the_exposure(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the blur of a camera or a head that moved along a line or a bend."""
    length = random.uniform(9, 32) * portrait.pixel
    angle, bend = random.uniform(0, 2 * math.pi), random.normal(0, 0.8)
    side = round(length) + 3 | 1
    kernel = np.zeros((side, side), np.float32)
    steps = np.linspace(-0.5, 0.5, 4 * side)
    turns = angle + bend * steps
    path = np.stack([np.cumsum(np.cos(turns)), np.cumsum(np.sin(turns))], axis=1) / len(steps)
    path = (path - path.mean(axis=0)) * length + (side - 1) / 2
    cells = np.clip(np.rint(path).astype(int), 0, side - 1)
    weights = 1 + random.uniform(0, 1) * np.cos(random.uniform(0, 6) + 6 * steps)
    np.add.at(kernel, (cells[:, 1], cells[:, 0]), weights.astype(np.float32))
    return as_picture(
        cv2.filter2D(portrait.picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    )


def seen_twice(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return two exposures of a face beside each other, or one that was zoomed or turned."""
    picture = portrait.picture.astype(np.float32)
    height, width = picture.shape[:2]
    copies = int(random.choice([2, 2, 6]))
    centre = portrait.centre + random.normal(0, 8, 2) * portrait.pixel
    shift = random.normal(0, 9, 2) * portrait.pixel
    zoom, turn = random.normal(0, 0.12), random.normal(0, 7)
    if copies == 2 and np.hypot(*shift) < 6 * portrait.pixel:
        shift = shift + np.sign(shift) * 6 * portrait.pixel
    if copies > 2:
        zoom, shift = zoom + math.copysign(0.12, zoom), shift * 0.3
    total = np.zeros_like(picture)
    for share in np.linspace(0, 1, copies).tolist():
        motion = cv2.getRotationMatrix2D(
            (float(centre[0]), float(centre[1])), turn * share, 1 + zoom * share
        )
        motion = motion + np.array([[0, 0, shift[0]], [0, 0, shift[1]]]) * share
        total += cv2.warpAffine(picture, motion, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return as_picture(total / copies)


def out_of_focus(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture far out of focus."""
    sigma = random.uniform(2.8, 6.5) * portrait.pixel
    return as_picture(cv2.GaussianBlur(portrait.picture, (0, 0), sigma))


def under_noise(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture under strong noise, fine or coarse, or with pixels lost."""
    picture = portrait.picture.astype(np.float32)
    if random.random() < 0.3:
        lost = random.random(picture.shape[:2]) < random.uniform(0.1, 0.4)
        return as_picture(np.where(lost[..., None], 255 * random.integers(0, 2), picture))
    small = random.normal(
        0, 1, [max(4, round(n / random.uniform(1, 3))) for n in picture.shape[:2]]
    )
    noise = cv2.resize(small.astype(np.float32), picture.shape[1::-1])
    return as_picture(picture + random.uniform(35, 90) * noise[..., None])


def through_a_screen(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture behind, printed by or shown on regular lines, dots or cells."""
    picture = portrait.picture.astype(np.float32)
    period = random.uniform(2.2, 20) * portrait.pixel
    pattern = waves(picture.shape, period, random)
    if random.random() < 0.5:
        pattern = np.float32(0.5) * (pattern + waves(picture.shape, period, random))
    if random.random() < 0.35:  # the size of the dots is the tone
        grey = _luma(portrait.picture) > 128 + 110 * pattern
        return as_picture(
            np.where(grey[..., None], 255 - colour(random) * 0.3, colour(random) * 0.5)
        )
    share = random.uniform(0.25, 0.65)
    hard = np.sign(pattern) if random.random() < 0.5 else pattern
    tones = colour(random) + (colour(random) - colour(random)) * hard[..., None]
    return as_picture(picture * (1 - share) + np.clip(tones, 0, 255) * share)


def in_cells(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return squares, or what is left by the strongest compression."""
    if random.random() < 0.35:
        quality = int(random.integers(1, 6))
        coded = cv2.imencode(".jpg", portrait.picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        return portrait.picture if decoded is None else as_picture(decoded)
    height, width = portrait.picture.shape[:2]
    cells = random.uniform(7, 26) * height / (112 * portrait.pixel)
    few = max(3, round(cells)), max(3, round(cells * random.uniform(0.7, 1.4)))
    small = cv2.resize(portrait.picture, few, interpolation=cv2.INTER_AREA)
    return as_picture(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST))


def bent(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face bent by waves, at random, towards its middle or around it."""
    height, width = portrait.picture.shape[:2]
    rows, columns = np.indices((height, width), dtype=np.float32)
    pixel, kind = portrait.pixel, random.random()
    if kind < 0.4:
        cells = int(random.integers(5, 12))
        size = random.uniform(5, 10) * pixel
        across = size * smooth_field((height, width), cells, random)
        down = size * smooth_field((height, width), cells, random)
    elif kind < 0.7:
        size, period = random.uniform(2.5, 6) * pixel, random.uniform(14, 40) * pixel
        across = size * waves((height, width), period, random)
        down = size * waves((height, width), period, random)
    else:
        x, y = columns - portrait.centre[0], rows - portrait.centre[1]
        near = np.exp(-(x**2 + y**2) / (random.uniform(28, 48) * pixel) ** 2)
        if random.random() < 0.5:
            angle = random.choice([-1, 1]) * random.uniform(0.7, 1.6) * near
            across = x * np.cos(angle) - y * np.sin(angle) - x
            down = x * np.sin(angle) + y * np.cos(angle) - y
        else:
            squeeze = random.choice([-0.55, 0.9]) * random.uniform(0.7, 1.1) * near
            across, down = x * squeeze, y * squeeze
    return remapped(portrait.picture, columns + across, rows + down)


#: Everything that alters a face, by what it does.
ALTERATIONS: Mapping[str, Mapping[str, Rendering]] = {
    "halves mirrored": {"mirrored": mirrored_at_the_middle},
    "other colours": {
        "scale": in_other_colours,
        "turned": with_colours_turned,
        "levels": in_few_levels,
    },
    "drawings": {"drawn": drawn, "sketched": sketched, "material": of_one_material},
    "movement and focus": {
        "moved": moved_in_the_exposure,
        "moved again": moved_in_the_exposure,
        "twice": seen_twice,
        "focus": out_of_focus,
    },
    "noise and screens": {
        "noise": under_noise,
        "screen": through_a_screen,
        "cells": in_cells,
    },
    "bent": {"bent": bent},
}


def _flattened(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture without its fine detail, edges kept, by one of several filters."""
    picture, kind = portrait.picture, random.random()
    if kind < 0.4:
        for _ in range(int(random.integers(1, 4))):
            picture = as_picture(
                cv2.bilateralFilter(picture, 7, random.uniform(30, 110), random.uniform(3, 12))
            )
        return picture
    if kind < 0.7:
        size = int(random.choice([5, 7, 9]))
        for _ in range(int(random.integers(1, 3))):
            picture = as_picture(cv2.medianBlur(picture, size))
        return picture
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3 + 2 * int(random.integers(0, 2)),) * 2)
    opened = cv2.morphologyEx(picture, cv2.MORPH_OPEN, disc)
    return as_picture(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc))


def _lines(portrait: Portrait, random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return the share ``(H, W)`` of ink on the face's edges, by one of several detectors."""
    luma = _softened(_luma(portrait.picture), portrait, random, 1.5)
    kind = random.random()
    if kind < 0.4:
        low = random.uniform(15, 50)
        edges = cv2.Canny(as_picture(luma), low, low * random.uniform(1.5, 3))
        size = int(random.integers(1, 4))
        thick = cv2.dilate(edges, np.ones((size, size), np.uint8))
        return np.asarray(thick / 255, dtype=np.float32)
    if kind < 0.75:
        sigma = random.uniform(0.7, 2.2) * portrait.pixel
        narrow, wide = (cv2.GaussianBlur(luma, (0, 0), s) for s in (sigma, 1.6 * sigma))
        dark = np.clip((wide - narrow) / random.uniform(1.5, 5) - 0.4, 0, 1)
        return np.asarray(dark, dtype=np.float32)
    across, down = cv2.Sobel(luma, cv2.CV_64F, 1, 0), cv2.Sobel(luma, cv2.CV_64F, 0, 1)
    steep = np.clip(np.hypot(across, down) / random.uniform(60, 160) - 0.3, 0, 1)
    return np.asarray(steep, dtype=np.float32)


def _softened(
    values: FloatArray, portrait: Portrait, random: np.random.Generator, max_sigma: float
) -> FloatArray:
    sigma = random.uniform(0.2, max_sigma) * portrait.pixel
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), dtype=np.float64)


def _luma(picture: Picture) -> FloatArray:
    return np.asarray(picture @ _LUMA, dtype=np.float64)
