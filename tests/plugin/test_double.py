"""The WooCommerce double fires the hooks that a real WooCommerce was recorded to fire, in its order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RECORDED
from tests.plugin import environment, programs
from tests.plugin.shopper import Shopper

ADDRESS = {"first_name": "Dana", "last_name": "Levi", "country": "IL", "phone": "0505550101", "address_1": "1 Herzl"}
EMAIL = "dana@shopper.example"
FORM = {f"billing_{name}": value for name, value in ADDRESS.items()} | {
    "billing_email": EMAIL,
    "billing_city": "Haifa",
    "payment_method": "bacs",
}

# What nobody but WooCommerce itself listens to: the double need not fire it, or not in this place.
INSIDE = re.compile(
    r"set_cart_cookies|_notification$|payment_complete_reduce|update_order$|store_api_disable_nonce_check"
)

Request = tuple[str, str, list[str]]  # method, path, hooks in the order of their first time


def read_trace(file: Path) -> dict[str, list[Request]]:
    """Section => requests."""
    sections: dict[str, list[Request]] = {}
    for line in file.read_text().splitlines():
        if line.startswith("## "):
            section = sections.setdefault(line[3:], [])
        elif words := line.split():
            if words[0] in ("GET", "POST"):
                section.append((words[0], words[1], []))
            else:
                names = [re.sub(r"(?<=\w)x\d+$", "", word).replace("~", "woocommerce_") for word in words]
                section[-1][2].extend(names)
    return sections


class Player:
    """Plays a section of a trace on the double, request by request, as the browser did."""

    def __init__(self, site: environment.WordPress, shop: str) -> None:
        self.site = site
        self.shopper = Shopper(shop)
        self.mug = int(site.php("echo wc_get_product_id_by_sku( 'MUG-1' );"))
        self._received = ""  # where the browser goes after an order
        self._line = ""  # the key of the cart's first line
        self._undo = ""
        self._review, self._form_nonce = "", ""  # the checkout's nonces

    def play(self, section: str, method: str, path: str) -> None:
        what = path.split("?")[0]
        if path.startswith("/?wc-ajax="):
            self._ajax(path.removeprefix("/?wc-ajax="))
        elif what == "/wp-json/wc/store/v1/cart":
            self._remember(json.loads(self.shopper.go(path)))
        elif what.startswith("/wp-json/wc/store/v1/"):
            self._store(section, what)
        elif method == "POST":
            self._form(section, what)
        elif "order-received" in path:
            self.shopper.go(self._received)
        elif "remove_item=" in path:
            link = re.search(r'href="([^"]+remove_item=[^"]+)"', self.shopper.page)
            assert link
            address = link[1].replace("&#038;", "&").replace("&amp;", "&")
            self._undo = address.replace("remove_item=", "undo_item=")
            self.shopper.go(address)  # and is sent on to ?removed_item=1
        elif "undo_item=" in path:
            self.shopper.go(self._undo)  # and is sent on to the cart
        else:
            self.shopper.go(re.sub(r"(add-to-cart|\?p)=\d+", rf"\1={self.mug}", path))

    def _remember(self, cart: dict[str, Any]) -> None:
        if cart.get("items"):
            self._line = cart["items"][0]["key"]

    def _ajax(self, name: str) -> None:
        fields = {}
        if name == "update_order_review":
            nonce = re.search(r'"update_order_review_nonce":"(\w+)"', self.shopper.page)
            self._review = nonce[1] if nonce else self._review
            self._form_nonce = self._known("woocommerce-process-checkout-nonce")
            fields = {"security": self._review, "country": "IL", "city": "Haifa", "post_data": ""}
        elif name == "checkout":
            fields = {**FORM, "woocommerce-process-checkout-nonce": self._form_nonce}
        elif name == "add_to_cart":
            fields = {"product_id": str(self.mug), "quantity": "1"}
        answer = json.loads(self.shopper.send(f"/?wc-ajax={name}", fields))
        assert answer.get("result", "success") == "success", answer
        self._received = answer.get("redirect", self._received)

    def _known(self, field: str) -> str:
        return self.shopper.field(field) if field in self.shopper.page else self._form_nonce

    def _store(self, section: str, what: str) -> None:
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "quantity": ("/cart/update-item", {"key": self._line, "quantity": 2}),
            "email typed": ("/cart/update-customer", {"billing_address": {"email": EMAIL}}),
            "address typed": ("/cart/update-customer", {"billing_address": {**ADDRESS, "email": EMAIL}}),
            "AJAX": ("/cart/add-item", {"id": self.mug, "quantity": 1}),
            "apply coupon": ("/cart/apply-coupon", {"code": "ten"}),
            "remove item": ("/cart/remove-item", {"key": self._line}),
        }
        if what.endswith("/checkout"):
            body = {"billing_address": {**ADDRESS, "email": EMAIL}, "payment_method": "bacs"}
            self._received = self.shopper.store("/checkout", body)["payment_result"]["redirect_url"]
            return
        path, body = next(call for name, call in calls.items() if name in section)
        if what.endswith("/batch"):
            inside = [{"path": f"/wc/store/v1{path}", "method": "POST", "body": body}]
            answer = self.shopper.store("/batch", {"requests": inside})["responses"][0]
            assert answer["status"] < 300, answer
            self._remember(answer["body"])
        else:
            self.shopper.store(path, body)
            assert self.shopper.status < 300, self.shopper.page

    def _form(self, section: str, what: str) -> None:
        if what.startswith("/product/"):
            self.shopper.send(what, {"add-to-cart": str(self.mug), "quantity": "1"})
        elif "LOGIN" in section:
            self.shopper.go("/my-account/")
            nonce = self.shopper.field("woocommerce-login-nonce")
            fields = {"username": "dana", "password": "password", "login": "1", "woocommerce-login-nonce": nonce}
            self.shopper.send(what, fields)
        else:
            key = re.search(r'name="cart\[(\w+)\]\[qty\]"', self.shopper.page)
            assert key
            nonce = self.shopper.field("woocommerce-cart-nonce")
            self.shopper.send(what, {f"cart[{key[1]}][qty]": "3", "woocommerce-cart-nonce": nonce, "update_cart": "1"})


class Recorder:
    """What the double's requests fired, as its trace plugin writes it."""

    def __init__(self, site: environment.WordPress) -> None:
        self.file = site.folder / "hooks.jsonl"
        self.file.write_text("")
        self.left: list[Request] = []  # redirects that the browser followed, not asked for yet

    def take(self, player: Player, section: str, method: str, path: str) -> list[str]:
        """The hooks of this request: of one that a redirect already made, or of one that is played now."""
        if self.left and self._is(self.left[0], method, path):
            return self.left.pop(0)[2]
        self.file.write_text("")
        player.play(section, method, path)
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        requests = [(line["method"], line["path"], list(line["hooks"])) for line in lines]
        at = next((i for i, request in enumerate(requests) if self._is(request, method, path)), 0)
        self.left = requests[at + 1 :]
        return requests[at][2]

    @staticmethod
    def _is(request: Request, method: str, path: str) -> bool:
        return request[0] == method and request[1].split("?")[0] == path.split("?")[0]


@pytest.mark.parametrize(
    ("name", "version"),
    [("trace-wc11.txt", "11.0.1"), ("trace-wc11-more.txt", "11.0.1"), ("trace-wc831.txt", "8.3.1")],
)
def test_the_hooks_come_in_the_recorded_order(name: str, version: str, tmp_path: Path) -> None:
    try:
        site = environment.copy(tmp_path / "wordpress", agala=None)
    except programs.Missing as missing:
        pytest.skip(str(missing))
    site.cli("option", "update", "double_version", version)
    sections = read_trace(RECORDED / "woocommerce" / name)
    traced = {hook for requests in sections.values() for _, _, hooks in requests for hook in hooks}
    with site.serve() as shop:
        player, recorder = Player(site, shop), Recorder(site)
        for section, requests in sections.items():
            for method, path, hooks in requests:
                fired = recorder.take(player, section, method, path)
                heard = [hook for hook in fired if hook in traced and not INSIDE.search(hook)]
                assert heard == [hook for hook in hooks if not INSIDE.search(hook)], f"{section}: {method} {path}"
    assert not (site.folder / "debug.log").exists(), (site.folder / "debug.log").read_text()
