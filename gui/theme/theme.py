"""The colours, palette and style of the window in light and dark.

A widget asks for a style with the dynamic property ``role``, set before it is shown:

========  ===========================================================================================================
QLabel    ``title`` (run name), ``section`` (heading of a section), ``value`` (a large number), ``hint`` (help),
          ``error``, ``chip`` (with the property ``tone``: none, accent, good, warn or bad)
QFrame    ``card`` (a raised panel), ``bar`` (a strip along an edge of the window), ``line`` (a thin line)
Buttons   ``primary`` (the one default action), ``quiet`` (flat), ``inline`` (a link), ``segment`` (one of a row of
          choices, checkable)
========  ===========================================================================================================

After a property of a visible widget has changed, call ``restyle``, or set it with ``set_style_property``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Final, Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from gui.theme.style_sheet import STYLE

ThemeMode = Literal["system", "light", "dark"]
MODES: Final[tuple[ThemeMode, ...]] = ("system", "light", "dark")


@dataclass(frozen=True, kw_only=True)
class Colors:
    """Every colour of the window, as ``#rrggbb``. Groups differ in lightness too (after Okabe and Ito)."""

    dark: bool
    window: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    good: str
    good_soft: str
    warn: str
    warn_soft: str
    bad: str
    bad_soft: str
    accent_soft: str
    plot: str
    axis: str
    grid: str
    train: str
    train_faint: str
    val: str
    lr: str
    pending: str
    now: str
    strip: str
    intervention: str
    schedule_marker: str
    cursor: str
    groups: tuple[str, ...]
    candidates: tuple[str, ...]


LIGHT: Final = Colors(
    dark=False,
    window="#f3f4f6",
    surface="#ffffff",
    raised="#f7f8fa",
    border="#d9dde3",
    text="#1b2330",
    muted="#586374",
    disabled="#9aa3b0",
    accent="#1f5fbf",
    accent_hover="#184e9f",
    on_accent="#ffffff",
    good="#1a6b3c",
    good_soft="#ddf1e4",
    warn="#865000",
    warn_soft="#fcedcf",
    bad="#b3261e",
    bad_soft="#fbe3e1",
    accent_soft="#e2ecfa",
    plot="#ffffff",
    axis="#586374",
    grid="#eceef2",
    train="#1f6fb8",
    train_faint="#bdd5ec",
    val="#c2500a",
    lr="#1c7c64",
    pending="#a3359b",
    now="#a9b2bf",
    strip="#f3f4f6",
    intervention="#a3359b",
    schedule_marker="#8a94a3",
    cursor="#7b8696",
    groups=("#1c7c64", "#1f5fbf", "#b35900", "#8f3f97", "#4b5563", "#8a6d00"),
    candidates=("#1f5fbf", "#b35900", "#4b5563", "#8a6d00"),
)

DARK: Final = Colors(
    dark=True,
    window="#14181f",
    surface="#1b212a",
    raised="#232a35",
    border="#323b48",
    text="#e7ebf1",
    muted="#9eabbc",
    disabled="#5f6b7b",
    accent="#7db2ff",
    accent_hover="#9cc5ff",
    on_accent="#0d1a2d",
    good="#6fd39a",
    good_soft="#1d3a2b",
    warn="#f0b95a",
    warn_soft="#40321a",
    bad="#ff8f86",
    bad_soft="#48231f",
    accent_soft="#22344f",
    plot="#1b212a",
    axis="#9eabbc",
    grid="#272f3a",
    train="#6cb2f5",
    train_faint="#34536f",
    val="#ff9d57",
    lr="#5cd0b0",
    pending="#e48ddb",
    now="#566274",
    strip="#14181f",
    intervention="#e48ddb",
    schedule_marker="#77859a",
    cursor="#94a1b3",
    groups=("#5cd0b0", "#7db2ff", "#f2ab5e", "#d79be8", "#c3ccd8", "#e3d36b"),
    candidates=("#7db2ff", "#f2ab5e", "#c3ccd8", "#e3d36b"),
)


def mixed(over: str, under: str, share: float) -> str:
    """The opaque colour of ``over`` on ``under`` with the opacity ``share`` (0 to 1). It paints faster than alpha."""
    a, b = QColor(over), QColor(under)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return "#" + "".join(f"{round(x * share + y * (1 - share)):02x}" for x, y in parts)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2.1 defines it, 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def is_dark(palette: QPalette) -> bool:
    """Whether ``palette`` has light text on a dark window."""
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def error_color(palette: QPalette) -> QColor:
    """A red that is legible on the window of ``palette``."""
    return QColor.fromHsl(4, 200, 175 if is_dark(palette) else 95)


