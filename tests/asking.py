"""Requests to servers on this machine, with the patience of a busy one: httpx's own is 5 seconds.

They speak without TLS, so httpx need not read the certificates of the world, which takes it 27 ms
for each request that has no client.
"""

from __future__ import annotations

from functools import partial

import httpx

from tests.waiting import PATIENCE

get = partial(httpx.get, timeout=PATIENCE, verify=False)
post = partial(httpx.post, timeout=PATIENCE, verify=False)
put = partial(httpx.put, timeout=PATIENCE, verify=False)
request = partial(httpx.request, timeout=PATIENCE, verify=False)
client = partial(httpx.Client, timeout=PATIENCE, verify=False)
