"""The built-in viewer: dashboards as pages of HTML that are whole without a script.

Put here: joining the viewer to the server's application. Never here: a page, a figure, a rule of access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def mount(app: FastAPI) -> None:
    """Add the viewer's pages, its files and its page for errors to an application."""
    from dashboards.viewer import assets, describing, pages, uploads  # noqa: PLC0415  templates are read when somebody serves

    app.include_router(assets.router)
    app.include_router(uploads.router)
    app.include_router(describing.router)
    app.include_router(pages.router)
    app.state.error_page = pages.error_page
