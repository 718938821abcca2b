"""The whole product in one process: the composition root of `make run`."""

from __future__ import annotations

import importlib
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, cast

from botocore.exceptions import ClientError

from chalicelib import wiring
from chalicelib.access import ALL_STORES, Token, token_hash
from chalicelib.commerce.machines import CART_WATCH, ERRAND, STORE_SYNC, machine
from chalicelib.contacts.contact import Contact
from chalicelib.ids import new_id
from chalicelib.messages.channels.smtp import deliver_smtp
from chalicelib.messages.ports import Email
from chalicelib.settings import Settings
from chalicelib.storage.contacts import Contacts
from chalicelib.storage.table import Table, create_table
from local.clock import FastClock
from local.doors import LocalDoors
from local.gateway import Gateway, HttpAnswer, HttpRequest
from local.lambdas import Lambdas, function_arn
from local.listing_index import IndexedTableClient
from local.outbox import Outbox
from local.queue import LocalQueue
from local.reports import Reports
from local.schedules import Schedules
from local.server import Server
from local.settings import LocalSettings
from local.sns import TOPIC, Sns
from local.table_server import TableServer, local_client
from local.workflows import LocalWorkflows

_ACTIVITY_DELAY = 5.0  # seconds, as the queue's in infra/template.json
STEP_HANDLER = "chalicelib.handlers.journey_steps"
SYNC_HANDLER = "chalicelib.handlers.store_sync"
ERRAND_HANDLER = "chalicelib.handlers.errands"
WATCH_HANDLER = "chalicelib.handlers.cart_watch"


class _Contacts(Contacts):
    """An outbox that keeps every message is one more place from which a person can be erased."""

    def __init__(self, table: Table, outbox: Outbox) -> None:
        super().__init__(table)
        self._outbox = outbox

    def forget(self, store_id: str, contact: Contact, hashes: Sequence[str], at: datetime) -> None:
        self._outbox.forget(
            store_id, contact.id, (*contact.emails, *contact.phones)
        )  # first: what is cut short here is asked for again
        super().forget(store_id, contact, hashes, at)


