"""The window's style sheet, a template with the colours and sizes of ``gui.theme.theme``."""

from __future__ import annotations

from string import Template
from typing import Final

STYLE: Final = Template("""
QToolTip {
    background: $raised; color: $text; border: 1px solid $border; border-radius: 4px; padding: 5px 7px;
}

QLabel { background: transparent; }
QLabel[role="title"] { font-size: $large; font-weight: 600; }
QLabel[role="section"] { font-size: $small; font-weight: 700; color: $muted; padding: 2px 0; }
QLabel[role="value"] { font-size: $huge; font-weight: 600; color: $text; }
QLabel[role="hint"] { color: $muted; }
QLabel[role="error"] { color: $bad; }

QLabel[role="chip"] {
    font-size: $small; font-weight: 600; color: $muted; background: $raised;
    border: 1px solid $border; border-radius: 9px; padding: 2px 9px;
}
QLabel[role="chip"][tone="accent"] { color: $accent; background: $accent_soft; border-color: $accent_soft; }
QLabel[role="chip"][tone="good"] { color: $good; background: $good_soft; border-color: $good_soft; }
QLabel[role="chip"][tone="warn"] { color: $warn; background: $warn_soft; border-color: $warn_soft; }
QLabel[role="chip"][tone="bad"] { color: $bad; background: $bad_soft; border-color: $bad_soft; }

QFrame[role="card"] { background: $surface; border: 1px solid $border; border-radius: 8px; }
QFrame[role="card"][chosen="true"] { border-color: $accent; }
QFrame[role="bar"] { background: $surface; border: none; }
QFrame[role="line"] { background: $border; border: none; max-height: 1px; min-height: 1px; }

QPushButton, QToolButton {
    background: $raised; color: $text; border: 1px solid $border; border-radius: 6px; padding: 5px 12px;
}
QToolButton { padding: 4px 8px; }
QPushButton:hover, QToolButton:hover { border-color: $accent; }
QPushButton:pressed, QToolButton:pressed { background: $border; }
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $disabled; background: $window; border-color: $border; }
QPushButton:checked, QToolButton:checked { color: $accent; background: $accent_soft; border-color: $accent; }
QPushButton[role="primary"] {
    background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; padding: 6px 16px;
}
QPushButton[role="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="primary"]:focus { border-color: $text; }
QPushButton[role="primary"]:disabled { background: $border; color: $disabled; border-color: $border; }
QPushButton[role="quiet"], QToolButton[role="quiet"] {
    background: transparent; border-color: transparent; color: $muted; padding: 3px 7px;
}
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover { background: $raised; color: $text; }
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus { border-color: $accent; }
QPushButton[role="inline"] {
    background: transparent; border: none; border-bottom: 1px solid transparent; border-radius: 0; color: $accent;
    padding: 1px 0; text-align: left;
}
QPushButton[role="inline"]:hover, QPushButton[role="inline"]:focus { border-bottom-color: $accent; }
QPushButton[role="inline"]:disabled { color: $disabled; }
QPushButton[role="quiet"]:disabled, QToolButton[role="quiet"]:disabled { color: $disabled; }
QToolButton[role="segment"] {
    font-size: $small; color: $muted; background: transparent; border: 1px solid transparent; border-radius: 5px;
    padding: 2px 8px;
}
QToolButton[role="segment"]:hover { color: $text; background: $raised; }
QToolButton[role="segment"]:focus { border-color: $accent; }
QToolButton[role="segment"]:checked, QToolButton[role="segment"][tone="accent"] {
    color: $accent; background: $accent_soft;
}
QToolButton[role="segment"]:disabled { color: $disabled; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox {
    background: $surface; color: $text; border: 1px solid $border; border-radius: 5px; padding: 4px 6px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {
    width: 0; border: none;
}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus {
    border-color: $accent;
}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled { color: $disabled; background: $window; }
QLineEdit[invalid="true"] { border-color: $bad; background: $bad_soft; }

QCheckBox, QRadioButton { spacing: 7px; }
QCheckBox::indicator, QRadioButton::indicator {
    width: 13px; height: 13px; border: 1px solid $muted; background: $surface;
}
QCheckBox::indicator { border-radius: 3px; }
QRadioButton::indicator { border-radius: 7px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover,
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url($check); }
QRadioButton::indicator:checked {
    width: 7px; height: 7px; border: 4px solid $accent; border-radius: 7px; background: $on_accent;
}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: $border; background: $window; }
QCheckBox::indicator:checked:disabled { background: $disabled; border-color: $disabled; }
QRadioButton::indicator:checked:disabled { border-color: $disabled; background: $window; }

QTabWidget::pane { border: none; border-top: 1px solid $border; }
QTabBar { qproperty-drawBase: 0; }
QTabBar::tab {
    background: transparent; color: $muted; border: none; border-bottom: 2px solid transparent;
    padding: 7px 14px; font-weight: 600;
}
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $accent; border-bottom-color: $accent; }
QTabBar::tab:focus { color: $accent; }

QComboBox {
    background: $surface; color: $text; border: 1px solid $border; border-radius: 5px; padding: 4px 6px;
}
QComboBox:hover, QComboBox:focus { border-color: $accent; }
QComboBox:disabled { color: $disabled; background: $window; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url($chevron); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $border; outline: 0; }

QProgressBar {
    background: $border; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; color: transparent;
}
QProgressBar::chunk { background: $accent; border-radius: 3px; }

QSlider::groove:horizontal { height: 4px; background: $border; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::sub-page:horizontal:disabled { background: $border; }
QSlider::handle:horizontal {
    width: 12px; height: 12px; margin: -5px 0; border-radius: 7px; background: $surface; border: 1px solid $accent;
}
QSlider::handle:horizontal:hover { background: $accent_soft; }
QSlider::handle:horizontal:disabled { border-color: $disabled; background: $window; }

QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $border; }
QScrollArea { border: none; background: transparent; }
QScrollBar:vertical { width: 10px; background: transparent; margin: 0; }
QScrollBar:horizontal { height: 10px; background: transparent; margin: 0; }
QScrollBar::handle { background: $border; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $disabled; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QMenu { background: $surface; color: $text; border: 1px solid $border; padding: 4px; }
QMenu::item { padding: 5px 22px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: 4px 6px; }

QHeaderView::section {
    background: $raised; color: $muted; border: none; border-bottom: 1px solid $border; padding: 5px 8px;
}
""")
