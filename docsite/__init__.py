"""The documentation's site and its pictures: ``make site``, ``make diagrams``, ``make screenshots``."""
