"""A function's environment, read once. Standard library only: the webhook door imports it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """`public_url` is where stores and shoppers reach us, without a slash at the end. `shopify_event_source_arn` is
    where Shopify sends its webhooks; None: to our door, by HTTPS. `report_topic_arn`: SNS's topic that
    providers report to; None: nothing is believed."""

    table: str
    queue_url: str
    activity_queue_url: str
    bucket: str
    public_url: str
    parameter_prefix: str
    step_function_arn: str
    state_machine_role_arn: str
    store_sync_machine_arn: str
    cart_watch_machine_arn: str
    errand_machine_arn: str
    configuration_set: str | None
    default_sender: str
    sms_configuration_set: str | None
    default_sms_sender: str | None
    whatsapp_phone_number_id: str | None
    shopify_event_source_arn: str | None
    report_topic_arn: str | None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        return cls(
            table=environ.get("AGALA_TABLE", "agala"),
            queue_url=environ.get("AGALA_QUEUE_URL", ""),
            activity_queue_url=environ.get("AGALA_ACTIVITY_QUEUE_URL", ""),
            bucket=environ.get("AGALA_BUCKET", "agala"),
            public_url=environ.get("AGALA_PUBLIC_URL", "").rstrip("/"),
            parameter_prefix=environ.get("AGALA_PARAMETER_PREFIX", "/agala"),
            step_function_arn=environ.get("AGALA_STEP_FUNCTION_ARN", ""),
            state_machine_role_arn=environ.get("AGALA_STATE_MACHINE_ROLE_ARN", ""),
            store_sync_machine_arn=environ.get("AGALA_STORE_SYNC_MACHINE_ARN", ""),
            cart_watch_machine_arn=environ.get("AGALA_CART_WATCH_MACHINE_ARN", ""),
            errand_machine_arn=environ.get("AGALA_ERRAND_MACHINE_ARN", ""),
            configuration_set=environ.get("AGALA_CONFIGURATION_SET") or None,
            default_sender=environ.get("AGALA_DEFAULT_SENDER", "shop@agala.example"),
            sms_configuration_set=environ.get("AGALA_SMS_CONFIGURATION_SET") or None,
            default_sms_sender=environ.get("AGALA_DEFAULT_SMS_SENDER") or None,
            whatsapp_phone_number_id=environ.get("AGALA_WHATSAPP_PHONE_NUMBER_ID") or None,
            report_topic_arn=environ.get("AGALA_REPORT_TOPIC_ARN") or None,
            shopify_event_source_arn=environ.get("AGALA_SHOPIFY_EVENT_SOURCE_ARN") or None,
        )
