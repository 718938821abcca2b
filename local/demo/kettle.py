"""A small English tea shop on Shopify: its catalogue and its shoppers. All made up."""

from __future__ import annotations

from local.demo.shop import TEA_LIFETIME_DAYS, Shopper, Ware
from local.demo.shopify import Shop

SECRET = "the-demo-app-signs-with-this"  # noqa: S105 (a made-up app on this machine)
_FIRST_CUSTOMER = 9_007_199_254_740_993_200  # beyond what a JavaScript number holds, as ids may be

SHOP = Shop(
    id=61_001_002_003,
    domain="kettle-and-leaf.myshopify.com",
    url="https://kettle.example",
    secret=SECRET,
    currency="GBP",
    country="GB",
    locale="en-GB",
    city="Leeds",
)

_TEA, _THINGS = ("type:tea", "Tea"), ("type:things", "Things")
ASSAM = Ware(8_200_101, "Assam breakfast tea, 125 g", 850, _TEA, "earl-grey", TEA_LIFETIME_DAYS)
MINT = Ware(8_200_102, "Peppermint tea, 50 g", 620, _TEA, "camomile", TEA_LIFETIME_DAYS)
SHORTBREAD = Ware(8_200_103, "Shortbread", 495, _THINGS, "cookies")
SMALL_POT = Ware(8_200_104, "Stoneware teapot", 2800, _THINGS, "teapot", variation_id=8_200_141, choice="Small")
LARGE_POT = Ware(8_200_104, "Stoneware teapot", 3600, _THINGS, "teapot", variation_id=8_200_142, choice="Large")
CATALOGUE = ((ASSAM,), (MINT,), (SHORTBREAD,), (SMALL_POT, LARGE_POT))

_NAMES = (
    ("Amelia", "Hartley"),
    ("Oliver", "Ashworth"),
    ("Priya", "Nair"),
    ("Harry", "Whitfield"),
    ("Grace", "Okafor"),
    ("George", "Pemberton"),
    ("Isla", "Drummond"),
    ("Thomas", "Quillfeather"),
    ("Freya", "Lindqvist"),
    ("Jack", "Merriweather"),
    ("Nia", "Probert"),
)
SHOPPERS = tuple(
    Shopper(number, first, last, "shopper{:02d}@kettle.example", "+4477009001{:02d}", _FIRST_CUSTOMER)
    for number, (first, last) in enumerate(_NAMES, 1)
)
