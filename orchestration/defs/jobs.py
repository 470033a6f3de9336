"""The job of a batch, in one process; decisions about deliveries are jobs of their own (decisions.py).

Put here: jobs of assets. Never here: steps.
"""

from dagster import AssetSelection, define_asset_job, in_process_executor

from orchestration.defs.failures import tell_of_failure
from orchestration.instance import BATCH_JOB, BATCH_TAG

batch_job = define_asset_job(
    BATCH_JOB,
    # what is fetched is asked before a batch, dashboards follow a publication in a run of their own
    selection=AssetSelection.all() - AssetSelection.groups("fetched", "dashboards"),
    description="Land, gate, build, audit, publish. Without configuration: the inbox and what is pending.",
    executor_def=in_process_executor,
    hooks={tell_of_failure},
    tags={BATCH_TAG: "true"},
)