class LocalWiring(wiring.Wiring):
    """Production's wiring with the machine's own parts in the places of AWS's."""

    private_shops = True  # a shop in development stands on this machine

    def __init__(
        self,
        settings: Settings,
        tables: TableServer,
        clock: FastClock,
        queue: LocalQueue,
        activities: LocalQueue,
        workflows: LocalWorkflows,
        outbox: Outbox,
        shopify_url: str | None = None,
        certificates: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(settings)
        self._shopify_url = shopify_url
        self._tables = tables
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()
        self.clock = clock
        self.queue = queue
        self.activities = activities
        self.workflows = workflows
        self.email_channel = self.sms_channel = self.whatsapp_channel = self._outbox = outbox
        self.email_pace = None  # an outbox has room
        if certificates is not None:
            self.certificates = certificates

    def shopify_address(self, shop: str) -> str:
        return f"{self._shopify_url}/{shop}" if self._shopify_url else super().shopify_address(shop)

    def client(self, service: str) -> Any:
        """Of the table server, which speaks DynamoDB, S3 and SSM. One for all threads: clients are thread-safe."""
        with self._making:
            if service not in self._clients:
                endpoint = self._tables.endpoint
                self._clients[service] = (
                    IndexedTableClient(endpoint, self._tables.file)
                    if service == "dynamodb"
                    else local_client(service, endpoint)
                )
            return self._clients[service]

    @cached_property
    def contacts(self) -> Contacts:
        return _Contacts(self.table, self._outbox)

    def close(self) -> None:
        if "dynamodb" in self._clients:
            self._clients["dynamodb"].close()


class Runtime:
    """Everything is ready when it is made; `serve` then answers until `close`.

    Raises `server.PortInUse`, and RuntimeError when the data folder is in use.
    """

    def __init__(self, settings: LocalSettings) -> None:
        folder = settings.data_dir
        folder.mkdir(parents=True, exist_ok=True)
        self._server = Server(settings.port, self._answer)
        self.url = f"http://127.0.0.1:{self._server.port}"
        _quiet_environment(settings.log_level)
        self._tables = TableServer(folder / "table")
        self._clock = FastClock(folder, settings.clock_speed, settings.clock_start)
        self._lambdas = Lambdas()
        self._queue = LocalQueue(folder / "queue.db")
        self._activities = LocalQueue(folder / "activities.db", workers=2, delay=_ACTIVITY_DELAY)
        self._workflows = LocalWorkflows(folder / "workflows.db", self._clock, self._lambdas)
        self._outbox = Outbox(folder / "outbox.db", self._clock, _delivery(settings.smtp_url))
        self._sns = Sns()
        self._app = cast("_App", importlib.import_module("app").app)
        product = Settings.from_environment(
            {
                **os.environ,
                "AGALA_PUBLIC_URL": os.environ.get("AGALA_PUBLIC_URL") or self.url,
                "AGALA_STEP_FUNCTION_ARN": function_arn(self._name_of(STEP_HANDLER)),
                "AGALA_CART_WATCH_MACHINE_ARN": self._published(CART_WATCH, WATCH_HANDLER),
                "AGALA_ERRAND_MACHINE_ARN": self._published(ERRAND, ERRAND_HANDLER),
                "AGALA_STORE_SYNC_MACHINE_ARN": self._published(STORE_SYNC, SYNC_HANDLER),
                "AGALA_QUEUE_URL": "local",
                "AGALA_WHATSAPP_PHONE_NUMBER_ID": "outbox",
                "AGALA_REPORT_TOPIC_ARN": TOPIC,
            }
        )
        self._wiring = LocalWiring(
            product,
            self._tables,
            self._clock,
            self._queue,
            self._activities,
            self._workflows,
            self._outbox,
            settings.shopify_url,
            self._sns.certificate,
        )
        wiring.use(self._wiring)
        self._furnish()
        self.admin_token = self._admit(settings.admin_token, folder / "admin-token")
        self._schedules = Schedules(self._clock, self._lambdas)
        self._register_handlers()
        self._gateway = Gateway(cast("Any", self._app))
        self._doors = LocalDoors(self.admin_token, self._clock, self._outbox, self._reports())

    @property
    def login_link(self) -> str:
        return f"{self.url}/#token={self.admin_token}"

    def serve(self) -> None:
        """Starts every part and returns; they run in threads of their own."""
        self._workflows.run()
        for name, queue in (("deliveries", self._queue), ("activities", self._activities)):
            if consumer := self._consumer(name):
                queue.redrive()  # what was given up while a part was out gets its attempts again
                queue.start(partial(self._lambdas.call, consumer))
        self._schedules.start()
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        """Within two seconds, whatever is under way; that is done again at the next start."""
        self._server.shutdown()
        self._server.server_close()
        self._schedules.close()
        self._queue.close(0.5)
        self._activities.close(0.5)
        self._workflows.close(0.5)
        self._outbox.close()
        self._wiring.close()
        self._tables.close()
        wiring.use(None)

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        return self._doors.answer(request) or self._gateway.answer(request)

    def _furnish(self) -> None:
        """What a deployment's template makes: the table, the bucket, the key that signs links."""
        settings = self._wiring.settings
        tables, objects, parameters = (self._wiring.client(s) for s in ("dynamodb", "s3", "ssm"))
        if settings.table not in tables.list_tables()["TableNames"]:
            create_table(tables, settings.table)
        if settings.bucket not in [bucket["Name"] for bucket in objects.list_buckets().get("Buckets", [])]:
            region = {"LocationConstraint": objects.meta.region_name}
            objects.create_bucket(Bucket=settings.bucket, CreateBucketConfiguration=region)
        try:
            parameters.put_parameter(
                Name=f"{settings.parameter_prefix}/signing-key", Value=secrets.token_hex(32), Type="SecureString"
            )
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ParameterAlreadyExists":
                raise

    def _admit(self, wanted: str | None, file: Path) -> str:
        """The admin token is a token like any other; the file remembers it, and which one to withdraw."""
        kept = file.read_text().strip() if file.exists() else None
        token = wanted or kept or secrets.token_urlsafe(24)
        tokens = self._wiring.tokens
        if kept and kept != token and (old := tokens.find(token_hash(kept))):
            tokens.delete(old)
        if kept != token:
            beside = file.with_suffix(".new")
            beside.touch(mode=0o600)
            beside.write_text(token)
            beside.replace(file)
        if tokens.find(token_hash(token)) is None:
            now = self._clock.now()
            tokens.put(
                Token(id=new_id(now), name="admin", hash=token_hash(token), stores=(ALL_STORES,), created_at=now)
            )
        return token

    def _register_handlers(self) -> None:
        for function in (*self._app.pure_lambda_functions, *self._app.event_sources):
            self._lambdas.register(function.name, self._app.handler_map[function.name])
        for source in self._app.event_sources:
            if expression := getattr(source, "schedule_expression", None):
                self._schedules.add(source.name, str(expression))

    def _published(self, name: str, handler: str) -> str:
        """The ARN of a fixed state machine, as the template makes it, whose task is this module's function."""
        return self._workflows.publish(name, machine(name, function_arn(self._name_of(handler))))

    def _name_of(self, module: str) -> str:
        """The name under which the map has this module's Lambda function."""
        names = [f.name for f in self._app.pure_lambda_functions if f.handler_string.rpartition(".")[0] == module]
        return names[0] if names else module.rpartition(".")[2]

    def _reports(self) -> Reports:
        subscribed = next(source.name for source in self._app.event_sources if hasattr(source, "topic"))
        return Reports(self._lambdas, subscribed, self._outbox, self._clock, self._sns)

    def _consumer(self, queue: str) -> str | None:
        """The name of the function that this queue feeds."""
        fed = (source.name for source in self._app.event_sources if getattr(source, "queue", None) == queue)
        return next(fed, None)


class _Named(Protocol):
    name: str
    handler_string: str


class _App(Protocol):
    """What is read of the Chalice app beside its routes."""

    handler_map: dict[str, Any]
    pure_lambda_functions: list[_Named]
    event_sources: list[_Named]


def _quiet_environment(log_level: str) -> None:
    """What Lambda's environment says to the libraries there, before they are loaded."""
    for name, value in {
        "POWERTOOLS_LOG_LEVEL": log_level,
        "POWERTOOLS_SERVICE_NAME": "agala",
        "POWERTOOLS_METRICS_NAMESPACE": "agala",
        "POWERTOOLS_METRICS_DISABLED": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        os.environ.setdefault(name, value)


def _delivery(smtp_url: str | None) -> Callable[[Email], None] | None:
    return partial(deliver_smtp, smtp_url) if smtp_url else None
