"""Django's settings, from the home folder, its keys and a few environment variables; nothing secret has a default."""

from __future__ import annotations

import os
from typing import Any

import pghistory
from csp.constants import NONE, SELF

from b2b_recs.runtime.database import ControlDatabase
from b2b_recs.runtime.environment import envbool, envint, envlist, envport, envtext
from b2b_recs.runtime.errors import SettingRefused
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys

HOME = Home.current()
HOSTED = envbool("B2B_RECS_HOSTED")
DEBUG = envbool("B2B_RECS_DEBUG")
if HOSTED and DEBUG:
    raise SettingRefused(
        "B2B_RECS_DEBUG shows internals and cannot be on in a hosted installation.",
        advice="Unset B2B_RECS_DEBUG.",
        field="B2B_RECS_DEBUG",
    )

_keys = load_keys(HOME)
SECRET_KEY = _keys.django_secret
SECRET_KEY_FALLBACKS = list(_keys.django_fallbacks)

# Which database role "default" is: pages and API web, jobs worker, migrations owner.
ROLE = envtext("B2B_RECS_ROLE", "web")
if ROLE not in ("web", "worker", "owner", "operator"):
    raise SettingRefused(
        f"B2B_RECS_ROLE is {ROLE!r}.", advice="Set it to web, worker, owner or operator.", field="B2B_RECS_ROLE"
    )
_control = ControlDatabase.current(HOME, _keys)


def _database(role: str) -> dict[str, Any]:
    entry = {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 0, **_control.django(role)}
    entry["OPTIONS"] = {**entry["OPTIONS"], "connect_timeout": 10, "application_name": f"b2b-recs {role}"}
    return entry


DATABASES = {"default": _database(ROLE), "operator": _database("operator")}
if ROLE == "web":
    # A new connection costs 8 ms; a page of fragments would pay it again and again.
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 16, "timeout": 10}
DATABASE_ROUTERS = ["b2b_recs.web.tenancy.routing.RoleRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "b2b_recs.web.ui",
    "b2b_recs.web.tenancy",
    "b2b_recs.web.accounts",
    "b2b_recs.web.projects",
    "b2b_recs.web.connections",
    "b2b_recs.web.runs",
    "b2b_recs.web.etl",
    "b2b_recs.web.datasets",
    "b2b_recs.web.features",
    "b2b_recs.web.training",
    "b2b_recs.web.experiments",
    "b2b_recs.web.deployments",
    "b2b_recs.web.monitoring",
    "b2b_recs.web.operations",
    "b2b_recs.web.audit",
    "b2b_recs.web.api",
    "ninja",
    "procrastinate.contrib.django",
    "pgtrigger",
    "pghistory",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "b2b_recs.web.api.addresses.SlashForReaders",
    "django.middleware.csrf.CsrfViewMiddleware",
    "b2b_recs.web.usable_text.UsableText",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "b2b_recs.web.accounts.middleware.TenancyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "b2b_recs.web.urls"
WSGI_APPLICATION = "b2b_recs.web.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False  # everything is said in English

# --- who is who -------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "b2b_recs.web.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "login": "b2b_recs.web.accounts.sign_up.SignInForm",
    "signup": "b2b_recs.web.accounts.sign_up.SignUpForm",
    "reset_password": "b2b_recs.web.accounts.sign_up.ForgottenForm",
    "add_email": "b2b_recs.web.accounts.sign_up.NewAddressForm",
}
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_CHANGE_EMAIL = True
# How many proxies of ours stand in front; further entries of X-Forwarded-For are the visitor's own invention.
ALLAUTH_TRUSTED_PROXY_COUNT = envint("B2B_RECS_TRUSTED_PROXIES", 1 if HOSTED else 0, 0, 10)
MFA_ADAPTER = "b2b_recs.web.accounts.adapter.SecondProofAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_ISSUER = "b2b-recs"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HOSTED

# The rate limits of sign-in need a cache all processes share.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "b2b_recs_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- the audit --------------------------------------------------------------------------------------------------

PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_CONTEXT_ID_FIELD = pghistory.ContextUUIDField(null=True)
PGHISTORY_ADMIN_ALL_EVENTS = False
PGTRIGGER_MIGRATIONS = True

# --- the network ------------------------------------------------------------------------------------------------

PORT = envport("B2B_RECS_PORT", 8000)
SERVING_PORT = envport("B2B_RECS_SERVING_PORT", 8001)
WEB_URL = envtext("B2B_RECS_WEB_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
SERVING_URL = envtext("B2B_RECS_SERVING_URL", f"http://127.0.0.1:{SERVING_PORT}").rstrip("/")
ALLOWED_HOSTS = list(envlist("B2B_RECS_ALLOWED_HOSTS")) or ["localhost", "127.0.0.1", "[::1]"]
if HOSTED and not envlist("B2B_RECS_ALLOWED_HOSTS"):
    raise SettingRefused(
        "B2B_RECS_ALLOWED_HOSTS is not set.",
        advice="Set it to the host names the pages are reached by, separated by commas.",
        field="B2B_RECS_ALLOWED_HOSTS",
    )
CSRF_TRUSTED_ORIGINS = [
    f"https://{'*' if host.startswith('.') else ''}{host}" for host in ALLOWED_HOSTS if HOSTED and host != "*"
]

SESSION_COOKIE_NAME = "b2b_recs_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HOSTED
CSRF_COOKIE_NAME = "b2b_recs_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HOSTED
CSRF_FAILURE_VIEW = "b2b_recs.web.accounts.refusals.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HOSTED:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# --- files ------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 3600

# --- mail -------------------------------------------------------------------------------------------------------

EMAIL_HOST = os.environ.get("B2B_RECS_SMTP_HOST", "")
EMAIL_PORT = envport("B2B_RECS_SMTP_PORT", 587)
EMAIL_HOST_USER = os.environ.get("B2B_RECS_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("B2B_RECS_SMTP_PASSWORD", "")
EMAIL_USE_TLS = envbool("B2B_RECS_SMTP_TLS", True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = envtext("B2B_RECS_MAIL_FROM", "b2b-recs@localhost")
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "django.core.mail.backends.dummy.EmailBackend"
)

# Without a mail server nobody can confirm an address, so that this cannot be asked before two-factor sign-in.
MFA_ALLOW_UNVERIFIED_EMAIL = not EMAIL_HOST

# Whether visitors may make an account and an organization of their own.
SIGN_UP = envbool("B2B_RECS_SIGN_UP")
if SIGN_UP and HOSTED and not EMAIL_HOST:
    raise SettingRefused(
        "B2B_RECS_SIGN_UP lets strangers in, and without a mail server their addresses cannot be confirmed.",
        advice="Set B2B_RECS_SMTP_HOST, or unset B2B_RECS_SIGN_UP.",
        field="B2B_RECS_SIGN_UP",
    )

# --- logs -------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "b2b_recs.web.operations.redaction.RedactingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "procrastinate.blueprints": {"level": "WARNING"},
    },
}
