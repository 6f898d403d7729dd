"""Users, organizations, who belongs to which, and the keys programs use."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone

from b2b_recs.runtime.fetching import MOST_RUNS
from b2b_recs.web.tenancy.fields import TenantForeignKey
from b2b_recs.web.tenancy.models import PlatformEvent, TenantModel, audited


class Role(models.TextChoices):
    """What a member may do; each may do everything the ones after it may."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"

    @property
    def rank(self) -> int:
        """Higher may do more."""
        return len(Role) - list(Role).index(self)

    def covers(self, needed: str) -> bool:
        """Whether this role may do what ``needed`` may."""
        return self.rank >= Role(needed).rank


class UserManager(BaseUserManager):
    """Users by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A new user; without a password the account can only be entered by a link."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """The user of an e-mail address, however its letters are written."""
        return self.get(email=(username or "").strip().lower())


@audited(leave_out=("password", "last_login"), base=PlatformEvent)
class User(AbstractBaseUser):
    """A person, in any number of organizations."""

    id = models.BigAutoField(primary_key=True)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False, help_text="May see and change everything of every organization.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=models.functions.Lower("email")), name="user_email_lower")
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with the address in lower case."""
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """Whether the admin is open; its word for an operator."""
        return self.is_active and self.is_operator

    @property
    def is_superuser(self) -> bool:
        """Django's word for an operator."""
        return self.is_staff

    def has_perm(self, permission: str, target: object = None) -> bool:
        """Operators may do everything in the admin; nobody else anything."""
        return self.is_staff

    def has_perms(self, permissions: list[str], target: object = None) -> bool:
        """As has_perm."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """As has_perm."""
        return self.is_staff

    def get_full_name(self) -> str:
        """The name, or the address when none is known."""
        return self.full_name or self.email


@audited(base=PlatformEvent)
class Organization(models.Model):
    """A tenant: one client company; owns everything below."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    suspended = models.BooleanField(default=False)
    runs_at_once = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_RUNS)],
        help_text="How many of its runs may be under way at the same time, 0 for any number; empty: as the "
        "installation's settings say.",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@audited()
class Membership(TenantModel):
    """A user's place in an organization."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organization_id} as {self.role}"

    def may(self, needed: str) -> bool:
        """Whether the member may do what the role ``needed`` may."""
        return Role(self.role).covers(needed)


@audited(leave_out=("token_hash",))
class Invitation(TenantModel):
    """An open place in an organization for the holder of an address."""

    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"


@audited(leave_out=("hash", "last_used_at"))
class ApiKey(TenantModel):
    """A program's key, of the whole organization or of one model; only its SHA-256 is kept."""

    class Scope(models.TextChoices):
        RECOMMEND = "recommend", "Ask for recommendations"
        READ = "read", "Read everything"
        WRITE = "write", "Change and run"

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    model = TenantForeignKey(
        "projects.ModelEndpoint", null=True, blank=True, on_delete=models.CASCADE, related_name="api_keys"
    )
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def may(self) -> list[str]:
        """What the key may do, in words."""
        return [str(self.Scope(scope).label) for scope in self.Scope.values if scope in self.scopes]


class SignInLink(models.Model):
    """A link that signs a user in once; only the SHA-256 of its token is kept."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"link of {self.user_id}"