def hint_color(palette: QPalette) -> QColor:
    """The text colour of ``palette`` blended into its window's, for hints."""
    group = QPalette.ColorGroup.Active
    text, window = palette.color(group, QPalette.ColorRole.Text), palette.color(group, QPalette.ColorRole.Window)
    return QColor(mixed(text.name(), window.name(), 0.68))


def restyle(widget: QWidget) -> None:
    """Apply the style sheet to ``widget`` again, after a property that it selects by has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def set_style_property(widget: QWidget, name: str, value: str | bool) -> None:
    """Set a property of ``widget`` that the style sheet selects by, and apply the sheet if the value is another."""
    if (widget.property(name) or type(value)()) != value:
        widget.setProperty(name, value)
        restyle(widget)


class Theme(QObject):
    """The style of the application.

    Signals:
        changed(Colors): the colours changed.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app: QApplication | None = None
        self._mode: ThemeMode = "system"
        self._points = 0.0
        self._has_style_sheet = False
        self.colors = LIGHT

    @property
    def mode(self) -> ThemeMode:
        """The mode that the person chose."""
        return self._mode

    def prepare(self, app: QApplication) -> None:
        """Set the style, font and palette of ``app``, and follow the system's light and dark mode from now on.

        ``apply`` sets the style sheet. A window that is built before that is shown in half the time, because Qt then
        matches the sheet's rules once for each widget and not whenever a layout adds it.
        """
        self._app = app
        style = QStyleFactory.create("Fusion")
        app.setStyle(style)
        font = app.font()
        if font.pointSizeF() > 0:
            self._points = max(font.pointSizeF(), 9.5)
            font.setPointSizeF(self._points)
            font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
            app.setFont(font)
        app.styleHints().colorSchemeChanged.connect(self._follow)
        self._update(force=True)

    def apply(self, app: QApplication) -> None:
        """Set the style sheet of ``app``, after ``prepare`` if that was not called."""
        if self._app is None:
            self.prepare(app)
        self._has_style_sheet = True
        self._update(force=True)

    def set_mode(self, mode: ThemeMode) -> None:
        """Follow the system, or be always light or always dark."""
        self._mode = mode
        self._update()

    def _follow(self, _scheme: Qt.ColorScheme) -> None:
        self._update()

    def _update(self, *, force: bool = False) -> None:
        if self._app is None:
            return
        scheme = self._app.styleHints().colorScheme()
        dark = self._mode == "dark" or (self._mode == "system" and scheme == Qt.ColorScheme.Dark)
        colors = DARK if dark else LIGHT
        if colors is self.colors and not force:
            return
        self.colors = colors
        self._app.setPalette(palette(colors))
        sheet = style_sheet(colors, self._points or 10.0) if self._has_style_sheet else ""
        if sheet != self._app.styleSheet():  # setting it styles every widget again
            self._app.setStyleSheet(sheet)
        self.changed.emit(colors)


def palette(colors: Colors) -> QPalette:
    """The palette for Qt's Fusion style in ``colors``."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    made = QPalette()
    for target, color in {
        role.Window: colors.window,
        role.WindowText: colors.text,
        role.Base: colors.surface,
        role.AlternateBase: colors.raised,
        role.Text: colors.text,
        role.PlaceholderText: colors.muted,
        role.Button: colors.raised,
        role.ButtonText: colors.text,
        role.BrightText: colors.bad,
        role.Highlight: colors.accent,
        role.HighlightedText: colors.on_accent,
        role.Accent: colors.accent,
        role.Link: colors.accent,
        role.LinkVisited: colors.accent,
        role.ToolTipBase: colors.raised,
        role.ToolTipText: colors.text,
        role.Light: mixed("#ffffff", colors.raised, 0.06 if colors.dark else 0.8),
        role.Midlight: colors.border,
        role.Mid: colors.border,
        role.Dark: mixed("#000000", colors.border, 0.25),
        role.Shadow: mixed("#000000", colors.window, 0.5),
    }.items():
        made.setColor(target, QColor(color))
    for target in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        made.setColor(group.Disabled, target, QColor(colors.disabled))
    made.setColor(group.Disabled, role.Highlight, QColor(colors.border))
    return made


def style_sheet(colors: Colors, points: float) -> str:
    """The application's style sheet; ``points`` is the size of plain text, to which the other sizes are relative."""
    values = {f.name: getattr(colors, f.name) for f in fields(colors) if isinstance(getattr(colors, f.name), str)}
    sizes = {"small": points * 0.9, "plain": points, "large": points * 1.25, "huge": points * 2.1}
    icons = {name: (files("resources") / "icons" / f"{name}.svg").as_posix() for name in ("check", "chevron")}  # type: ignore[attr-defined]
    return STYLE.substitute(values, **icons, **{name: f"{size:.1f}pt" for name, size in sizes.items()})


def _luminance(color: str) -> float:
    channels = (QColor(color).redF(), QColor(color).greenF(), QColor(color).blueF())
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
