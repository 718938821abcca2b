"""The map: the Chalice app and where each door is. Nothing else."""

from chalice import Chalice  # type: ignore[attr-defined]

from chalicelib.handlers import http
from chalicelib.handlers.api.about import about
from chalicelib.handlers.api.stores import stores
from chalicelib.handlers.api.tokens import tokens

app = Chalice(app_name="agala")
app.api.binary_types = []
app.register_middleware(http.problems, "http")

for api in (about, stores, tokens):
    app.register_blueprint(api)
