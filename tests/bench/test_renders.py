from chalicelib.messages.content import render
from chalicelib.messages.safe_text import isolated
from local.bench.renders import CONTENT, Bare, a_cart, a_store


def test_bare_liquid_fills_in_the_same_words() -> None:
    store = a_store()
    cart = a_cart(store, 3)
    bare = Bare(store)
    filled, ours = bare.fill(bare.ready(cart)), render(CONTENT, cart)
    assert abs(len(filled) / len(ours.html + ours.text) - 1) < 0.05
    for words in ("Noa, שמרנו את העגלה", "82.90", "?cart=0000", "קפה קטן בחיפה"):
        assert filled.count(words) and (ours.html + ours.text).count(words)
    assert isolated("מסנן נירוסטה") in ours.text
