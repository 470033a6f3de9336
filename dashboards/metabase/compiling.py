"""Boards as Metabase should hold them.

Put here: a board's cards, filters and tabs in Metabase's words.
Never here: ids of a server (wanted.py takes them), requests, how a chart looks (looks.py).
Every tab begins with the trust strip and ends with what its figures are, because a phone cannot hover.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.answers.page import Page
from dashboards.answers.state import FilterState
from dashboards.metabase import wanted
from dashboards.metabase.looks import display_of, settings_of
from dashboards.metabase.trust import TRUST_HEIGHT, trust_card
from dashboards.spec.model import BASE, DAY, TAG, Board, Card, Tab

BASE_NAME = "Compared with"
DEFINITIONS = "**What these figures are**"
LINES_A_ROW = 2  # rows of the grid are about 50 pixels high, a definition takes one or two lines


def compiled(boards: Sequence[Board], page: Page) -> tuple[wanted.WantedDashboard, ...]:
    """Return the dashboards of the boards, periods ending with the publication that `page` reads.

    Metabase counts "past 28 days" from its own clock, which shows nothing of a file that ends earlier: so the
    days are written out, and written anew after each publication.
    """
    return tuple(_dashboard(board, page) for board in boards)


def _dashboard(board: Board, page: Page) -> wanted.WantedDashboard:
    cards = {key: _card(board, card, page) for key, card in board.cards.items()}
    trust = trust_card(page.time_zone)
    return wanted.WantedDashboard(
        key=board.key,
        name=board.name,
        description=board.question,
        renamed_from=board.renamed_from,
        filters=_filters(board, page),
        tabs=tuple(_tab(tab, board, cards, trust) for tab in board.tabs),
    )


def _filters(board: Board, page: Page) -> tuple[wanted.WantedFilter, ...]:
    made: list[wanted.WantedFilter] = []
    for key, one in board.filters.items():
        span = page.span(FilterState(period=one.default)) if one.default else None
        days = f"{span.first}~{span.last}" if span else None
        made.append(wanted.WantedFilter(key, one.name, one.type, days))
        if key == DAY and any(BASE in card.filters for card in board.cards.values()):
            base = span.previous if span else None
            before = f"{base.first}~{base.last}" if base else None
            made.append(wanted.WantedFilter(BASE, BASE_NAME, one.type, before))
    return tuple(made)


def _card(board: Board, card: Card, page: Page) -> wanted.WantedCard:
    # asked once, for the names and kinds of its columns
    plain = card.model_copy(update={"spark": None, "compare": False})
    columns = page.answer(plain, FilterState(compare="none"), board=board).columns
    used = dict.fromkeys(TAG.findall(card.sql))
    return wanted.WantedCard(
        key=card.key,
        name=card.name,
        description=f"{card.definition} {card.source}",
        display=display_of(card),
        sql=card.sql,
        variables=tuple(
            wanted.Variable(
                name=name,
                title=BASE_NAME if name == BASE else board.filters[name].name,
                type=board.filters[DAY if name == BASE else name].type,
                column=card.filters[name],
            )
            for name in used
        ),
        settings=settings_of(card, columns, currency=page.currency),
    )


def _tab(
    tab: Tab, board: Board, cards: dict[str, wanted.WantedCard], trust: wanted.WantedCard
) -> wanted.WantedTab:
    placed = [wanted.Placed((0, 0, 24, TRUST_HEIGHT), card=trust)]
    for part in tab.layout:
        column, row, width, height = part.at
        at = (column, row + TRUST_HEIGHT, width, height)
        if part.card is not None:
            placed.append(wanted.Placed(at, card=cards[part.card]))
        elif part.heading is not None:
            placed.append(wanted.Placed(at, text=part.heading, is_heading=True))
        else:
            placed.append(wanted.Placed(at, text=part.text or ""))
    lines = _definitions(tab, board)
    if lines:
        bottom = max(part.at[1] + part.at[3] for part in placed)
        height = 2 + len(lines) // LINES_A_ROW
        text = "\n".join([DEFINITIONS, "", *lines])
        placed.append(wanted.Placed((0, bottom, 24, height), text=text))
    return wanted.WantedTab(tab.name, tuple(placed))


def _definitions(tab: Tab, board: Board) -> list[str]:
    """Return one line for each card: what it is, where it stands, which filters do not reach it and why."""
    lines = []
    for part in tab.layout:
        if part.card is None:
            continue
        card = board.cards[part.card]
        refused: dict[str, list[str]] = {}
        for key, reason in card.ignores.items():
            refused.setdefault(reason, []).append(board.filters[key].name)
        silent = "".join(f" *Not by {', '.join(names)}: {reason}*" for reason, names in refused.items())
        lines.append(f"- **{card.name}**: {card.definition} `{card.source}`{silent}")
    return lines
