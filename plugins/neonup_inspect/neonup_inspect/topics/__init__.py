"""The topics, a module for each group of them."""

from __future__ import annotations

from neonup_inspect.finding import Topic
from neonup_inspect.topics import indexes, sequences, sessions, settings, statements, tables

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for module in (sessions, indexes, tables, statements, sequences, settings)
    for topic in module.TOPICS
}
"""All topics by name, in the order in which they are listed."""
