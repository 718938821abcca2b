"""The map: the Chalice app and where each door is. Nothing else."""

from chalice import Chalice  # type: ignore[attr-defined]

from chalicelib.handlers import (
    activity,
    calendar,
    cart_watch,
    carts,
    connect_page,
    delivery_reports,
    errands,
    followed,
    gateway_reports,
    http,
    ingest,
    journey_steps,
    links,
    links_door,
    nightly,
    pictures,
    preference_page,
    shopify_events,
    shopify_install,
    store_sync,
    webhooks,
)
from chalicelib.handlers.api.about import about
from chalicelib.handlers.api.attribution import attribution
from chalicelib.handlers.api.carts import carts as cart_records
from chalicelib.handlers.api.connections import connections
from chalicelib.handlers.api.contacts import contacts
from chalicelib.handlers.api.deliveries import deliveries
from chalicelib.handlers.api.engagement import engagement
from chalicelib.handlers.api.enrolments import enrolments
from chalicelib.handlers.api.events import events
from chalicelib.handlers.api.gateways import gateways
from chalicelib.handlers.api.journey_files import journey_files
from chalicelib.handlers.api.journeys import journeys
from chalicelib.handlers.api.message_templates import message_templates
from chalicelib.handlers.api.messages import messages
from chalicelib.handlers.api.orders import orders
from chalicelib.handlers.api.plugin import plugin
from chalicelib.handlers.api.previews import previews
from chalicelib.handlers.api.privacy import privacy
from chalicelib.handlers.api.products import products
from chalicelib.handlers.api.shopify import shopify
from chalicelib.handlers.api.stores import stores
from chalicelib.handlers.api.suppressions import suppressions
from chalicelib.handlers.api.sync import sync
from chalicelib.handlers.api.templates import templates
from chalicelib.handlers.api.timeline import timeline
from chalicelib.handlers.api.tokens import tokens
from chalicelib.handlers.api.what_if import what_if

app = Chalice(app_name="agala")
app.api.binary_types = []
app.register_middleware(http.problems, "http")

for part in (
    webhooks.blueprint,
    shopify_events.blueprint,
    carts.carts,
    ingest.blueprint,
    journey_steps.blueprint,
    cart_watch.blueprint,
    errands.blueprint,
    store_sync.blueprint,
    nightly.blueprint,
    calendar.blueprint,
    delivery_reports.delivery_reports,
    gateway_reports.gateway_reports,
    links.links,
    pictures.pictures,
    preference_page.preferences,
    followed.followed,
    links_door.blueprint,
    activity.blueprint,
    connect_page.connect_page,
    shopify_install.shopify_install,
    about,
    stores,
    gateways,
    tokens,
    connections,
    shopify,
    plugin,
    sync,
    deliveries,
    contacts,
    privacy,
    suppressions,
    timeline,
    engagement,
    cart_records,
    orders,
    products,
    events,
    templates,
    journeys,
    journey_files,
    what_if,
    enrolments,
    messages,
    message_templates,
    previews,
    attribution,
):
    app.register_blueprint(part)
