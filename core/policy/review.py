"""`[queues.NAME.review]`: what reviewers see."""

from typing import Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator

from core.policy.base import Section, Share

PLACE = "{external_id}"


class ReviewPolicy(Section):
    """What a card shows to reviewers."""

    blind_share: Share = Field(
        1 / 3, description="share of items shown without the model's prediction; only these can become golden"
    )
    buttons: int = Field(
        12,
        ge=1,
        le=20,
        description="number of labels with a button of their own, most likely first; the rest are under Other…",
    )
    link: str = Field(
        "",
        max_length=1000,
        description="address of an input in your own system, with `{external_id}` in it, which cards link to; "
        "empty: no link",
    )
    reveal: Literal["tally", "names"] = Field(
        "tally", description="what a settled item shows of its votes: `tally` for counts, `names` for who voted what"
    )

    @field_validator("link")
    @classmethod
    def _leads_to_an_input(cls, value: str) -> str:
        """Check the link. Raises ValueError, as urlsplit itself does, for instance for an invalid port."""
        if not value:
            return value
        address = urlsplit(value)
        if address.scheme not in ("http", "https") or not address.hostname or PLACE in address.netloc:
            raise ValueError("must be an http:// or https:// address")
        if PLACE not in value:
            raise ValueError(f"must contain {PLACE}")
        if not value.isascii() or any(mark in value for mark in '<>|"` ') or not value.isprintable():
            raise ValueError('must not contain spaces or any of < > | " `; percent-encode them')
        return value

    def link_to(self, external_id: str) -> str | None:
        """The address of the input in the sender's own system; None: there is no link."""
        return self.link.replace(PLACE, quote(external_id, safe="")) if self.link else None
