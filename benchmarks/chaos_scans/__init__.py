"""The part of `make chaos` that kills scans."""
