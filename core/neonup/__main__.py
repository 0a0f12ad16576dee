"""``python -m neonup``."""

from neonup.cli import main

if __name__ == "__main__":
    main()
