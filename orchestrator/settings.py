"""Settings, all from the environment; `guide/operating.md` has the table.

Everything that must survive stands in DATA_DIR.
"""

import os
import re
import sqlite3
from pathlib import Path

from orchestrator.core import limits
from orchestrator.core.git_names import is_remote_address
from orchestrator.data_dir import BASE_DIR, DATA_DIR, POSTGRESQL, database, persistent_secret


def _whole_number(name: str, default: int) -> int:
    """A number from the environment; anything else ends the process with a sentence, not a traceback."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        raise SystemExit(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _words(name: str, default: str = "") -> list[str]:
    """A list from the environment, with commas."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


HOST = os.environ.get("HOST", "127.0.0.1")
PORT = _whole_number("PORT", 8000)
EXECUTORS = _whole_number("EXECUTORS", 3)
#: More executors that `serve` starts, one table each (adapters/pool.py).
EXECUTORS_FILE = Path(os.environ.get("EXECUTORS_FILE", DATA_DIR / "executors.toml")).expanduser().resolve()
#: Where `serve` answers agents over MCP, on this machine alone; 0 for not at all.
MCP_PORT = _whole_number("MCP_PORT", 0)
#: Which tools are served there: `agent`, few words for agents, or `full`.
MCP_PROFILE = os.environ.get("MCP_PROFILE") or "agent"
if MCP_PROFILE not in ("agent", "full"):
    raise SystemExit(f"MCP_PROFILE is agent or full, not {MCP_PROFILE!r}.")
#: 0 is twice the time that a message of the queue may take.
QUEUE_STALL_SECONDS = _whole_number("QUEUE_STALL_SECONDS", 0)

SECRET_KEY = os.environ.get("SECRET_KEY") or persistent_secret()
#: Earlier keys: what was signed or hashed with one of them is still known, and is signed anew when it is
#: used.
SECRET_KEY_FALLBACKS = _words("SECRET_KEY_FALLBACKS")
DEBUG = os.environ.get("DEBUG", "") == "1"
#: Whether `/metrics` answers.
METRICS = os.environ.get("METRICS", "") == "1"
#: The local names always: health checks, and agents that `serve` starts, ask this machine itself.
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *(_words("ALLOWED_HOSTS") or [HOST])]
CSRF_TRUSTED_ORIGINS = _words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "orchestrator",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_linear_migrations",
    "django_q",
    "template_partials.apps.SimpleAppConfig",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
]
MIDDLEWARE = [
    "orchestrator.web.request_id.RequestIdMiddleware",
    "orchestrator.web.in_the_clear.InTheClearMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "orchestrator.web.no_store.NoStoreMiddleware",
    "orchestrator.web.compression.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    # What follows may be refused by a database that is away, and the answer depends on who asks.
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "orchestrator.web.unseen.UnseenMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "orchestrator.web.people.session_limits.SessionLimitsMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "orchestrator.web.people.first_password.FirstPasswordMiddleware",
    "orchestrator.web.people.second_factor.SecondFactorMiddleware",
    "orchestrator.web.refusals.RefusalMiddleware",
    "orchestrator.web.admission.AdmissionMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "orchestrator.urls"
WSGI_APPLICATION = "orchestrator.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "orchestrator.web.chrome.chrome",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "orchestrator.web.indentation.TemplateLoader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "orchestrator.templatetags.once",
                "orchestrator.templatetags.forms",
                "orchestrator.templatetags.lists",
                "orchestrator.templatetags.pieces",
            ],
        },
    }
]

# Before 3.51.3 SQLite's WAL can lose a commit when a checkpoint races with writers of other processes
# (sqlite.org/wal.html, "WAL-reset bug"), so older versions keep the rollback journal. Its file stays and a
# commit empties its head: as durable as deleting it, without a wait for the folder (8 ms became 1 to 2).
SQLITE_WAL_IS_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3)
SQLITE_JOURNAL = "WAL" if SQLITE_WAL_IS_SAFE else "PERSIST"
DATABASES = {"default": database()}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": f"PRAGMA journal_mode={SQLITE_JOURNAL}; PRAGMA synchronous=FULL; "
        f"PRAGMA journal_size_limit={4 << 20}; PRAGMA recursive_triggers=1",
    }
