"""The map of a plan on a page."""

from django import template
from django.utils.safestring import SafeString

from orchestrator.templatetags.ledger import SHAPES, STATES
from orchestrator.web.charts.maps import Look, MapView, draw_map

register = template.Library()


def _look(state: str) -> Look:
    tone, shape, usual = STATES.get(state, ("plain", "circle", state.capitalize()))
    return Look(tone, SHAPES[shape], usual)


@register.simple_tag
def drawn_map(view: MapView) -> SafeString:
    return draw_map(view, _look)
