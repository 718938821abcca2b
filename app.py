"""The map: the Chalice app and where each door is. Nothing else."""

from chalice import Chalice  # type: ignore[attr-defined]

from chalicelib.handlers import http, webhooks
from chalicelib.handlers.api.about import about
from chalicelib.handlers.api.enrolments import enrolments
from chalicelib.handlers.api.messages import messages
from chalicelib.handlers.api.orders import orders
from chalicelib.handlers.api.products import products
from chalicelib.handlers.api.stores import stores
from chalicelib.handlers.api.templates import templates
from chalicelib.handlers.api.timeline import timeline
from chalicelib.handlers.api.tokens import tokens
from chalicelib.handlers.delivery_reports import delivery_reports
from chalicelib.handlers.links import links

app = Chalice(app_name="agala")
app.api.binary_types = []
app.register_middleware(http.problems, "http")

app.register_blueprint(webhooks.blueprint)
app.register_blueprint(links)
app.register_blueprint(delivery_reports)
for api in (
    about,
    stores,
    tokens,
    orders,
    products,
    timeline,
    enrolments,
    messages,
    templates,
):
    app.register_blueprint(api)
