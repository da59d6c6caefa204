"""WF-3: a policy decides what a reviewer judges, and never lets through what cannot be scheduled."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.plans.checks.paths import risk_of
from orchestrator.core.plans.checks.read import read
from orchestrator.core.plans.checks.rules import BY_POLICY, SETTABLE, apply_rules
from orchestrator.core.plans.findings import FINDINGS, finding
from orchestrator.core.plans.plan import Reading
from orchestrator.core.terms import Format, Severity

CODES = sorted(FINDINGS)


@given(
    st.lists(st.sampled_from(CODES), max_size=8),
    st.dictionaries(st.sampled_from(CODES), st.sampled_from(list(Severity)), max_size=8),
)
def test_wf3_what_cannot_be_scheduled_blocks_under_every_policy(
    codes: list[str], rules: dict[str, Severity]
) -> None:
    before = Reading(None, tuple(finding(code, 1, "Wrong.", "Mend it.") for code in codes))
    after = apply_rules(before, rules)
    assert {f.code for f in before.blockers} - SETTABLE.keys() <= {f.code for f in after.blockers}
    for found in after.findings:
        assert (
            found.severity is (rules.get(found.code) or FINDINGS[found.code][0]) or found.code not in SETTABLE
        )
        assert (BY_POLICY in found.message) == (
            found.blocks and FINDINGS[found.code][0] is not Severity.BLOCKS
        )


PLAN = """# Mailing

## Batch 01: build
### Thread A: code
- [ ] A1: Build it
  - Files: {files}
  - Resources: staging
  - Entry: A2 is complete
- [ ] A2: Test it
### Thread B: data
- [ ] B1: Load it
  - Resources: staging
"""


def codes_of(source: str) -> list[str]:
    return [found.code for found in read(source, frozenset(), Format.PLAN).findings]


def test_bx5_risky_paths_shared_resources_and_entries_that_cannot_hold_are_told() -> None:
    found = codes_of(PLAN.format(files="`**`"))
    assert found.count("shared-resource") == 1
    assert found.count("contradicting-entry") == 1
    assert found.count("risky-path") == 1
    assert "risky-path" not in codes_of(PLAN.format(files="`src/mail/**`"))


def test_bx5_a_path_is_risky_for_what_it_reaches_only() -> None:
    risky = (
        "** * **/* . .github/** .github/workflows/ci.yml .env api/.env.prod keys/tls.pem uv.lock "
        "a/migrations/**"
    )
    harmless = (
        "src/** .env.example docs/secrets.md src/lock.py .github/CODEOWNERS tests/* "
        "config/environment.py *.md"
    )
    assert [path for path in risky.split() if not risk_of(path)] == []
    assert [path for path in harmless.split() if risk_of(path)] == []
