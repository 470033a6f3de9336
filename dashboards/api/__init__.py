"""The KPI API: published figures for programs, and a way in for files. One module per thing to ask.

Put here: the router that joins them. Never here: an answer.
"""

from fastapi import APIRouter

from dashboards.api import cards, health, kpis, reference, uploading
from dashboards.problems import Problem

router = APIRouter(responses={"default": {"model": Problem, "description": "Anything else, as a problem."}})
router.include_router(kpis.router)
router.include_router(cards.router)
router.include_router(uploading.router)
router.include_router(health.router)
router.include_router(reference.router)

__all__ = ["router"]
