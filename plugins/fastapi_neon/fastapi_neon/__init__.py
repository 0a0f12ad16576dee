"""neonup for FastAPI and any other ASGI framework with a lifespan.

    neon = Neon()
    app = FastAPI(lifespan=neon.lifespan)

Importing this and constructing a `Neon` creates, starts and writes nothing.
"""

from fastapi_neon.neon import Neon

__all__ = ["Neon"]
