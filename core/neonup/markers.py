"""The marker with which a plugin's functions say that they implement a hook."""

import pluggy

hookimpl = pluggy.HookimplMarker("neonup")
