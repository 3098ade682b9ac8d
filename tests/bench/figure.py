"""One measured figure beside its ceiling and its goal."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is measured/ceiling in the sense of the goal: at least, or at most, `goal`."""

    name: str
    measured: str
    ceiling: str
    ratio: float
    goal: float
    at_least: bool = True

    @property
    def reached(self) -> bool:
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal


def shown(figures: Sequence[Figure]) -> str:
    """A table for people."""
    rows = [("what", "measured", "ceiling", "ratio", "goal", "")]
    rows += [
        (
            figure.name,
            figure.measured,
            figure.ceiling,
            f"{figure.ratio:.2f}",
            f"{'>=' if figure.at_least else '<='} {figure.goal:g}",
            "reached" if figure.reached else "SHORT",
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
