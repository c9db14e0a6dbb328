"""The screen: which topics are joked about, which captions are shown."""

from publisher.screen.captions import screen_caption, screen_captions, screen_words
from publisher.screen.topics import screen_topic, screen_topics
from publisher.screen.verdict import REASONS, Verdict

__all__ = [
    "REASONS",
    "Verdict",
    "screen_caption",
    "screen_captions",
    "screen_topic",
    "screen_topics",
    "screen_words",
]