else:
    DATABASES["default"] = {"OPTIONS": {}} | DATABASES["default"]
    DATABASES["default"]["OPTIONS"] = POSTGRESQL | DATABASES["default"]["OPTIONS"]
# A lock out of order is a mistake of the code: the suite fails of it, in operation it is logged.
STRICT_LOCKS = False
#: Whether an act that locks or records what it does not declare is an error.
STRICT_DECLARATIONS = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A full cache throws out entries at random. Words between processes (is the queue alive?) have a few fixed
# keys; what is remembered of each workstream has a place of its own, or it would push them out.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "cache",
    },
    "workstreams": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "cache-of-workstreams",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
}

# The queue's schedules go wrong in any other zone; pages show times in PROJECT_TIME_ZONE.
TIME_ZONE = "UTC"
PROJECT_TIME_ZONE = os.environ.get("PROJECT_TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = False
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "orchestrator.formats"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "orchestrator.web.people.session_limits.AccountBackend",
]
_DJANGOS, _OURS = "django.contrib.auth.password_validation", "orchestrator.services.people"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_DJANGOS}.UserAttributeSimilarityValidator", "OPTIONS": {"max_similarity": 0.6}},
    {"NAME": f"{_DJANGOS}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_DJANGOS}.CommonPasswordValidator"},
    {"NAME": f"{_DJANGOS}.NumericPasswordValidator"},
    {"NAME": f"{_OURS}.passwords.WordsOfThePlace"},
    {"NAME": f"{_OURS}.breached_passwords.BreachedPasswords"},
]
#: A file with the SHA-1 of passwords that were stolen elsewhere, a line each, in their order.
BREACHED_PASSWORDS = os.environ.get("BREACHED_PASSWORDS", "")
#: The operator's own words that no password may be made of.
PASSWORD_WORDS = _words("PASSWORD_WORDS")
#: Hours in which a password that somebody else set has to be changed by its person.
FIRST_PASSWORD_HOURS = max(_whole_number("FIRST_PASSWORD_HOURS", 72), 1)
CSRF_FAILURE_VIEW = "orchestrator.web.refusals.csrf_failed"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "inbox"
LOGOUT_REDIRECT_URL = "login"
# Ten failed sign-ins of one name, from wherever they come, or fifty from one address stop it for a quarter of
# an hour.
AXES_HANDLER = "orchestrator.web.people.lock_outs.LockOutLimits"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_CALLABLE = "orchestrator.web.people.lock_outs.counted_name"
AXES_CLIENT_IP_CALLABLE = "orchestrator.web.people.addresses.network_of"
AXES_LOCKOUT_CALLABLE = "orchestrator.web.people.lock_outs.locked_out_page"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
#: Wrong bearer tokens that one address may send in a quarter of an hour.
TOKEN_FAILURE_LIMIT = 20
#: The header in which a proxy says where a request comes from; without one it is the address of the
#: connection.
CLIENT_ADDRESS_HEADER = os.environ.get("CLIENT_ADDRESS_HEADER", "")
#: Who has to sign in with a code of an authenticator app as well: names of roles, and `operator` for
#: administrators.
SECOND_FACTOR_FOR = _words("SECOND_FACTOR_FOR")
#: A code of an app signs in within its own thirty seconds, not in those before and behind them.
SECOND_FACTOR_STRICT = os.environ.get("SECOND_FACTOR_STRICT", "") == "1"
OTP_TOTP_ISSUER = "Orchestrator"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
#: A session ends after this time without a request, and this long after its sign-in whatever happens.
SESSION_IDLE_MINUTES = _whole_number("SESSION_IDLE_MINUTES", 120)
SESSION_HOURS = max(_whole_number("SESSION_HOURS", 12), 1)
SESSION_ENGINE = "orchestrator.models.people.open_session"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Behind a proxy that speaks TLS with browsers. Its header is trusted, so it has to set it whatever comes in.
TLS = os.environ.get("TLS", "") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = TLS
# Who watches over it asks on this machine; there is nothing secret in the question or the answer.
SECURE_REDIRECT_EXEMPT = ["^(health|ready|metrics)$"]
if TLS:  # browsers take such names from this host alone
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    MESSAGE_STORAGE = "orchestrator.web.people.message_cookie.MessagesOfThisHost"
SECURE_HSTS_SECONDS = _whole_number("HSTS_SECONDS", 365 * 24 * 3600) if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = TLS
if TLS_PROXY_HEADER := os.environ.get("TLS_PROXY_HEADER", ""):
    SECURE_PROXY_SSL_HEADER = (f"HTTP_{TLS_PROXY_HEADER.upper().replace('-', '_')}", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = limits.REQUEST_BYTES
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": os.environ.get("STATICFILES", "whitenoise.storage.CompressedManifestStaticFilesStorage")
    },
}

