"""Pages by which users of a web application connect their own Neon accounts.

`neonup_cloud.web.django.Account` has views for Django, `neonup_cloud.web.starlette.Account` has
routes for FastAPI and Starlette; what both do is in `neonup_cloud.web.connecting`.
"""
