"""Shapes of well-known secrets: what a key of a cloud, a token of a code host, a private key looks like.

Each shape names its issuer's own prefix wherever there is one, so that a hash, an id or a word is none. A
shape is only looked for where one of its `hints` stands in the text, which costs next to nothing. No
expression here takes longer than linear time, however a text is made to trick it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import log2
from typing import Final

#: What the shape before stands for: values that say where a secret goes, and are none.
_PLACEHOLDER: Final = re.compile(
    r"[$<{%\[(].*|(.)\1*|(?i:x{3,}.*|.*\.\.\..*|your[-_].*|example.*|.*example|changeme.*|placeholder.*|redacted.*"
    r"|dummy.*|pass(?:word|wd)?|secret|token|user(?:name)?)",
    re.DOTALL,
)
#: Bits of one character on average, below which a value is a word or a pattern and no secret.
_BITS: Final = 3.5
_BITS_OF_PASSWORD: Final = 2.5
#: Names of code joined by points, as in `settings.api_key`, are no values.
_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class SecretShape:
    """`what` it is in plain words. `expression` finds it; the group `value`, where there is one, is the
    secret in it. `counts` says of a value whether it is one. `certain` shapes are known by their prefix: they
    are also looked for across line breaks and inside what is encoded."""

    what: str
    hints: tuple[str, ...]
    expression: re.Pattern[str]
    certain: bool = True
    #: The same where lines were put together: what it stands between may have been on another line.
    joined: re.Pattern[str] | None = None
    counts: Callable[[str], bool] = field(default=lambda value: not is_placeholder(value))


def is_placeholder(value: str) -> bool:
    """Whether a value only stands where a secret would stand, as in `${TOKEN}` or documentation."""
    return _PLACEHOLDER.fullmatch(value) is not None


def _bits(value: str) -> float:
    """Shannon's entropy of a character of the value."""
    shares = [value.count(one) / len(value) for one in set(value)]
    return -sum(share * log2(share) for share in shares)


def _mixed(value: str) -> bool:
    return any(one.isdigit() for one in value) and any(one.isalpha() for one in value)


def _is_random(value: str) -> bool:
    if _NAME.fullmatch(value) or sum(one.isdigit() for one in value) < _DIGITS:
        return False
    return _mixed(value) and _bits(value) >= _BITS and not is_placeholder(value)


def _is_password(value: str) -> bool:
    return _mixed(value) and _bits(value) >= _BITS_OF_PASSWORD and not is_placeholder(value)


def _known(what: str, hints: str, expression: str) -> SecretShape:
    """A shape known by its prefix, on its own between other characters."""
    bounded = re.compile(rf"(?<![A-Za-z0-9])(?:{expression})(?![A-Za-z0-9])")
    return SecretShape(what, tuple(hints.split()), bounded, joined=re.compile(expression))


_BEGIN: Final = r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
#: Up to its end; where that was cut off, the lines that can belong to it. No group is repeated possessively,
#: here and below: the first releases of Python 3.11 keep what its last turn took although that failed.
_PRIVATE: Final = (
    rf"{_BEGIN}(?:[^-]*+(?:-(?!----)[^-]*+)*-----END (?:[A-Z0-9]+ ){{0,4}}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:(?:\s|\\[rn])*+[A-Za-z0-9+/=]{30,}+)*)"
)
#: What is left of one whose beginning was cut off, as at the end of a log.
_TAIL: Final = (
    r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/=]{30,}+(?:\r?\n|\\[rn])++[ \t]*+){1,100}"
    r"(?:[A-Za-z0-9+/=]{1,80}+(?:\r?\n|\\[rn])++[ \t]*+)?"
    r"-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
)


def _holds_key(value: str) -> bool:
    """Whether more than the words around a key is there."""
    return len(re.sub(r"-----[A-Z0-9 ]{3,60}-----", "", value).strip()) >= _SHORTEST_KEY


_SHORTEST_KEY: Final = 40
#: An assignment of something that is called a secret: `api_key = "..."`, `"password": "..."`, `--token=...`.
_CALLED: Final = (
    r"(?:secret|api[_-]?key|access[_-]?key|account[_-]?key|auth[_-]?key|private[_-]?key|signing[_-]?key|token"
    r"|credentials?|passw(?:or)?d|passphrase)"
)
_IS: Final = r"(?:[\"'`]?[ \t]{0,4}(?:=>|:=|=|:)[ \t]{0,4}[\"'`]?)"

