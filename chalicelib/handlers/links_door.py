"""The Lambda of its own for everything that messages' addresses lead to: a campaign's first minutes bring more visits
than the API sees in a week, and neither shall wait for the other.

It is the same routes as in the map, in a small app of their own, which knows nothing of the rest.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from chalice import Chalice  # type: ignore[attr-defined]
from chalice.app import Blueprint

from chalicelib.handlers.followed import followed
from chalicelib.handlers.http import problems
from chalicelib.handlers.links import links
from chalicelib.handlers.pictures import pictures
from chalicelib.handlers.preference_page import preferences

blueprint = Blueprint(__name__)
ROUTES = (links, followed, preferences, pictures)


@blueprint.lambda_function(name="links_door")
def links_door(event: dict[str, Any], context: Any) -> Any:
    """API Gateway's proxy event, straight."""
    return _app()(event, context)


@cache
def _app() -> Chalice:
    """Made in the Lambda only: a blueprint knows the app that it was registered with last."""
    app = Chalice(app_name="agala-links")
    app.register_middleware(problems, "http")
    app.api.binary_types = []
    for part in ROUTES:
        app.register_blueprint(part)
    return app
