"""Everything Dagster sees: policy only. Content lives in `defs/`, one file per concept."""

from dagster import Definitions

from orchestration.defs.analytics import revenue_forecast, sales_anomalies
from orchestration.defs.builds import build_loads
from orchestration.defs.dashboards import in_metabase
from orchestration.defs.dbt import core_models, mart_models
from orchestration.defs.decisions import release_load, replay_load, withdraw_load
from orchestration.defs.deliveries import deliveries
from orchestration.defs.jobs import batch_job
from orchestration.defs.publication import publication
from orchestration.defs.resources import BatchSession
from orchestration.defs.schedules import nightly
from orchestration.defs.sensors import inbox_sensor
from orchestration.defs.sources import fetched_assets, fetched_sensors, nightly_sync, sync_job
from orchestration.defs.stepping_back import resume_publication, step_back
from warehouse.settings import load_settings

# one name for all: Dagster refuses a module with two sets of definitions
defs = Definitions.merge(
    Definitions(
        assets=[
            deliveries,
            build_loads,
            core_models,
            revenue_forecast,
            sales_anomalies,
            mart_models,
            publication,
            *fetched_assets,
        ],
        jobs=[batch_job, sync_job, release_load, withdraw_load, replay_load, step_back, resume_publication],
        schedules=[nightly, nightly_sync],
        sensors=[inbox_sensor, *fetched_sensors],
        resources={"session": BatchSession()},
    ),
    in_metabase(load_settings()),
)
