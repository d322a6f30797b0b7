"""Connects to Temporal by the SDK's own profile, with Pavane's plugin."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.client import Client, Plugin
from temporalio.converter import PayloadCodec
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime

from runtime.plugin import PavanePlugin


async def connect(
    *,
    lazy: bool = False,
    runtime: Runtime | None = None,
    plugins: Sequence[Plugin] = (),
    codec: PayloadCodec | None = None,
) -> Client:
    """Returns the one client of this process.

    Args:
        lazy: Do not wait for the server: the first call does.
        runtime: Where metrics go; None = the default.
        plugins: Applied after Pavane's own.
        codec: Encrypts payloads; None = they are written as they are.

    Raises:
        RuntimeError: The server cannot be reached and ``lazy`` is off.
    """
    profile = ClientConfig.load_client_connect_config()
    profile.setdefault("target_host", "127.0.0.1:7233")
    return await Client.connect(
        **profile, plugins=[PavanePlugin(codec), *plugins], lazy=lazy, runtime=runtime
    )
