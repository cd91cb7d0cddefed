"""Put the tasks of a run into the triggerer as if each had deferred: ``python -m tests.system.park``.

Airflow queues and runs 150 to 220 deferrable tasks a minute on two cores. What is tested here begins
after that, so rows and triggers are made as a worker's deferral makes them. It runs in Airflow's environment and reads
from its input ``{"run_id": …, "folder": …, "wait": {arguments of the trigger}, "channels": […]}``.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

from airflow.models import TaskInstance, Trigger
from airflow.utils.session import create_session
from sqlalchemy import select

from tests.system.triggerer_probe import ProbeTrigger
from whatsapp_provider.triggers.channel import WhatsAppChannelTrigger


def park(run_id: str, folder: str, wait: dict[str, Any], channels: list[Any]) -> int:
    """Defer every task of the run, and return how many there are."""
    with create_session() as session:
        instances = session.scalars(select(TaskInstance).where(TaskInstance.run_id == run_id)).all()
        for instance in instances:
            if instance.task_id == "probe":
                trigger = Trigger.from_object(ProbeTrigger(folder))
            else:
                channel = channels[instance.map_index]
                trigger = Trigger.from_object(WhatsAppChannelTrigger(channel=channel, **wait))
            session.add(trigger)
            session.flush()
            instance.trigger_id = trigger.id
            instance.state = "deferred"
            instance.start_date = datetime.now(UTC)
            instance.try_number = 1
            instance.next_method = "execute_complete"
        return len(instances)


if __name__ == "__main__":
    sys.stdout.write(str(park(**json.load(sys.stdin))))
