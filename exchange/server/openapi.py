"""The OpenAPI 3.1 document, made from the table of routes and the shapes."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from exchange import wire
from exchange.server.api import VERSION, Api
from exchange.server.log_api import LogApi
from exchange.server.problems import PROBLEMS
from exchange.server.reading_api import ReadingApi
from exchange.server.routes import ROUTES, Route
from exchange.server.upload_api import UploadApi

PLAIN = {"seq": "^[0-9]{1,15}$", "tile": "^.{1,80}$", "stream": "^[0-9a-f]{64}$", "upload": "^[0-9a-f]{32}$"}


def document() -> dict[str, Any]:
    """The whole document."""
    shapes = [s for r in ROUTES for s in (r.answer, r.takes) if isinstance(s, type)] + [wire.Problem]
    _, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route)
    codes = sorted({row.code for row in PROBLEMS.values()})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Colloquy",
            "version": VERSION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "The server orders, stores and serves sealed events. Problem codes: "
            + ", ".join(codes)
            + ".",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Handlers(Api):
    """The handlers without a server behind them, for their names and sentences."""

    uploads: Any = UploadApi
    reading: Any = ReadingApi
    chronicle: Any = LogApi


def _operation(route: Route) -> dict[str, Any]:
    handler = route.handler(_Handlers)  # type: ignore[arg-type]
    success: dict[str, Any] = {"description": "Done."}
    if route.answer is not None:
        success["content"] = _content(route.answer)
    operation: dict[str, Any] = {
        "operationId": getattr(handler, "__name__", ""),
        "summary": (handler.__doc__ or "").strip().split("\n")[0],
        "parameters": _parameters(route),
        "responses": {
            str(route.status): success,
            "default": {"description": "A problem (RFC 9457).", "content": _content(wire.Problem, wire.PROBLEM_MEDIA)},
        },
        "security": [{"session": []}] if route.signed_in else [],
    }
    if route.takes is not None:
        operation["requestBody"] = {"required": True, "content": _content(route.takes)}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": PLAIN[name]}}
        for name in re.findall(r"{(\w+)}", route.template)
    ]
    found += [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in route.query]
    if route.method == "PATCH":
        found.append(
            {"name": wire.UPLOAD_OFFSET, "in": "header", "required": True, "schema": {"type": "integer", "minimum": 0}}
        )
    return found


def _content(shape: type[wire.Shape] | str, media: str = "application/json") -> dict[str, Any]:
    if isinstance(shape, str):
        return {shape: {"schema": {"type": "string"} if shape.startswith("text/") else {}}}
    return {media: {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}}