SHAPES: Final = (
    SecretShape("private key", ("PRIVATE KEY",), re.compile(_PRIVATE), counts=_holds_key),
    SecretShape("private key", ("PRIVATE KEY",), re.compile(_TAIL), counts=_holds_key),
    _known("AWS access key", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    _known("token of this server", "pteo_", r"pteo_[\w-]{43}"),
    _known("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"gh[pousr]_\w{36,255}|github_pat_\w{82}"),
    _known("GitLab token", "glpat- glptt- gldt- glrt- glcbt- glsoat- glft- glimt- glagent- gloas- glffct-",
           r"gl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent|oas|ffct)-[\w.-]{20,300}"),
    _known("Bitbucket or Atlassian token", "ATATT3 ATCTT3 ATBB",
           r"AT(?:ATT3|CTT3)[\w=-]{60,250}|ATBB[A-Za-z0-9]{32}"),
    _known("Anthropic key", "sk-ant-", r"sk-ant-[\w-]{20,300}"),
    _known("OpenAI key", "sk-proj- sk-svcacct- sk-admin- T3BlbkFJ",
           r"sk-(?:proj|svcacct|admin)-[\w-]{20,300}|sk-\w{20}T3BlbkFJ\w{20}"),
    _known("OpenRouter key", "sk-or-v1-", r"sk-or-v1-[0-9a-f]{64}"),
    _known("API key", "sk- gsk_ xai- pplx- r8_",
           r"sk-[A-Za-z0-9]{32,64}|gsk_\w{52}|xai-\w{80}|pplx-\w{48}|r8_\w{37}"),
    _known("Google key", "AIza GOCSPX- ya29.", r"AIza[\w-]{35}|GOCSPX-[\w-]{28}|ya29\.[\w-]{30,300}"),
    _known("Azure secret", "Q~", r"[\w~.]{3}[0-9]Q~[\w~.-]{31,34}"),
    _known("Slack token", "xox xapp-", r"xox[abeoprs]-[\w-]{10,255}|xapp-\d-[\w-]{20,255}"),
    _known("Slack web hook", "hooks.slack.com", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{20,120}"),
    _known("Discord web hook", "/api/webhooks/", r"https://discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,80}"),
    _known("Telegram bot token", ":AA", r"\d{8,10}:AA[\w-]{32,33}"),
    _known("Stripe key", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
           r"[sr]k_(?:live|test)_\w{10,255}|whsec_[A-Za-z0-9+/=]{32,90}"),
    _known("Twilio key", "SK", r"SK[0-9a-f]{32}"),
    _known("SendGrid key", "SG.", r"SG\.[\w-]{22}\.[\w-]{43}"),
    _known("Mailgun key", "key-", r"key-[0-9a-f]{32}"),
    _known("npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _known("PyPI token", "pypi-AgE", r"pypi-AgE[\w-]{50,300}"),
    _known("RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _known("crates.io token", "cio", r"cio[A-Za-z0-9]{32}"),
    _known("Docker token", "dckr_", r"dckr_(?:pat|oat)_[\w-]{27,60}"),
    _known("Hugging Face token", "hf_ api_org_", r"(?:hf|api_org)_[A-Za-z]{34}"),
    _known("DigitalOcean token", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _known("Shopify token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _known("Vault token", "hvs. hvb. hvr.", r"hv[sbr]\.[\w-]{24,300}"),
    _known("Terraform token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,70}"),
    _known("Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _known("Grafana token", "glsa_ glc_", r"glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{32,400}"),
    _known("New Relic key", "NRAK- NRJS- NRII-", r"NR(?:AK-[A-Z0-9]{27}|JS-[0-9a-f]{19}|II-[\w-]{32})"),
    _known("Linear key", "lin_", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,64}"),
    _known("Notion token", "ntn_", r"ntn_[A-Za-z0-9]{40,60}"),
    _known("Postman key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _known("Pulumi token", "pul-", r"pul-[0-9a-f]{40}"),
    _known("Supabase token", "sbp_", r"sbp_[0-9a-f]{40}"),
    _known("Tailscale key", "tskey-", r"tskey-[a-z]{2,12}-[\w-]{20,100}"),
    _known("Sentry token", "sntrys_ sntryu_", r"sntrys_[\w+/=]{50,400}|sntryu_[0-9a-f]{64}"),
    _known("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _known("JSON web token", "eyJ", r"eyJ[\w-]{10,4000}\.eyJ[\w-]{10,8000}\.[\w-]{0,2000}"),
    SecretShape(
        "password in an address", ("://",),
        re.compile(r"://[^\s/?#@:\"'<>]{0,200}:(?P<value>[^\s/?#@\"'<>]{1,300})@"),
    ),
    SecretShape(
        "token in an address", ("://",),
        re.compile(r"://(?P<value>[^\s/?#@:\"'<>]{20,300})@"), counts=_is_random,
    ),
    SecretShape(
        "credentials of a request", ("bearer", "basic", "token"),
        re.compile(
            r"(?i)(?<![a-z])(?:bearer|basic|authorization:[ \t]*token)[ \t]+(?P<value>[\w.~+/=-]{16,2000})"
        ),
        certain=False, counts=_mixed,
    ),
    SecretShape(
        "secret value", ("secret", "key", "token", "credential", "passw", "passphrase"),
        re.compile(rf"(?i){_CALLED}{_IS}(?P<value>[\w.~+/=-]{{16,512}})"),
        certain=False, counts=_is_random,
    ),
    SecretShape(
        "password", ("passw", "pwd", "passphrase"),
        re.compile(rf"(?i)(?:passw(?:or)?d|pwd|passphrase){_IS}(?P<value>[^\s\"'`,;()\[\]{{}}<>]{{8,128}})"),
        certain=False, counts=_is_password,
    ),
    SecretShape(
        "password", ("--passw",),
        re.compile(r"(?i)--passw(?:or)?d[ \t]{1,4}[\"']?(?P<value>[^\s\"'`,;()\[\]{}<>]{8,128})"),
        certain=False, counts=_is_password,
    ),
)  # fmt: skip
