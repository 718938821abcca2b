"""A small Hebrew tea shop: its catalogue and its shoppers. All made up."""

from __future__ import annotations

from dataclasses import dataclass

TEAS, WARE, PANTRY = ("21", "תה"), ("22", "כלים"), ("23", "מזווה")
TEA_LIFETIME_DAYS = 9


@dataclass(frozen=True)
class Ware:
    """One product of the catalogue, or one choice of it (`variation_id`, `choice`). `price` in minor units."""

    id: int
    name: str
    price: int
    category: tuple[str, str]
    picture: str
    lifetime_days: int | None = None
    variation_id: int | None = None
    choice: str | None = None

    @property
    def title(self) -> str:
        """As an order's line names it."""
        return f"{self.name} - {self.choice}" if self.choice else self.name


GREEN = Ware(101, "תה ירוק יפני, 100 גרם", 5900, TEAS, "green-tea", TEA_LIFETIME_DAYS)
EARL_GREY = Ware(102, "ארל גריי, 100 גרם", 4900, TEAS, "earl-grey", TEA_LIFETIME_DAYS)
CAMOMILE = Ware(103, "חליטת קמומיל, 80 גרם", 4500, TEAS, "camomile", TEA_LIFETIME_DAYS)
TEAPOT = Ware(111, "קומקום חרס", 18900, WARE, "teapot")
CUP = Ware(112, "כוס קרמיקה", 6900, WARE, "cup")
STRAINER = Ware(113, "מסננת תה", 3500, WARE, "strainer")
HONEY = Ware(121, "דבש פרחי בר", 5200, PANTRY, "honey")
COOKIES = Ware(122, "עוגיות שקדים", 3800, PANTRY, "cookies")
CATALOGUE = (GREEN, EARL_GREY, CAMOMILE, TEAPOT, CUP, STRAINER, HONEY, COOKIES)


@dataclass(frozen=True)
class Shopper:
    """`number` makes the email, the phone (`phones` is a range kept for fiction) and the store's customer id."""

    number: int
    first_name: str
    last_name: str
    mailbox: str = "shopper{:02d}@tea.example"
    phones: str = "050-555-01{:02d}"
    first_customer_id: int = 500

    @property
    def email(self) -> str:
        return self.mailbox.format(self.number)

    @property
    def phone(self) -> str:
        return self.phones.format(self.number)

    @property
    def customer_id(self) -> int:
        return self.first_customer_id + self.number


# fmt: off
_FIRST = (
    "נועה", "דניאל", "מאיה", "יונתן", "תמר", "איתי", "שירה", "עומר", "יעל", "אורי",
    "הילה", "גיא", "רוני", "עידו", "מיכל", "אלון", "ליאור", "דנה", "עמית", "טל",
)
# fmt: on
_LAST = ("כהן", "לוי", "מזרחי", "פרץ", "ביטון", "דהן", "אברהם", "פרידמן", "שפירא", "גולן")
SHOPPERS = tuple(
    Shopper(n, _FIRST[n % len(_FIRST)], _LAST[(n * 3 + n // len(_FIRST)) % len(_LAST)]) for n in range(1, 46)
)
