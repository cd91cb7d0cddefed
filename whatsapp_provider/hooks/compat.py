"""Where one version of Airflow can do what another can't."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import mask_secret


async def mask_secret_async(secret: str) -> None:
    """Hide a text in Airflow's logs from now on; the loop goes on meanwhile."""
    try:
        from airflow.sdk.log import amask_secret
    except ImportError:
        # Before Airflow 3.3. It tells the supervisor, and the triggerer of 3.1 ends when that is done from a loop
        # other than its own, as from ``asyncio.to_thread``; asgiref's threads go by way of the loop they serve.
        from asgiref.sync import sync_to_async

        await sync_to_async(mask_secret)(secret)
    else:
        await amask_secret(secret)
