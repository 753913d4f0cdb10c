"""The service keeps Goldloop's contract. Copy this file beside a service of your own."""

from pathlib import Path

import pytest

from goldloop_client import Client
from goldloop_client.contract import Service as Contract
from goldloop_client.contract import check_service
from goldloop_client.stand_in import stand_in
from own_model.service import ModelStore, Service, main, running, version_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_service_keeps_the_contract(tmp_path: Path) -> None:
    with stand_in() as goldloop, Client(goldloop.address, "any token") as client:
        service = Service(client, SECRET, ModelStore(tmp_path))
        with running(service, 0) as address:
            contract = Contract(f"{address}/hooks", f"{address}/predict", SECRET, seconds=30.0)
            found = list(check_service(contract, goldloop))
    assert [one for one in found if one.problem] == []
    assert len(found) == 10


def test_the_same_rows_handed_out_again_are_another_version() -> None:
    assert version_of(1, "5f0c" * 16) != version_of(2, "5f0c" * 16)


def test_what_it_reads_is_said_where_it_is_missing_and_where_help_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["own-model"])
    monkeypatch.delenv("GOLDLOOP_TOKEN", raising=False)
    with pytest.raises(SystemExit, match="GOLDLOOP_TOKEN"):
        main()
    monkeypatch.setattr("sys.argv", ["own-model", "--help"])
    for name in ("GOLDLOOP_URL", "GOLDLOOP_TOKEN", "GOLDLOOP_SECRET"):
        monkeypatch.setenv(name, "x")
    with pytest.raises(SystemExit, match="PORT"):
        main()
