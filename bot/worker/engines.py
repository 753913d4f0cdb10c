"""The choice of the engine for a scan: this process, several on this machine, or a cluster."""

from bot.runtime.settings import Settings
from core.discovery.engines import Engine, one_process, pool
from core.discovery.running import ChooseEngine
from core.discovery.sources import Shard
from core.records.discovery import Scan

FEWEST_SHARDS = 4  # with fewer shards or bytes, further processes cost more time than they save
FEWEST_BYTES = 20_000_000  # some 200,000 short texts


def chosen_engine(settings: Settings, apart: bool = False, cluster: str = "") -> ChooseEngine:
    """The function that chooses the engine. apart: never in this process. cluster: an address that replaces the one in
    the settings."""
    address = cluster or settings.cluster

    def choose(scan: Scan, shards: list[Shard]) -> Engine:
        if address:
            from core.discovery.cluster import on_cluster

            files = settings.cluster_ca, settings.cluster_cert, settings.cluster_key
            return on_cluster(address, *files, processes=scan.processes)
        small = len(shards) < FEWEST_SHARDS or sum(shard.size for shard in shards) < FEWEST_BYTES
        processes = 1 if small else scan.processes
        return pool(processes) if apart or processes > 1 else one_process

    return choose
