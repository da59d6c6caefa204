"""The key of a form that makes something.

Built in, so that it stands beside `{% csrf_token %}` without loading.
"""

import secrets

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orchestrator.web.once import FIELD

register = template.Library()


@register.simple_tag
def once() -> SafeString:
    """A hidden field with a key that no other form has."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, secrets.token_urlsafe(16))
