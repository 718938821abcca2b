"""How a store becomes known whole: its history pulled once, and every night a look whether anything was missed.

A room of its own: `commerce` is about what a shop told us, this is about asking it. It knows no platform; the store
adapters answer its `ports.Shop`.
"""
