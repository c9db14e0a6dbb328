"""The screen: which topics are joked about, which captions are shown."""

from publisher.screen.captions import screen_caption
from publisher.screen.topics import screen_topic, screen_topics
from publisher.screen.verdict import REASONS, Verdict

__all__ = ["REASONS", "Verdict", "screen_caption", "screen_topic", "screen_topics"]
