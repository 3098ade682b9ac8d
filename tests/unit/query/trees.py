"""Trees of queries: how one is written down, and any of them."""

from hypothesis import strategies as st

from tallystick.query.language import And, Clause, Node, Or

OPS = ("=", "!=", ">=", "<=", ">", "<", "~")
_ENDS = ("&&", "||", "{", "}")

idents = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
properties = st.lists(idents, min_size=1, max_size=3).map(".".join)
storable_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)


def quoted(value: str) -> str:
    """The value in quotes where it could not stand without them."""
    bare = value == value.strip() and value and not any(end in value for end in _ENDS)
    if bare and value[0] not in "\"'":
        return value
    mark = '"' if "'" in value else "'"
    return f"{mark}{value}{mark}"


def render(node: Node) -> str:
    """The text of a tree."""
    match node:
        case Clause(name, op, value):
            return f"{name} {op} {quoted(value)}"
        case And(parts):
            return " && ".join(_unit(part) for part in parts)
        case Or(parts):
            return "||".join(
                _unit(part) if isinstance(part, Or) else render(part) for part in parts
            )


def _unit(node: Node) -> str:
    return render(node) if isinstance(node, Clause) else f"{{ {render(node)} }}"


def trees(clauses: st.SearchStrategy[Clause]) -> st.SearchStrategy[Node]:
    """Clauses alone, and joined to some depth."""

    def joined(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        parts = st.lists(below, min_size=2, max_size=3).map(tuple)
        return st.one_of(parts.map(And), parts.map(Or))

    return st.recursive(clauses, joined, max_leaves=6)


any_clause = st.builds(
    Clause,
    properties,
    st.sampled_from(OPS),
    # A value that holds both quotes cannot be written where it needs quotes.
    storable_text.filter(lambda text: not ("'" in text and '"' in text)),
)
