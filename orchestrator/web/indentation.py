"""Templates are indented for whoever reads them; pages are sent without it: it is a tenth of their bytes."""

import re
from typing import Final

from django.template import Origin
from django.template.loaders import filesystem

_INDENTATION: Final = re.compile(r"^[ \t]+", re.MULTILINE)


class TemplateLoader(filesystem.Loader):
    """Our templates without the blanks at the beginning of their lines; what they show keeps its own."""

    def get_contents(self, origin: Origin) -> str:
        return _INDENTATION.sub("", super().get_contents(origin))
