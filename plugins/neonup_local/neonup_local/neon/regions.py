"""The regions that a project may name: Neon's, of which this machine plays each.

https://neon.com/docs/introduction/regions as of January 2026, without Azure's, which ended in
August 2026.
"""

from __future__ import annotations

from typing import Literal, get_args

Region = Literal[
    "aws-us-east-2",
    "aws-us-east-1",
    "aws-us-west-2",
    "aws-eu-central-1",
    "aws-eu-west-2",
    "aws-ap-southeast-1",
    "aws-ap-southeast-2",
    "aws-sa-east-1",
]

DEFAULT: Region = "aws-us-east-2"
ALL: tuple[Region, ...] = get_args(Region)
