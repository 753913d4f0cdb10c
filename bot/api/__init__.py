"""The HTTP API for other systems: docs/api.md. Mounted under /api by bot/server/app.py."""
