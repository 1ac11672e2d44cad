"""The palettes are legible and complete, and follow the person's choice or the system."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.theme.theme import DARK, LIGHT, Colors, Theme, contrast, mixed, style_sheet

PALETTES = pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    font, palette, style = qapp.font(), qapp.palette(), qapp.style().objectName()
    made = Theme()
    yield made
    made.set_mode("light")
    qapp.styleHints().colorSchemeChanged.disconnect()
    qapp.setStyleSheet("")
    qapp.setStyle(style)
    qapp.setPalette(palette)
    qapp.setFont(font)


@PALETTES
def test_text_is_legible_on_every_background(colors: Colors) -> None:
    for text, background in itertools.product(
        (colors.text, colors.muted), (colors.window, colors.surface, colors.raised)
    ):
        assert contrast(text, background) >= 4.5, (text, background)
    pairs = [
        (colors.on_accent, colors.accent),
        (colors.on_accent, colors.accent_hover),
        (colors.accent, colors.accent_soft),
        (colors.good, colors.good_soft),
        (colors.warn, colors.warn_soft),
        (colors.bad, colors.bad_soft),
        (colors.bad, colors.surface),
        (colors.axis, colors.plot),
        (colors.axis, colors.strip),
        (colors.pending, colors.plot),
        (colors.text, colors.plot),
    ]
    for text, background in pairs:
        assert contrast(text, background) >= 4.5, (text, background)


@PALETTES
def test_curves_are_visible_and_groups_differ(colors: Colors) -> None:
    for curve in (colors.train, colors.val, colors.lr, colors.pending, *colors.groups):
        assert contrast(curve, colors.plot) >= 3.0, curve
    assert len(set(colors.groups)) == len(colors.groups) >= 4


@PALETTES
def test_every_colour_is_valid_and_the_style_sheet_is_complete(colors: Colors) -> None:
    for field in dataclasses.fields(colors):
        value = getattr(colors, field.name)
        for color in value if isinstance(value, tuple) else [value]:
            assert isinstance(color, bool) or re.fullmatch(r"#[0-9a-f]{6}", color), field.name
    sheet = style_sheet(colors, 10)
    assert "$" not in sheet
    assert sheet.count("{") == sheet.count("}")


def test_contrast_and_mixing_at_their_limits() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#123456", "#123456") == pytest.approx(1)
    assert mixed("#ffffff", "#000000", 0.5) == "#808080"


def test_choosing_dark_changes_the_window_and_emits_changed_once(
    qapp: QApplication, qtbot: QtBot, theme: Theme
) -> None:
    theme.apply(qapp)
    theme.set_mode("light")
    with qtbot.waitSignal(theme.changed) as emitted:
        theme.set_mode("dark")
    assert emitted.args == [DARK]
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK.window
    assert DARK.accent in qapp.styleSheet()
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_mode("dark")
    theme.set_mode("light")
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT.window


def test_the_style_is_fusion(qapp: QApplication, theme: Theme) -> None:
    theme.apply(qapp)
    assert theme.mode == "system"
    # A style sheet wraps the style; without one its own name shows.
    qapp.setStyleSheet("")
    assert qapp.style().objectName() == "fusion"
