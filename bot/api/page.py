"""The API's reference page, /api/docs. Swagger UI comes from the package fastapi-offline, not from another server, so
that the page works without internet access and its readers are not tracked."""

from importlib.resources import files

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # Swagger UI writes style attributes
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# Addresses are relative, so that the page works behind any path of a proxy.
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Goldloop API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = 'SwaggerUIBundle({ url: "openapi.json", dom_id: "#page", validatorUrl: null });\n'


def serve_page(api: FastAPI) -> None:
    folder = files("fastapi_offline") / "static"

    @api.get("/docs", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse(PAGE, headers=HEADERS)

    @api.get("/docs/start.js", include_in_schema=False)
    def start() -> Response:
        return Response(START, media_type="text/javascript", headers=HEADERS)

    @api.get("/docs/{name}", include_in_schema=False)
    def file(name: str) -> FileResponse:
        if name not in FILES:
            raise HTTPException(404)
        return FileResponse(str(folder / name), media_type=FILES[name], headers=HEADERS)
