# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages say, in each language: a module for each page, and in it for each key English and Korean."""

from __future__ import annotations

from collections.abc import Callable

from . import activity, common, dashboard, files, form, operation, service, settings, sign_in, tokens

LANGUAGES = {"en": "English", "ko": "한국어"}
DEFAULT = "en"
PAGES = (common, sign_in, dashboard, files, settings, activity, service, form, operation, tokens)
TEXTS: dict[str, tuple[str, str]] = {key: text for page in PAGES for key, text in page.TEXTS.items()}

Translator = Callable[..., str]


def translator(language: str) -> Translator:
    column = list(LANGUAGES).index(language)

    def text(key: str, **values: object) -> str:
        return TEXTS[key][column].format(**values)

    return text


def chosen(kept: str, accepted: str) -> str:
    """:param kept: by the switch. :param accepted: the browser's Accept-Language."""
    if kept in LANGUAGES:
        return kept
    for wish in accepted.split(","):
        language = wish.partition(";")[0].partition("-")[0].strip().lower()
        if language in LANGUAGES:
            return language
    return DEFAULT
