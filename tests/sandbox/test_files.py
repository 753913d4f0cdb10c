"""Files (docs methods files.getUploadURLExternal, files.completeUploadExternal)."""

from dataclasses import replace

import httpx
import pytest
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox.client import Message, Person, SandboxClient
from bot.sandbox.config import AppConfig, SandboxConfig
from tests.sandbox.test_chat import refused

PNG = b"\x89PNG\r\n\x1a\n and so on"


def shared(ana: Person, thread_ts: str | None = None) -> Message:
    return ana.box.wait_for(lambda: [each for each in ana.messages("review", thread_ts) if each.files])[0]


def test_slack_sdks_upload_shares_a_picture_with_its_words(web: WebClient, ana: Person, connected: App) -> None:
    answer = web.files_upload_v2(
        channel="C_REVIEW",
        filename="chart.png",
        content=PNG,
        alt_txt="Two bars",
        initial_comment="Report",
        title="Chart",
    )
    message = shared(ana)
    assert (message.text, message.user) == ("Report", "loop")
    file = message.files[0]
    assert (file["id"], file["title"], file["alt_txt"], file["mimetype"]) == (
        answer["file"]["id"],
        "Chart",
        "Two bars",
        "image/png",
    )
    assert file["shares"]["public"]["C_REVIEW"][0]["ts"] == message.ts
    kinds = [each["payload"]["event"]["type"] for each in ana.box.inspector() if each["kind"] == "envelope"]
    assert kinds == ["message", "file_shared"]


def test_a_file_goes_into_a_thread(web: WebClient, ana: Person) -> None:
    ts = web.chat_postMessage(channel="C_REVIEW", text="report")["ts"]
    web.files_upload_v2(channel="C_REVIEW", filename="a.txt", content="abc", thread_ts=ts)
    assert shared(ana, ts).thread_ts == ts


class TestWhileSlackStillWorks:
    @pytest.fixture
    def config(self, config: SandboxConfig) -> SandboxConfig:
        return replace(config, file_seconds=0.3)

    def test_the_share_comes_later_and_an_image_block_is_refused_until_then(self, web: WebClient, ana: Person) -> None:
        """python-slack-sdk #1277 (shares are absent at first), #1521 (invalid slack file)."""
        file_id = web.files_upload_v2(channel="C_REVIEW", filename="chart.png", content=PNG)["file"]["id"]
        info = web.files_info(file=file_id)["file"]
        assert (info["shares"], info["mimetype"]) == ({}, "")
        image = {"type": "image", "alt_text": "Chart", "slack_file": {"id": file_id}}
        assert refused(web, "chat.postMessage", channel="C_REVIEW", text="x", blocks=[image]) == "invalid_blocks"
        shared(ana)
        assert web.files_info(file=file_id)["file"]["mimetype"] == "image/png"
        assert web.chat_postMessage(channel="C_REVIEW", text="x", blocks=[image])["ok"]


def test_the_bytes_are_given_to_the_app_and_to_people_of_the_channel(
    web: WebClient, ana: Person, address: str, box: SandboxClient
) -> None:
    web.files_upload_v2(channel="C_LEADS", filename="chart.png", content=PNG)
    cleo = box.person("cleo")
    url = box.wait_for(lambda: cleo.messages("leads"))[0].files[0]["url_private"]
    assert httpx.get(url, headers={"Authorization": "Bearer xoxb-A_LOOP"}).content == PNG
    assert httpx.get(url, params={"person": "U_CLEO"}).content == PNG
    assert httpx.get(url, params={"person": "U_ANA"}).status_code == 404
    assert httpx.get(url).status_code == 404