Q_CLUSTER = {
    "name": "orchestrator",
    "orm": "default",
    "broker_class": "orchestrator.processes.queue_broker.OrderedBroker",
    "workers": _whole_number("QUEUE_WORKERS", 2),
    "queue_limit": _whole_number("QUEUE_WORKERS", 2),
    "timeout": 60,
    "retry": 180,
    "max_attempts": 3,
    "poll": 0.2,
    # What succeeded is not kept: nobody reads it, and keeping a hundred of them reads all of them each time,
    # with three commits of its own behind every message. What failed is kept.
    "save_limit": -1,
    "ack_failures": True,
    "catch_up": False,
    "guard_cycle": 1,
}

#: The key that signs the history (FR-009); made when the first entry is sealed. Keep a copy elsewhere.
HISTORY_KEY_FILE = Path(os.environ.get("HISTORY_KEY_FILE") or DATA_DIR / "keys" / "history.key")
#: Whether strangers may read checkpoint, tiles and keys at `/log/`: hashes, and nothing of what entries say.
PUBLIC_LOG = os.environ.get("PUBLIC_LOG", "") == "1"
# Browsers keep no page of this server, not even for their *Back*.
NO_STORE = os.environ.get("NO_STORE", "") == "1"
# The shared git repository that artifacts are committed to (design section 5).
WORKSPACE_DIR = DATA_DIR / "workspace"
#: Where sweeps push its branches, so that another machine has them; empty: nowhere.
WORKSPACE_REMOTE = os.environ.get("WORKSPACE_REMOTE", "")
if WORKSPACE_REMOTE and not is_remote_address(WORKSPACE_REMOTE):
    raise SystemExit("WORKSPACE_REMOTE must begin with https://, ssh:// or file://, or be an absolute path.")
# Repositories that plans may name: every folder in here; the operator puts them there.
REPOSITORIES_DIR = Path(os.environ.get("REPOSITORIES_DIR", DATA_DIR / "repositories"))
#: What other machines reach that folder by, such as `ssh://host/srv/repositories/`; empty: they do not.
REPOSITORIES_URL = os.environ.get("REPOSITORIES_URL", "")
#: Who merges accepted work into base branches: nobody here (`off`), the orchestrator (`merge`), or a program.
INTEGRATION = os.environ.get("INTEGRATION", "off")
if INTEGRATION not in ("off", "merge") and not os.path.isabs(INTEGRATION):
    raise SystemExit(
        f"INTEGRATION must be off, merge or the absolute path of a program, not {INTEGRATION!r}."
    )
#: The file at the root of those repositories that keeps a section with what work taught; empty: none does.
LEARNINGS_FILE = os.environ.get("LEARNINGS_FILE", "")
if LEARNINGS_FILE and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.md", LEARNINGS_FILE):
    raise SystemExit(
        f"LEARNINGS_FILE must be the name of a Markdown file such as CLAUDE.md, not {LEARNINGS_FILE!r}."
    )
