"""Settings come from the environment, secrets from files in one directory, so that the same code runs everywhere."""
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from aiokafka.helpers import create_ssl_context
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    """What every service reads. `database_url` is the owner's; the other two roles are derived from it."""
    model_config = SettingsConfigDict(env_prefix="LIFANG_", extra="ignore", frozen=True)
    service: str
    database_url: str
    kafka: str = Field(default="127.0.0.1:9092", validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    kafka_user: str = ""
    topic_prefix: str = "lifang"
    open_prefix: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    operations_port: int = 0  # where it is told how all goes, by itself; 0: beside all else
    secrets: Path = Path(".lifang/secrets")
    demo: bool = False
    member: str = "0"
    def topic(self, name: str) -> str:
        """Of a service; a name with a dot is a stream for others outside, under a prefix of its own."""
        return f"{self.open_prefix}{name}.v1" if "." in name else f"{self.topic_prefix}.{name}.v1"
    def url_of(self, service: str) -> str:
        """Where another service answers, from LIFANG_URL_<SERVICE>; empty when that is not told."""
        return os.environ.get(f"LIFANG_URL_{service.upper()}", "")
    def secret(self, name: str) -> str:
        """One secret, stripped. Raises FileNotFoundError with the place where it was looked for, ValueError for a placeholder."""
        text = (self.secrets / name).read_text().strip()
        if len(text) < 8 or len(set(text)) < 5 or any(word in text.lower() for word in ("change", "password", "secret", "lifang")):
            raise ValueError(f"{name}: too short, repeated or a placeholder")
        return text
    @property
    def broker(self) -> dict[str, Any]:
        """How clients of Kafka find it, and prove that they are `kafka_user` if there is one: by `kafka-<user>.crt`, or a password."""
        place, own = {"bootstrap_servers": self.kafka}, self.secrets / f"kafka-{self.kafka_user}"
        if own.with_suffix(".crt").exists():
            return place | {"security_protocol": "SSL", "ssl_context": create_ssl_context(
                cafile=own.with_name("kafka-ca.crt"), certfile=own.with_suffix(".crt"), keyfile=own.with_suffix(".key"))}
        return place | scram(self.kafka_user, self.secret(own.name)) if self.kafka_user else place
    def role_url(self, role: str) -> str:
        """The database address for `log` or `read`; its password, if any, is the secret `db-<service>-<role>`."""
        parts, name, path = urlsplit(self.database_url), f"{self.service}_{role}", self.secrets / f"db-{self.service}-{role}"
        login = f"{name}:{quote(path.read_text().strip(), safe='')}" if path.exists() else name
        return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))
def scram(user: str, password: str) -> dict[str, str]:
    return {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": user,
            "sasl_plain_password": password}
def settings_for(service: str) -> Settings:
    """Reads the environment. Raises KeyError naming the variable when the database address is missing."""
    return Settings(service=service, database_url=os.environ[f"DATABASE_URL_{service.upper()}"])
