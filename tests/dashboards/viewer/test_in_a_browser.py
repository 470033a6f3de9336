"""The viewer as people meet it: a real Chromium on a published shop."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboards.spec.loading import load_boards
from tests.dashboards.serving import Served
from warehouse.database import Warehouse

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1366, "height": 900}
BOARDS = [board.key for board in load_boards()]


@contextmanager
def opened(browser: Browser, viewer: Served, **more: Any) -> Iterator[Page]:
    """A page in a context of its own; what it complains of, and what it asks of others, fails the test."""
    context = browser.new_context(base_url=viewer.url, **{"viewport": DESKTOP, **more})
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            complaints.append(asked.url)
            if urlsplit(asked.url).netloc != f"127.0.0.1:{viewer.port}" and not asked.url.startswith("data:")
            else None
        ),
    )
    try:
        yield page
        assert complaints == []
    finally:
        context.close()


def draw_all(page: Page) -> None:
    """Scroll through, so that every chart is drawn."""
    page.evaluate("document.querySelectorAll('figure[data-chart]').forEach((one) => one.scrollIntoView())")
    for figure in page.locator("figure[data-chart]").all():
        figure.scroll_into_view_if_needed()
    assertions()(page.locator("figure[data-chart]:not([data-drawn])")).to_have_count(0)


def settled(page: Page) -> None:
    """Wait until the page of the last choice stands."""
    assertions()(page.locator("main[aria-busy]")).to_have_count(0)


def assertions() -> Any:
    from playwright.sync_api import expect  # noqa: PLC0415  only where there is a browser

    return expect


def tabs_of(page: Page) -> list[str]:
    return [link.get_attribute("href") or "" for link in page.locator(".tabs a").all()]


@pytest.mark.parametrize("key", BOARDS)
def test_every_tab_is_whole_on_a_phone_and_accessible_in_both_themes(
    browser: Browser, viewer: Served, key: str
) -> None:
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    with opened(browser, viewer, viewport=PHONE, bypass_csp=True) as page:
        page.goto(f"/boards/{key}")
        for address in tabs_of(page) or [f"/boards/{key}"]:
            page.goto(address)
            draw_all(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
            strip = page.locator("[data-trust]").bounding_box()
            assert strip is not None and strip["y"] + strip["height"] <= PHONE["height"]
            assert small_targets(page) == []
            assert small_text(page) == []
            for figure in page.locator("[data-card]:has(figure[data-chart])").all():
                assert figure.locator("table tbody tr").count() > 0
                assert figure.get_by_role("button", name="as a table").count() == 1
            assert page.locator("[data-card] .about summary").count() == page.locator("[data-card]").count()
            page.evaluate(axe)
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                assert serious(page) == [], f"{address} {theme}"
            page.emulate_media(color_scheme="light")


def small_targets(page: Page) -> Any:
    """What can be tapped and is lower than 44 px; links inside a sentence or a table are text."""
    return page.evaluate("""() => [
            ...document.querySelectorAll('a, button, summary, select, input, label:has(input)')]
        .filter((one) => !one.closest('table, p, .skip')
            && !one.matches('label input, .field input[type=hidden]')
            && one.checkVisibility({visibilityProperty: true}))
        .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height])
        .filter(([, height]) => height < 43.5)""")


def small_text(page: Page) -> Any:
    """Text smaller than 14 px."""
    return page.evaluate("""() => [...document.querySelectorAll('body *')]
        .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
            && !one.closest('script, style, svg') && one.checkVisibility())
        .filter((one) => parseFloat(getComputedStyle(one).fontSize) < 14)
        .map((one) => one.outerHTML.slice(0, 80))""")


def serious(page: Page) -> list[Any]:
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (one["id"], one["impact"], [node["html"][:120] for node in one["nodes"][:3]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_the_six_figures_lie_within_two_screens_of_a_phone(browser: Browser, viewer: Served) -> None:
    with opened(browser, viewer, viewport=PHONE) as page:
        page.goto("/boards/overview")
        feet = [
            box["y"] + box["height"] for card in page.locator(".kpi").all() if (box := card.bounding_box())
        ]
        assert len(feet) >= 6
        assert sorted(feet)[5] <= 2 * PHONE["height"]


def net_sales(shop: Warehouse, first: date, last: date, channel: str | None = None) -> int:
    query = "select sum(net_sales_cents)::bigint from marts.{} where sale_date between %s and %s"
    with shop.connect("reader", autocommit=True) as conn:
        if channel is None:
            row = conn.execute(query.format("daily_sales"), (first, last)).fetchone()
        else:
            row = conn.execute(
                query.format("sales_by_filters") + " and category_key = 0 and channel = %s",
                (first, last, channel),
            ).fetchone()
    assert row is not None
    return int(row[0])


def as_of(shop: Warehouse) -> date:
    with shop.connect("reader", autocommit=True) as conn:
        row = conn.execute("select as_of from marts.publication").fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def figure(page: Page, card: str) -> int:
    return int(page.locator(f"[data-card={card}] [data-value]").get_attribute("data-value") or "")


def test_filters_change_the_figures_and_the_address_is_the_state(
    browser: Browser, viewer: Served, shop: Warehouse
) -> None:
    last = as_of(shop)
    with opened(browser, viewer) as page:
        page.goto("/")
        assert figure(page, "net_sales") == net_sales(shop, last - timedelta(days=27), last)
        for period, days in (("last_7_days", 7), ("last_91_days", 91), ("yesterday", 1)):
            with page.expect_response(re.compile(f"period={period}")):
                page.locator("#f-period").select_option(period)
            settled(page)
            assert figure(page, "net_sales") == net_sales(shop, last - timedelta(days=days - 1), last)
        page.locator("#f-period").select_option("custom")
        first, until = last - timedelta(days=90), last - timedelta(days=63)
        page.locator("#f-from").fill(first.isoformat())
        with page.expect_response(re.compile(f"from={first}.*to={until}")):
            page.locator("#f-to").fill(until.isoformat())
        settled(page)
        assert figure(page, "net_sales") == net_sales(shop, first, until)
        channel = page.locator("#f-channel input").first.get_attribute("value") or ""
        page.locator("#s-channel").click()
        with page.expect_response(re.compile("channel=")):
            page.locator("#f-channel input").first.check()
        settled(page)
        wanted = net_sales(shop, first, until, channel)
        assert figure(page, "net_sales") == wanted
        assert page.evaluate("document.activeElement.name") == "channel"
        state = parse_qs(urlsplit(page.url).query)
        assert (state["from"], state["channel"]) == ([first.isoformat()], [channel])
        page.reload()
        assert figure(page, "net_sales") == wanted
        assert channel in page.locator("[data-chosen]").inner_text()
        page.go_back()
        page.wait_for_url(lambda url: "channel=" not in url)
        settled(page)
        assert figure(page, "net_sales") == net_sales(shop, first, until)


def test_a_card_that_cannot_obey_a_filter_says_so(browser: Browser, viewer: Served) -> None:
    with opened(browser, viewer) as page:
        page.goto("/boards/overview")
        says = page.locator("[data-card=returning_customers] [data-cannot=category]")
        assert says.count() == 0
        value = page.locator("#f-category input").first.get_attribute("value") or ""
        page.goto(f"/boards/overview?category={value}")
        assert says.inner_text().startswith("Not by category:")


@pytest.mark.parametrize("key", BOARDS)
def test_every_filter_can_be_chosen_and_shows_in_the_address(
    browser: Browser, viewer: Served, key: str
) -> None:
    with opened(browser, viewer) as page:
        page.goto(f"/boards/{key}")
        for choice in page.locator("details.choice").all():
            name = (choice.get_attribute("id") or "").removeprefix("f-")
            choice.locator("summary").click()
            box = choice.locator("input").last
            value = box.get_attribute("value") or ""
            with page.expect_response(re.compile(f"[?&]{name}=")):
                box.check()
            settled(page)
            assert value in parse_qs(urlsplit(page.url).query)[name]
            page.keyboard.press("Escape")


def test_arrow_keys_read_the_chart_aloud_as_its_table_says(browser: Browser, viewer: Served) -> None:
    with opened(browser, viewer) as page:
        page.goto("/boards/overview")
        draw_all(page)
        card = page.locator("[data-card=net_sales_by_day]")
        card.locator("figure").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        row = [cell.strip() for cell in card.locator("tbody tr").nth(1).locator("th, td").all_text_contents()]
        said = card.locator("[data-said]")
        assert said.get_attribute("aria-live") == "polite"
        words = said.inner_text()
        assert words.startswith(f"{row[0]}: ") and all(cell in words for cell in row[1:])
        page.keyboard.press("End")
        assert card.locator("figure").get_attribute("data-at") == str(card.locator("tbody tr").count() - 1)
        card.get_by_role("button", name="as a table").press("Enter")
        assert card.locator("table").is_visible()


def test_a_definition_and_its_column_are_one_tap_away(browser: Browser, viewer: Served) -> None:
    with opened(browser, viewer, viewport=PHONE, has_touch=True) as page:
        page.goto("/boards/overview")
        about = page.locator("[data-card=net_sales] .about")
        about.locator("summary").tap()
        assert about.locator("code").inner_text().startswith("marts.")
        assert len(about.locator("p").inner_text().split()) <= 27


def test_without_a_script_the_page_is_whole(browser: Browser, viewer: Served) -> None:
    with opened(browser, viewer, java_script_enabled=False) as page:
        page.goto("/boards/overview?period=last_7_days")
        assert page.locator("[data-card=net_sales_by_day] table").is_visible()
        assert page.get_by_role("button", name="Apply").is_visible()
        page.locator("#f-period").select_option("last_91_days")
        page.get_by_role("button", name="Apply").click()
        assert "last_91_days" in page.url


def test_printing_is_light_and_leaves_out_what_only_a_screen_needs(browser: Browser, viewer: Served) -> None:
    with opened(browser, viewer, color_scheme="dark") as page:
        page.goto("/boards/overview")
        draw_all(page)
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not page.locator(".filters").is_visible() and not page.locator(".actions").first.is_visible()
        assert page.locator("[data-trust]").is_visible() and page.locator("[data-span]").is_visible()
        assert len(page.pdf()) > 10_000 if page.context.browser else True


def test_the_theme_can_be_switched_and_is_kept(browser: Browser, viewer: Served) -> None:
    with opened(browser, viewer) as page:
        page.goto("/boards/overview")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="Switch to dark colours").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
        page.reload()
        assert page.get_by_role("button", name="Switch to light colours").is_visible()


def test_a_page_comes_within_a_megabyte(browser: Browser, viewer: Served) -> None:
    with opened(browser, viewer) as page:
        sent = [0.0]
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", lambda told: sent.append(told["encodedDataLength"]))
        page.goto("/boards/overview")
        draw_all(page)
        assert 100_000 < sum(sent) < 1_000_000


def test_numbers_on_axes_are_written_as_everywhere_else(browser: Browser, viewer: Served) -> None:
    from dashboards import formats  # noqa: PLC0415

    with opened(browser, viewer) as page:
        page.goto("/boards/overview")
        script = page.locator("script[type=module]").get_attribute("src") or ""
        asked = """async ([where, locale, currency, values]) => {
            const { axisNumber } = await import(where);
            const write = axisNumber({ style: "money", currency }, locale, 90000);
            return values.map(write);
        }"""
        values = [0, 7, 1234, 45678, -1234]
        for locale, currency in (
            *(("en_GB", "GBP"), ("en_US", "USD"), ("de_DE", "EUR")),
            *(("fr_FR", "EUR"), ("ja_JP", "JPY"), ("pt_BR", "BRL")),
        ):
            given = [script.replace("page.js", "numbers.js"), locale.replace("_", "-"), currency, values]
            minor = 10 ** formats.minor_digits(currency)
            written = [
                formats.shown(value * minor, "money", currency=currency, locale=locale) for value in values
            ]
            assert [plain(one) for one in page.evaluate(asked, given)] == [plain(one) for one in written]


def plain(text: str) -> str:
    """Spaces and signs of two libraries that look alike."""
    return re.sub(r"[\s\u202f\u00a0]", " ", text).replace("\u2212", "-").replace("¥", "¥")


def test_the_data_of_a_chart_is_the_answer(viewer: Served) -> None:
    html = viewer.client.get("/boards/overview").text
    specs = re.findall(r'<script type="application/json">(.*?)</script>', html)
    assert specs
    for spec in specs:
        assert json.loads(spec)["rows"]
