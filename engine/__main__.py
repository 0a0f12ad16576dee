"""``python -m engine``: assemble wheels of neonup-postgres, and say what is in them."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from engine import parts, wheel
from engine.parts import PLATFORMS, Platform
from engine.selection import Selection
from neonup import NeonupError


def main() -> int:
    """Assemble what the command line names."""
    here = parts.this_machine()
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    parser.add_argument(
        "--platform", choices=[*PLATFORMS, "all"], default=here.name if here else "all"
    )
    parser.add_argument("--major", type=int, choices=parts.SERVERS, default=parts.NEWEST)
    parser.add_argument("--out", type=Path, default=wheel.ROOT / "build" / "engine")
    given = parser.parse_args()
    chosen = PLATFORMS.values() if given.platform == "all" else [PLATFORMS[given.platform]]
    try:
        for platform in chosen:
            _report(platform, *wheel.assemble(platform, given.major, given.out))
    except NeonupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _report(platform: Platform, made: Path, selection: Selection) -> None:
    print(made)
    print(f"  sha256 {hashlib.sha256(made.read_bytes()).hexdigest()}")
    print(f"  {platform.name}: {len(selection.files)} files, {made.stat().st_size / 2**20:.1f} MiB")
    print(f"  left out: {', '.join(sorted(selection.extensions))}")


if __name__ == "__main__":
    sys.exit(main())
