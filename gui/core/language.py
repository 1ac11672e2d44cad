"""The window in the person's language, where a translation exists; otherwise in English.

To add a language (German, say), from the repository's root:

1. ``python -m resources.translations.extract de`` creates ``resources/translations/tiller_de.ts``. A name such as
   ``pt_BR`` is for one country only.
2. Translate it with ``pyside6-linguist resources/translations/tiller_de.ts``. Text in {braces} is filled in by the
   program: keep each name as it is; the order is free. Leave formulas and PyTorch's own names unchanged.
3. ``pyside6-lrelease resources/translations/tiller_de.ts`` creates ``tiller_de.qm``, which the window reads. Commit
   both.

After a change of the English strings, ``python -m resources.translations.extract`` updates every ``tiller_*.ts``;
translations that still apply are kept. Then repeat steps 2 and 3 for what is new.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator


def install(app: QCoreApplication, locale: QLocale, folder: Traversable | None = None) -> bool:
    """Translate what ``app`` shows from now on; call it before the first widget is created.

    The first of the locale's languages for which there is a translation is used, and Qt's own texts (such as the
    buttons of its dialogs) are in the same language if Qt has them. English needs no translation, so languages after it
    are not tried.

    Args:
        app: the application, which owns the translators.
        locale: the user's languages, the preferred one first.
        folder: the folder of the ``tiller_*.qm`` files; None: those that come with Tiller.

    Returns:
        Whether a translation is used.
    """
    folder = folder or files("resources") / "translations"
    for language in locale.uiLanguages():
        if language == "C" or language.partition("-")[0] == "en":
            return False
        file = folder / f"tiller_{language.replace('-', '_')}.qm"
        if not file.is_file():
            continue
        own = QTranslator(app)
        with as_file(file) as path:
            if not own.load(str(path)):  # damaged, or not a translation
                continue
        base = QTranslator(app)
        # by the language that was found, so that the window is in one language
        if base.load(QLocale(language), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            app.installTranslator(base)
        app.installTranslator(own)
        return True
    return False
