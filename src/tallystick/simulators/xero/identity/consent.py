"""The page on which somebody lets the app into one of the organisations."""

from collections.abc import Mapping
from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulated Xero</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere }}
fieldset {{ border: 1px solid #888; border-radius: .5rem; margin: 1rem 0 }}
label {{ display: block; padding: .6rem 0 }}
button {{ font: inherit; padding: .6rem 1.2rem; margin: 0 .5rem .5rem 0 }}
:focus-visible {{ outline: 3px solid currentColor; outline-offset: 3px }}
</style>
</head>
<body>
<h1>Simulated Xero</h1>
<p>An application asks for access to one of the organisations below.
These are invented books on this computer; nothing here reaches Xero.</p>
<form method="post">
{hidden}
<fieldset>
<legend>Organisation</legend>
{organisations}
</fieldset>
<p>It asks for: {scope}</p>
<button type="submit" name="decision" value="allow">Allow access</button>
<button type="submit" name="decision" value="cancel">Cancel</button>
</form>
</body>
</html>
"""
_HIDDEN = '<input type="hidden" name="{name}" value="{value}">'
_CHOICE = (
    '<label><input type="radio" name="organisation" value="{id}"{checked} required> {name}</label>'
)
ASKED = ("response_type", "client_id", "redirect_uri", "scope", "state")


def consent_page(asked: Mapping[str, str], organisations: Mapping[str, str]) -> str:
    """The page for these query parameters and organisations (name by id)."""
    hidden = [
        _HIDDEN.format(name=name, value=escape(asked[name])) for name in ASKED if name in asked
    ]
    choices = [
        _CHOICE.format(id=escape(id_), name=escape(name), checked="" if index else " checked")
        for index, (id_, name) in enumerate(organisations.items())
    ]
    return _PAGE.format(
        hidden="\n".join(hidden),
        organisations="\n".join(choices),
        scope=escape(asked.get("scope", "")),
    )
