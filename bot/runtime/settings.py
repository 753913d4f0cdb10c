"""Settings from the environment: addresses, paths and ports. Everything that changes a decision is in the policy
instead."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import Invalid


class Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: str = Field("sqlite:///goldloop.sqlite", validation_alias="DATABASE_URL")
    sqlite_full_sync: bool = Field(True, validation_alias="GOLDLOOP_SQLITE_FULL_SYNC")
    policy: Path = Field(Path("goldloop.toml"), validation_alias="GOLDLOOP_POLICY")
    slack_api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL")
    slack_bot_token: SecretStr = Field(SecretStr(""), validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr = Field(SecretStr(""), validation_alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr = Field(SecretStr(""), validation_alias="SLACK_SIGNING_SECRET")
    cluster: str = Field("", validation_alias="GOLDLOOP_CLUSTER")
    cluster_ca: str = Field("", validation_alias="GOLDLOOP_CLUSTER_CA")
    cluster_cert: str = Field("", validation_alias="GOLDLOOP_CLUSTER_CERT")
    cluster_key: str = Field("", validation_alias="GOLDLOOP_CLUSTER_KEY")
    llm_key: SecretStr = Field(SecretStr(""), validation_alias="GOLDLOOP_LLM_KEY")
    host: str = Field("0.0.0.0", validation_alias="HOST")  # noqa: S104 - what a Procfile platform expects
    stop_seconds: float = Field(20.0, ge=0, le=3600, validation_alias="GOLDLOOP_STOP_SECONDS")
    port: int = Field(3000, validation_alias="PORT")

    @property
    def slack_base_url(self) -> str:
        """The address with the trailing slash that Slack's client needs."""
        return self.slack_api_url.rstrip("/") + "/"


def load_settings() -> Settings:
    """Read the settings. Raises Invalid, naming the variable, if a value is invalid."""
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(f"The environment variable {problem['loc'][0]} is invalid: {problem['msg'].lower()}.") from None


def require_setting(value: SecretStr, name: str) -> str:
    if not value.get_secret_value():
        raise Invalid(f"{name} is not set; see `goldloop docs slack`.")
    return value.get_secret_value()
