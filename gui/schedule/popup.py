"""The list of all schedules, with formula, use and shape; one that cannot be chosen shows why."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from engine.schedules import SCHEDULES, ScheduleSpec
from gui.core.translation import said, tr
from gui.theme.theme import hint_color
from gui.widgets.field_text import usual_text
from gui.widgets.sparkline import paint_curve

Curves = dict[str, list[tuple[np.ndarray, np.ndarray]]]
FAMILIES: Final = {
    "ordered": "Ordered: the epoch decides",
    "adaptive": "Adaptive: a metric decides",
    "custom": "Custom: you write the curve",
}
KIND: Final = Qt.ItemDataRole.UserRole
CHOICE: Final = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
NO_CHOICE: Final = Qt.ItemFlag.NoItemFlags
PAD: Final = 8
CURVE_W, CURVE_H = 60, 34


def usual_line(kind: type[ScheduleSpec]) -> str:
    """The usual ranges of a schedule's fields in one line; empty if none is known."""
    parts = ((name, usual_text(info)) for name, info in kind.model_fields.items())
    return " · ".join(f"{name} {text}" for name, text in parts if text)


class SchedulePopup(QFrame):
    """The list of schedules to choose from, with formula, use and shape.

    Signals:
        chosen(object): the user chose this ScheduleSpec class.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.list = QListWidget()
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setAccessibleName(tr("Schedules"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setMouseTracking(True)
        self._delegate = _Entry(self.list)
        self.list.setItemDelegate(self._delegate)
        family = ""
        for kind in SCHEDULES:
            if kind.family != family:
                family = kind.family
                self.list.addItem(_header(tr(FAMILIES[family])))
            self.list.addItem(_entry(kind))
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(self.list)

    def set_curves(self, curves: Curves) -> None:
        """Show these curves, by the schedule's name."""
        self._delegate.curves = dict(curves)
        self.list.viewport().update()

    def set_unavailable(self, unavailable: Mapping[type[ScheduleSpec], str]) -> None:
        """Set the schedules that cannot be chosen, and why."""
        self._delegate.unavailable = dict(unavailable)
        for i in range(self.list.count()):
            item = self.list.item(i)
            if item.data(KIND) is not None:
                item.setFlags(NO_CHOICE if item.data(KIND) in unavailable else CHOICE)

    def open_below(self, card: QWidget, kind: type[ScheduleSpec]) -> None:
        """Show the list below ``card``, within the screen, with ``kind`` selected."""
        row = next((i for i in range(self.list.count()) if self.list.item(i).data(KIND) is kind), -1)
        self.list.setCurrentRow(row)  # -1 selects none, if the chosen one is not listed
        width = max(card.width(), 330)
        rows = range(self.list.count())
        wanted = sum(self._delegate.height(self.list.item(i).data(KIND), width - 4, self.list.font()) for i in rows) + 6
        screen = card.screen().availableGeometry()
        height = min(wanted, screen.height() - 40)
        corner = card.mapToGlobal(QPoint(card.width() - width, card.height() + 2))
        x = min(max(corner.x(), screen.left()), screen.right() - width)
        y = min(max(corner.y(), screen.top()), screen.bottom() - height)
        self.setGeometry(x, y, width, height)
        self.show()
        self.list.doItemsLayout()
        self.list.setFocus()
        self.list.scrollToItem(self.list.item(max(row, 0)))

    def _choose(self, item: QListWidgetItem) -> None:
        kind = item.data(KIND)
        if kind is not None and kind not in self._delegate.unavailable and self.isVisible():
            self.hide()
            self.chosen.emit(kind)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes the list."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)


def _header(text: str) -> QListWidgetItem:
    item = QListWidgetItem(text)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    return item


def _entry(kind: type[ScheduleSpec]) -> QListWidgetItem:
    item = QListWidgetItem(kind.__name__)
    item.setData(KIND, kind)
    description = tr("{name}. {formula}. {when}", name=kind.__name__, formula=said(kind.formula), when=said(kind.when))
    item.setData(Qt.ItemDataRole.AccessibleTextRole, description)
    item.setToolTip(f"<qt>{html.escape(said(kind.__doc__ or ''))}</qt>")
    return item


class _Entry(QStyledItemDelegate):
    """Paints a family's heading, or a schedule: name, formula, use and usual values, and its curve on the right."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.curves: Curves = {}
        self.unavailable: dict[type[ScheduleSpec], str] = {}

    def height(self, kind: type[ScheduleSpec] | None, width: int, font: QFont) -> int:
        """The height of a row in pixels."""
        if kind is None:
            return QFontMetrics(font).lineSpacing() + 12
        blocks = self._blocks(kind, font)
        texts = sum(self._measure(text, f, room, width) for text, f, room in blocks)
        return max(texts, CURVE_H + QFontMetrics(font).lineSpacing()) + 2 * PAD - 2

    def _blocks(self, kind: type[ScheduleSpec], font: QFont) -> list[tuple[str, QFont, int]]:
        """The texts of a row, each with its font and the width in pixels that it leaves to the curve."""
        bold, small = QFont(font), QFont(font)
        bold.setBold(True)
        small.setPointSizeF(font.pointSizeF() * 0.88)
        beside = CURVE_W + PAD
        if kind in self.unavailable:
            return [(kind.__name__, bold, beside), (self.unavailable[kind], small, beside)]
        blocks = [
            (kind.__name__, bold, beside),
            (said(kind.formula), small, beside),
            (said(kind.when), small, beside),
            (usual_line(kind), small, 0),
        ]
        return [block for block in blocks if block[0]]

    def _measure(self, text: str, font: QFont, room: int, width: int) -> int:
        free = QRect(0, 0, width - 2 * PAD - room, 10_000)
        return QFontMetrics(font).boundingRect(free, Qt.TextFlag.TextWordWrap, text).height() + 1

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        view = self.parent()
        width = view.viewport().width() if isinstance(view, QListWidget) else option.rect.width()
        return QSize(width, self.height(index.data(KIND), width, option.font))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        kind, rect, palette = index.data(KIND), option.rect, QPalette(option.palette)
        painter.save()
        if kind is None:
            bold = QFont(option.font)
            bold.setBold(True)
            painter.setFont(bold)
            painter.setPen(hint_color(palette))
            painter.drawText(rect.adjusted(PAD, 6, -PAD, 0), Qt.AlignmentFlag.AlignVCenter, index.data())
            painter.restore()
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        tint = palette.color(QPalette.ColorRole.Highlight)
        if chosen or hovered:
            tint.setAlphaF(0.22 if chosen else 0.1)
            painter.fillRect(rect, tint)
        top = rect.top() + PAD - 2
        for n, (text, font, room) in enumerate(self._blocks(kind, option.font)):
            painter.setFont(font)
            plain = n < 2 and kind not in self.unavailable
            painter.setPen(palette.color(QPalette.ColorRole.Text) if plain else hint_color(palette))
            height = self._measure(text, font, room, rect.width())
            free = QRect(rect.left() + PAD, top, rect.width() - 2 * PAD - room, height)
            painter.drawText(free, Qt.TextFlag.TextWordWrap, text)
            top += height
        curve_rect = QRectF(rect.right() - PAD - CURVE_W, rect.top() + PAD, CURVE_W, CURVE_H)
        paint_curve(painter, curve_rect, self.curves.get(kind.__name__, []), palette)
        painter.restore()
