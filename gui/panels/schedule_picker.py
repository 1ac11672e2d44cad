"""Choosing a schedule: a card that shows the chosen one, and a list of all with formula, use and shape."""

from __future__ import annotations

import html
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from engine.schedules import SCHEDULES, ScheduleSpec
from gui.form_words import usual_text
from gui.notes import Note, hint_colour
from gui.panels.sparkline import Sparkline, paint_curve, shape
from gui.words import said, tr

FAMILIES: Final = {
    "ordered": "Ordered: the epoch decides",
    "adaptive": "Adaptive: a metric decides",
    "custom": "Custom: you write the curve",
}
KIND: Final = Qt.ItemDataRole.UserRole
PAD, CURVE_W, CURVE_H = 8, 60, 34


LISTED: Final = tuple(kind for kind in SCHEDULES if not kind.composed)
"""The schedules that a form of fields can edit."""


def suggested(kind: type[ScheduleSpec], epochs: int, lr: float = 0.01) -> dict[str, Any]:
    """Values for fields of ``kind`` that suit a plan of ``epochs`` epochs, beside a rate of ``lr``.

    Schedules that bring their own level go up to ten times ``lr`` where it is usual to. CyclicLR counts epochs here,
    because how many batches make one is not known.
    """
    top = float(f"{lr or 0.01:.3g}")
    halves = sorted({max(1, epochs // 2), max(1, epochs * 3 // 4)})
    known: dict[str, dict[str, Any]] = {
        "StepLR": {"step_size": max(1, epochs // 3)},
        "MultiStepLR": {"milestones": tuple(halves)},
        "ExponentialLR": {"gamma": 0.95},
        "CosineAnnealingLR": {"T_max": max(1, epochs)},
        "ConstantLR": {"total_iters": max(1, min(5, epochs // 6))},
        "LinearLR": {"total_iters": max(1, min(5, epochs // 6))},
        "PolynomialLR": {"total_iters": max(1, epochs)},
        "CosineAnnealingWarmRestarts": {"T_0": max(1, epochs // 3)},
        "CyclicLR": {
            "interval": "epoch",
            "base_lr": min(top / 10, 1000.0),
            "max_lr": min(top, 1000.0),
            "step_size_up": max(1, epochs // 6),
        },
        "OneCycleLR": {"max_lr": min(top * 10, 1000.0)},
        "LambdaLR": {"lr_lambda": ("0.95**epoch",)},
        "MultiplicativeLR": {"lr_lambda": ("0.95",)},
    }
    return known.get(kind.__name__, {})


def usual_line(kind: type[ScheduleSpec]) -> str:
    """The usual ranges of a schedule's fields in one line, empty where none is known."""
    parts = ((name, usual_text(info)) for name, info in kind.model_fields.items())
    return " · ".join(f"{name} {text}" for name, text in parts if text)


class SchedulePicker(QPushButton):
    """The chosen schedule, as a button that opens the list.

    Signals:
        chosen(object): the person chose this ScheduleSpec class.
        opening(): the list is about to show; a good moment to ask for its curves.
    """

    chosen = Signal(object)
    opening = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        self._kind: type[ScheduleSpec] = SCHEDULES[0]
        self.sparkline = Sparkline()
        self._name, self._formula = QLabel(), Note(lines=2)
        bold = self._name.font()
        bold.setBold(True)
        self._name.setFont(bold)
        arrow = QLabel("▾")
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._name)
        words.addWidget(self._formula)
        line = QHBoxLayout(self)
        line.setContentsMargins(PAD, 6, PAD, 6)
        line.setSpacing(PAD)
        line.addWidget(self.sparkline)
        line.addLayout(words, 1)
        line.addWidget(arrow)
        for child in (self._name, self._formula, arrow):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAutoDefault(False)
        self.popup = _Popup(self)
        self.popup.chosen.connect(self.chosen)
        self.clicked.connect(self.open)
        self.show_kind(self._kind)

    def show_kind(self, kind: type[ScheduleSpec]) -> None:
        """Show ``kind`` as the chosen one."""
        self._kind = kind
        name, formula = kind.__name__, said(kind.formula)
        self._name.setText(name)
        self._formula.say(formula)
        self.sparkline.set_curve(self._curves.get(name, []))
        self.setAccessibleName(tr("Schedule: {name}", name=name))
        self.setToolTip(
            "<qt>"
            + "<br>".join(
                html.escape(t)
                for t in (
                    said(kind.__doc__ or ""),
                    formula,
                    tr("Source: {docs}", docs=kind.docs),
                    tr("Click to choose another."),
                )
            )
            + "</qt>"
        )

    def set_curve(self, name: str, x: np.ndarray, lr: np.ndarray) -> None:
        """The curve of the schedule ``name`` has arrived: rates ``lr`` in force from ``x`` on."""
        self._curves[name] = shape(x, lr)
        self.popup.set_curves(self._curves)
        if name == self._kind.__name__:
            self.sparkline.set_curve(self._curves[name])

    def open(self) -> None:
        """Show the list under the card, within the screen."""
        self.opening.emit()
        self.popup.open_below(self, self._kind)

    def sizeHint(self) -> QSize:
        """What the card's words and curve need."""
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Never wider than its column."""
        return QSize(180, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the list by key."""
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open()
        else:
            super().keyPressEvent(event)


class _Popup(QFrame):
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
        for kind in LISTED:
            if kind.family != family:
                family = kind.family
                self.list.addItem(_header(tr(FAMILIES[family])))
            self.list.addItem(_entry(kind))
        self.list.itemClicked.connect(self._take)
        self.list.itemActivated.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(self.list)

    def set_curves(self, curves: dict[str, list[tuple[np.ndarray, np.ndarray]]]) -> None:
        self._delegate.curves = dict(curves)
        self.list.viewport().update()

    def open_below(self, card: QWidget, kind: type[ScheduleSpec]) -> None:
        row = next((i for i in range(self.list.count()) if self.list.item(i).data(KIND) is kind), -1)
        self.list.setCurrentRow(row)  # none of them where the chosen one is not listed
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

    def _take(self, item: QListWidgetItem) -> None:
        kind = item.data(KIND)
        if kind is not None and self.isVisible():
            self.hide()
            self.chosen.emit(kind)

    def keyPressEvent(self, event: QKeyEvent) -> None:
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
    spoken = tr("{name}. {formula}. {when}", name=kind.__name__, formula=said(kind.formula), when=said(kind.when))
    item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
    item.setToolTip(f"<qt>{html.escape(said(kind.__doc__ or ''))}</qt>")
    return item


class _Entry(QStyledItemDelegate):
    """Paints a family's heading, or a schedule: name, formula, when to use it, usual values; its shape on the right."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.curves: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}

    def height(self, kind: type[ScheduleSpec] | None, width: int, font: QFont) -> int:
        """The pixels that a row needs."""
        if kind is None:
            return QFontMetrics(font).lineSpacing() + 12
        blocks = self._blocks(kind, font)
        words = sum(self._measure(text, f, room, width) for text, f, room in blocks)
        return max(words, CURVE_H + QFontMetrics(font).lineSpacing()) + 2 * PAD - 2

    def _blocks(self, kind: type[ScheduleSpec], font: QFont) -> list[tuple[str, QFont, int]]:
        """Text, font, and how many pixels on the right it leaves to the curve."""
        bold, small = QFont(font), QFont(font)
        bold.setBold(True)
        small.setPointSizeF(font.pointSizeF() * 0.88)
        beside = CURVE_W + PAD
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
            painter.setPen(hint_colour(palette))
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
            painter.setPen(palette.color(QPalette.ColorRole.Text) if n < 2 else hint_colour(palette))
            height = self._measure(text, font, room, rect.width())
            free = QRect(rect.left() + PAD, top, rect.width() - 2 * PAD - room, height)
            painter.drawText(free, Qt.TextFlag.TextWordWrap, text)
            top += height
        place = QRectF(rect.right() - PAD - CURVE_W, rect.top() + PAD, CURVE_W, CURVE_H)
        paint_curve(painter, place, self.curves.get(kind.__name__, []), palette)
        painter.restore()
