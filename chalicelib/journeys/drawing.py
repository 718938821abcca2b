"""A journey as a picture: an SVG tree read from top to bottom, mirrored for right-to-left languages.

Own layout: each step is a card; a branch parts into two columns, which come together again below it.
"""
