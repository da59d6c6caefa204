"""What signing in needs to know of an account beside its password and its authenticator app (FR-011)."""

from django.conf import settings
from django.db import models


class SessionEnd(models.Model):
    """Sessions of the account that began before `at` are over: somebody signed it out everywhere."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="session_end"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user} until {self.at}"


class GivenPassword(models.Model):
    """The account's password was made or set by somebody else, at `at`, so its person has to change it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="given_password"
    )
    at = models.DateTimeField()
    # When they did.
    changed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"password given to {self.user}"


class RecoveryCode(models.Model):
    """Stands in once for a code of the authenticator app. It was shown once; only its hash is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    # Used, or replaced by newer ones.
    spent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_known_once")]

    def __str__(self) -> str:
        return f"code of {self.user}"
