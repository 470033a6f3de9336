"""The API's own description: the OpenAPI document, and a page of it for people.

Put here: showing that document. Never here: what an address does; that stands beside it in its module.
The page is made here and needs no script: the usual ones load theirs from another site.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, JSONResponse, Response

router = APIRouter(include_in_schema=False)


@router.get("/api/openapi.json")
def document(request: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(described(request.app))


@router.get("/api")
def page(request: Request) -> Response:
    """The same for people."""
    from jinja2 import Environment, PackageLoader, select_autoescape  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("dashboards.api"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["type"] = _type
    environment.filters["model"] = _model
    shown = described(request.app)
    return HTMLResponse(environment.get_template("reference.html").render(api=shown))


@router.get("/static/api.css")
def style() -> Response:
    """The page's looks."""
    from importlib.resources import files  # noqa: PLC0415

    return Response(
        files("dashboards.api").joinpath("templates/reference.css").read_text(), media_type="text/css"
    )


def described(app: Any) -> dict[str, Any]:
    """The OpenAPI document of an application, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):  # errors are problems here
            schemas.pop(name, None)
        for path in made["paths"].values():
            for operation in path.values():
                if "HTTPValidationError" in str(operation["responses"].get("422")):
                    del operation["responses"]["422"]
                for answer in operation["responses"].values():
                    if answer["description"] == "Successful Response":
                        answer["description"] = "The answer."
                    content = answer.get("content", {})
                    if _model(content) in ("application/json Problem", "application/json NothingTaken"):
                        answer["content"] = {"application/problem+json": content["application/json"]}
        made["components"]["securitySchemes"] = {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Needed from anywhere but this machine.",
            }
        }
        made["security"] = [{}, {"token": []}]
        app.openapi_schema = made
    found: dict[str, Any] = app.openapi_schema
    return found


def _type(schema: dict[str, Any], known: Mapping[str, dict[str, Any]] = MappingProxyType({})) -> str:
    """A schema in a few words; what of `known` is a list of values is shown as such."""
    if "$ref" in schema:
        name = str(schema["$ref"].rpartition("/")[2])
        return _type(known[name]) if "enum" in known.get(name, {}) else name
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one, known) for one in schema["anyOf"]))
    if "enum" in schema:
        return " · ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


def _model(content: dict[str, Any]) -> str:
    """What an answer holds, by the name of its schema."""
    return ", ".join(
        f"{media} {_type(one['schema'])}" if one.get("schema") else media for media, one in content.items()
    )
