"""Pages from templates; everything that is put in is escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_FOLDER = Path(__file__).parent


class Pages:
    """Renders; `base` is the path under which this installation is reached."""

    def __init__(self, *, base: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["base"] = base

    def page(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self._environment.get_template(f"{name}.html").render(values), status)
