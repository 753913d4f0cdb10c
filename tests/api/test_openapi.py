"""The OpenAPI document is true, and what a program makes of it breaks nothing: requests that fit it and requests that
do not, from a fixed seed. `make fuzz` makes more of them."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.api.conftest import Api, StartApi
from tests.core.desk import Desk
from tests.core.models import promoted, seeded

pytestmark = pytest.mark.usefixtures("sqlite_only")

EACH = int(os.environ.get("GOLDLOOP_FUZZ", "300")) // 25  # for one operation, and as many for its misuse
TRY = settings(
    max_examples=EACH, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def busy(desk: Desk, start_api: StartApi) -> Api:
    """With a live model, so that it can be asked, and a snapshot to read."""
    promoted(seeded(desk))
    return start_api(desk, {"requests_per_minute": 1_000_000})


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_each_operation_answers_as_the_document_says(busy: Api, mode: str) -> None:
    import schemathesis  # here: it takes seconds, for which all other tests would have to wait
    from schemathesis.core.result import Ok

    assert set(schemathesis.GenerationMode) == {"positive", "negative"}
    schema = schemathesis.openapi.from_url(f"{busy.address}/api/openapi.json")
    token = busy.token()
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == 10
    for operation in operations:
        tried(busy, operation, token, schemathesis.GenerationMode(mode))


def tried(busy: Api, operation: Any, token: str, mode: Any) -> None:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    documented = [checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance]

    @TRY
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        case.call_and_validate(
            base_url=f"{busy.address}/api",
            headers={"Authorization": f"Bearer {token}"},
            checks=[not_a_server_error, *documented],
        )

    send()


def test_an_address_that_misses_by_a_line_break_is_a_problem_like_any_other(api: Api) -> None:
    told = api.call("GET", "%0Asupport/items", api.token())
    assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")
    assert told.json()["detail"] == "This address does not exist."
