"""The same with the async clients of slack_sdk and slack_bolt, which need aiohttp (pip install aiohttp)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.sandbox.client import Person
from bot.sandbox.wire import Json
from tests.sandbox.conftest import actions, button

pytest.importorskip("aiohttp", reason="slack_sdk's async client needs aiohttp: pip install aiohttp")


@pytest.mark.slow
def test_an_async_app_hears_a_click_and_answers(address: str, ana: Person) -> None:
    from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
    from slack_bolt.async_app import AsyncAck, AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    async def story() -> None:
        client = AsyncWebClient("xoxb-A_LOOP", base_url=f"{address}/api/")
        app = AsyncApp(client=client)

        async def vote(ack: AsyncAck, body: Json) -> None:
            await ack()
            await client.chat_update(channel="C_REVIEW", ts=body["message"]["ts"], text="voted", blocks=[])

        app.action("vote")(vote)
        handler = AsyncSocketModeHandler(app, "xapp-A_LOOP")
        await handler.connect_async()
        await client.chat_postMessage(channel="C_REVIEW", text="card", blocks=[actions(button("vote", "Refund"))])
        await client.files_upload_v2(channel="C_REVIEW", filename="a.txt", content="abc")
        card = (await asyncio.to_thread(ana.messages, "review"))[0]
        outcome = await asyncio.to_thread(ana.click, card, "Refund")
        assert outcome.ok
        await asyncio.to_thread(ana.box.wait_for, lambda: ana.messages("review")[0].text == "voted")
        await handler.close_async()

    with ThreadPoolExecutor(1) as fresh:  # this thread may have a browser's event loop already
        fresh.submit(asyncio.run, story()).result()
