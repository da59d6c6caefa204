"""DC-6: django-q2 tasks run the scheduler and the handoff dispatch."""

import pytest
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.utils import get_func_repr  # noqa: F401 - proves that the queue's own modules are what runs here

from orchestrator.core.terms import ArtifactState, AttemptStatus
from orchestrator.models import Attempt, HandoffArtifact, SchedulingDecision
