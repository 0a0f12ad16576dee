"""The application under test: its environment, its drivers, its open connections."""
