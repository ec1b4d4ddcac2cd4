"""Where one stack keeps what it has: `.lifang` in the checkout, or a directory below it for the stack of the tests."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv" / "bin" / "python"


@dataclass(frozen=True)
class Place:
    state: Path

    @property
    def ports(self) -> Path:
        """Chosen once and kept, so that addresses stay the same from one start to the next."""
        return self.state / "stack.json"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def record(self) -> Path:
        """Which processes run, with their start times."""
        return self.run / "stack.json"

    @property
    def provided(self) -> Path:
        """There once Kafka has its users, rules and topics."""
        return self.run / "kafka-provided"

    def migrated(self, service: str) -> Path:
        """There once its database has been brought to what this code expects, since the stack was started."""
        return self.run / f"migrated.{service}"

    @property
    def demo(self) -> Path:
        """What seeding the demo community has answered."""
        return self.run / "demo.json"

    @property
    def terminals(self) -> Path:
        """What the simulated terminals are told."""
        return self.run / "terminals.json"

    @property
    def cameras(self) -> Path:
        """What the simulated plate cameras are told."""
        return self.run / "cameras.json"

    @property
    def panels(self) -> Path:
        """What the simulated alarm panels are told."""
        return self.run / "panels.json"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def secrets(self) -> Path:
        return self.state / "secrets"

    @property
    def seals(self) -> Path:
        """What is known of the logs outside their databases: only whoever writes here could hide that one was changed."""
        return self.state / "seals"

    @property
    def kafka(self) -> Path:
        return self.state / "kafka"

    def make(self) -> None:
        """Passable for the account that PostgreSQL runs as, whatever the umask; the secrets are for us alone."""
        for directory, mode in ((self.state, 0o755), (self.run, 0o755), (self.log, 0o755), (self.secrets, 0o700)):
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(mode)


HERE = Place(ROOT / ".lifang")
FOR_TESTS = Place(ROOT / ".lifang" / "test")
