"""Draw the shipped pictures anew: all of them, or those named."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PIL import Image

from .. import emoji
from ..templates import SHIPPED
from . import cats, papers, photos, places, scenes, screens, sky

PICTURES: dict[str, Callable[[], Image.Image]] = {
    function.__name__: function
    for function in (
        cats.no_yes,
        cats.expectation_reality,
        cats.before_after,
        cats.dialogue,
        scenes.escalation,
        scenes.nobody_me,
        scenes.distracted,
        scenes.two_buttons,
        scenes.handshake,
        papers.comparison_table,
        papers.pie_chart,
        papers.diploma,
        screens.messenger,
        screens.notification,
        screens.forecast,
        screens.loading,
        sky.rocket,
        places.iceberg,
        places.scales,
        places.crossroads,
        places.stairs,
        sky.moon,
        papers.list_of_four,
        papers.announcement,
        screens.error_window,
        photos.reaction_cat,
        photos.coffee,
        photos.documentary,
    )
}
PHOTOGRAPHS = ("reaction_cat", "coffee", "documentary")


def main(ids: list[str]) -> None:
    for template in ids or PICTURES:
        picture = PICTURES[template]()
        folder = SHIPPED / template
        folder.mkdir(parents=True, exist_ok=True)
        if template in PHOTOGRAPHS:
            picture.save(folder / "picture.jpg", quality=92, subsampling=0)
        else:
            picture.save(folder / "picture.png", optimize=True)
        emoji.draw.cache_clear()
        print(template, picture.size)


main(sys.argv[1:])
