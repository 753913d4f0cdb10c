"""The service keeps Goldloop's contract. Copy this file beside a service of your own."""

from pathlib import Path

from goldloop_client import Client
from goldloop_client.contract import Service as Contract
from goldloop_client.contract import check_service
from goldloop_client.stand_in import stand_in
from own_model.service import ModelStore, Service, running

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_service_keeps_the_contract(tmp_path: Path) -> None:
    with stand_in() as goldloop, Client(goldloop.address, "any token") as client:
        service = Service(client, SECRET, ModelStore(tmp_path))
        with running(service, 0) as address:
            contract = Contract(f"{address}/hooks", f"{address}/predict", SECRET, seconds=30.0)
            found = list(check_service(contract, goldloop))
    assert [one for one in found if one.problem] == []
    assert len(found) == 10
