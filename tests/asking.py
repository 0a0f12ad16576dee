"""HTTP with the patience of a busy machine: httpx's own is 5 seconds."""

from __future__ import annotations

from functools import partial

import httpx

from tests.waiting import PATIENCE

get = partial(httpx.get, timeout=PATIENCE)
post = partial(httpx.post, timeout=PATIENCE)
request = partial(httpx.request, timeout=PATIENCE)
