"""What is written down is true: it names what there is, and all of it that matters."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.http.table import ENDPOINTS
from tallystick.model import DATA_TYPES, WIRE_DATA_TYPES
from tallystick.push.states import State, public
from tallystick.simulators.xero.edits import _EDITS
from tallystick.simulators.xero.faults import NAMES as FAULTS
from tallystick.simulators.xero.limits import Limits
from tallystick.sync import settings, verdicts
from tallystick.sync.states import Status
from tallystick.webhooks.catalogue import EVENT_TYPES, is_known

_ROOT = Path(__file__).parents[2]
_SOURCE = _ROOT / "src" / "tallystick"
_DOCS = _ROOT / "docs"
_PAGES = sorted([*_ROOT.glob("*.md"), *_DOCS.glob("*.md"), *(_ROOT / "decisions").glob("*.md")])
_PAGES += sorted(_SOURCE.rglob("*.md"))
_FOLDERS = sorted(p for p in _SOURCE.rglob("*") if p.is_dir() and "__pycache__" not in p.parts)
_MADE_FROM = ("src", "tests", "docs", "decisions")
_TEXTS = {".py", ".sql", ".md", ".html", ".css", ".toml", ".lock", ".in", ".json", ".svg", ""}

_ARCHITECTURE = (_ROOT / "ARCHITECTURE.md").read_text()
_CODE = re.compile(r"`([^`\n]+)`")
_ROW = re.compile(r"^\| (.+?) \| (.+?) \|", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _page(name: str) -> str:
    return (_DOCS / name).read_text()


def _name(path: Path) -> str:
    return path.relative_to(_ROOT).as_posix()


def _words(text: str) -> set[str]:
    return set(_CODE.findall(_FENCE.sub("", text)))


# --- the house on one page ---


@pytest.mark.parametrize("folder", _FOLDERS, ids=_name)
def test_every_folder_is_on_the_page(folder: Path) -> None:
    parts = {"static", "templates"}  # they belong to the pages beside them
    assert folder.name in parts or f"`{_name(folder)}`" in _ARCHITECTURE


def _rooms() -> Iterator[tuple[Path, str]]:
    for names, text in _ROW.findall(_ARCHITECTURE):
        for name in _CODE.findall(names):
            yield _ROOT / name, text


def test_every_room_on_the_page_is_there() -> None:
    assert [_name(room) for room, _ in _rooms() if not room.is_dir()] == []


def test_every_file_on_the_page_is_there() -> None:
    named = [
        room / word
        for room, text in _rooms()
        for word in _CODE.findall(text)
        if re.fullmatch(r"\w+\.(py|sql|md)", word)
    ]

    assert named
    assert [_name(file) for file in named if not file.is_file()] == []


def test_every_module_of_a_journey_is_there() -> None:
    """`sync/engine` in a drawing is a file of that room."""
    rooms = {folder.name for folder in _FOLDERS if folder.parent == _SOURCE}
    named = {
        _SOURCE / room / name
        for room, name in re.findall(r"\b([a-z_]+)/([a-z_]+)\b", _ARCHITECTURE)
        if room in rooms
    }

    assert named
    assert [
        _name(path)
        for path in sorted(named)
        if not path.is_dir() and not path.with_suffix(".py").is_file()
    ] == []


def test_the_import_rule_is_the_one_that_is_checked() -> None:
    layers = (_ROOT / "pyproject.toml").read_text().split("layers = [", 1)[1].split("]", 1)[0]
    checked = re.findall(r"\"(.+)\"", layers.replace("tallystick.", "").replace("|", "·"))
    drawn = _ARCHITECTURE.split("## The import rule", 1)[1].split("```")[1]

    assert drawn.strip().splitlines() == [layer for layer in checked if layer != "__main__"]


# --- what callers and operators can meet ---


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_an_event_is_documented(event_type: str) -> None:
    data_type, _, word = event_type.partition(".write.")
    shown = f"{{dataType}}.write.{word}" if word else event_type

    assert data_type
    assert shown in _words(_page("webhooks.md"))


def test_no_event_is_documented_that_does_not_exist() -> None:
    families = "company|connection|read|client"
    for word in _words(_page("webhooks.md")):
        if re.fullmatch(rf"(?:{families})\.[\w.*]+|\w+\.write\.[\w*]+", word):
            assert is_known(word), word


@pytest.mark.parametrize("data_type", WIRE_DATA_TYPES)
def test_a_data_type_is_held_or_refused_as_documented(data_type: str) -> None:
    page = _page("reading.md")
    held, refused = page.split("Refused by name", 1)
    families = tuple(word for word in _words(refused) if word.endswith("-"))

    if data_type in {record.key for record in DATA_TYPES}:
        assert re.search(rf"^\| `{data_type}` \|", held, re.MULTILINE)
    else:
        assert f"`{data_type}`" in refused or data_type.startswith(families)
        assert f"`{data_type}`" not in held


def test_every_end_of_a_read_is_documented() -> None:
    ends = {status for _, status in verdicts._ENDINGS} | {Status.Complete, Status.Initial}

    assert {status.value for status in ends} <= _words(_page("reading.md"))


def test_every_status_of_a_write_is_documented() -> None:
    assert {public(state) for state in State} <= _words(_page("writing.md"))


def test_every_setting_of_reads_is_documented() -> None:
    shown = settings.Setting(
        "bills",
        sync_from_utc=None,
        sync_from_window=1,
        months_to_sync=1,
    ).wire()

    assert {*shown, "syncFromUtc"} - {"dataType"} <= _words(_page("reading.md"))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_documented(fault: str) -> None:
    assert re.search(rf"^\| `{fault}` \|", _page("simulator.md"), re.MULTILINE)


@pytest.mark.parametrize("op", sorted(_EDITS))
def test_an_edit_is_documented(op: str) -> None:
    assert op in _words(_page("simulator.md"))


def test_the_limits_are_documented_as_they_are() -> None:
    lim, page = Limits(), _page("simulator.md")

    assert f"{lim.per_minute} calls a minute, {lim.per_day:,} a day" in page
    assert f"{lim.concurrent} at once" in page
    assert f"{lim.app_per_minute:,} a minute for the app" in page


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = "\n".join(path.read_text() for path in _SOURCE.rglob("*.py"))
    named = {n for page in _PAGES for n in re.findall(r"TALLYSTICK_[A-Z_]+", page.read_text())}
    tests_only = {"TALLYSTICK_ORACLES"}

    # A prefix of several platforms is put together from its parts.
    assert {n for n in named - tests_only if n not in known and "_XERO_" not in n} == set()


@pytest.mark.parametrize("page", [p for p in _PAGES if _SOURCE not in p.parents], ids=_name)
def test_a_route_that_is_named_is_there(page: Path) -> None:
    """`GET …/dataStatus`: what stands for the beginning of a path is left open."""
    routes = {(e.method, _shape(path)) for e in ENDPOINTS for path in (e.path, *e.aliases)}
    for word in _words(page.read_text()):
        named = re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) (…?/\S+)", word)
        if named is None or "/_simulator/" in named[2]:
            continue
        shape = _shape(named[2].partition("?")[0])
        paths = [path for method, path in routes if method == named[1]]
        fits = str.endswith if shape.startswith("…") else str.__eq__
        assert any(fits(path, shape.removeprefix("…")) for path in paths), word


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


# --- pages as such ---


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        aim = (page.parent / name).resolve() if name else page
        assert aim.exists(), target
        if anchor:
            assert anchor in _anchors(aim), target


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_decisions_are_numbered_and_say_why() -> None:
    pages = sorted((_ROOT / "decisions").glob("*.md"))

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, start=1):
        text = page.read_text()
        assert text.startswith(f"# {number}. "), page.name
        assert re.search(r"^\d{4}-\d\d-\d\d, (accepted|superseded by \d+)$", text, re.MULTILINE)
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], page.name


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    rows = _ROW.findall((_ROOT / "GLOSSARY.md").read_text())
    words = [word for word, _ in rows if word not in {"word", "---"}]

    assert words == sorted(set(words))


def test_no_file_knows_a_machine() -> None:
    """Where somebody keeps a checkout is nobody else's business."""
    machine = re.compile("|".join(f"/{place}/" for place in ("root", "home", "Users", "work")))
    files = [p for folder in _MADE_FROM for p in sorted((_ROOT / folder).rglob("*"))]
    files += [p for p in sorted(_ROOT.iterdir()) if not p.name.startswith(".")]
    told = [
        _name(path)
        for path in files
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.suffix in _TEXTS
        and machine.search(path.read_text(errors="replace"))
    ]

    assert told == []
