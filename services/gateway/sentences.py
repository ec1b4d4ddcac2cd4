"""One short sentence for each type of event, built from what it says, in English or Chinese. Pure."""

from types import ModuleType
from typing import Any, Literal

from services.gateway.words import chinese, english
from services.gateway.words.names import Names, building_of

__all__ = ["LANGUAGES", "Language", "Names", "building_of", "sentence"]
Language = Literal["en", "zh"]
LANGUAGES: dict[Language, ModuleType] = {"en": english, "zh": chinese}


def sentence(event: Any, names: Names, language: Language = "en") -> str:
    return str(LANGUAGES[language].sentence(event, names))
