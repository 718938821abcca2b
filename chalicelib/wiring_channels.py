"""The channels that messages go out on: who makes a channel's messages, who takes them, and the links in them.

Imports stand inside the properties on purpose: the webhook door must not load what only a step needs.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.wiring_storage import StorageWiring

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.config import Config

    from chalicelib.commerce.store import Store
    from chalicelib.contacts.consent import Channel
    from chalicelib.messages.channels.gateway import GatewayChannel, GatewayHttp
    from chalicelib.messages.channels.sns_messages import SnsMessages
    from chalicelib.messages.gateway import Gateway
    from chalicelib.messages.links import SignedLinks
    from chalicelib.messages.making import Medium
    from chalicelib.messages.pace import Pace
    from chalicelib.messages.ports import EmailChannel, SmsChannel, Suppressions, WhatsAppChannel
    from chalicelib.messages.send import Sender
    from chalicelib.messages.tracking import Tracker


class ChannelWiring(StorageWiring):
    private_shops = False
    """Whether shops and gateways in a private network may be called."""

    @cached_property
    def links(self) -> SignedLinks:
        from chalicelib.messages.links import SignedLinks

        return SignedLinks(self.settings.public_url, [self.secrets.signing_key().encode()])

    @cached_property
    def email_channel(self) -> EmailChannel:
        from chalicelib.messages.channels.ses import SesEmailChannel

        client = self._session.create_client("sesv2", config=_once())
        return SesEmailChannel(client, self.settings.configuration_set)

    @cached_property
    def sms_channel(self) -> SmsChannel:
        from chalicelib.messages.channels.end_user_messaging import EndUserMessagingChannel

        client = self._session.create_client("pinpoint-sms-voice-v2", config=_once())
        return EndUserMessagingChannel(client, self.settings.sms_configuration_set)

    @cached_property
    def whatsapp_channel(self) -> WhatsAppChannel:
        from chalicelib.messages.channels.end_user_messaging_social import EndUserMessagingSocialChannel

        return EndUserMessagingSocialChannel(self._session.create_client("socialmessaging", config=_once()))

    @cached_property
    def email_pace(self) -> Pace | None:
        """None where the provider has no limits of its own."""
        from chalicelib.messages.channels.ses_account import SesAccount
        from chalicelib.messages.pace import Pace
        from chalicelib.storage.turns import Turns

        return Pace("email", SesAccount(self.client("sesv2")), Turns(self.table))

    @cached_property
    def certificates(self) -> Callable[[str], str]:
        """Where SNS's signing certificates come from."""
        from chalicelib.messages.channels.sns_messages import fetch_certificate

        return fetch_certificate

    @cached_property
    def sns_messages(self) -> SnsMessages:
        from chalicelib.messages.channels.sns_messages import SnsMessages

        topic = self.settings.report_topic_arn
        return SnsMessages([topic] if topic else [], self.certificates)

    def medium(self, channel: Channel, store: Store) -> Medium[Any, Any]:
        """How this store's messages of the channel are made, and who takes them: its own gateway, if it has one.

        Raises `StepCannot` without a WhatsApp number."""
        from chalicelib.contacts.consent import Channel
        from chalicelib.messages.making import Medium

        if channel is Channel.EMAIL:
            from chalicelib.messages.email import EmailComposer

            return Medium(EmailComposer(self.settings.default_sender), self.email_channel, self.email_pace)
        gateway = self.gateways.get(store.id, channel)
        if channel is Channel.SMS:
            from chalicelib.messages.sms import SmsComposer

            if gateway is not None:
                heard = gateway.inbound is not None
                return Medium(SmsComposer(gateway.sender, heard), self.gateway_channel(gateway, store, channel))
            return Medium(SmsComposer(self.settings.default_sms_sender), self.sms_channel)
        from chalicelib.messages.whatsapp import WhatsAppComposer

        if gateway is not None:
            heard = gateway.inbound is not None
            composer = WhatsAppComposer(gateway.sender or "", heard)
            return Medium(composer, self.gateway_channel(gateway, store, channel))
        if self.settings.whatsapp_phone_number_id is None:
            from chalicelib.errors import StepCannot

            raise StepCannot("no_whatsapp_number")

        return Medium(WhatsAppComposer(self.settings.whatsapp_phone_number_id), self.whatsapp_channel)

    @cached_property
    def suppressions(self) -> Suppressions:
        return self.suppression_list

    @cached_property
    def gateway_http(self) -> GatewayHttp:
        from chalicelib.messages.channels.gateway import GatewayHttp

        return GatewayHttp(self.private_shops)

    def gateway_channel(self, gateway: Gateway, store: Store, channel: Channel) -> GatewayChannel:
        from chalicelib.messages.channels.gateway import GatewayChannel
        from chalicelib.messages.gateway_reports import report_url

        where = report_url(self.settings.public_url, self.secrets.signing_key(), store.id, channel)

        def secrets() -> dict[str, str]:
            return self.secrets.gateway_secrets(store.id, channel.value)

        def fresh() -> dict[str, str]:
            return self.secrets.gateway_secrets(store.id, channel.value, newer_than=5.0)

        return GatewayChannel(gateway, secrets, where, self.gateway_http, fresh)

    @cached_property
    def sender(self) -> Sender:
        from chalicelib.messages.send import Sender
        from chalicelib.storage.shelves import Storefront

        front = Storefront(self.table)
        return Sender(
            self.messages,
            self.recents,
            self.suppressions,
            self.links,
            front,
            self.tracker,
            self.clock,
            self.medium,
        )

    @cached_property
    def tracker(self) -> Tracker:
        from chalicelib.messages.tracking import Tracker

        return Tracker(self.links, self.followed)


def _once() -> Config:
    """For clients that send: a retry inside the client could send twice."""
    from botocore.config import Config

    return Config(retries={"total_max_attempts": 1})
