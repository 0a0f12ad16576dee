"""The documentation's site and pictures: ``make site``, ``reference`` and ``screenshots``."""
