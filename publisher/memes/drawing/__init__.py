"""How the shipped template pictures were drawn: `python -m publisher.memes.drawing [ID…]`."""
