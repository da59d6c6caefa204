"""Pages are compressed on the wire; the page that shows a new token is not."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

#: The length of a compressed answer tells something about what is in it (BREACH). Form tokens are masked anew
#: for every answer; the secret of a token is not, so its page goes out as it is.
PLAIN = frozenset({"tokens"})


class CompressionMiddleware(GZipMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        match = request.resolver_match
        if match is not None and match.url_name in PLAIN:
            return response
        return super().process_response(request, response)
