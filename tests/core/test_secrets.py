"""Secrets are found by shape and by registered value, also broken and encoded; ordinary text is left."""

import base64
import json
import random
import string
import time

import pytest

from orchestrator.core.secrets import Masker, SecretInFile
from orchestrator.services.base.masking import masked_json
from tests import corpus

SURE = random.Random(7)
LETTERS = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + "234567"


def made_up(length: int, letters: str = LETTERS) -> str:
    """No key stands in these files: each is made up when the tests run."""
    return "".join(SURE.choice(letters) for _ in range(length - 2)) + "A4"


AWS, GITHUB = "AKIA" + made_up(16, UPPER), "ghp_" + made_up(36)
PEM = "\n".join(
    [
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        *(made_up(64) for _ in range(5)),
        "-----END RSA PRIVATE " + "KEY-----",
    ]
)
KEYS = {
    "AWS access key": AWS,
    "GitHub token": GITHUB,
    "GitLab token": "glpat-" + made_up(20),
    "Anthropic key": "sk-ant-api03-" + made_up(80),
    "OpenAI key": "sk-proj-" + made_up(60),
    "Google key": "AIza" + made_up(35),
    "Slack token": "xoxb-" + made_up(40),
    "Stripe key": "sk_live_" + made_up(24),
    "npm token": "npm_" + made_up(36),
    "token of this server": "pteo_" + made_up(43),
    "JSON web token": f"eyJ{made_up(20)}.eyJ{made_up(30)}.{made_up(43)}",
    "private key": PEM,
    "credentials of a request": f"Authorization: Bearer {made_up(30)}",
    "password": "mysql --password hunter2" + made_up(4) + " -u root",
    "secret value": f'{{"client_secret": "{made_up(24)}"}}',
    "password in an address": f"postgres://app:{made_up(12)}@db/app",
}
MASKER = Masker({"DB_PASSWORD": "corr3ct/horse battery", "PIN": "1234"})


@pytest.mark.parametrize("what", KEYS)
def test_known_shapes_are_masked_wherever_they_stand(what: str) -> None:
    masking = MASKER.mask(f"Before it. {KEYS[what]}\nBehind it.")
    assert masking.found == (what,)
    assert f"[masked {what}]" in masking.text
    assert (masking.text[:11], masking.text[-10:]) == ("Before it. ", "Behind it.")
    assert MASKER.mask(masking.text).text == masking.text


@pytest.mark.parametrize(
    "text",
    [
        f"{GITHUB[:20]}\n   {GITHUB[20:]}",
        f"{AWS[:9]} \\\n{AWS[9:]}",
        f"with\n{GITHUB[:30]}\n{GITHUB[30:]}\nand",
        "as\n" + base64.encodebytes(f"the key {GITHUB} of the server it is, and {PEM}".encode()).decode(),
        base64.b64encode(f"the key {GITHUB} it is".encode()).decode(),
        base64.urlsafe_b64encode(f"???>>> {AWS}".encode()).decode(),
        base64.b64encode(base64.b64encode(GITHUB.encode())).decode(),
        f"{base64.b64encode(PEM.encode()).decode()}",
        GITHUB.encode().hex(),
        PEM.replace("\n", "\\n"),
        PEM[:200],
        PEM[100:],
        PEM[100:].replace("\n", "\\n"),
        f"{GITHUB[:15]}\u200b{GITHUB[15:]}",
        f"{GITHUB[:15]}\\n{GITHUB[15:]}",
    ],
)
def test_broken_and_encoded_ones_are_masked_too(text: str) -> None:
    masking = MASKER.mask(f"It says {text} and goes on.")
    assert len(masking.found) == 1
    assert masking.text.endswith(" and goes on.")
    assert not any(part in masking.text for part in (GITHUB[:12], GITHUB[-12:], AWS[-9:], PEM[70:90]))


@pytest.mark.parametrize(
    "text",
    [
        "corr3ct/horse battery",
        "corr3ct%2Fhorse+battery",
        "corr3ct%2Fhorse%20battery",
        "cor\nr3ct/horse battery",
    ],
)
def test_registered_values_are_masked_in_every_form(text: str) -> None:
    assert MASKER.mask(f"({text})").text == "([masked DB_PASSWORD])"
    encoded = base64.b64encode(b"corr3ct/horse battery").decode()
    assert MASKER.mask(encoded).text == "[masked DB_PASSWORD]"


@pytest.mark.parametrize(
    "text",
    [
        "The token 7 of attempt 8; key: A1, password: changed it, secret = None",
        "https://${USER}:${PASSWORD}@host and https://user:<password>@host",
        "commit 5cbf0f19c557067cbbe80c46d1fb6dfbdb0ae075 of git@github.com:a/b.git",
        "sha256 5cbf0f19c557067cbbe80c46d1fb6dfbdb0ae0755281220e087835b92558589e",
        "token = secrets.token_urlsafe(32); api_key: settings.STRIPE_API_KEY_2024",
        "AKIAIOSFODNN7EXAMPLE stands in the documentation; my PIN is 1234",
        "uuid 3f2504e0-4f89-11d3-9a0c-0305e82c3301, tests/test_a.py::test_b, 5 passed in 0.31s",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert MASKER.mask(text).text == text


@pytest.mark.skipif(not corpus.FOLDER.is_dir(), reason=corpus.MISSING)
def test_plans_that_other_people_wrote_hold_none() -> None:
    for plan in corpus.plans():
        assert MASKER.find(plan.text) == [], plan.name


def test_a_file_is_masked_where_it_is_text_and_refused_where_it_is_none() -> None:
    masked, found = MASKER.mask_content(f"KEY={AWS}\n".encode())
    assert (masked, found) == (b"KEY=[masked AWS access key]\n", ("AWS access key",))
    untouched = bytes(range(256))
    assert MASKER.mask_content(untouched) == (untouched, ())
    for content in (b"\x00\xff" + AWS.encode() + b"\x00", f"a {AWS} b".encode("utf-16")):
        with pytest.raises(SecretInFile):
            MASKER.mask_content(content)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE " + "KEY-----\n",
        "eyJaaaaaaaaaaa.",
        "://",
        ":a@",
        "password=",
        "bearer ",
        "sk-ant-",
        "token: a1",
        "\n",
        "A" * 40 + "\n",
        "PRIVATE KEY " + ("A" * 40 + "\n") * 200,
        "PRIVATE KEY " + ("A" * 40 + "\\n") * 200,
        "\u200b",
        "A",
        " ",
        "QUtJQ",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Four times the text takes four times as long, not sixteen; a second is far beyond either."""
    began = time.process_time()
    MASKER.mask(text * (100_000 // len(text)))
    assert time.process_time() - began < 1


def test_fr009_an_answer_is_masked_text_by_text() -> None:
    """Never across its structure: what begins in one text and ends in another is no secret."""
    ends = f"{'y' * 60} -----END PRIVATE KEY-----"
    body = json.dumps({"a": "x -----BEGIN PRIVATE KEY-----", "status": 12, "b": ends})
    assert masked_json(body) == body
    token = "ghp_" + "0aB1cD2eF3gH4iJ5kL6m" + "N7oP8qR9sT0uV1wX"
    masked = json.loads(masked_json(json.dumps({"said": [f"No {token}"], "n": 1})))
    assert masked == {"said": ["No [masked GitHub token]"], "n": 1}
