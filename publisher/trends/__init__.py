"""Trends: feeds and posts in, topics out."""

from publisher.trends.cluster import cluster
from publisher.trends.feeds import FetchedFeed, fetch_feed
from publisher.trends.items import Cluster, FeedItem, Findings, Item, Rejected, Topic
from publisher.trends.score import Weights, repeats, topic_title
from publisher.trends.topics import find_topics

__all__ = [
    "Cluster",
    "FeedItem",
    "FetchedFeed",
    "Findings",
    "Item",
    "Rejected",
    "Topic",
    "Weights",
    "cluster",
    "fetch_feed",
    "find_topics",
    "repeats",
    "topic_title",
]
