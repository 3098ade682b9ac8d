"""A customer at a browser: opens a page, fills in its form, follows where it leads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

_STEPS_MAX = 12


@dataclass(slots=True)
class Form:
    """One form of a page: where it goes, what it holds, which choices and buttons it offers."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects the forms of a page, with the text beside each choice."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self._choice: tuple[str, str] | None = None
        self._button: tuple[str, str] | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action, method = given.get("action", ""), given.get("method", "get").lower()
            self.forms.append(Form(action, method))
        elif tag == "input" and self.forms:
            self._input(given)
        elif tag == "button" and self.forms:
            self._button, self._words = (given.get("name", ""), given.get("value", "")), []

    def _input(self, given: Mapping[str, str]) -> None:
        form, kind, name = self.forms[-1], given.get("type", "text"), given.get("name", "")
        value = given.get("value", "")
        if kind == "radio":
            self._close_choice()
            self._choice, self._words = (name, value), []
            if "checked" in given:
                form.values[name] = value
        elif kind == "submit":
            form.buttons.append((name, value, value))
        elif name and (kind != "checkbox" or "checked" in given):
            form.values[name] = value

    def _close_choice(self) -> None:
        if self._choice and self.forms:
            name, value = self._choice
            words = " ".join(" ".join(self._words).split())
            self.forms[-1].choices.setdefault(name, []).append((value, words))
        self._choice = None

    def handle_endtag(self, tag: str) -> None:
        if tag in {"label", "fieldset", "form", "li"}:
            self._close_choice()
        if tag == "button" and self._button and self.forms:
            words = " ".join(" ".join(self._words).split())
            self.forms[-1].buttons.append((*self._button, words))
            self._button = None

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        self.text.append(data)


def read(page: str) -> tuple[list[Form], str]:
    """The forms of a page, and its text."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms, " ".join(" ".join(reader.text).split())


class LostAtLink(RuntimeError):
    """The pages did not lead to where they should; the message holds the page's text."""


def link(link_url: str, *, organisation: str) -> str:
    """Walk from a link address through consent to the last page; returns what that page says.

    `organisation` is a part of the name to choose.
    """
    with httpx.Client(trust_env=False, timeout=30, follow_redirects=True) as browser:
        answer = browser.get(link_url)
        for _step in range(_STEPS_MAX):
            here = str(answer.url)
            forms, text = read(answer.text)
            if answer.is_error:
                raise LostAtLink(f"{here} says: {text[:400]}")
            form = next((f for f in forms if f.method == "post"), None)
            if form is None:
                return text
            answer = _submit(browser, here, form, organisation)
    raise LostAtLink(f"Still not at the end after {_STEPS_MAX} pages: {link_url}")


def _submit(browser: httpx.Client, here: str, form: Form, organisation: str) -> httpx.Response:
    values = dict(form.values)
    for name, offered in form.choices.items():
        fitting = [value for value, words in offered if organisation.lower() in words.lower()]
        values[name] = (fitting or [offered[0][0]])[0]
    # The button that goes on is the first one that does not lead away.
    onwards = [b for b in form.buttons if not _leads_away(b)]
    if onwards and onwards[0][0]:
        values[onwards[0][0]] = onwards[0][1]
    headers = {"origin": "/".join(here.split("/", 3)[:3])}
    return browser.post(urljoin(here, form.action), data=values, headers=headers)


def _leads_away(button: tuple[str, str, str]) -> bool:
    said = " ".join(button[1:]).lower()
    return any(word in said for word in ("cancel", "back", "deny", "decline", "disconnect"))
