"""`python -m bot.sandbox --config FILE --port 7007`"""

import argparse
import sys

from bot.sandbox.config import load_config
from bot.sandbox.events import never_sent
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import run

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bot.sandbox", description="Run a local Slack workspace.")
    parser.add_argument(
        "--config", required=True, help="TOML file with people, channels and apps; see `goldloop docs sandbox`"
    )
    parser.add_argument("--port", type=int, default=7007)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; by default only this machine can connect"
    )
    chosen = parser.parse_args(arguments)
    try:
        config = load_config(chosen.config)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for app in config.apps:
        for event in never_sent(app):
            sys.stderr.write(f"{app.name} subscribes to {event}, which this workspace never sends.\n")
    reach = "for this machine only" if chosen.host in LOOPBACK else "for ANYONE on the network; there is no login"

    def tell(address: str) -> None:
        sys.stdout.write(f"Slack workspace at {address} ({reach})\n")
        sys.stdout.write(f"Point an app at it with SLACK_API_URL={address}/api/\n")
        sys.stdout.flush()

    try:
        run(Sandbox(config), chosen.host, chosen.port, tell)
    except KeyboardInterrupt:
        sys.stdout.write("\n")
    except OSError as error:
        sys.stderr.write(f"Cannot listen on {chosen.host}:{chosen.port}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
