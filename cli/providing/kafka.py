"""Users, rules and topics of an installation's Kafka, as the contracts have them: `python -m cli.providing.kafka`.

KAFKA_BOOTSTRAP_SERVERS says where it is, LIFANG_SECRETS where the passwords are. As often as one likes.
"""

import os
from pathlib import Path

from cli.stack.kafka_admin import asking, patiently, provide_by
from cli.stack.kafka_rules import ADMIN


def secret(name: str) -> str:
    return (Path(os.environ["LIFANG_SECRETS"]) / name).read_text().strip()


async def provide() -> None:
    async with asking(os.environ["KAFKA_BOOTSTRAP_SERVERS"], secret(f"kafka-{ADMIN}"), first=True) as admin:
        await provide_by(admin, secret)


def main() -> None:
    patiently(provide)
    print("Kafka has its users, rules and topics")


if __name__ == "__main__":
    main()
