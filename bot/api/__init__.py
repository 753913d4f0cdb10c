"""The HTTP API for other systems (docs/api.md). bot/server/app.py mounts it under /api."""