# Locked files: how many large plans may be read at once, in all processes together.
TURNS_DIR = DATA_DIR / "run" / "turns"
WORKTREES_DIR = DATA_DIR / "worktrees"
# What runs of tools and of the agents that `serve` starts print.
RUN_LOGS_DIR = DATA_DIR / "logs" / "runs"
# Tools that steps may route to; a plan never runs anything else (design section 7).
TOOLS = _words("TOOLS", "pytest,ruff,script,http,human")
#: Tools whose steps may use the network.
TOOLS_NETWORK = _words("TOOLS_NETWORK")


def _named(variable: str) -> dict[str, str]:
    """`name=value; other=value`."""
    given = [one.partition("=") for one in os.environ.get(variable, "").split(";")]
    return {name.strip(): value.strip() for name, equals, value in given if equals and value.strip()}


#: What the tool `http` reaches, by the names that plans use, and the bearer tokens that it shows there.
HTTP_ENDPOINTS = _named("HTTP_ENDPOINTS")
HTTP_TOKENS = _named("HTTP_TOKENS")
#: What proves the steps of plans on a repository, where neither step nor gate nor plan says it:
#: `name=pytest -q; other=ruff check`.
VERIFY = _named("VERIFY")
#: "auto" shuts tools in and refuses to run them where that is impossible; "off" lets them do what the server
#: may do.
TOOLS_SANDBOX = os.environ.get("TOOLS_SANDBOX") or "auto"
if TOOLS_SANDBOX not in ("auto", "off"):
    raise SystemExit(f"TOOLS_SANDBOX must be auto or off, not {TOOLS_SANDBOX!r}.")
# What one run of a tool may use; 0 for no limit.
TOOLS_LIMITS = {
    "processes": _whole_number("TOOLS_PROCESSES", 256),
    "memory": _whole_number("TOOLS_MEMORY_MB", 2048) * 1024 * 1024,
    "file_size": _whole_number("TOOLS_FILE_MB", 512) * 1024 * 1024,
    "open_files": _whole_number("TOOLS_OPEN_FILES", 1024),
    "cpu_seconds": _whole_number("TOOLS_CPU_SECONDS", 600),
}
# Notifications. Without a mail server nothing is sent by e-mail.
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = _whole_number("EMAIL_PORT", 25)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("EMAIL_USE_TLS", "") == "1"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "orchestrator@localhost")
#: What people reach this server by; links in messages begin with it.
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"http://{HOST}:{PORT}").rstrip("/")
#: Machines of a private network that web hooks may reach.
WEBHOOK_HOSTS = _words("WEBHOOK_HOSTS")
#: Seconds in which who approved a plan on a page may withdraw that, before anything of it starts; 0 for none.
WITHDRAW_SECONDS = min(_whole_number("WITHDRAW_SECONDS", 10), 3600)
#: Days after which accepted work is no suspected duplicate any more; 0 to look at all of it.
DUPLICATE_DAYS = _whole_number("DUPLICATE_DAYS", 90)
#: Minutes after which a person is asked about an agent or a tool that holds a step and says nothing; 0 for
#: never.
SILENCE_MINUTES = _whole_number("SILENCE_MINUTES", 240)
#: Names in the environment whose values are masked wherever they turn up, beside those that are called a
#: token, key or password anyway.
MASKED_NAMES = _words("MASKED_NAMES")
#: Sources above this many bytes are refused before they are read.
PLAN_LIMIT = limits.PLAN_BYTES

#: `line` for people, `json` for programs: one object a line.
LOG_FORMAT = os.environ.get("LOG_FORMAT") or "line"
if LOG_FORMAT not in ("line", "json"):
    raise SystemExit(f"LOG_FORMAT must be line or json, not {LOG_FORMAT!r}.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "orchestrator.services.base.log_lines.MaskingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
        },
        "json": {"()": "orchestrator.services.base.log_lines.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "WARNING")},
}