def test_an_upload_must_be_whole_and_is_completed_once(web: WebClient, address: str) -> None:
    place = web.files_getUploadURLExternal(filename="a.txt", length=3)
    assert httpx.post(place["upload_url"], content=b"too long").status_code == 400
    assert httpx.post(place["upload_url"], content=b"abc").status_code == 200
    files = [{"id": place["file_id"], "title": "A"}]
    assert web.files_completeUploadExternal(files=files)["files"][0]["title"] == "A"
    assert refused(web, "files.completeUploadExternal", files=files) == "file_not_found"
    assert refused(web, "files.getUploadURLExternal", filename="a.txt", length=0) == "invalid_arguments"


def test_an_upload_may_be_a_form(web: WebClient, address: str) -> None:
    place = web.files_getUploadURLExternal(filename="a.txt", length=3)
    assert httpx.post(place["upload_url"], files={"file": ("a.txt", b"abc")}).status_code == 200


def test_a_channel_is_checked_before_the_share(web: WebClient, address: str) -> None:
    def complete(channel: str) -> str:
        place = web.files_getUploadURLExternal(filename="a.txt", length=3)
        httpx.post(place["upload_url"], content=b"abc")
        files = [{"id": place["file_id"]}]
        return refused(web, "files.completeUploadExternal", files=files, channel_id=channel)

    assert complete("C_SECRET") == "channel_not_found"
    assert complete("C_TOWN") == "not_in_channel"


class TestAFileInAnImage:
    @staticmethod
    def uploaded(web: WebClient, box: SandboxClient) -> str:
        file_id = str(web.files_upload_v2(filename="scan.png", content=PNG)["files"][0]["id"])
        box.wait_for(lambda: web.files_info(file=file_id)["file"]["mimetype"] == "image/png")
        return file_id

    @staticmethod
    def image(file_id: str) -> dict[str, object]:
        return {"type": "image", "alt_text": "A scan", "slack_file": {"id": file_id}}

    @pytest.fixture
    def config(self, config: SandboxConfig) -> SandboxConfig:
        other = AppConfig("A_OTHER", "other", bot_user="other")
        channels = tuple(replace(each, members=(*each.members, "other")) for each in config.channels)
        return replace(config, apps=(*config.apps, other), channels=channels)

    def test_only_the_app_has_it_until_a_message_shows_it(self, web: WebClient, box: SandboxClient) -> None:
        file_id = self.uploaded(web, box)
        url = web.files_info(file=file_id)["file"]["url_private"]
        assert httpx.get(url, params={"person": "U_CLEO"}).status_code == 404
        ts = web.chat_postMessage(channel="C_LEADS", text="x")["ts"]
        web.chat_update(channel="C_LEADS", ts=ts, text="x", blocks=[self.image(file_id)])
        assert httpx.get(url, params={"person": "U_CLEO"}).content == PNG
        assert httpx.get(url, params={"person": "U_ANA"}).status_code == 404, "who does not see the channel"

    def test_an_app_shows_its_own_files_alone(self, web: WebClient, box: SandboxClient) -> None:
        file_id = self.uploaded(web, box)
        [file] = [each for each in web.files_list()["files"] if each["id"] == file_id]
        assert file["name"] == "scan.png"
        other = WebClient("xoxb-A_OTHER", base_url=web.base_url)
        words = {"channel": "C_REVIEW", "text": "x", "blocks": [self.image(file_id)]}
        assert refused(other, "chat.postMessage", **words) == "invalid_blocks"
        assert refused(other, "files.delete", file=file_id) == "cant_delete_file"
        assert other.files_list()["files"] == []

    def test_a_deleted_file_is_gone_for_messages_and_readers(self, web: WebClient, box: SandboxClient) -> None:
        file_id = self.uploaded(web, box)
        url = web.files_info(file=file_id)["file"]["url_private"]
        web.chat_postMessage(channel="C_REVIEW", text="x", blocks=[self.image(file_id)])
        assert web.files_delete(file=file_id)["ok"]
        assert refused(web, "files.info", file=file_id) == "file_not_found"
        assert refused(web, "files.delete", file=file_id) == "file_not_found"
        assert httpx.get(url, params={"person": "U_ANA"}).status_code == 404
