"""The benchmarks: ``python -m bench`` prints one table, each row measured side by side."""
