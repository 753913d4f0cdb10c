"""As much of Slack as the processes under load need: it says yes to everything, and gives every message a ts.

    python -m benchmarks.slack_stub PORT

It counts the people whom it is to tell that their click was not recorded. What it does not say is what stands in a
channel: an empty one would mean that all cards were deleted, and the worker would post them again during the votes.

The local workspace (docs/sandbox.md) would do, but draws and checks each message, which takes the processor that is
measured here.
"""

import asyncio
import json
import sys
from collections import Counter

TEAM = "T_BENCH"
NOT_RECORDED = b"Nothing was recorded"
HISTORY, UNKNOWN = b"/conversations.history", b'{"ok": false, "error": "internal_error"}'
_heard: Counter[str] = Counter()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until the other side closes it."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            _heard["requests"] += 1
            _heard["refusals"] += NOT_RECORDED in await reader.readexactly(_length(head))
            body = UNKNOWN if HISTORY in head else _said(int(writer.get_extra_info("sockname")[1]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def _said(port: int) -> bytes:
    number = _heard["requests"]
    return json.dumps({
        "ok": True, "url": "https://bench.slack.com/", "team_id": TEAM, "user_id": "U_BOT", "bot_id": "B_BOT",
        "user": {"id": "U_BOT", "team_id": TEAM}, "channel": {"id": "C_REVIEW", "is_member": True}, "members": [],
        "messages": [], "ts": f"{1_800_000_000 + number}.000100", "upload_url": f"http://127.0.0.1:{port}/upload",
        "file_id": f"F{number}", "files": [{"id": f"F{number}"}],
        "refusals": _heard["refusals"],
    }).encode()  # fmt: skip


async def serve(port: int) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
